"""Nonces are found wherever the cores keep them, and records stay valid when they are renamed."""

from sim.world.small import explored, small
from standfast.core.enactor import Enactor
from standfast.model.marker import Floor, Marker
from standfast.ports.provider_spec import ZoneState
from standfast.sim.properties import floor_at, marker_at
from standfast.sim.world.histories import ENDPOINTS, STREAM, ZONE, history, names_in, record_owners
from standfast.sim.world.reaching import lone_enactor
from standfast.sim.world.symbols import Symbols

PLANS = history("a", "b")
SYMBOLS = Symbols(ZONE, record_owners(names_in(PLANS)))


def test_a_renamed_zone_has_valid_records_with_the_other_nonce() -> None:
    zone, why = lone_enactor(ZoneState(ZONE, {}), PLANS[0])
    assert not why
    (nonce,) = SYMBOLS.of(zone)
    renamed = SYMBOLS.renamed(zone, {nonce: "0123456789abcdef"})
    marker, floor = marker_at(renamed, ENDPOINTS[0]), floor_at(renamed, STREAM)
    assert isinstance(marker, Marker)
    assert isinstance(floor, Floor)
    assert (marker.nonce, floor.nonce) == ("0123456789abcdef",) * 2
    assert SYMBOLS.renamed(renamed, {"0123456789abcdef": nonce}) == zone


def test_nonces_may_be_exchanged_for_each_other() -> None:
    found = explored(small(flights=0))
    cores = {value for state in range(len(found)) for value in found.values(state) if isinstance(value, Enactor)}
    several = [core for core in cores if len(SYMBOLS.of(core)) > 1]
    assert several, "no enactor ever knew two nonces"
    for core in several:
        one, other, *_ = SYMBOLS.of(core)
        exchanged = SYMBOLS.renamed(core, {one: other, other: one})
        assert SYMBOLS.of(exchanged)[:2] == (other, one)
        assert SYMBOLS.renamed(exchanged, {one: other, other: one}) == core
