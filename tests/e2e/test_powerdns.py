"""PowerDNS as the third server: a held write is refused there too, and sixty signals to three enactors show nobody
anything bad."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import staged
from e2e.plans import both, v4
from e2e.stage import Stage
from e2e.test_chaos import test_sixty_signals_to_three_enactors as sixty_signals
from e2e.test_held_writes import test_a_held_write_is_refused_by_the_server as held_write
from harness.dnsservers import PowerDnsServer
from standfast.laboratory.proxy import UpdateProxy


@pytest.fixture
def stage(request: pytest.FixtureRequest, powerdns: PowerDnsServer, tmp_path: Path, seed: int) -> Iterator[Stage]:
    """On PowerDNS."""
    yield from staged(request, powerdns, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("story", "sender"), [("a-b-a", "waiting"), ("only others", "killed")])
def test_a_held_write_is_refused(stage: Stage, story: str, sender: str) -> None:
    with UpdateProxy(stage.server.address) as proxy:
        held_write(stage, proxy, story, sender)


@pytest.mark.slow
def test_sixty_signals(stage: Stage) -> None:
    sixty_signals(stage)


def test_damage_by_hand_is_found_at_the_next_look(stage: Stage) -> None:
    """It tells no differences, but its serial moves: one look, and all names are read."""
    stage.enactor("a")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    stage.heals(stage.www, [f"update delete {stage.www} A"])
    stage.heals(
        stage.www,
        [
            f"update delete {stage.www} A",
            f"update delete {stage.www} AAAA",
            f"update add {stage.www} 60 CNAME {stage.www}",
        ],
    )
    assert not stage.assert_nothing_bad().bad
