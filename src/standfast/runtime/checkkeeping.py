"""Route 53's health checks from a planner's side: what is wanted goes to the thread that asks AWS, what came of it to
the store, and from there into plans.

Only the planner that speaks for health asks, so several planners cost no more calls than one; what several do at once
does no harm (`core.checkkeeper` rule 1). Nothing waits for any of it: until a check is known, plans are made without.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from standfast.adapters.providers.route53.checks import CheckDesk
from standfast.config import Config, LoadBalancerConfig
from standfast.core.checkcollector import checks_named
from standfast.core.checkkeeper import CheckTask
from standfast.model.fleet import Verdict
from standfast.model.override import Override
from standfast.model.plan import Plan

from .checkboards import (
    VERDICTS,
    CheckBoards,
    HostedState,
    HostedVerdict,
    SharedHostedVerdicts,
    ZoneChecks,
    ZoneVerdicts,
    facts_of,
    usable,
)
from .checkwishes import wishes_of
from .checkworking import CheckWorker, Desk, Finished, Said
from .enacting import Store
from .sharing import Board
from .tidings import Tidings

REPEAT_S: Final = 60.0
"""How often what the checks say is put into the store although nothing changed."""
DISAGREES_S: Final = 120.0
"""Our verdict and Route 53's may differ for so long before it is journalled: neither sees a change at once."""
Fleet = tuple[LoadBalancerConfig, ...]


class CheckKeeper:
    """In the planner's thread only, but for `desk`. Without a zone at Route 53 it does nothing."""

    def __init__(
        self,
        who: str,
        config: Config,
        store: Store,
        tidings: Tidings,
        wake: Callable[[], None],
        desk: Callable[[str], Desk] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._who, self._config, self._tidings, self._wall = who, config, tidings, wall
        self._zones = {zone.name: zone for zone in config.zones if zone.hosted is not None}
        self._boards = CheckBoards(store, who)
        self._verdict_board = Board(store, VERDICTS)
        rates = {name: zone.hosted.rate for name, zone in self._zones.items() if zone.hosted}
        self._worker = CheckWorker(rates, desk or self._desk, wake, who)
        self._said: dict[str, ZoneVerdicts] = {}
        self._named: tuple[str, frozenset[str]] = ("", frozenset())
        self._differing: dict[tuple[str, str], float] = {}
        self._put_at = float("-inf")
        self._given: tuple[object, ...] = (None,) * 5
        self._dirty = False

    def start(self) -> None:
        """Begin to work."""
        if self._zones:
            self._worker.start()

    def close(self) -> None:
        """End that."""
        if self._zones:
            self._worker.close()

    def look(self) -> bool:
        """What stands in the store? False if it says nothing."""
        return not self._zones or self._boards.look()

    @property
    def state(self) -> object:
        """Changes whenever plans may have to."""
        return (self._boards.checks, self._boards.doomed)

    @property
    def sources(self) -> tuple[tuple[str, int], ...]:
        """The revisions that a plan names."""
        return self._boards.sources if self._zones else ()

    def checks(self, ruling: Mapping[str, Override]) -> ZoneChecks:
        """By what is planned."""
        return usable(self._boards.checks, self._boards.doomed, ruling) if self._zones else ()

    def hear(self, fleet: Fleet | None, plan: Plan | None, verdicts: Mapping[str, Verdict], *, may: bool) -> None:
        """Take over what came of the last passes, and say what is wanted now. `may`: it is for this planner to do."""
        if not self._zones:
            return
        for news in self._worker.heard():
            if isinstance(news, Finished):
                self._finished(news)
            else:
                self._heard(news)
        present = (fleet, self._boards.checks, self._boards.doomed, plan, may)
        if any(one is not other for one, other in zip(present, self._given, strict=True)):
            self._given = present
            for name in self._zones:
                self._worker.give(self._task(name, fleet, plan) if fleet is not None and may else None, name)
        if may:
            self._tell(verdicts)
            self._share()

    def _task(self, name: str, fleet: Fleet, plan: Plan | None) -> CheckTask:
        wishes, known = wishes_of(self._config, self._zones[name], fleet), self._boards.checks.get(name, ())
        before = self._said.get(name, ZoneVerdicts())
        if before.without != dict(wishes.without):
            self._said[name] = msgspec.structs.replace(before, without=dict(wishes.without))
            self._dirty = True
        spare = {one.digest for one in known} - {one.digest for one in wishes.wanted}
        wanted = {one.load_balancer for one in wishes.wanted}
        hosted = self._zones[name].hosted
        off = hosted is not None and (hosted.checks.kind == "off" or self._config.health is None)
        barred = {one.load_balancer for one in known} if off else {one.id for one in fleet} - wanted
        return CheckTask(
            stream=self._config.stream,
            zone=name,
            wanted=wishes.wanted,
            known=known,
            doomed=frozenset(self._boards.doomed.get(name, ())),
            named=self._names(plan) if spare else frozenset(),
            barred=frozenset(barred),
        )

    def _names(self, plan: Plan | None) -> frozenset[str]:
        if plan is None:
            return frozenset()
        if self._named[0] != plan.digest:
            self._named = (plan.digest, checks_named(plan.shards))
        return self._named[1]

    def _finished(self, news: Finished) -> None:
        name, kept = news.task.zone, news.kept
        if news.task.known == self._boards.checks.get(name, ()) and self._boards.share(name, kept.checks):
            there = {one.load_balancer for one in kept.checks if one.id}
            before = self._said.get(name, ZoneVerdicts())
            verdicts = {one: verdict for one, verdict in before.verdicts.items() if one in there}
            why = kept.why or "; ".join(f"{who}: {what}" for who, what in kept.troubles[:3])
            self._said[name] = msgspec.structs.replace(before, verdicts=verdicts, why=why)
            self._dirty = True
            self._tidings.told(f"route53 {name}", f"health checks of {name}: {why}" if why else "")
        if kept.made or kept.mended:
            mended = list(kept.mended)
            self._tidings.event("health_checks", zone=name, made=kept.made, mended=mended, deleted=[], why=kept.why)
        left = f"{name}: edited again after it was set back, so it is left: {', '.join(kept.left[:5])}"
        self._tidings.told(f"route53 left {name}", left if kept.left else "")

    def _heard(self, said: Said) -> None:
        states: dict[bool | None, HostedState] = {True: "healthy", False: "unhealthy", None: "unknown"}
        state = states[said.healthy]
        zone = self._said.get(said.zone, ZoneVerdicts())
        before = zone.verdicts.get(said.load_balancer)
        if before is not None and (before.state, before.why) == (state, said.why):
            return
        since = before.since if before is not None and before.state == state else round(self._wall(), 3)
        verdicts = {**zone.verdicts, said.load_balancer: HostedVerdict(state, said.why, since)}
        self._said[said.zone] = msgspec.structs.replace(zone, verdicts=verdicts)
        self._dirty = True

    def _share(self) -> None:
        now = time.monotonic()
        if not self._dirty and now - self._put_at < REPEAT_S:
            return
        shared = SharedHostedVerdicts(self._who, round(self._wall(), 3), self._said)
        if self._verdict_board.read() and self._verdict_board.put(msgspec.json.encode(shared)) != "unknown":
            self._dirty, self._put_at = False, now

    def _tell(self, verdicts: Mapping[str, Verdict]) -> None:
        now, differing = time.monotonic(), set()
        for zone, said in self._said.items():
            for name, hosted in said.verdicts.items():
                ours = verdicts[name].state if name in verdicts else "unknown"
                if disagree(ours, hosted.state):
                    differing.add((zone, name))
                    began = self._differing.setdefault((zone, name), now)
                    if now - began >= DISAGREES_S:
                        self._tidings.told(f"disagreement {zone} {name}", disagreement(name, ours, hosted))
        for zone, name in self._differing.keys() - differing:
            del self._differing[zone, name]
            self._tidings.told(f"disagreement {zone} {name}", "")

    def facts(self) -> dict[str, Any]:
        """For a sign of life: zone by zone."""
        return {
            name: facts_of(
                self._said.get(name, ZoneVerdicts()), sum(bool(one.id) for one in self._boards.checks.get(name, ()))
            )
            for name in self._zones
        }

    def _desk(self, name: str) -> CheckDesk:
        from .hosted import hosted_provider

        return CheckDesk(name, hosted_provider(self._zones[name], "planner", self._who).calls)


def disagree(ours: str, theirs: str) -> bool:
    """Whether one of us calls well what the other calls ill."""
    return (ours, theirs) in (("up", "unhealthy"), ("down", "healthy"))


def disagreement(name: str, ours: str, hosted: HostedVerdict) -> str:
    """In words."""
    why = f" ({hosted.why})" if hosted.why else ""
    effect = ": Route 53 leaves it out of answers" if hosted.state == "unhealthy" else ""
    return f"{name} is {ours} by our checks and {hosted.state} by Route 53's{why}{effect}"
