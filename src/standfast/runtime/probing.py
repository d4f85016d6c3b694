"""Check all load balancers for ever, on an event loop in a thread of its own, and keep what is concluded of each.

Every address of a load balancer is checked, and it fails if one of them fails: the answer has all of them, so a user
may get any. An address that can't be checked from here (a planner without IPv6) is no evidence; if there is none at
all the load balancer is *unknown* after three intervals, under which the plan leaves it where it is.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from standfast.adapters.probes import Answered, Probe, Refused, Result, probe_of
from standfast.config import HealthConfig, LoadBalancerConfig
from standfast.model.fleet import Verdict
from standfast.recovery.health import Failed, Health, HealthPolicy, Passed, observed, started, verdict

from .pulses import Pulses

CONCURRENT_MAX: Final = 64
JITTER: Final = 0.1
NOT_CHECKED: Final = Verdict("up", "not checked (health: none)")
NEWS_MAX: Final = 10_000
FIRST: Final = Verdict("up", "passed its first check, and nothing was published before")


class Target(Struct, frozen=True):
    """What is checked of one load balancer."""

    id: str
    addresses: tuple[str, ...]
    port: int


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


def target_of(one: LoadBalancerConfig, health: HealthConfig | None) -> Target:
    """Its own port goes before that of `health`."""
    return Target(one.id, (*one.ipv4, *one.ipv6), one.port or (health.port if health else 0))


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
        concurrent: int = CONCURRENT_MAX,
    ) -> None:
        self._config, self._wake, self._concurrent = health, wake, concurrent
        self._policy = HealthPolicy()
        if health is not None:
            self._policy = HealthPolicy(health.fall, health.rise, health.warm_up_s, health.interval_s)
            self._probe = probe or probe_of(health.kind, health.path, health.host, health.timeout_s)
        self._lock = threading.Lock()
        self._targets: dict[str, Target] = {}
        self._health: dict[str, Health] = {}
        self._unheard: set[str] = set()
        self._first: set[str] = set()
        self._news: list[FailedCheck | Trouble] = []
        self._troubled: dict[str, str] = {}
        self._pulses = Pulses()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probing", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._config is not None:
            self._thread.start()
            self._ready.wait()

    def close(self) -> None:
        """End all checks and the thread."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def watch(
        self,
        targets: Sequence[Target],
        *,
        seeds: Mapping[str, Verdict] | None = None,
        known: Collection[str] = (),
        first: bool = False,
    ) -> None:
        """Check exactly these from now on.

        New ones start from their seed. Without one they are newcomers, which warm up, unless they are `known` (in a
        plan already). `first`: nothing was ever published, so that one pass is enough for each; it shows in the
        reason. Who has another address or port than before is a newcomer.
        """
        now = time.monotonic()
        with self._lock:
            wanted = {target.id: target for target in targets}
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
                self._health[name] = started(self._policy, now, newcomer=newcomer, seed=seed)
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
            now = time.monotonic()
            return {name: verdict(health, now) for name, health in self._health.items()}

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

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(self._concurrent)
        self._schedule()
        self._ready.set()
        await self._stop.wait()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._probe.close()

    def _schedule(self) -> None:
        """One task a target. A task ends by itself when its target is no longer wanted."""
        with self._lock:
            targets = dict(self._targets)
        for name in self._tasks.keys() - targets.keys():
            self._tasks.pop(name).cancel()
        for name, target in targets.items():
            task = self._tasks.get(name)
            if task is not None and task.get_name() == repr(target) and not task.done():
                continue
            if task is not None:
                task.cancel()
            self._tasks[name] = asyncio.create_task(self._keep_checking(target), name=repr(target))

    async def _keep_checking(self, target: Target) -> None:
        interval = self._policy.interval_s
        while True:
            began = time.monotonic()
            results = await asyncio.gather(*(self._check(address, target.port) for address in target.addresses))
            self._hear(target, [*zip(target.addresses, results, strict=True)], time.monotonic() - began)
            pause = interval * random.uniform(1 - JITTER, 1 + JITTER)
            await asyncio.sleep(max(0.0, began + pause - time.monotonic()))

    async def _check(self, address: str, port: int) -> Result | Exception:
        async with self._slots:
            try:
                return await self._probe.check(address, port)
            except Exception as error:  # a fault of ours is no evidence against them
                return error

    def _hear(self, target: Target, results: Sequence[tuple[str, Result | Exception]], took_s: float) -> None:
        failed = [f"{_at(address, target.port)} {one.reason}" for address, one in results if isinstance(one, Refused)]
        dumb = [f"{_at(a, target.port)} {_why(one)}" for a, one in results if not isinstance(one, (Refused, Answered))]
        with self._lock:
            if self._targets.get(target.id) is not target:
                return
            passed = False if failed else None if len(dumb) == len(results) else True
            self._pulses.heard(target.id, passed, took_s, (failed or dumb or [""])[0])
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
        before, now = self._health[name], time.monotonic()
        if not failure and name in self._first:
            before = started(self._policy, now, newcomer=False, seed=FIRST)
        self._first.discard(name)
        after = observed(before, Failed(failure) if failure else Passed(), now)
        changed = verdict(self._health[name], now).state != after.state
        self._health[name] = after
        if changed:
            return True
        if failure and after.state != "down" and after.failures > before.failures:
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
