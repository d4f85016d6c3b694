"""The judges' own memory: what of a lost marker a zone still remembers, and so no write may go below."""

import pytest

from harness.planning import ZONE
from harness.publishing import floor_at, garbage_at, marker_at, zone_of
from standfast.model.name import floor_owner
from standfast.model.rrset import RRset
from standfast.ports.provider import Content, Key, Replace, Write
from standfast.ports.provider_spec import ZoneState
from standfast.sim.properties import NEVER, InEffect, remembered, wrong_with_write

WWW, API = f"www.{ZONE}", f"api.{ZONE}"
API_AT_9 = marker_at(API, 9, 9, "c" * 16)


@pytest.mark.parametrize(
    ("zone", "generation"),
    [
        pytest.param(zone_of(floor_at(12), API_AT_9), 12, id="the floor, which is above its markers"),
        pytest.param(zone_of(floor_at(5), API_AT_9), 5, id="a floor that people set below a marker"),
        pytest.param(zone_of(API_AT_9), 9, id="no floor: the markers"),
        pytest.param(zone_of(garbage_at(floor_owner("main", ZONE)), API_AT_9), 9, id="a floor nobody can read"),
        pytest.param(zone_of(), 0, id="nothing"),
    ],
)
def test_the_floor_remembers_and_where_it_is_lost_the_markers(zone: ZoneState, generation: int) -> None:
    assert remembered(zone, (WWW, API), "main") == generation


@pytest.mark.parametrize(
    ("left", "wrong"),
    [
        pytest.param(floor_at(7), True, id="the floor tells"),
        pytest.param(API_AT_9, True, id="the floor is lost, and another marker tells"),
        pytest.param(floor_at(4) | API_AT_9, False, id="people set the floor back, and then one marker forward"),
        pytest.param({}, False, id="nothing tells"),
    ],
)
def test_a_lost_marker_may_be_written_lower_only_where_nothing_remembers(left: dict[Key, RRset], wrong: bool) -> None:
    before = zone_of(left)
    fresh = zone_of(floor_at(7), marker_at(WWW, 5, 5, "b" * 16))
    put = tuple(Content(owner, rtype, one.ttl, one.rdata) for (owner, rtype), one in fresh.rrsets.items())
    change = Replace(ZONE, Write("", (), put[:1]), (Write(WWW, (), put[1:]),))
    ghosts = {WWW: InEffect(6, 7, "a" * 16), API: NEVER}
    found = wrong_with_write(before, before.changed(put), change, ghosts, {}, "main")
    assert (f"G2: {WWW} went from since 6 to 5 while its marker was gone" in found) is wrong, found
