"""Whether an observer sees at all: driven as a prober drives it, every load balancer in its turn."""

import pytest

from standfast.model.fleet import VerdictState
from standfast.recovery.health import Failed, HealthPolicy, Passed, observed, started, verdict
from standfast.recovery.sight import Sight, blind, evidence, passed

AZS = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c", "c2": "c"}


class Observer:
    """Checks everybody once an interval, at moments of their own."""

    def __init__(self, azs: dict[str, str], policy: HealthPolicy | None = None) -> None:
        self.azs, self.policy = azs, policy or HealthPolicy()
        self.healths = {name: started(self.policy, 0.0, newcomer=False) for name in azs}
        self.sight, self.now = Sight(), 0.0
        self.dead: set[str] = set()
        self.cut = False
        self.round(10)

    def round(self, count: int = 1) -> None:
        for _ in range(count):
            for place, name in enumerate(self.azs):
                moment = self.now + self.policy.interval_s * (place + 1) / len(self.azs)
                self._check(name, moment)
            self.now += self.policy.interval_s

    def _check(self, name: str, now: float) -> None:
        if self.cut or name in self.dead:
            seen = evidence(self.sight, name, self.healths, self.azs, now)
            self.healths[name] = observed(self.healths[name], Failed("timed out"), now, seen)
        else:
            self.sight = passed(self.sight, name, now)
            self.healths[name] = observed(self.healths[name], Passed(), now)

    def states(self) -> set[VerdictState]:
        return {verdict(one, self.now).state for one in self.healths.values()}

    def state(self, name: str) -> VerdictState:
        return verdict(self.healths[name], self.now).state

    def reason(self, name: str) -> str:
        return verdict(self.healths[name], self.now).reason


@pytest.mark.parametrize("fall", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_who_sees_nothing_concludes_nothing_whatever_fall_is(fall: int, count: int) -> None:
    observer = Observer(dict(list(AZS.items())[:count]), HealthPolicy(fall=fall))
    assert observer.states() == {"up"}
    observer.cut = True
    for _ in range(20):
        observer.round()
        assert "down" not in observer.states()
    assert observer.states() == {"unknown"}
    assert blind(observer.healths.values())
    observer.cut = False
    observer.round()
    assert not blind(observer.healths.values())
    assert "down" not in observer.states(), "sight has just returned"
    observer.round(6)
    assert observer.states() == {"up"}


@pytest.mark.parametrize("fall", [2, 3])
@pytest.mark.parametrize("count", [2, 6])
def test_with_a_witness_a_death_costs_no_more_time_than_its_checks(fall: int, count: int) -> None:
    observer = Observer(dict(list({**AZS, "a2": "d"}.items())[:count]), HealthPolicy(fall=fall))
    observer.dead = {"a1"}
    observer.round(fall)
    assert observer.state("a1") == "down"
    assert observer.states() == {"down", "up"}


def test_one_alone_is_believed() -> None:
    observer = Observer({"a1": "a"})
    observer.dead = {"a1"}
    observer.round(3)
    assert observer.state("a1") == "down"


def test_a_pair_of_which_one_is_long_dead_keeps_the_other() -> None:
    observer = Observer({"a1": "a", "b1": "b"})
    observer.dead = {"a1"}
    observer.round(10)
    assert observer.state("a1") == "down"
    observer.dead = {"a1", "b1"}
    observer.round(10)
    assert observer.states() == {"unknown"}, "who saw the last one die may have lost its sight"


def test_an_az_that_fails_together_is_confirmed_by_as_many_checks_again() -> None:
    observer = Observer(AZS)
    observer.dead = {"b1", "b2"}
    observer.round(5)
    assert observer.states() == {"up"}
    observer.round(1)
    assert observer.state("b1") == observer.state("b2") == "down"
    assert "2 of 2 in AZ b failed together" in observer.reason("b1")


def test_a_blink_of_an_az_takes_nobody_out() -> None:
    observer = Observer(AZS)
    observer.dead = {"b1", "b2"}
    observer.round(4)
    observer.dead = set()
    observer.round(20)
    assert observer.states() == {"up"}


def test_the_second_of_an_az_that_dies_later_is_not_together() -> None:
    observer = Observer(AZS)
    observer.dead = {"b1"}
    observer.round(10)
    observer.dead = {"b1", "b2"}
    observer.round(3)
    assert observer.state("b2") == "down"


def test_a_witness_that_is_no_longer_in_the_fleet_bears_none() -> None:
    sight = passed(passed(Sight(), "gone", 50.0), "a1", 51.0)
    healths = {name: started(HealthPolicy(), 0.0, newcomer=False) for name in ("a1", "b1")}
    assert not evidence(sight, "a1", healths, {}, 40.0).witnessed
    assert evidence(sight, "b1", healths, {}, 40.0).witnessed
