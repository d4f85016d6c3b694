"""An override, as an operator gives it: what it would come to by the planner's own rules, then recorded and journalled.

No planner need run: whoever plans next obeys it.
"""

import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec import Struct

from standfast.config import Config
from standfast.core.decisions import Decision, Draft, Load, PlanContext
from standfast.core.planner import draft
from standfast.errors import JournalError
from standfast.model.entry import KEPT, Key
from standfast.model.fleet import Fleet
from standfast.model.override import Override, given
from standfast.recovery.override import consented, overlaid

from .calling import called_alike, short_name
from .enacting import Store
from .hostedsight import checks_known
from .observing import StoreSight
from .operating import file_name, operator
from .overriding import Change, Recorded, Unrecorded, facts_of, forget_all, record
from .place import Place, policy_of
from .times import clock

_Act: TypeAlias = Callable[[], Recorded | Unrecorded]


class Kept(Struct, frozen=True):
    """A load balancer that stays in an answer all the same, and which guard keeps it there (a clause). `name` is what
    the endpoint is called."""

    key: Key
    load_balancer: str
    guard: str
    name: str

    @property
    def text(self) -> str:
        """`www keeps lb-a1: …`."""
        return f"{self.name} keeps {self.load_balancer}: {self.guard}"


class Rehearsal(Struct, frozen=True):
    """What an override would come to now.

    `leaves` are (endpoint, load balancer, answers that remain, share of its installed capacity that remains). `asks`
    is what consent lifts, `refuses` what nothing lifts. `unknown` says why all of that cannot be told, `alike` is what
    endpoints of several zones would be called.
    """

    leaves: tuple[tuple[Key, str, int, float], ...] = ()
    asks: tuple[Kept, ...] = ()
    refuses: tuple[Kept, ...] = ()
    full: tuple[Load, ...] = ()
    unknown: str = ""
    alike: frozenset[str] = frozenset()


def rehearsed(config: Config, sight: StoreSight, new: Override, at: float) -> Rehearsal:
    """By the rules of the planner, without publishing anything."""
    if sight.plan is None:
        return Rehearsal()
    if sight.fleet is None or sight.verdicts is None or sight.overrides is None:
        return Rehearsal(unknown="no planner has yet told what it knows of load balancers and their health")
    if new.state == "up":
        return Rehearsal()  # nobody has to leave: a guard that keeps it agrees
    concerned = {one.id for one in sight.fleet.load_balancers if new.concerns(one)}
    after = given(sight.overrides, new, at)
    plain = _drawn(config, sight, after, at, frozenset())
    beyond = _drawn(config, sight, after, at, frozenset(concerned))
    alike = called_alike(config, sight.plan)
    kept, hard = ([*_kept(sight, some.decisions, concerned, at, alike)] for some in (plain, beyond))
    certain = {(one.key, one.load_balancer) for one in hard}
    asks = tuple(one for one in kept if (one.key, one.load_balancer) not in certain)
    full = tuple(one for one in beyond.loads if not one.within)
    return Rehearsal(tuple(_leaves(sight, beyond.decisions, concerned)), asks, tuple(hard), full, alike=alike)


def _drawn(
    config: Config, sight: StoreSight, overrides: tuple[Override, ...], at: float, more: frozenset[str]
) -> Draft:
    plan, fleet = sight.plan, sight.fleet
    assert plan is not None
    assert fleet is not None
    laid = overlaid(fleet, sight.health, overrides, at)
    beyond = consented(fleet, overrides, at) | more
    zones, number, checks = plan.record.zones, plan.generation + 1, checks_known(sight, at)
    context = PlanContext(config.stream, zones, number, "rehearsal", consented=beyond, checks=checks)
    policies = tuple(policy_of(one) for one in config.endpoints)
    known = tuple(one for one in policies if plan.entry(one.key) is not None)
    return draft(*laid, known, plan, at, context)


def _kept(
    sight: StoreSight, decisions: Iterable[Decision], concerned: set[str], at: float, alike: frozenset[str]
) -> Iterable[Kept]:
    """Who of those concerned is served now and would still be."""
    for one in decisions:
        called = short_name(one.key[1], one.key[0], alike)
        serving = _serving(sight, one.key) & concerned
        if one.action in ("held", "refused"):
            ends = f"; `standfast resume {called}` ends that" if one.action == "held" else ""
            yield from (Kept(one.key, name, f"{one.why}{ends}", called) for name in sorted(serving))
            continue
        told = {held.load_balancer: held for held in one.held_back}
        for member in one.members:
            if member.served and member.load_balancer in serving:
                held = told.get(member.load_balancer)
                guard = held.why if held else member.reason.removeprefix(KEPT).partition(";")[0]
                due = f", until {clock(held.due, at)}" if held and held.due is not None else ""
                yield Kept(one.key, member.load_balancer, f"{guard}{due}", called)
    if sight.plan is not None:
        planned = {one.key for one in decisions if one.action != "absent"}
        for entry in sight.plan.shards:
            if entry.kind == "live" and entry.key not in planned:
                why = "it is not in the configuration, so its answer is carried on"
                called = short_name(entry.name, entry.zone, alike)
                yield from (
                    Kept(entry.key, name, why, called) for name in sorted(_serving(sight, entry.key) & concerned)
                )


def _serving(sight: StoreSight, key: Key) -> set[str]:
    entry = sight.plan.entry(key) if sight.plan else None
    return {one.load_balancer for one in entry.members if one.served} if entry else set()


def _leaves(
    sight: StoreSight, decisions: Iterable[Decision], concerned: set[str]
) -> Iterable[tuple[Key, str, int, float]]:
    for one in decisions:
        if one.action in ("held", "refused", "absent"):
            continue
        stay = {member.load_balancer for member in one.members if member.served}
        entry = sight.plan.entry(one.key) if sight.plan else None
        installed = sum(member.weight for member in entry.members if member.served) if entry else 0
        rest = sum(member.weight for member in one.members if member.served)
        for name in sorted((_serving(sight, one.key) & concerned) - stay):
            yield one.key, name, len(stay), rest / installed if installed else 1.0


def carry_out(config: Config, store: Store, change: Change, action: str, reason: str) -> Recorded | Unrecorded:
    """Journal it, record it, journal what came of it. Raises JournalError before anything is done."""
    return _journalled(config, action, change, reason, lambda: record(store, change, time.time()))


def carry_out_reset(config: Config, store: Store, reason: str) -> Recorded | Unrecorded:
    """Every override ended at once, also where they cannot be understood. Raises JournalError."""
    return _journalled(config, "override", None, reason, lambda: forget_all(store))


def _journalled(config: Config, action: str, change: Change | None, reason: str, act: _Act) -> Recorded | Unrecorded:
    who = operator()
    journal = Place(config).open_journal("operator", file_name(who))
    facts: dict[str, object] = {"action": action, "names": [], "to": None, "reason": reason, "by": who}
    facts |= {"stream": config.stream, "what": f"{who} {action} {_what(change)}"}
    if change is not None:
        facts |= {"scope": change.scope, "target": change.target}
    if change is not None and change.put is not None:
        facts["override"] = facts_of(change.put)
    try:
        if not journal.write("operator", durable=True, stage="asked", **facts):
            raise JournalError(f"{journal.broken}. Nothing was done.", "Make room, or mend its permissions.")
        done = act()
        stage = "recorded" if isinstance(done, Recorded) else "unknown" if done.kind == "unknown" else "refused"
        why = f"recorded as revision {done.revision}" if isinstance(done, Recorded) else done.why
        journal.write("operator", durable=True, stage=stage, **facts, why=why, generation=None)
    finally:
        journal.close()
    return done


def _what(change: Change | None) -> str:
    if change is None:
        return "all: cleared"
    if change.put is None:
        return f"{change.target if change.scope == 'load_balancer' else f'{change.scope} {change.target}'}: ended"
    return f"{change.put.subject} {change.put.state} until {clock(change.put.until, time.time())}"


def concerned_in(fleet: Fleet | None, one: Override) -> tuple[str, ...]:
    """The load balancers it speaks of, as far as the fleet is known."""
    return tuple(sorted(lb.id for lb in fleet.load_balancers if one.concerns(lb))) if fleet else ()
