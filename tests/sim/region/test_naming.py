"""DNS of the day: the race as it was built, each protection against it, and production's cores on the same schedule."""

import pytest

from standfast.model.rrset import ADDRESS_TYPES
from standfast.sim.asbuilt.driving import Region
from standfast.sim.asbuilt.plans import ENDPOINTS
from standfast.sim.asbuilt.remedies import Built
from standfast.sim.properties import not_reached
from standfast.sim.region import production
from standfast.sim.region.naming import Hands, Ledger, history
from standfast.sim.region.protections import REMEDIES, Protection
from standfast.sim.swarm.scenario import endpoint_names

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


def driven(endpoints: int, until: float, *, calm: bool, monkeypatch: pytest.MonkeyPatch) -> production._Driving:
    """A region that lives until then; not calm: nothing is left out."""
    with monkeypatch.context() as patch:
        if not calm:
            patch.setattr(production, "CALM", False)
        driving = production._Driving(until, endpoints)
    driving.run()
    return driving


def test_what_is_left_out_of_a_calm_region_would_have_found_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audits, surveys and passes: the same plans without them, and the same zones; only nonces and moments differ."""
    calm, whole = (driven(120, 1_500.0, calm=calm, monkeypatch=monkeypatch) for calm in (True, False))
    assert whole.region.requests > calm.region.requests, "something is left out"
    for a, b in zip(calm.series, whole.series, strict=True):
        assert [value for _, value in a] == [value for _, value in b]
    assert addresses(calm) == addresses(whole)
    assert calm.refused == whole.refused == 1


def first_names(driving: production._Driving) -> set[str]:
    """The regional endpoint and its neighbour, which have a cell of their own."""
    return {name for _, name in endpoint_names(driving.region.scenario)[: production.ENDPOINTS]}


def addresses(driving: production._Driving) -> dict[tuple[str, str, int], object]:
    """Everything that the zones answer with."""
    return {
        (zone, *key): rrset.rdata
        for zone, state in driving.region.zones.items()
        for key, rrset in state.rrsets.items()
        if key[1] in ADDRESS_TYPES
    }


def test_every_endpoint_has_eight_records_under_productions_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """In two zones, through the whole night's half hour: never fewer, and at the end what the newest plan says."""
    endpoints = 1_100
    driving = driven(endpoints, 300.0, calm=True, monkeypatch=monkeypatch)
    found = addresses(driving)
    assert len(driving.region.zones) == 2
    cells = {key: rdata for key, rdata in found.items() if key[1] not in first_names(driving)}
    assert sum(len(rdata) for rdata in cells.values() if isinstance(rdata, tuple)) == 8 * (endpoints - 2)
    head = driving.region.depot.state.head
    plan = driving.region.judge.plans[head.digest] if head is not None else None
    assert plan is not None
    assert all(not not_reached(state, plan) for state in driving.region.zones.values())
    assert min(count for _, count in driving.series[0]) >= 2 * (production.LOAD_BALANCERS - 1)
    assert max(value for _, value in driving.series[2]) > 8 * endpoints, "with markers and floors"
    assert driving.refused == 1


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
