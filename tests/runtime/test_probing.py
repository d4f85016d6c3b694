"""The prober with invented probes: what is evidence, who is a newcomer, how much runs at once."""

import asyncio
import errno
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import structs

from runtime.staging import eventually
from standfast.adapters.probes import Answered, NotMade, Refused, Result
from standfast.config import HealthConfig
from standfast.errors import StandfastError
from standfast.model.fleet import Verdict
from standfast.recovery import health
from standfast.runtime.probing import FailedCheck, Prober, Target, Trouble

HEALTH = HealthConfig("tcp", 443, interval_s=0.05, timeout_s=1.0, fall=2, rise=2, warm_up_s=0.0)
PATIENT = HealthConfig("tcp", 443, interval_s=0.05, timeout_s=1.0, fall=2, rise=2, warm_up_s=3600.0)
SHORT = HealthConfig("tcp", 443, interval_s=0.05, timeout_s=0.1, fall=2, rise=2, warm_up_s=0.0)
LB = Target("lb-1", ("192.0.2.1", "2001:db8::1"), 443)


class Invented:
    """Answers as it is told, by address."""

    def __init__(self, **answers: Result | Exception) -> None:
        self.answers: dict[str, Result | Exception] = dict(answers)
        self.now = self.most = self.asked = 0
        self.takes_s = 0.0

    async def check(self, address: str, port: int) -> Result:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.takes_s)
        self.now -= 1
        answer = self.answers.get(address, Answered())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Nothing to do."""


class Work:
    """Probers that end with the test."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.begun: list[Prober] = []

    def prober(self, probe: Invented, health: HealthConfig = HEALTH, concurrent: int = 64) -> Prober:
        prober = Prober(health, self.woken.set, probe=probe, concurrent=concurrent)
        prober.start()
        self.begun.append(prober)
        return prober


@pytest.fixture
def lapsing() -> Iterator[Work]:
    """Nothing heard for three intervals, 0.15 s, is forgotten."""
    made = Work()
    yield made
    for prober in made.begun:
        prober.close()


@pytest.fixture
def work(lapsing: Work, monkeypatch: pytest.MonkeyPatch) -> Work:
    """But here a machine may stand still for longer than that."""
    monkeypatch.setattr(health, "SILENT_INTERVALS", 2_000)
    return lapsing


def state(prober: Prober, name: str = "lb-1") -> str:
    return prober.verdicts()[name].state


def rounds(probe: Invented, count: int = 6) -> None:
    """Wait until it was asked that often from now on."""
    until = probe.asked + count
    eventually(lambda: probe.asked >= until, "some checks")


def test_one_address_that_fails_fails_the_load_balancer(work: Work) -> None:
    probe = Invented()
    prober = work.prober(probe)
    prober.watch([LB], known=["lb-1"])
    eventually(lambda: state(prober) == "up", "up")
    work.woken.clear()
    probe.answers["2001:db8::1"] = Refused("connection refused")
    assert work.woken.wait(30), "the first failure wakes"
    eventually(lambda: state(prober) == "down", "down")
    assert prober.verdicts()["lb-1"].reason == "failed 2 checks in a row: [2001:db8::1]:443 connection refused"
    rounds(probe)
    assert prober.news() == [FailedCheck("lb-1", 1, 2, "[2001:db8::1]:443 connection refused")]


def test_what_can_not_be_checked_from_here_is_no_evidence(lapsing: Work) -> None:
    probe = Invented(**{"2001:db8::1": NotMade("network is unreachable")})
    prober = lapsing.prober(probe)
    prober.watch([LB], known=["lb-1"])
    eventually(lambda: state(prober) == "up", "up by the address that can be checked")
    rounds(probe)
    assert prober.news() == [Trouble("lb-1", "[2001:db8::1]:443 can't be checked from here: network is unreachable")]
    probe.answers["192.0.2.1"] = NotMade("network is unreachable")
    eventually(lambda: state(prober) == "unknown", "unknown")
    rounds(probe)
    assert state(prober) == "unknown"


def test_a_fault_of_ours_is_no_evidence(lapsing: Work) -> None:
    prober = lapsing.prober(Invented(**{"192.0.2.1": KeyError("x"), "2001:db8::1": KeyError("x")}))
    prober.watch([LB], seeds={"lb-1": Verdict("up", "before")})
    assert state(prober) == "up"
    eventually(lambda: state(prober) == "unknown", "unknown")
    (trouble,) = prober.news()
    assert isinstance(trouble, Trouble)
    assert "could not be checked: KeyError('x')" in trouble.why


def test_a_newcomer_warms_up_and_its_failures_are_told_up_to_fall(work: Work) -> None:
    probe = Invented(**{"192.0.2.1": Refused("answered 503")})
    prober = work.prober(probe, PATIENT)
    prober.watch([LB])
    rounds(probe, 12)
    assert state(prober) == "warming"
    counts = [one.count for one in prober.news() if isinstance(one, FailedCheck)]
    assert counts == [1, 2]
    del probe.answers["192.0.2.1"]
    rounds(probe, 12)
    assert state(prober) == "warming"


def test_who_is_in_a_plan_already_does_not_warm_up(work: Work) -> None:
    prober = work.prober(Invented(), PATIENT)
    prober.watch([LB], known=["lb-1"])
    eventually(lambda: state(prober) == "up", "up")


def test_another_address_makes_a_newcomer(work: Work) -> None:
    prober = work.prober(Invented(), PATIENT)
    prober.watch([LB], seeds={"lb-1": Verdict("up", "before")})
    assert state(prober) == "up"
    prober.watch([Target("lb-1", ("192.0.2.99",), 443)], seeds={"lb-1": Verdict("up", "before")}, known=["lb-1"])
    assert state(prober) == "warming"


def test_no_more_run_at_once_than_allowed(work: Work) -> None:
    probe = Invented()
    probe.takes_s = 0.005
    rare = HealthConfig("tcp", 443, interval_s=60.0, timeout_s=60.0)  # what is late on a busy machine is not passed
    prober = work.prober(probe, rare, concurrent=3)
    prober.watch([Target(f"lb-{number}", (f"192.0.2.{number}",), 443) for number in range(40)], first=True)
    eventually(lambda: prober.all_heard, "all heard")
    first = Verdict("up", "passes its check")
    assert set(prober.verdicts().values()) == {first}
    assert probe.most == 3


def test_a_prober_that_cannot_begin_says_so_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted() -> asyncio.AbstractEventLoop:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(asyncio.events, "new_event_loop", exhausted)
    prober, told = Prober(HEALTH, lambda: None, probe=Invented()), list[str]()
    beginning = threading.Thread(target=lambda: told.append(refused(prober)), daemon=True)
    beginning.start()
    beginning.join(30)
    assert not beginning.is_alive()
    assert "can't begin: [Errno 24] Too many open files" in told[0]
    prober.close()


def refused(prober: Prober) -> str:
    with pytest.raises(StandfastError) as caught:
        prober.start()
    return str(caught.value)


def test_who_is_gone_is_not_checked(work: Work) -> None:
    probe = Invented()
    prober = work.prober(probe)
    prober.watch([LB])
    rounds(probe)
    prober.watch([])
    assert prober.verdicts() == {}
    eventually(lambda: not prober._rounds._targets, "its thread has heard of it")
    asked = probe.asked
    time.sleep(0.2)
    assert probe.asked == asked


def test_an_observer_that_sees_nothing_takes_nobody_out_and_says_so(lapsing: Work) -> None:
    probe = Invented()
    prober = lapsing.prober(probe)
    some = [Target(f"lb-{number}", (f"192.0.2.{number}",), 443, "a") for number in range(1, 5)]
    prober.watch(some, known=[one.id for one in some])
    eventually(lambda: {one.state for one in prober.verdicts().values()} == {"up"}, "up")
    eventually(lambda: (prober.condition, prober.overload) == ("", ""), "all is well, and it keeps up")
    for one in some:
        probe.answers[one.addresses[0]] = Refused("timed out")
    eventually(lambda: {one.state for one in prober.verdicts().values()} == {"unknown"}, "it sees nothing")
    eventually(lambda: prober.condition.startswith("Every load balancer fails its check here."), "and says so")
    probe.answers.clear()
    eventually(lambda: {one.state for one in prober.verdicts().values()} == {"up"}, "up again")
    assert prober.condition == ""


def test_under_overload_each_is_checked_less_often_and_it_is_told(work: Work) -> None:
    """Twenty load balancers, a check takes 40 ms, two at once: 50 checks a second where 400 are wanted."""
    probe = Counting()
    probe.takes_s = 0.04
    prober = work.prober(probe, HEALTH, concurrent=2)
    some = [Target(f"lb-{number}", (f"192.0.2.{number}",), 443) for number in range(20)]
    prober.watch(some, known=[one.id for one in some])
    eventually(lambda: probe.asked >= 160, "eight checks of each")
    assert max(probe.counts.values()) - min(probe.counts.values()) <= 2, "no load balancer starves"
    assert prober.overload.startswith("20 load balancers can't all be checked within 0.05 s, 2 at once")
    assert probe.most == 2
    prober.watch(some[:1], known=[some[0].id])
    eventually(lambda: prober.overload == "", "it keeps up")


class Counting(Invented):
    """Counts checks by address."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}

    async def check(self, address: str, port: int) -> Result:
        self.counts[address] = self.counts.get(address, 0) + 1
        return await super().check(address, port)


class Stalling(Invented):
    """Stands still in the middle of a check, as a machine does that swaps or is paused, and then says it timed out."""

    async def check(self, address: str, port: int) -> Result:
        self.asked += 1
        if self.takes_s:
            time.sleep(self.takes_s)  # the whole loop stands still
            return Refused("timed out after 0.1 s")
        return Answered()


def test_a_late_result_is_unknown_and_never_a_failure(work: Work) -> None:
    probe = Stalling()
    prober = work.prober(probe, SHORT)
    some = [Target(f"lb-{number}", (f"192.0.2.{number}",), 443) for number in range(3)]
    prober.watch(some, known=[one.id for one in some])
    eventually(lambda: {one.state for one in prober.verdicts().values()} == {"up"}, "up")
    probe.takes_s = 0.2
    eventually(lambda: prober.late >= 12, "late results")
    assert "down" not in {one.state for one in prober.verdicts().values()}
    late = "Checks come back too late to count: this machine is overloaded. They are left out."
    eventually(lambda: prober.overload == late, "it is told")
    assert not [one for one in prober.news() if isinstance(one, FailedCheck)]
    probe.takes_s = 0.0
    eventually(lambda: {one.state for one in prober.verdicts().values()} == {"up"}, "up again")


def test_a_machine_that_stands_still_for_once_is_not_overloaded(work: Work) -> None:
    probe = Stalling()
    prober = work.prober(probe, replace(SHORT, timeout_s=0.3))  # a busy one does so for half of 0.1 s by itself
    some = [Target(f"lb-{number}", (f"192.0.2.{number}",), 443) for number in range(6)]
    prober.watch(some, known=[one.id for one in some])
    eventually(lambda: {one.state for one in prober.verdicts().values()} == {"up"}, "up")
    probe.takes_s = 0.46
    eventually(lambda: prober.late >= 1, "a late result")
    probe.takes_s = 0.0
    rounds(probe, 16)
    assert prober.late >= 1
    eventually(lambda: prober.overload == "", "it has caught up, and does not say so for half a minute", 10.0)


def test_one_that_flaps_stays_away_longer_and_says_until_when(work: Work) -> None:
    probe = Invented()
    prober = work.prober(probe)
    # A busy machine takes the two seconds of calm that it would be, and does not see who is back after 0.2 s.
    prober._policy = structs.replace(prober._policy, calm_s=3_600.0, damp_s=2.0)
    some = [Target("lb-1", ("192.0.2.1",), 443, "a"), Target("lb-2", ("192.0.2.2",), 443, "b")]
    prober.watch(some, known=["lb-1", "lb-2"])
    for _ in range(2):
        eventually(lambda: state(prober) == "up", "up")
        probe.answers["192.0.2.1"] = Refused("connection refused")
        eventually(lambda: state(prober) == "down", "down")
        del probe.answers["192.0.2.1"]
    assert "it fell twice lately, so it returns only after 2 s" in prober.verdicts()["lb-1"].reason
    assert prober.outlooks()["lb-1"].flaps == 2
    eventually(lambda: prober.outlooks()["lb-1"].returns_at is not None, "it passes")
    promised = prober.outlooks()["lb-1"].returns_at
    eventually(lambda: state(prober) == "up", "up")
    assert promised is not None
    assert time.monotonic() >= promised - 0.01


def test_another_az_makes_no_newcomer(work: Work) -> None:
    prober = work.prober(Invented(), PATIENT)
    prober.watch([Target("lb-1", ("192.0.2.1",), 443, "a")], seeds={"lb-1": Verdict("up", "before")})
    prober.watch([Target("lb-1", ("192.0.2.1",), 443, "b")], seeds={})
    assert state(prober) == "up"
