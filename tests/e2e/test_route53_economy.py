"""Calls of Route 53's API, counted on the stand-in: few, shared by several enactors, and nobody waits for the dead.

The same figures as `python -m bench.route53` gives for 25,000 endpoints, at a tenth of them.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.roles import until
from harness.route53 import running

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.route53 import BATCHES_GOAL, ENACTORS_GOAL, OURS, Fleet, Stage, theirs


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with running("--rate", "10", "--burst", "50") as service:
        made = Stage(service, tmp_path / "ours", Fleet(2_500, 250), settle_s=8.0)
        yield made
        made.plans.close()


def test_a_change_is_packed_and_three_ask_hardly_more_than_one(stage: Stage, tmp_path: Path) -> None:
    stage.plans.publish()
    with stage.enactors(1):
        stage.settled(1, 120)
        stage.rounds(1, 120)
        one = stage.change(1, 1)
    with stage.enactors(3) as processes:
        stage.settled(3, 120)
        stage.rounds(3, 120)
        three = stage.change(3, 2)
        for row in (one, three):
            assert row.batches <= BATCHES_GOAL * row.least, row
            assert row.reads <= 1, f"nothing of the zone is listed for a change: {row}"
        assert three.of_the_change <= ENACTORS_GOAL * one.of_the_change, (one, three)
        assert three.all <= ENACTORS_GOAL * one.all, (one, three)

        # The first in line dies; the next plan is live within seconds all the same.
        processes[0].send_signal(signal.SIGKILL)
        processes[0].wait()
        stage.plans.publish(stage.fleet.of_group(3), 3)
        generation = stage.plans.head.generation if stage.plans.head else 0

        def taken_over() -> bool:
            known = [one for who, one in stage.presence().items() if who != "e0"]
            return all(one["generation"] == generation and not one["waiting"] for one in known)

        until(taken_over, "another enactor goes on", 30)
        name = stage.fleet.name(stage.fleet.of_group(3)[0], OURS)
        client = stage.service.client()
        zone_id = client.list_hosted_zones()["HostedZones"][0]["Id"]
        (raw,) = client.list_resource_record_sets(
            HostedZoneId=zone_id, StartRecordName=name, StartRecordType="A", MaxItems="1"
        )["ResourceRecordSets"]
        assert len(raw["ResourceRecords"]) == 7, raw

    octodns = theirs(stage.service, tmp_path / "theirs", stage.fleet)
    assert one.of_the_change < octodns.of_the_change, "octoDNS lists the zone for each change"
