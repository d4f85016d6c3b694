"""DNS of the day: the race as it was built, each protection against it, and production's cores on the same schedule."""

import pytest

from standfast.sim.asbuilt.driving import Region
from standfast.sim.asbuilt.plans import ENDPOINTS
from standfast.sim.asbuilt.remedies import Built
from standfast.sim.region import production
from standfast.sim.region.naming import Hands, Ledger, history
from standfast.sim.region.protections import REMEDIES, Protection

HANDS = Hands(9_420.0, 21_000.0)
UNTIL = 12_000.0


def test_as_built_the_endpoint_is_emptied_and_stays_so_until_people_act() -> None:
    found = history(frozenset(), HANDS, UNTIL)
    assert [count for _, count in found.changes] == [3, 0, 3]
    assert 0.0 <= found.changes[1][0] < 60.0
    assert found.changes[2][0] == HANDS.restored_at


def test_without_people_it_stays_empty() -> None:
    assert history(frozenset(), Hands(None, None), UNTIL).changes[-1][1] == 0


@pytest.mark.parametrize(
    ("protection", "most_s"), [("fence", 0.0), ("safe-clean-up", 0.0), ("repair", 120.0), ("uncoupled", 120.0)]
)
def test_each_protection_of_dns_prevents_it_or_ends_it_with_the_next_plan(
    protection: Protection, most_s: float
) -> None:
    found = history(REMEDIES[protection], Hands(None, None), UNTIL)
    assert found.changes[-1][1] == 3
    assert found.outage_s <= most_s
    assert (len(found.changes) > 1) == (most_s > 0.0), "what repairs does not prevent it"


def test_productions_cores_refuse_what_is_twenty_six_minutes_late() -> None:
    driving = production._Driving(600.0, production.ENDPOINTS)
    found = driving.run()
    assert driving.refused == 1
    assert driving.late is not None
    assert min(count for _, count in found.changes) >= production.LOAD_BALANCERS
    assert found.outage_s == 0.0
    generations = [generation for _, generation in found.generations]
    assert generations == sorted(generations), "never backwards"
    assert len(generations) > 20


def test_the_ledger_holds_what_the_zones_hold() -> None:
    region = Region(Built(ENDPOINTS[:2]), ("one",), latest=1)
    ledger = Ledger(1)
    for latest in range(1, 12):
        region.latest = latest
        region.complete("one")
        for zone in region.zones:
            ledger.holds(zone)
        assert ledger.count == sum(len(zone.records) for zone in region.zones)


def test_two_hundred_thousand_records() -> None:
    found = history(frozenset(), HANDS, 300.0, 1_300)
    assert max(count for _, count in found.records) > 200_000
