"""The story of a failed run: whatever a change consists of can be told."""

from standfast.model.name import floor_owner
from standfast.model.rrset import RRType
from standfast.ports.provider import Content, Replace, Write, Written
from standfast.ports.provider_spec import ZoneState
from standfast.sim.swarm.running import Simulation
from standfast.sim.swarm.scenario import STREAM, drawn, endpoint_names
from standfast.sim.swarm.telling import _Teller


def test_a_change_of_the_floor_alone_is_told() -> None:
    scenario = drawn(1, 0.1, 4)
    zone, name = endpoint_names(scenario)[0]
    teller = _Teller(Simulation(scenario), name)
    floor = floor_owner(STREAM, zone)
    change = Replace(zone, Write(floor, (), (Content(floor, RRType.TXT, 60, (b"\x01x",)),)), ())
    teller._changed("enactor-0", change, Written(), ZoneState(zone, {}, 1), ZoneState(zone, {}, 2))
    (moment,) = teller.ended("")
    assert moment.text == "changes the floor → Written"
