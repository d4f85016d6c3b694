"""Check all load balancers for ever, on an event loop in a thread of its own, and keep what is concluded of each.

Every address of a load balancer is checked, and it fails if one of them fails: the answer has all of them, so a user
may get any. An address that can't be checked from here (a planner without IPv6) is no evidence; if there is none at
all the load balancer is *unknown* after three intervals, under which the plan leaves it where it is. Whose turn it is,
what is too late to count and what a failure is worth is decided in `recovery/` (`rota`, `sight`, `health`).
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from msgspec import Struct

from standfast.adapters.probes import Answered, Probe, Refused, Result, Wanted, probe_of
from standfast.config import HealthConfig, LoadBalancerConfig
from standfast.errors import StandfastError
from standfast.model.fleet import Verdict, reached_at
from standfast.recovery.health import (
    Failed,
    Health,
    HealthPolicy,
    Passed,
    observed,
    paced,
    returns_at,
    started,
    verdict,
)
from standfast.recovery.sight import Sight, blind, evidence, passed

from .pulses import Pulses
from .rounds import Rounds

NOT_CHECKED: Final = Verdict("up", "not checked (health: none)")
NEWS_MAX: Final = 10_000
FIRST: Final = Verdict("up", "passes its check")
LATE_TOLD_S: Final = 30.0
LATE_TIMES: Final = 3
"""Results came late so many times within LATE_TOLD_S before it is said: any machine stands still for once."""
LATE_APART_S: Final = 0.5
"""What is late together was held up together: it counts once."""
_BLIND: Final = (
    "Every load balancer fails its check here. Likelier than that all have died is that this machine's network is cut: "
    "nobody is taken out for it."
)
_LATE: Final = "Checks come back too late to count: this machine is overloaded. They are left out."
DAMP_ROWS, CALM_TIMES = 2, 10
"""The first longer return is two rows of rise; up for ten times as long, all is forgotten (60 s and 600 s)."""


Results: TypeAlias = Sequence[Result | Exception]
"""Of each address, in their order."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is checked of one load balancer. In another AZ it is still the same."""

    id: str
    addresses: tuple[str, ...]
    port: int
    az: str = field(default="", compare=False)


class FailedCheck(Struct, frozen=True):
    """A failed check that did not change the verdict: the `count`th in a row `of` those that would."""

    load_balancer: str
    count: int
    of: int
    reason: str


class Trouble(Struct, frozen=True):
    """Checks of this load balancer say nothing, and why."""

    load_balancer: str
    why: str


class Outlook(Struct, frozen=True):
    """How often it fell lately, and when it returns if it goes on passing (monotonic seconds)."""

    flaps: int = 0
    returns_at: float | None = None


def target_of(one: LoadBalancerConfig, health: HealthConfig | None) -> Target:
    """Its own port goes before that of `health`."""
    places = tuple(dict.fromkeys(map(reached_at, (*one.ipv4, *one.ipv6))))
    return Target(one.id, places, one.port or (health.port if health else 0), one.az)


def policy_of(health: HealthConfig | None) -> HealthPolicy:
    """The automaton's numbers as the configuration has them."""
    if health is None:
        return HealthPolicy()
    damp_s = DAMP_ROWS * health.rise * health.interval_s
    return HealthPolicy(
        health.fall,
        health.rise,
        health.warm_up_s,
        health.interval_s,
        damp_s,
        health.damp_max_s,
        CALM_TIMES * damp_s,
    )


class Prober:
    """Checks a changing set of targets. `wake` is called, from its thread, whenever there is something new.

    All methods belong to other threads. Without `health` nothing is checked and everybody is up.
    """

    def __init__(
        self,
        health: HealthConfig | None,
        wake: Callable[[], None],
        *,
        probe: Probe | None = None,
        concurrent: int | None = None,
    ) -> None:
        self._config, self._wake = health, wake
        self._concurrent = concurrent or (health.concurrent if health else 1)
        self._policy = policy_of(health)
        if health is not None:
            wanted = Wanted(health.status, health.body)
            self._probe = probe or probe_of(health.kind, health.path, health.host, health.timeout_s, wanted, health.ca)
        self._lock = threading.Lock()
        self._targets: dict[str, Target] = {}
        self._health: dict[str, Health] = {}
        self._azs: dict[str, str] = {}
        self._sight = Sight()
        self._unheard: set[str] = set()
        self._first: set[str] = set()
        self._news: list[FailedCheck | Trouble] = []
        self._troubled: dict[str, str] = {}
        self._pulses = Pulses()
        self._overload = ""
        self._lates: deque[float] = deque(maxlen=LATE_TIMES)
        self.late = 0
        timeout_s = health.timeout_s if health is not None else 0.0
        self._rounds = Rounds(self._policy.interval_s, timeout_s, self._concurrent, self._check_of, self._checked)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="probing", daemon=True)

    def start(self) -> None:
        """Begin. Raises StandfastError if this machine has nothing left for it."""
        if self._config is not None:
            self._thread.start()
            self._ready.wait()
            if self._failure is not None:
                message = f"The checks of load balancers can't begin: {self._failure}."
                raise StandfastError(message, "Let this process open more files: LimitNOFILE= or `ulimit -n`.")

    def close(self) -> None:
        """End all checks and the thread."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def look(self, now: float) -> bool:
        """Nothing has to be read: it looks for itself."""
        return True

    def watch(
        self,
        targets: Sequence[Target],
        *,
        seeds: Mapping[str, Verdict] | None = None,
        known: Collection[str] = (),
        first: bool = False,
        flaps: Mapping[str, int] | None = None,
    ) -> None:
        """Check exactly these from now on.

        New ones start from their seed, and from how often they fell (`flaps`). Without one they are newcomers, which
        warm up, unless they are `known` (in a plan already). `first`: nothing was ever published, so that one pass is
        enough for each; it shows in the reason. Who has another address or port than before is a newcomer.
        """
        now = time.monotonic()
        with self._lock:
            wanted = {target.id: target for target in targets}
            self._azs = {target.id: target.az for target in targets}
            for gone in self._targets.keys() - wanted.keys():
                for known_of in (self._targets, self._health, self._troubled):
                    known_of.pop(gone, None)
                self._unheard.discard(gone)
                self._first.discard(gone)
                self._pulses.forget(gone)
            for name, target in wanted.items():
                if self._targets.get(name) == target:
                    continue
                changed = name in self._targets
                self._targets[name] = target
                seed = None if changed else (seeds or {}).get(name)
                newcomer = changed or (not first and name not in known)
                fell = 0 if changed else (flaps or {}).get(name, 0)
                self._health[name] = started(self._policy, now, newcomer=newcomer, seed=seed, flaps=fell)
                self._unheard.add(name)
                if first and not changed and seed is None:
                    self._first.add(name)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._schedule)

    def verdicts(self) -> dict[str, Verdict]:
        """What is concluded of each, silence included."""
        with self._lock:
            if self._config is None:
                return dict.fromkeys(self._targets, NOT_CHECKED)
            now, pace = time.monotonic(), self._rounds.pace_s
            return {name: verdict(paced(health, pace), now) for name, health in self._health.items()}

    def outlooks(self) -> dict[str, Outlook]:
        """What is to be expected of those that flapped, or are on their way back."""
        with self._lock:
            now = time.monotonic()
            found = {name: Outlook(one.flaps, returns_at(one, now)) for name, one in self._health.items()}
        return {name: one for name, one in found.items() if one != Outlook()}

    def facts(self) -> dict[str, str]:
        """It is no vantage point among others."""
        return {}

    def news(self) -> list[FailedCheck | Trouble]:
        """What happened since the last call beside changes of verdict."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def pulses(self) -> dict[str, list[Any]]:
        """The last checks of each, for people."""
        with self._lock:
            return self._pulses.facts()

    @property
    def all_heard(self) -> bool:
        """Whether every target was checked at least once."""
        return self._config is None or not self._unheard

    @property
    def condition(self) -> str:
        """Why nothing can be concluded here, in words that stay while it lasts; empty if it can."""
        with self._lock:
            return _BLIND if blind(self._health.values()) else ""

    @property
    def overload(self) -> str:
        """What keeps checks from being made in their time, likewise."""
        with self._lock:
            often = len(self._lates) == LATE_TIMES and time.monotonic() - self._lates[0] < LATE_TOLD_S
            return self._overload or (_LATE if often else "")

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop()
                runner.run(self._main())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()  # whoever waits for the beginning hears of an early end too

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(self._concurrent)
        self._schedule()
        self._ready.set()
        keeping = asyncio.create_task(self._rounds.run(self._notice))
        await self._stop.wait()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await self._probe.close()

    def _schedule(self) -> None:
        with self._lock:
            targets = dict(self._targets)
        self._rounds.keep(targets)

    async def _check_of(self, target: Target) -> Results:
        return await asyncio.gather(*(self._check(address, target.port) for address in target.addresses))

    async def _check(self, address: str, port: int) -> Result | Exception:
        async with self._slots:
            try:
                return await self._probe.check(address, port)
            except Exception as error:  # a fault of ours is no evidence against them
                return error

    def _checked(self, target: Target, results: Results, took_s: float, late: str) -> None:
        """One check is over; `late` says why it does not count."""
        if not late:
            self._hear(target, [*zip(target.addresses, results, strict=True)], took_s)
            return
        with self._lock:
            self._pulses.heard(target.id, None, took_s, late)
            self.late += 1
            now = time.monotonic()
            if not self._lates or now - self._lates[-1] >= LATE_APART_S:
                self._lates.append(now)
            self._unheard.discard(target.id)
        self._wake()

    def _notice(self, behind_s: float) -> None:
        """The checks fall behind, or have caught up."""
        with self._lock:
            count, interval = len(self._targets), self._policy.interval_s
            why = (
                f"{count} load balancers can't all be checked within {interval:g} s, {self._concurrent} at once: "
                "each is checked less often, oldest first. Raise health.interval or health.concurrent."
            )
            was, self._overload = self._overload, (self._overload or why) if behind_s else ""
        if was != self._overload:
            self._wake()

    def _hear(self, target: Target, results: Sequence[tuple[str, Result | Exception]], took_s: float) -> None:
        failed = [f"{_at(address, target.port)} {one.reason}" for address, one in results if isinstance(one, Refused)]
        dumb = [f"{_at(a, target.port)} {_why(one)}" for a, one in results if not isinstance(one, (Refused, Answered))]
        with self._lock:
            if self._targets.get(target.id) is not target:
                return
            good = False if failed else None if len(dumb) == len(results) else True
            self._pulses.heard(target.id, good, took_s, (failed or dumb or [""])[0])
            woken = self._trouble(target.id, "; ".join(dumb))
            if failed:
                rest = f" (and {len(failed) - 1} of its other addresses)" if failed[1:] else ""
                woken |= self._observe(target.id, failed[0] + rest)
            elif len(dumb) < len(results):
                woken |= self._observe(target.id, "")
            if target.id in self._unheard:
                self._unheard.discard(target.id)
                woken = True
        if woken:
            self._wake()

    def _observe(self, name: str, failure: str) -> bool:
        """Whether that is news."""
        before, now = paced(self._health[name], self._rounds.pace_s), time.monotonic()
        if failure:
            after = observed(before, Failed(failure), now, evidence(self._sight, name, self._health, self._azs, now))
        else:
            self._sight = passed(self._sight, name, now)
            if name in self._first:
                before = started(self._policy, now, newcomer=False, seed=FIRST)
            after = observed(before, Passed(), now)
        self._first.discard(name)
        changed = verdict(self._health[name], now).state != after.state
        self._health[name] = after
        if changed:
            return True
        if failure and after.state != "down" and before.failures < after.failures <= self._policy.fall:
            self._tell(FailedCheck(name, after.failures, self._policy.fall, failure))
            return True
        return False

    def _trouble(self, name: str, why: str) -> bool:
        if self._troubled.get(name, "") == why:
            return False
        self._troubled[name] = why
        if why:
            self._tell(Trouble(name, why))
        return bool(why)

    def _tell(self, one: FailedCheck | Trouble) -> None:
        if len(self._news) < NEWS_MAX:
            self._news.append(one)


def _at(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _why(result: object) -> str:
    why = getattr(result, "why", None)
    return f"can't be checked from here: {why}" if why else f"could not be checked: {result!r}"
