"""Each protection changes what it is for, and nothing of what was well before."""

import pytest
from msgspec.structs import replace

from standfast.errors import StandfastError
from standfast.sim.region.day import Day
from standfast.sim.region.engine import in_order, run
from standfast.sim.region.parameters import DEFAULTS, SHEET, Parameters, fitted
from standfast.sim.region.protections import ALL, SWITCHES, Protection, chosen, family
from standfast.sim.region.published import halves
from standfast.sim.region.sweeping import HELD, bands, drawn, varied
from standfast.sim.region.world import Service

SMALL = replace(DEFAULTS, droplets=60_000)
MORNING_S = 16_000.0
"""04:14:40: before this nobody has restarted anything."""


def day(*protections: Protection, until: float = MORNING_S, parameters: Parameters = SMALL) -> Day:
    return run(parameters, protections=protections, until=until)


@pytest.fixture(scope="module")
def as_built() -> Day:
    return day()


@pytest.fixture(scope="module")
def recovery() -> Day:
    return run(SMALL, protections=family("recovery"), until=24_000.0)


def test_grace_keeps_every_lease(as_built: Day) -> None:
    assert as_built.at("ec2.leases", 15_000.0) < 0.05
    assert min(value for _, value in day("lease-grace").series["ec2.leases"]) > 0.99


def test_admission_leases_the_fleet_without_anybodys_help(as_built: Day) -> None:
    assert as_built.took_s.get("leases") is None
    admitted = day("admission")
    assert admitted.at("ec2.leases", 15_000.0) == 1.0
    assert admitted.took_s["leases"] < 1.3 * admitted.bound_s["leases"]


def test_pollers_that_are_restarted_poll_when_the_endpoint_is_back(as_built: Day) -> None:
    assert as_built.at("lambda.polling", 12_000.0) == 0.0
    assert day("self-restart", until=12_600.0).at("lambda.polling", 12_000.0) == pytest.approx(DEFAULTS.headroom)


def test_an_answer_without_addresses_is_no_failure_so_serve_stale_changes_nothing(as_built: Day) -> None:
    stale = day("serve-stale")
    assert (stale.series, stale.milestones) == (as_built.series, as_built.milestones)


def test_who_keeps_the_last_answer_notices_nothing() -> None:
    kept = day("keep-last", until=12_000.0)
    assert kept.outage_s > 9_000.0
    assert kept.clear_s == 0.0


def test_propagation_with_a_door_is_never_late(recovery: Day) -> None:
    assert max(value for _, value in recovery.series["nm.wait"]) <= DEFAULTS.boot_s


def test_by_the_recovery_protections_alone_it_is_clear_before_dawn(recovery: Day) -> None:
    assert recovery.outage_s == pytest.approx(157 * 60, abs=60)
    assert recovery.clear_s is not None
    assert recovery.clear_s < 5.5 * 3600.0
    assert min(value for _, value in recovery.series["nlb.availability"]) == 1.0
    assert min(value for _, value in recovery.series["nlb.capacity"]) > 0.8, "only newcomers that warm up"


def test_the_protections_of_dns_leave_nothing_to_recover_from() -> None:
    protected = run(SMALL, protections=family("dns"), until=6_000.0)
    assert protected.outage_s == 0.0
    assert protected.clear_s == 0.0


def test_names_and_families() -> None:
    assert tuple(one.protection for one in SWITCHES) == ALL
    assert chosen(["all"]) == frozenset(ALL)
    assert chosen(["dns", "warm-up"]) == family("dns") | {"warm-up"}
    with pytest.raises(StandfastError, match="no such protection"):
        chosen(["fenec"])


def test_every_number_is_accounted_for_and_few_are_free() -> None:
    assert tuple(one.name for one in SHEET) == Parameters.__struct_fields__
    fit = sum(half == "fitted" for half in halves().values())
    assert 2 * len(fitted()) <= fit


def test_a_sweep_moves_every_number_that_is_ours_and_gives_bands(as_built: Day, recovery: Day) -> None:
    some = drawn(SMALL, 8, 3)
    assert some == drawn(SMALL, 8, 3) != drawn(SMALL, 8, 4)
    for name in varied():
        assert len({getattr(one, name) for one in some}) > 1, name
    assert all(getattr(one, name) == getattr(SMALL, name) for one in some for name in (*HELD, "ttl_s", "check_s"))
    band = bands([as_built, recovery])["dynamodb-well"]
    assert band.reached == band.days == 2
    assert (band.low or 1e9) <= (band.middle or 0.0) <= (band.high or 0.0)
    assert bands([as_built])["ecs-well"].low is None


def test_services_that_need_one_another_in_a_circle_are_refused(as_built: Day) -> None:
    class One(Service):
        key, needs = "one", ("two",)

    class Two(Service):
        key, needs = "two", ("one",)

    with pytest.raises(AssertionError, match="circle"):
        in_order([One.__new__(One), Two.__new__(Two)])
