"""The cleaner as a process: drives `core.cleaner` over the plan store, one pass after the other, a minute apart.

It may read zones and collect plans. Of a zone it may delete records of trees that nothing needs
(`treecleaning.py`), and nothing else. When nothing is collected the reason is told once, until it changes.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from standfast.config import Config
from standfast.core.cleaner import CleanerRequest, Listing, Retention, SweepingHead, Swept
from standfast.model.plan import Plan
from standfast.ports.provider import Read, Unknown, ZoneProvider
from standfast.ports.store import PlanRead

from .checkcollecting import CheckCollector
from .checkworking import Desk
from .enacting import Store
from .journal import Journal
from .presence import Presence
from .tidings import Tell, Tidings, silent
from .treecleaning import TreeCleaner

PASS_S: Final = 60.0
TREES_EVERY: Final = 10
"""Passes from one look at trees to the next: it lists them, which an account's requests should not be spent on."""
BEAT_S: Final = 1.0


class CleanerProcess:
    """One cleaner; any number may run. `run` returns when `stop` is set. `every_s` is from pass to pass; one of
    `trees_every` passes looks at trees too."""

    def __init__(
        self,
        who: str,
        config: Config,
        store: Store,
        providers: Mapping[str, ZoneProvider],
        journal: Journal,
        presence: Presence | None = None,
        tell: Tell = silent,
        *,
        every_s: float = PASS_S,
        desk: Callable[[str], Desk | None] | None = None,
        trees: TreeCleaner | None = None,
        trees_every: int = TREES_EVERY,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._who, self._config, self._store, self._providers = who, config, store, providers
        self._journal, self._presence, self._every_s, self._wall = journal, presence, every_s, wall
        self._tidings = Tidings(journal, tell)
        self._held: Plan | None = None
        self._trees = trees or TreeCleaner(config, store, providers, journal, self._tidings)
        self._trees_every = trees_every
        self._collected = 0
        self._why: str | None = None
        self._checks = CheckCollector(who, config, store, providers, self._tidings, every_s, desk)

    def run(self, stop: threading.Event) -> None:
        """A pass now, and another whenever it is time."""
        self._tidings.event("started", stream=self._config.stream)
        due = beat = 0.0
        passes = 0
        while not stop.is_set():
            now = time.monotonic()
            if now >= due:
                self.sweep()
                if passes % self._trees_every == 0:
                    self._trees.gather(self._held)
                passes += 1
                self._checks.sweep(time.monotonic())
                due = time.monotonic() + self._every_s
            if now >= beat:
                beat = now + BEAT_S
                self._beat(due - now)
            stop.wait(min(BEAT_S, max(0.0, due - time.monotonic())))
        self._tidings.event("stopped")
        self._journal.close()

    def sweep(self) -> Swept:
        """One pass."""
        keep = self._config.retention
        retention = Retention(plans=keep.plans, days=float(keep.days))
        phase: Any = SweepingHead(self._config.stream, retention, self._wall(), self._held)
        facts: dict[str, Any] = {}
        while not isinstance(phase, Swept):
            if isinstance(phase, Listing):
                facts = {"lowest": phase.lowest, "head": phase.plan.generation}
            reply = self._perform(phase.request)
            if isinstance(reply, PlanRead):
                self._held = reply.plan
            phase = phase.heard(reply)
        swept: Swept = phase
        if swept.collected:
            self._collected += len(swept.collected)
            self._tidings.event("collected", generations=list(swept.collected), stream=self._config.stream, **facts)
        elif swept.why != self._why:
            self._tidings.event("collected", generations=[], why=swept.why)
        self._why = swept.why
        return swept

    def _perform(self, request: CleanerRequest) -> object:
        if not isinstance(request, Read):
            return self._store.perform(request)
        provider = self._providers.get(request.zone)
        if provider is None:
            return Unknown(f"this cleaner has no access to zone {request.zone}; add it under `zones:`")
        return provider.perform(request)

    def _beat(self, due_s: float) -> None:
        if self._presence is not None:
            why, checks = self._why or "", dict(self._checks.why)
            self._presence.beat(collected=self._collected, why=why, next_s=round(max(0.0, due_s), 1), checks=checks)
