"""What an answer is beside the plan; and that nothing is believed of one look."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.planning import UP, fleet, planned, policy
from standfast.model.entry import Entry, Layout
from standfast.model.marker import ABSENT, Marker
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Unknown
from standfast.runtime.monitoring.answers import Answer, Believed, Past, Reading, answered

POLICY = policy("www", min_answers=1)


def plan_of(count: int, before: Plan | None = None, now: float = 1000.0) -> Plan:
    """`count` load balancers serve."""
    some = fleet(count)
    drawn = planned(some, {one.id: UP for one in some.load_balancers}, (POLICY,), before, now)
    assert drawn.plan is not None
    return drawn.plan


def entry_of(plan: Plan) -> Entry:
    return next(entry for entry in plan.shards if entry.kind == "live")


OLD = plan_of(3)
OLDER = entry_of(OLD)
ENTRY = entry_of(plan_of(4, OLD, 2000.0))


def marker(since: int) -> Marker:
    return Marker("main", since, since, "0" * 32, "live", "a", "f" * 16)


def sets(entry: Entry, **only: int) -> tuple[Reading, ...]:
    """The entry's rrsets, of a family only so many addresses."""
    found: list[Reading] = []
    for rtype in ADDRESS_TYPES:
        rrset = entry.rrset(rtype)
        count = only.get(RRType(rtype).name, 99)
        cut = RRset(rrset.rtype, rrset.ttl, rrset.rdata[:count]) if rrset is not None and count else None
        found.append(cut)
    return tuple(found)


def past() -> Past:
    known = Past()
    known.learn(OLDER)
    known.learn(ENTRY)
    return known


STRANGER = RRset(int(RRType.A), 60, (bytes([192, 0, 2, 199]),))


@pytest.mark.parametrize(
    ("since", "readings", "state", "why"),
    [
        (ENTRY.since, sets(ENTRY), "whole", ""),
        (None, sets(ENTRY), "whole", ""),
        (OLDER.since, sets(OLDER), "behind", f"it serves g{OLDER.since}, and g{ENTRY.since} is planned"),
        (None, sets(OLDER), "behind", "it serves what was planned before"),
        (0, sets(OLDER), "behind", "it serves"),
        (ENTRY.since, sets(ENTRY, A=0, AAAA=0), "empty", "no A"),
        (ENTRY.since, (None, *sets(ENTRY)[1:]), "empty", "no A record"),
        (ENTRY.since, sets(ENTRY, A=1), "mixed", "addresses of several plans together"),
        (ENTRY.since, (STRANGER, *sets(ENTRY)[1:]), "foreign", "an address that no plan has"),
        (ENTRY.since, (Unknown("no answer"), None), "silent", "no answer"),
    ],
)
def test_what_an_answer_is(since: int | None, readings: tuple[Reading, ...], state: str, why: str) -> None:
    found = answered(ENTRY, past().of(ENTRY), marker(since) if since is not None else ABSENT, readings)
    assert found.state == state
    assert why in found.why


@pytest.mark.parametrize(
    ("layout", "since", "readings", "state"),
    [
        ("tree", ENTRY.since, sets(ENTRY, A=1, AAAA=1), "whole"),
        ("tree", ENTRY.since, sets(ENTRY), "whole"),
        ("tree", ENTRY.since, sets(ENTRY, A=0), "empty"),
        ("tree", ENTRY.since, (STRANGER, *sets(ENTRY)[1:]), "foreign"),
        ("tree", OLDER.since, sets(OLDER, A=1, AAAA=1), "behind"),
        ("multivalue", ENTRY.since, sets(ENTRY, A=1), "mixed"),
        ("multivalue", ENTRY.since, sets(ENTRY), "whole"),
    ],
)
def test_of_a_tree_each_answer_is_a_part(layout: Layout, since: int, readings: tuple[Reading, ...], state: str) -> None:
    known, entry = Past(), replace(ENTRY, layout=layout)
    known.learn(replace(OLDER, layout=layout))
    known.learn(entry)
    found = answered(entry, known.of(entry), marker(since), readings)
    assert found.state == state


def test_whom_route_53_takes_out_is_not_missed() -> None:
    """Its own health checks leave the dead out of a multivalue answer."""
    some = tuple(replace(one, health_check="hc") for one in ENTRY.members)
    entry = replace(ENTRY, layout="multivalue", members=some)
    known = Past()
    known.learn(entry)
    assert answered(entry, known.of(entry), marker(entry.since), sets(entry, A=1)).state == "whole"
    assert answered(entry, known.of(entry), marker(entry.since), sets(entry, A=0)).state == "empty"


def test_a_name_that_a_plan_begins_with_is_not_there_yet() -> None:
    known, nothing = Past(), sets(ENTRY, A=0)
    known.learn(ENTRY, 100.0)
    assert known.coming(ENTRY, 159.0)
    assert not known.coming(ENTRY, 161.0)
    assert answered(ENTRY, known.of(ENTRY), ABSENT, nothing, coming=True).state == "behind"
    assert answered(ENTRY, known.of(ENTRY), ABSENT, nothing).state == "empty"
    assert answered(ENTRY, known.of(ENTRY), marker(ENTRY.since), nothing, coming=True).state == "empty", (
        "it was written"
    )
    known.learn(ENTRY, 200.0)
    assert not known.coming(ENTRY, 201.0), "it begins once"


def test_a_marker_that_cannot_be_read_is_silence_not_absence() -> None:
    assert answered(ENTRY, past().of(ENTRY), Unknown("refused"), sets(ENTRY)).state == "silent"


def test_trouble_is_believed_when_it_was_seen_twice_and_its_end_at_once() -> None:
    believed, key = Believed(), ("z", "www.z")
    empty, whole, mixed = Answer("empty"), Answer("whole", since=3), Answer("mixed")
    assert believed.heard(key, whole) == whole
    assert believed.heard(key, whole) is None
    assert believed.heard(key, empty) is None
    assert believed.now[key] == whole
    assert believed.heard(key, mixed) is None
    assert believed.heard(key, mixed) == mixed
    assert believed.heard(key, mixed) is None
    assert believed.heard(key, whole) == whole
    assert believed.heard(key, empty) is None, "it begins anew"
    assert believed.heard(key, Answer("whole", since=4)) == Answer("whole", since=4)
    believed.forget(frozenset())
    assert not believed.now


def test_only_the_newest_few_plans_are_remembered() -> None:
    known, plan = Past(), OLD
    for step in range(2 * Past.KEPT):
        known.learn(entry_of(plan))
        plan = plan_of(3 + step % 2 + 1, plan, 3000.0 + 1000 * step)
    assert len(known.of(entry_of(plan))) <= Past.KEPT
