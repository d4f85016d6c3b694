"""What a name server says, beside what is planned: where Route 53 draws answers, a part of it is as planned."""

from __future__ import annotations

from msgspec.structs import replace

from harness.planning import UP, fleet, planned, policy
from standfast.model.entry import Entry
from standfast.model.rrset import RRset, RRType, addresses
from standfast.model.tree import root_rrset
from standfast.ports.provider import Unknown
from standfast.runtime.answering import stands


def entry_of(count: int) -> Entry:
    some = fleet(count)
    drawn = planned(some, {one.id: UP for one in some.load_balancers}, (policy("www", max_answers=20),))
    assert drawn.plan is not None
    return next(entry for entry in drawn.plan.shards if entry.kind == "live")


def part(rrset: RRset | None, count: int) -> RRset:
    assert rrset is not None
    return RRset(rrset.rtype, rrset.ttl, rrset.rdata[:count])


FLAT = entry_of(12)
STRANGER = addresses(60, ["198.51.100.7"])[0]


def test_plain_records_are_compared_as_they_are() -> None:
    whole = FLAT.rrset(RRType.A)
    assert stands(FLAT, RRType.A, whole) == "same"
    assert stands(FLAT, RRType.A, part(whole, 8)) == "differs"
    assert stands(FLAT, RRType.A, None) == "empty"
    assert stands(FLAT, RRType.A, Unknown("no answer")) == "unknown"
    bare = replace(FLAT, rrsets=tuple(one for one in FLAT.rrsets if one.answers != RRType.AAAA))
    assert stands(bare, RRType.AAAA, None) == "same"
    assert stands(bare, RRType.AAAA, STRANGER) == "differs"


def test_what_is_drawn_is_as_planned_if_it_is_a_part_of_it() -> None:
    for layout, some in (("multivalue", 8), ("tree", 1)):
        entry = replace(FLAT, layout=layout)
        assert stands(entry, RRType.A, part(FLAT.rrset(RRType.A), some)) == "same", layout
        assert stands(entry, RRType.A, STRANGER) == "differs", layout
        assert stands(entry, RRType.A, None) == "empty", layout


def test_its_api_tells_what_answers_are_drawn_from() -> None:
    entry = replace(FLAT, layout="tree")
    assert stands(entry, RRType.A, root_rrset(entry, RRType.A)) == "same"
    assert stands(entry, RRType.A, root_rrset(replace(entry, since=entry.since + 1), RRType.A)) == "differs"
