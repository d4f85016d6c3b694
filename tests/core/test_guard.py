"""Each rule of the guard, broken one at a time and all at once."""

from typing import Any

import pytest
from msgspec.structs import replace

from harness.planning import WWW, ZONE, begun, entry_of, fleet
from standfast.core.guard import ADDRESSES_MAX, entry_violations, plan_violations
from standfast.model.entry import Entry
from standfast.model.marker import GENERATION_MAX
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType, addresses

GOOD = Entry(ZONE, f"www.{ZONE}", 3, "live", addresses(60, ["192.0.2.1", "2001:db8::1"]), ((1, 1), (28, 1)))
FIRST = Entry(ZONE, f"main._first.{ZONE}", 1, "first")


def with_a(*rdata: bytes, ttl: int = 60, rtype: int = 1) -> dict[str, Any]:
    return {"rrsets": (RRset(rtype, ttl, rdata),), "min_answers": ((1, 1),)}


def test_good_entries_pass() -> None:
    assert entry_violations(GOOD) == ()
    assert entry_violations(FIRST) == ()
    assert entry_violations(replace(GOOD, kind="retired", rrsets=())) == ()
    assert entry_violations(replace(GOOD, name=f"*.{ZONE}")) == ()
    assert entry_violations(replace(GOOD, name=ZONE)) == ()


@pytest.mark.parametrize(
    ("change", "rule", "words"),
    [
        ({"name": "www.other.example"}, "name", "not in zone"),
        ({"name": "WWW.lb.example.com"}, "name", "not in canonical form"),
        ({"name": "a..b"}, "name", "no name"),
        ({"name": f"x._standfast.{ZONE}"}, "reserved", "_standfast"),
        ({"since": 0}, "since", "not within"),
        ({"since": GENERATION_MAX + 1}, "since", "not within"),
        ({"min_answers": ()}, "min_answers", "serves no family"),
        ({"min_answers": ((1, 0), (28, 1))}, "min_answers", "empty answer"),
        ({"min_answers": ((1, 2), (28, 1))}, "min_answers", "1 A where min_answers is 2"),
        ({"min_answers": ((1, 1), (1, 1), (28, 1))}, "min_answers", "twice"),
        ({"min_answers": ((1, 1),)}, "min_answers", "does not say how few"),
        ({"min_answers": ((1, 1), (28, 1), (5, 1))}, "min_answers", "no address family"),
        ({"rrsets": ()}, "min_answers", "0 A where"),
        (with_a(b"\xc0\0\2\1", ttl=0), "ttl", "TTL 0"),
        (with_a(b"\xc0\0\2\1", ttl=604_801), "ttl", "TTL 604801"),
        (with_a(b"\xc0\0\2"), "address", "3 octets"),
        ({"rrsets": (RRset(28, 60, (b"\xc0\0\2\1",)),), "min_answers": ((28, 1),)}, "address", "4 octets"),
        (with_a(b"\xc0\0\2\1", b"\xc0\0\2\1"), "rrsets", "repeats"),
        (with_a(b"\xc0\0\2\2", b"\xc0\0\2\1"), "rrsets", "not sorted"),
        (with_a(b"\0\0\0\0"), "address", "unspecified"),
        (with_a(b"\xff\xff\xff\xff"), "address", "broadcast"),
        (with_a(b"\xe0\0\0\1"), "address", "multicast"),
        ({"rrsets": (RRset(28, 60, (b"\xff\2" + b"\0" * 14,)),), "min_answers": ((28, 1),)}, "address", "multicast"),
        ({"rrsets": (RRset(28, 60, (b"\0" * 16,)),), "min_answers": ((28, 1),)}, "address", "unspecified"),
        ({"rrsets": (*GOOD.rrsets, RRset(16, 60, (b"\1a",)))}, "rrsets", "neither A nor AAAA"),
        ({"rrsets": (GOOD.rrsets[0], *GOOD.rrsets)}, "rrsets", "two rrsets"),
        ({"rrsets": (RRset(1, 60, ()), GOOD.rrsets[1])}, "rrsets", "is empty"),
        ({"kind": "retired"}, "rrsets", "retired entry and has addresses"),
        ({"kind": "first"}, "reserved", "first entry is named"),
    ],
)
def test_each_rule_of_an_entry(change: dict[str, Any], rule: str, words: str) -> None:
    found = entry_violations(replace(GOOD, **change))
    assert any(one.rule == rule and words in one.text for one in found), found


def test_an_rrset_that_fits_no_answer() -> None:
    some = tuple((0x0A000000 + number).to_bytes(4, "big") for number in range(1, ADDRESSES_MAX + 2))
    assert {one.rule for one in entry_violations(replace(GOOD, **with_a(*some)))} == {"size"}
    assert entry_violations(replace(GOOD, **with_a(*some[:-1]))) == ()


def test_everything_wrong_is_said_at_once() -> None:
    bad = replace(GOOD, since=0, name="www.other.example", rrsets=(RRset(1, 0, (b"\0\0\0\0",)),))
    assert {one.rule for one in entry_violations(bad)} == {"name", "since", "min_answers", "ttl", "address"}
    assert str(entry_violations(bad)[0]).startswith("www.other.example: ")


PLAN = begun(fleet(4))


def successor(plan: Plan, *entries: Entry, generation: int = 2, **changes: Any) -> Plan:
    shards = plan.shards.updated(entries)
    return Plan(replace(plan.record, generation=generation, shards=shards.digest, **changes), shards)


WAS = entry_of(PLAN)
CHANGED = replace(WAS, since=2, rrsets=addresses(60, ["192.0.2.1", "192.0.2.2"]))
RETIRED = replace(WAS, since=2, kind="retired", rrsets=())


@pytest.mark.parametrize(
    ("plan", "previous", "rules"),
    [
        (PLAN, None, []),
        (successor(PLAN), PLAN, []),
        (successor(PLAN, CHANGED), PLAN, []),
        (successor(PLAN, RETIRED), PLAN, []),
        (successor(PLAN, generation=1), PLAN, ["generation"]),
        (successor(PLAN, generation=0), None, ["generation", "since", "since"]),
        (successor(PLAN, generation=GENERATION_MAX + 1), PLAN, ["generation"]),
        (successor(PLAN, stream="west"), PLAN, ["stream", "first"]),
        (successor(PLAN, zones=(ZONE, "other.example")), PLAN, ["first"]),
        (successor(PLAN, zones=()), PLAN, ["absent"]),
        (successor(PLAN, replace(CHANGED, since=1)), PLAN, ["since"]),
        (successor(PLAN, replace(CHANGED, since=3)), PLAN, ["since", "since"]),
        (successor(PLAN, replace(WAS, since=5), generation=6), successor(PLAN, replace(WAS, since=7)), ["since"]),
        (successor(PLAN, replace(CHANGED, since=3), generation=3), successor(PLAN, RETIRED), ["kind"]),
        (successor(PLAN, replace(GOOD, zone="other.example", name="a.other.example", since=2)), PLAN, ["zone"]),
        (successor(PLAN, replace(CHANGED, min_answers=((1, 3),))), PLAN, ["min_answers"]),
    ],
)
def test_each_rule_of_a_plan(plan: Plan, previous: Plan | None, rules: list[str]) -> None:
    assert [one.rule for one in plan_violations(plan, previous)] == rules


def test_an_entry_that_vanishes_is_named() -> None:
    with_api = successor(PLAN, replace(GOOD, name=f"api.{ZONE}", since=2))
    lacking = Plan(replace(PLAN.record, generation=3), PLAN.shards)
    (found,) = plan_violations(lacking, with_api)
    assert (found.key, found.rule) == ((ZONE, f"api.{ZONE}"), "absent")
    assert PLAN.entry(WWW) is not None
    assert RRType.A in dict(WAS.min_answers)
