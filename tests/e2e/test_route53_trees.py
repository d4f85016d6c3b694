"""Trees of aliases on the Route 53 stand-in: planner and enactors as processes, generations, hands, and the cleaner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dns.rdatatype
import pytest

from e2e.roles import until
from e2e.test_route53 import ADDRESSES, ZONE, Hosted, in_sync
from harness.journals import problems_in
from harness.route53 import running
from standfast import config as configuration
from standfast.runtime.place import Place
from standfast.runtime.tidings import Tidings, silent
from standfast.runtime.treecleaning import TreeCleaner

WAIT_S = 150.0
"""Nothing takes long; a machine that does much else may."""
BELOW = f"_tree._standfast.{ZONE}."


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    with running() as service:
        one = Hosted(service, tmp_path)
        one.file = one.written(endpoints="{www: {ttl: 2, layout: tree}}")
        try:
            yield one
        finally:
            one.close()


def tops(hosted: Hosted) -> list[str]:
    """The trees of which anything stands, by their since."""
    pages = hosted.service.client().get_paginator("list_resource_record_sets").paginate(HostedZoneId=hosted.zone_id)
    names = [raw["Name"] for page in pages for raw in page["ResourceRecordSets"] if raw["Name"].endswith(BELOW)]
    return sorted({next(label for label in name.split(".") if label.isdigit() and len(label) == 15) for name in names})


def pointed(hosted: Hosted, name: str = "www") -> str:
    """The since of the tree that an alias points at."""
    raws = hosted.raws(name)
    return str(raws[0]["AliasTarget"]["DNSName"]).partition(".")[0] if raws and "AliasTarget" in raws[0] else ""


def answered(hosted: Hosted) -> set[str]:
    """The addresses in many answers; each must have one, for a tree answers by weight."""
    found: set[str] = set()
    for _ in range(40):
        reply = hosted.ask("www")
        texts = {rr.address for rrset in reply.answer for rr in rrset if rrset.rdtype == dns.rdatatype.A}
        assert texts, f"empty answer: {reply}"
        found |= texts
    return found


def cleaner(hosted: Hosted, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> tuple[TreeCleaner, Any, Any]:
    """The cleaner's part for trees in this process, with a clock of ours, and the newest plan."""
    for key, value in hosted.service.environment().items():
        monkeypatch.setenv(key, value)
    found, problems, _ = configuration.check(hosted.file.read_text(), str(hosted.file))
    assert found is not None, problems
    place = Place(found)
    store, journal = place.late_store(), place.open_journal("cleaner", "trees")
    providers = {zone.name: place.open_provider(zone, role="cleaner", who="trees") for zone in found.zones}
    one = TreeCleaner(found, store, providers, journal, Tidings(journal, silent), clock=lambda: clock[0])
    held = ExitStack()
    some: list[Any] = [journal, store, *providers.values()]
    for open_one in some:
        held.callback(open_one.close)
    return one, place, held


def newest(place: Place) -> Any:
    from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan

    store = place.open_store()
    head = store.perform(ReadHead())
    assert isinstance(head, HeadRead)
    assert head.head is not None
    read = store.perform(ReadPlan(head.head.digest))
    store.close()
    assert isinstance(read, PlanRead)
    return read.plan


def _orphans_go(hosted: Hosted, gatherer: TreeCleaner, place: Place, clock: list[float]) -> None:
    """Trees of names that no plan has: one goes, one stays until somebody's alias to it is gone."""
    client, made = hosted.service.client(), []

    def changed(action: str, *sets: dict[str, Any]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": one} for one in sets]}
        client.change_resource_record_sets(HostedZoneId=hosted.zone_id, ChangeBatch=batch)

    for name in ("lost", "meant"):
        owner = f"{1:015d}.{name}.{BELOW}"
        made.append({"Name": owner, "Type": "A", "TTL": 2, "ResourceRecords": [{"Value": "192.0.2.99"}]})
    target = {"HostedZoneId": hosted.zone_id, "DNSName": made[1]["Name"], "EvaluateTargetHealth": False}
    theirs = {"Name": f"theirs.{ZONE}.", "Type": "A", "AliasTarget": target}
    changed("CREATE", *made)
    changed("CREATE", theirs)
    until(lambda: gatherer._wait_s(place.config.zones[0]) is not None, "every name server is up to date", WAIT_S)
    gatherer.gather(newest(place))
    clock[0] += 5000.0
    taken = gatherer.gather(newest(place))
    assert taken is not None
    assert taken.collected == ((ZONE, f"lost.{ZONE}", 1),), taken
    assert any(f"theirs.{ZONE} leads to a tree of meant.{ZONE}" in why for why in taken.told), taken
    changed("DELETE", theirs)
    clock[0] += 90_000.0
    taken = gatherer.gather(newest(place))
    assert taken is not None
    assert taken.collected == ((ZONE, f"meant.{ZONE}", 1),), taken


def test_trees_are_built_flipped_mended_and_collected(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = [hosted.role("planner", "p1"), hosted.role("enactor", "e1"), hosted.role("enactor", "e2")]
    until(lambda: bool(pointed(hosted)), "the root points at a tree", WAIT_S)
    assert answered(hosted) == set(ADDRESSES.values())
    seen = [pointed(hosted)]
    for name in ("lb-b", "lb-c"):
        hosted.command("drain", name, "--reason", "test", "--yes", "--wait", "--timeout", "150s")
        until(lambda: pointed(hosted) != seen[-1], "another generation", WAIT_S)
        seen.append(pointed(hosted))
        assert ADDRESSES[name] not in answered(hosted)
        assert pointed(hosted, "www._rollback._standfast") == seen[-2]
        hosted.command("drain", name, "--end")
        until(lambda: pointed(hosted) != seen[-1], "and back", WAIT_S)
        seen.append(pointed(hosted))
        assert answered(hosted) == set(ADDRESSES.values())
    assert seen == sorted(seen)
    assert set(tops(hosted)) >= set(seen)

    client = hosted.service.client()
    leaf = hosted.raws(f"lb-a.{seen[-1]}.www._tree._standfast")[0]
    gone = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": leaf}]}
    client.change_resource_record_sets(HostedZoneId=hosted.zone_id, ChangeBatch=gone)
    for role in roles[1:]:
        role.terminate()
    roles.append(hosted.role("enactor", "e3"))  # whoever starts looks at everything
    until(lambda: hosted.raws(f"lb-a.{seen[-1]}.www._tree._standfast") == [leaf], "the leaf is back", WAIT_S)
    until(lambda: in_sync(hosted), "in sync", WAIT_S)

    clock = [1000.0]
    gatherer, place, held = cleaner(hosted, clock, monkeypatch)
    until(lambda: gatherer._wait_s(place.config.zones[0]) is not None, "every name server has the newest floor", WAIT_S)
    assert gatherer.gather(newest(place)).collected == ()  # type: ignore[union-attr]
    clock[0] += 5000.0
    before = tops(hosted)
    taken = gatherer.gather(newest(place))
    assert taken is not None
    assert [f"{since:015d}" for _, _, since in taken.collected] == before[:-4], taken
    assert tops(hosted) == before[-4:], "root's, the rollback alias's, and the two newest of the others"
    assert answered(hosted) == set(ADDRESSES.values())
    _orphans_go(hosted, gatherer, place, clock)
    held.close()

    for role in reversed(roles):
        if role.code is None:
            role.terminate()
    assert not problems_in(hosted.state / "journal")
    hosted.command("audit")
