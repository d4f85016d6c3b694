"""Trees of endpoints that are in no plan at hand: which go, which stay, and what is told of those."""

import pytest

from sim.world.tree_zones import charge, gather, grown, trees
from standfast.core.gathering import Gathered
from standfast.model.marker import Floor, Marker, floor_rdata, marker_rdata
from standfast.model.name import (
    floor_owner,
    marker_owner,
    name_of_parent,
    name_to_wire,
    rollback_owner,
    stream_of_floor,
    tree_parent,
)
from standfast.model.rrset import RRset, RRType, txt_rdata
from standfast.model.tree import TreeName, alias_rrset
from standfast.ports import trees_spec
from standfast.ports.provider import Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.trees import ListPointers, PointersListed
from standfast.sim.world.histories import ENDPOINTS, FLOOR_OWNER, STREAM, ZONE, history

WWW = ENDPOINTS[0]
FORGOTTEN = history("t", "u", "v", ".")
"""The newest plan does not know www any more; its zone stands as the third has it."""
MARKER = (marker_owner(WWW, ZONE), int(RRType.TXT))
LATER = 1e6


def floor_at(generation: int) -> RRset:
    return RRset.of(RRType.TXT, 60, [floor_rdata(Floor(STREAM, generation, "live", "0" * 16), ZONE, FLOOR_OWNER)])


def forgotten(**changed: RRset | None) -> ZoneState:
    """The zone after all four plans, with the floor begun by the last; more or less of `root`, `rollback`, `marker`."""
    zone = grown(4, FORGOTTEN)
    keys = {
        "root": [(WWW, int(rtype)) for rtype in (RRType.ROUTED_A, RRType.ROUTED_AAAA)],
        "rollback": [(rollback_owner(WWW, ZONE), int(rtype)) for rtype in (RRType.ROUTED_A, RRType.ROUTED_AAAA)],
        "marker": [MARKER],
    }
    rrsets = dict(zone.rrsets)
    for what, rrset in changed.items():
        for key in keys[what]:
            rrsets.pop(key, None)
        if rrset is not None:
            rrsets[keys[what][0][0], rrset.rtype] = rrset
    rrsets[FLOOR_OWNER, int(RRType.TXT)] = floor_at(4)
    return ZoneState(ZONE, rrsets, zone.serial + 1)


def put(zone: ZoneState, owner: str, rrset: RRset) -> ZoneState:
    return ZoneState(ZONE, {**zone.rrsets, (owner, rrset.rtype): rrset}, zone.serial + 1)


def collected(zone: ZoneState, **more: object) -> tuple[ZoneState, Gathered]:
    """Two passes, the second of them long after the first."""
    memory = gather(zone, charge(0.0, **more), plans=FORGOTTEN)[1].memory
    return gather(zone, charge(LATER, memory=memory, **more), plans=FORGOTTEN)


def test_what_a_plan_does_not_know_any_more_goes_below_its_marker_and_what_answers_stays() -> None:
    zone = forgotten()
    assert trees(zone) == [1, 2, 3]
    zone, first = gather(zone, charge(0.0), plans=FORGOTTEN)
    assert (first.collected, trees(zone)) == ((), [1, 2, 3])
    zone, done = gather(zone, charge(LATER, memory=first.memory), plans=FORGOTTEN)
    assert done.collected == ((ZONE, WWW, 1),)
    assert trees(zone) == [2, 3], "the rollback alias leads to 2 and root to 3"
    (told,) = done.told
    assert "in no plan, and leads to its tree of since 3" in told
    assert "standfast retire" in told


def test_retention_keeps_trees_of_what_answers_by_a_tree_and_none_of_what_does_not() -> None:
    assert collected(forgotten(), keep=1)[1].collected == ()
    zone, done = collected(forgotten(root=None, rollback=None), keep=1)
    assert [since for _, _, since in done.collected] == [1, 2]
    assert trees(zone) == [3], "at the marker's since nobody can tell whether it is to be live"
    assert any("its marker does not say" in why for why in done.told)


def test_of_a_retired_or_flat_endpoint_no_tree_is_kept_to_look_back() -> None:
    for last in "-", "a":
        plans = history("t", "u", last)
        zone = grown(3, plans)
        memory = gather(zone, charge(0.0, keep=2), plans=plans)[1].memory
        zone, done = gather(zone, charge(LATER, keep=2, memory=memory), plans=plans)
        assert [since for _, _, since in done.collected] == [1, 2]
        assert trees(zone) == []


def test_without_a_marker_the_floor_fences_and_everything_goes() -> None:
    zone, done = collected(forgotten(marker=None, root=None, rollback=None))
    assert [since for _, _, since in done.collected] == [1, 2, 3]
    assert (trees(zone), done.told) == ([], ())
    zone, done = collected(forgotten(marker=None))
    assert trees(zone) == [2, 3], "what root and rollback alias lead to stays, marker or not"


@pytest.mark.parametrize(
    ("floor", "stay"),
    [
        (3, [1, 2, 3, 9]),  # below the head: a plan that was lost with the store may still be written
        (4, []),  # 9 is of a life before this floor
        (9, [9]),  # a plan above ours may be building it
    ],
)
def test_without_a_marker_nothing_goes_that_a_plan_at_or_above_the_floor_may_call_its_own(
    floor: int, stay: list[int]
) -> None:
    zone = forgotten(marker=None, root=None, rollback=None)
    newest = TreeName(tree_parent(WWW, ZONE), 9).top
    zone = put(put(zone, newest, RRset.of(RRType.A, 60, [b"\xc0\x00\x02\x01"])), FLOOR_OWNER, floor_at(floor))
    assert trees(collected(zone)[0]) == stay


def pointing(owner: str, target: str, *, cname: bool = False) -> tuple[str, RRset]:
    return owner, RRset.of(RRType.CNAME, 60, [name_to_wire(target)]) if cname else alias_rrset(RRType.A, target)


@pytest.mark.parametrize("cname", [False, True])
def test_what_any_name_of_the_zone_leads_to_stays_and_is_looked_at_again_after_a_day(cname: bool) -> None:
    top = TreeName(tree_parent(WWW, ZONE), 1).top
    zone = put(forgotten(root=None, rollback=None), *pointing(f"mine.{ZONE}", top, cname=cname))
    memory = gather(zone, charge(0.0), plans=FORGOTTEN)[1].memory
    after, done = gather(zone, charge(LATER, memory=memory), plans=FORGOTTEN)
    assert trees(after) == [1, 3]
    assert any(f"mine.{ZONE} leads to a tree of {WWW}" in why for why in done.told)
    refused: dict[str, object] = {"ListPointers": AssertionError("the zone is not looked through before a day is over")}
    _, again = gather(after, charge(LATER + 80_000.0, memory=done.memory), refused=refused, plans=FORGOTTEN)
    gone = ZoneState(ZONE, {key: one for key, one in after.rrsets.items() if key[0] != f"mine.{ZONE}"}, after.serial)
    assert trees(gather(gone, charge(LATER + 90_000.0, memory=again.memory), plans=FORGOTTEN)[0]) == [3]


def other_floor() -> tuple[str, RRset]:
    owner = floor_owner("cell-2", ZONE)
    return owner, RRset.of(RRType.TXT, 60, [floor_rdata(Floor("cell-2", 1, "live", "0" * 16), ZONE, owner)])


def test_another_streams_endpoint_is_its_own_cleaners_affair() -> None:
    foreign = Marker("cell-2", 9, 9, "0" * 64, "live", "e", "0" * 16)
    rrset = RRset.of(RRType.TXT, 60, [marker_rdata(foreign, ZONE, MARKER[0])])
    zone, done = collected(put(forgotten(marker=rrset), *other_floor()))
    assert (done.collected, done.told, trees(zone)) == ((), (), [1, 2, 3])
    zone, done = collected(put(forgotten(marker=None, root=None, rollback=None), *other_floor()))
    assert trees(zone) == [1, 2, 3], "no marker: they may be what the other stream builds"
    assert any("may be stream cell-2's" in why for why in done.told)
    assert trees(collected(put(forgotten(), *other_floor()))[0]) == [2, 3], "its own marker says whose it is"


@pytest.mark.parametrize("state", ["frozen", "placeholder"])
def test_nothing_goes_under_a_freeze_or_a_marker_that_cannot_be_read(state: str) -> None:
    frozen = Marker(STREAM, 9, 9, "0" * 64, state, "e", "0" * 16)  # type: ignore[arg-type]
    rrset = RRset.of(RRType.TXT, 60, [marker_rdata(frozen, ZONE, MARKER[0])])
    assert trees(collected(forgotten(marker=rrset))[0]) == [1, 2, 3]
    zone, done = collected(forgotten(marker=RRset.of(RRType.TXT, 60, [txt_rdata("v=spf1 -all")])))
    assert trees(zone) == [1, 2, 3]
    assert any("its marker can't be read" in why and "delete that TXT" in why for why in done.told)


def test_a_zone_that_cannot_be_looked_through_keeps_all_of_them() -> None:
    memory = gather(forgotten(), charge(0.0), plans=FORGOTTEN)[1].memory
    refused: dict[str, object] = {"ListPointers": Unknown("throttled")}
    zone, done = gather(forgotten(), charge(LATER, memory=memory), refused=refused, plans=FORGOTTEN)
    assert trees(zone) == [1, 2, 3]
    assert any("can't be looked through: throttled" in why for why in done.told)


def test_a_pinned_plan_and_a_plan_that_brings_it_back_keep_their_trees() -> None:
    memory = gather(forgotten(), charge(0.0), plans=FORGOTTEN)[1].memory
    assert trees(gather(forgotten(), charge(LATER, memory=memory), (1,), plans=FORGOTTEN)[0]) == [1, 2, 3]
    back = history("t", "u", "v", ".", "t")
    zone = grown(5, back)
    memory = gather(zone, charge(0.0), plans=back)[1].memory
    zone, done = gather(zone, charge(LATER, memory=memory), plans=back)
    assert trees(zone) == [3, 5]
    assert done.told == ()


@pytest.mark.parametrize("name", ["www.example", "a.b.example", "*.example", "*.a.example", "example"])
def test_an_endpoint_is_told_from_the_name_of_its_trees(name: str) -> None:
    assert name_of_parent(tree_parent(name, "example"), "example") == name


@pytest.mark.parametrize("inner", ["_h-0123456789abcdef0123456789abcdef", "_tree", "www._standfast", "a._any"])
def test_and_of_no_other_name(inner: str) -> None:
    assert name_of_parent(f"{inner}._tree._standfast.example", "example") == ""
    zone = put(grown(4), f"{5:015d}.{inner}._tree._standfast.{ZONE}", RRset.of(RRType.A, 60, [b"\xc0\x00\x02\x01"]))
    told = gather(zone, charge(0.0))[1].told
    assert not told or all("can't be told from the name" in why for why in told)


def test_pages_of_pointers_join_to_the_whole_and_know_whose_floors_there_are() -> None:
    zone = put(forgotten(), *other_floor())
    parents, start = frozenset({tree_parent(WWW, ZONE)}), ""
    pointers: list[tuple[str, str]] = []
    streams: list[str] = []
    while True:
        page = trees_spec.apply(zone, ListPointers(ZONE, parents, start, 1))[1]
        assert isinstance(page, PointersListed)
        pointers, streams, start = [*pointers, *page.pointers], [*streams, *page.streams], page.more
        if not start:
            break
    tops = {since: TreeName(tree_parent(WWW, ZONE), since).top for since in (2, 3)}
    assert sorted(pointers) == sorted([(WWW, tops[3]), (rollback_owner(WWW, ZONE), tops[2])])
    assert sorted(streams) == ["cell-2", STREAM]
    assert stream_of_floor(f"_floor._standfast.{ZONE}", ZONE) == ""
