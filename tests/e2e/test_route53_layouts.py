"""Layouts at Route 53 as a user has them: chosen by how many load balancers there are, names among these, and the end.

All of it with real processes; the name is asked all the time, and never empty.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.rcode
import dns.rdatatype
import pytest

from e2e.roles import Process, until
from e2e.test_route53 import ZONE, Hosted
from harness.journals import problems_in
from harness.route53 import Route53, running

WAIT_S = 150.0
"""Nothing takes long; a machine that does much else may."""
ELB_ZONE, ELB = "Z32O12XQLNTSW2", "edge-1.eu-west-1.elb.amazonaws.com"
ELB_ADDRESS = "198.51.100.7"


class Unchecked(Hosted):
    """Load balancers that nobody checks, so that no test waits for them."""

    def __init__(self, service: Route53, folder: Path) -> None:
        super().__init__(service, folder, serving=False)

    def fleet(self, count: int, more: str = "", endpoints: str = "{www: {ttl: 2}}") -> None:
        """From now on there are so many load balancers, and `more`."""
        some = [f"lb-{number}: {{az: {'abc'[number % 3]}, ip: 192.0.2.{number}}}" for number in range(1, count + 1)]
        self.file = self.written(
            health="none", load_balancers=f"{{{', '.join([*some, *([more] if more else [])])}}}", endpoints=endpoints
        )

    def asked(self, name: str = "www") -> set[str]:
        """What one answer has."""
        reply = self.ask(name)
        return {rr.address for rrset in reply.answer for rr in rrset if rrset.rdtype == dns.rdatatype.A}

    def drawn(self) -> set[str]:
        """What many answers have."""
        return set().union(*(self.asked() for _ in range(60)))

    def layout(self, name: str = "www") -> str:
        """What stands at the name."""
        raws = self.raws(name)
        if not raws:
            return ""
        return "tree" if "AliasTarget" in raws[0] and "SetIdentifier" not in raws[0] else "multivalue"

    def roles(self) -> list[Process]:
        """A planner and an enactor."""
        return [self.role("planner", "p1"), self.role("enactor", "e1")]

    @contextmanager
    def never_empty(self, name: str = "www") -> Iterator[None]:
        """Ask the name by DNS all the time; AssertionError if it ever answers nothing."""
        over, answers = threading.Event(), []

        def ask() -> None:
            while not over.is_set():
                answers.append(len(self.asked(name)))
                time.sleep(0.005)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(60)
        assert answers
        assert min(answers) > 0, f"it was empty in {answers.count(0)} of {len(answers)} answers"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Unchecked]:
    with running() as service:
        one = Unchecked(service, tmp_path)
        try:
            yield one
        finally:
            one.close()


def test_a_fleet_that_grows_has_a_tree_and_one_that_goes_to_and_fro_keeps_it(hosted: Unchecked) -> None:
    def changed(count: int, layout: str) -> None:
        hosted.fleet(count)
        planner.signal(signal.SIGHUP)
        wanted = {f"192.0.2.{number}" for number in range(1, count + 1)}
        until(lambda: hosted.layout() == layout and hosted.drawn() == wanted, f"{count} stand as {layout}", WAIT_S)

    hosted.fleet(8)
    planner, enactor = hosted.roles()
    until(lambda: len(hosted.asked()) == 8, "all eight are in one answer", WAIT_S)
    assert hosted.layout() == "multivalue"
    with hosted.never_empty():
        hosted.fleet(9)
        assert "layout multivalue → tree" in hosted.command("plan", code=2)
        changed(9, "tree")
        assert "1 name in step" in hosted.command("plan")
        changed(8, "tree")
        changed(6, "multivalue")
    assert len(hosted.asked()) == 6
    for role in (enactor, planner):
        role.terminate()
    assert not problems_in(hosted.state / "journal")
    hosted.command("audit")


def test_a_tree_by_hand_is_the_tree_that_an_enactor_takes_over(hosted: Unchecked) -> None:
    hosted.fleet(9)
    batch = json.loads(hosted.command("plan", "--format", "aws", code=2))
    client = hosted.service.client()
    client.change_resource_record_sets(HostedZoneId=hosted.zone_id, ChangeBatch={"Changes": batch["Changes"]})
    assert hosted.layout() == "tree"
    stood = hosted.raws("www")
    # an answer has one of the nine: in one of a hundred drawings one of them never has its turn
    until(lambda: len(hosted.drawn()) == 9, "all nine are answered", WAIT_S)
    hosted.role("planner", "p1", "--take", f"www.{ZONE}")
    hosted.role("enactor", "e1")
    until(lambda: hosted.raws("www._standfast", "TXT"), "taken over", WAIT_S)
    assert hosted.raws("www") == stood


def test_names_among_load_balancers_are_published_drained_and_retired(hosted: Unchecked) -> None:
    there = {"A": {"ttl": 60, "values": [ELB_ADDRESS]}}
    zones = {ELB_ZONE: {"suffix": "eu-west-1.elb.amazonaws.com.", "names": {f"{ELB}.": there}}}
    hosted.service.order("services", zones=zones)
    elb = f"elb-1: {{az: a, alias: {{name: {ELB}, zone: {ELB_ZONE}}}}}"
    hosted.fleet(2, elb)
    shown = hosted.command("plan", code=2)
    assert "no load balancer that serves this name has it" not in shown
    roles = hosted.roles()
    with_elb = {"192.0.2.1", "192.0.2.2", ELB_ADDRESS}
    until(lambda: hosted.drawn() == with_elb, "a name answers beside addresses", WAIT_S)
    assert {raw["SetIdentifier"] for raw in hosted.raws("www")} == {"lb-1", "lb-2", "elb-1"}
    assert "in step" in hosted.command("plan")
    assert f"{ELB} is in the answer of www" in hosted.command("explain", "www", "elb-1")
    with hosted.never_empty():
        hosted.command("drain", "elb-1", "--reason", "test", "--yes")
        until(lambda: hosted.drawn() == with_elb - {ELB_ADDRESS}, "it is out", WAIT_S)
        hosted.command("drain", "elb-1", "--end")
        until(lambda: hosted.drawn() == with_elb, "it is back", WAIT_S)

    said = hosted.command("retire", "www", "--reason", "test", code=3)
    assert ELB in said, "who would go is shown before it is agreed to"
    assert hosted.drawn() == with_elb
    hosted.command("retire", "www", "--reason", "test", "--yes", "--wait", "60")
    assert not hosted.raws("www")
    assert hosted.ask("www").rcode() == dns.rcode.NXDOMAIN
    (tombstone,) = hosted.raws("www._standfast", "TXT")
    assert "st=retired" in tombstone["ResourceRecords"][0]["Value"]
    refused = hosted.command("plan", code=3)
    assert "a retired name stays retired" in refused
    for role in reversed(roles):
        role.terminate()
    assert not problems_in(hosted.state / "journal")
    hosted.command("audit")
