"""Whole batches, many of them, against a model that is too naive to be wrong in the same way."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.laboratory.route53.answers import Contents, answer
from standfast.laboratory.route53.batch import Change, Draft, Rules, Surroundings, judge
from standfast.laboratory.route53.sets import Alias, RecordSet
from standfast.laboratory.route53.zones import View, Zone, born

APEX, ID = "example.com.", "Z1"
AROUND = Surroundings(ID, APEX, lambda *_: "no other zone")
NAMES = [f"{label}.{APEX}" for label in ("a", "b", "c.a")]
Key = tuple[str, str, str | None]


def sets() -> st.SearchStrategy[RecordSet]:
    """Sets that are valid in themselves, few enough that they meet."""
    name = st.sampled_from(NAMES)
    address = st.sampled_from(["192.0.2.1", "192.0.2.2"])
    ttl = st.sampled_from([30, 60])
    plain = st.builds(
        lambda n, t, values: RecordSet(name=n, type="A", ttl=t, values=tuple(values)),
        name,
        ttl,
        st.lists(address, min_size=1, max_size=2, unique=True),
    )
    routed = st.builds(
        lambda n, t, v, i, w: RecordSet(
            name=n, type="A", ttl=t, values=(v,), identifier=i, weight=w, multivalue=None if w is not None else True
        ),
        name,
        ttl,
        address,
        st.sampled_from("xy"),
        st.sampled_from([None, 0, 1]),
    )
    cname = st.builds(lambda n: RecordSet(name=n, type="CNAME", ttl=60, values=("t.example.",)), name)
    alias = st.builds(lambda n, to: RecordSet(name=n, type="A", alias=Alias(ID, to, False)), name, name)
    return st.one_of(plain, routed, cname, alias)


CHANGES = st.lists(st.builds(Change, st.sampled_from(["CREATE", "DELETE", "UPSERT"]), sets()), min_size=1, max_size=4)


def naive(held: dict[Key, RecordSet], changes: list[Change]) -> dict[Key, RecordSet] | None:
    """What a batch leaves of some sets, or None: the rules once more, set by set, without a thought for speed."""
    by_key: dict[Key, list[str]] = {}
    for change in changes:
        one = change.wanted
        by_key.setdefault((one.name, one.type, one.identifier), []).append(change.action)
    if any(len(made) > 1 and made != ["DELETE", "CREATE"] for made in by_key.values()):
        return None
    now = dict(held)
    for change in changes:
        one, key = change.wanted, (change.wanted.name, change.wanted.type, change.wanted.identifier)
        if change.action == "DELETE":
            standing = now.pop(key, None)
            if standing is None or sorted(standing.values) != sorted(one.values):
                return None
            fields = ("ttl", "weight", "multivalue", "alias", "health_check")
            if any(getattr(standing, field) != getattr(one, field) for field in fields):
                return None
        elif change.action == "CREATE" and key in now:
            return None
        else:
            now[key] = one
    touched = {(change.wanted.name, change.wanted.type, change.wanted.identifier) for change in changes}
    there = {key for key in held if key not in touched}
    for change in changes:  # a target stands before its alias: untouched, or created further up
        one = change.wanted
        if change.action == "DELETE":
            continue
        if one.alias and (
            one.alias.name == one.name or not any(key[:2] == (one.alias.name, one.type) for key in there)
        ):
            return None
        there.add((one.name, one.type, one.identifier))
    for one, other in itertools.permutations(now.values(), 2):
        written = [change.wanted for change in changes if change.action != "DELETE"]
        if one.name != other.name or not any(new in (one, other) for new in written):
            continue
        if "CNAME" in (one.type, other.type) and one.type != other.type:
            return None
        if one.type == other.type and one.policy != other.policy:
            return None
        weighted = one.type == other.type and one.policy == "weighted" and None not in (one.ttl, other.ttl)
        if weighted and one.ttl != other.ttl:
            return None
    return now


@settings(max_examples=300, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_batches_leave_what_the_naive_model_leaves(batches: list[list[Change]]) -> None:
    zone = Zone(ID, APEX, "")
    zone.adopt(born(zone, ["ns.example."]))
    held: dict[Key, RecordSet] = {}
    for changes in batches:
        before = {key: dict(group) for key, group in zone.groups.items()}
        judged = judge(zone.groups, changes, AROUND, Rules())
        assert {key: dict(group) for key, group in zone.groups.items()} == before, "to judge is not to change"
        expected = naive(held, changes)
        assert (expected is None) == isinstance(judged, list), (changes, judged)
        if isinstance(judged, Draft):
            assert expected is not None
            zone.adopt(judged)
            held = expected
        listed, following = zone.listed(("", "", ""), 1000)
        assert following is None
        assert {(one.name, one.type, one.identifier): one for one in listed if one.name != APEX} == held
        assert zone.sorted == sorted(zone.sorted)


@settings(max_examples=100, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=6), st.lists(st.floats(0, 5), min_size=6, max_size=6))
def test_a_server_that_has_seen_all_holds_what_the_zone_holds(batches: list[list[Change]], delays: list[float]) -> None:
    zone, view = Zone(ID, APEX, ""), View()
    for number, changes in enumerate([None, *batches]):
        judged: Any = born(zone, ["ns.example."]) if changes is None else judge(zone.groups, changes, AROUND, Rules())
        if isinstance(judged, Draft):
            for key, group in judged.changed.items():
                view.expect(number + delays[number % 6], (ID, APEX, key, tuple(group.values())))
            zone.adopt(judged)
    view.refresh(1000.0)
    assert view.zones[ID] == {key: tuple(group.values()) for key, group in zone.groups.items()}
    names = {name for name, _ in zone.groups} | ({f"a.{APEX}"} if (f"c.a.{APEX}", "A") in zone.groups else set())
    names |= {f"a.{APEX}"} if (f"c.a.{APEX}", "CNAME") in zone.groups else set()
    assert set(view.names[ID]) == names, "a name exists as long as something stands at it or below it"


@settings(max_examples=100, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=8), st.sampled_from([*NAMES, f"none.{APEX}"]), st.randoms())
def test_every_question_has_an_answer(batches: list[list[Change]], name: str, chance: Any) -> None:
    zone = Zone(ID, APEX, "")
    zone.adopt(born(zone, ["ns.example. h.example. 1 2 3 4 5"]))
    for changes in batches:
        judged = judge(zone.groups, changes, AROUND, Rules(delete_target="allow"))
        if isinstance(judged, Draft):
            zone.adopt(judged)
    here = {key: tuple(group.values()) for key, group in zone.groups.items()}
    names = {name: 1 for name, _ in here} | {f"a.{APEX}": 1 for at, _ in here if at.startswith("c.a.")}
    told = answer(Contents(ID, APEX, here, names, lambda _: True, lambda *_: None, chance), name, "A")
    assert told.exists == (name in names)
    values = {value for group in here.values() for one in group for value in one.values}
    assert {value for records in told.records for value in records.values} <= values
    assert bool(told.soa) != bool(told.records)
