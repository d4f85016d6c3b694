"""Zones damaged at will: how many there are, that each is healed, and that one which is not would be told."""

import pytest

from standfast.core import judgement
from standfast.sim.properties import not_reached
from standfast.sim.world.damaged import Family, heal
from standfast.sim.world.histories import history
from standfast.sim.world.scopes import ONE_ENDPOINT, TWO_ENDPOINTS


def test_the_family_is_the_product_of_its_damages() -> None:
    assert [len(part) for part in ONE_ENDPOINT.parts] == [5, 5, 5, 5]
    zones = list(ONE_ENDPOINT.zones())
    assert len(zones) == len({zone for _, zone in zones}) == ONE_ENDPOINT.size == 625
    assert TWO_ENDPOINTS.size == 15_625


def test_only_an_older_floor_or_first_entry_is_no_damage_to_the_newest_plan() -> None:
    """Neither says anything of an endpoint's contents, and the next write raises the floor."""
    fine = {text for text, zone in ONE_ENDPOINT.zones() if not not_reached(zone, ONE_ENDPOINT.plans[-1])}
    floor, first = "the floor is an older one", "the first entry's marker is an older one"
    assert fine == {"", floor, first, f"{floor}, {first}"}


def test_every_zone_is_healed() -> None:
    healed = heal(ONE_ENDPOINT)
    assert (healed.zones, healed.complete, healed.ill) == (625, True, ())


def test_a_core_that_takes_garbage_for_an_obstacle_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgement, "damage_of", lambda entry, contents, known=None: "")
    healed = heal(Family("one endpoint", history("a", "b")), most=1)
    ((damage, why, _, after),) = healed.ill
    assert not healed.complete
    assert damage == "www's addresses are gone"
    assert "records are gone" in why
    assert after.rrsets
