"""The models: the production automaton, the moves of the world, and what the world knows better than it.

Leases: two holders; the registry ticks, cannot be reached, stands still or restarts at any moment; the world counts
for itself how long each holder was silent while the registry could be reached. Admission: two tenants come with any of
three patiences whenever they like; what is begun takes one tick, as it was measured. Retries: first attempts and
retries in any order; the world counts what was allowed and what was made.
"""

from collections.abc import Callable, Hashable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from standfast.recovery.admission import Intake, Pace, RetryBudget
from standfast.recovery.lease import Book, Lease

from .exploring import Broken, Model

TERM, STALL_S = 6.0, 4.0
HOLDERS: Final = ("a", "b")
INSIDE_MAX: Final = 4
PATIENCES: Final = (1.0, 2.0, 5.0)
Moves: TypeAlias = Iterator[tuple[str, Callable[[], Any]]]
BUDGET: Final = RetryBudget(share=0.5, floor_per_s=0.5, kept_max=2.0, left=1.0, at=0.0)


@dataclass
class Leases:
    """A registry's book and the truth about its holders: `silent` is reachable time since each was heard."""

    book: Book[str]
    now: float = 0.0
    silent: dict[str, float] = field(default_factory=dict)


def _leases() -> Leases:
    book: Book[str] = Book(TERM)
    book.tick(0.0)
    return Leases(book)


def _lease_moves(state: Leases) -> Moves:
    for holder in HOLDERS:
        yield f"{holder} renews", lambda holder=holder: _renews(state, holder)  # type: ignore[misc]
    yield "a second passes", lambda: _passes(state, 1.0, "")
    yield "a second passes, the store is away", lambda: _passes(state, 1.0, "the store is away")
    yield f"the registry stands still for {STALL_S:g} seconds", lambda: _passes(state, STALL_S, "")
    yield "the registry restarts", lambda: _restarts(state)


def _renews(state: Leases, holder: str) -> Leases:
    then = deepcopy(state)
    then.book.renew(holder, "", then.now)
    then.silent[holder] = 0.0
    return then


def _passes(state: Leases, seconds: float, why: str) -> Leases:
    then = deepcopy(state)
    then.now += seconds
    reachable = not why and seconds == 1.0
    then.silent = {holder: since + 1.0 if reachable else since for holder, since in then.silent.items()}
    for lease in then.book.tick(then.now, why):
        if not reachable:
            raise Broken(f"{lease.holder} lost its lease by time in which the registry could not be reached")
        if then.silent.pop(lease.holder) < TERM:
            raise Broken(f"{lease.holder} lost its lease within a term of reachable time")
    return _all_there(then)


def _all_there(then: Leases) -> Leases:
    if then.silent.keys() != {lease.holder for lease in then.book}:
        raise Broken("somebody lost its lease, and it was not told")
    return then


def _restarts(state: Leases) -> Leases:
    then = Leases(Book(TERM), state.now, dict.fromkeys(state.silent, 0.0))
    then.book.tick(then.now)
    then.book.restore(state.book)
    return _all_there(then)


def _lease_key(state: Leases) -> Hashable:
    book, most = state.book, TERM + 1
    ages = tuple(_lease_age(state, lease, most) for lease in sorted(book, key=lambda one: one.holder))
    away = None if book._away_since is None else min(state.now - book._away_since, most)
    return ages, away, tuple(book._silent), tuple(book._fresh)


def _lease_age(state: Leases, lease: Lease[str], most: float) -> Hashable:
    book, fresh = state.book, state.book._fresh.get(lease.holder)
    age = min(book.reach.counted - max(lease.heard, book._anew), most)
    return lease.holder, age, min(state.silent[lease.holder], most), None if fresh is None else state.now - fresh


@dataclass
class Door:
    """An intake and who is inside: (deadline, whether begun) by key."""

    intake: Intake[int]
    now: float = 0.0
    next_key: int = 0
    inside: dict[int, float] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)


def _door(workers: int, target_s: float) -> Door:
    return Door(Intake(Pace(float(workers), measured=False), workers, target_s=target_s, interval_s=1.0))


def _door_moves(state: Door) -> Moves:
    if len(state.inside) < INSIDE_MAX:
        for tenant in ("x", "y"):
            for patience in PATIENCES:
                label = f"one of {tenant} comes, patient for {patience:g}"
                yield label, lambda tenant=tenant, patience=patience: _comes(state, tenant, patience)  # type: ignore[misc]
    yield "a tick passes: what was begun is done", lambda: _works(state)


def _comes(state: Door, tenant: str, patience: float) -> Door:
    then = deepcopy(state)
    if then.intake.offer(then.next_key, then.now, then.now + patience, tenant).admitted:
        then.inside[then.next_key] = then.now + patience
        then.next_key += 1
    return _filled(then)


def _works(state: Door) -> Door:
    then = deepcopy(state)
    then.now += 1.0
    for key in then.begun:
        then.intake.done(key, then.now)
        if then.inside.pop(key) < then.now:
            raise Broken("who was admitted is finished after its deadline")
    then.begun = []
    then = _filled(then)
    if any(deadline <= then.now for key, deadline in then.inside.items()):
        raise Broken("who was admitted waits beyond its deadline")
    return then


def _filled(state: Door) -> Door:
    while True:
        work, out = state.intake.begin(state.now)
        if out:
            raise Broken("who was admitted is turned out unbegun")
        if work is None:
            return state
        state.begun.append(work.key)
        if len(state.begun) > state.intake.workers:
            raise Broken("more is begun than there are workers")


def _door_key(state: Door) -> Hashable:
    intake, most = state.intake, max(PATIENCES)
    waiting = tuple(
        (tenant, tuple((one.deadline - state.now, min(state.now - one.arrived, most)) for one in queue.values()))
        for tenant, queue in sorted(intake._queues.items())
    )
    begun = tuple(sorted((intake._inside[key].tenant, intake._inside[key].deadline - state.now) for key in state.begun))
    long_since = None if intake._long_since is None else min(state.now - intake._long_since, most)
    return waiting, begun, intake.newest_first, long_since, tuple(intake._fair._turns)


def _budget_moves(state: tuple[RetryBudget, float, float]) -> Moves:
    budget, now, slack = state
    yield "a first attempt", lambda: _counted(budget.attempted(now), now, slack + budget.share)
    yield "a second passes", lambda: _counted(budget.filled(now + 1), now + 1, slack + budget.floor_per_s)
    less = budget.retried(now)
    if less is not None:
        yield "a retry", lambda: _counted(less, now, slack - 1.0)


def _counted(budget: RetryBudget, now: float, slack: float) -> tuple[RetryBudget, float, float]:
    if slack < 0.0:
        raise Broken("more retries were made than the budget allows")
    if budget.left > min(slack, budget.kept_max):
        raise Broken("the budget holds more than was put in, or more than may be kept")
    return budget, now, min(slack, budget.kept_max + 2.0)


def models() -> tuple[Model[Any], ...]:
    """All, the smallest first."""
    doors = (
        Model(
            f"admission, {workers} at a time{', newest first' if target_s < 0 else ''}",
            f"two tenants, patience {', '.join(f'{one:g}' for one in PATIENCES)}, {INSIDE_MAX} inside at most",
            "what is admitted is begun, and finished before its deadline; never more begun than workers",
            lambda workers=workers, target_s=target_s: _door(workers, target_s),  # type: ignore[misc]
            _door_moves,
            _door_key,
        )
        for workers, target_s in ((1, 1.5), (1, -1.0), (2, -1.0))
    )
    return (
        Model(
            "retry budget",
            "half a retry for each first attempt and each second, two kept at most",
            "never more retries than the budget allows, whatever the order",
            lambda: (BUDGET, 0.0, 1.0),
            _budget_moves,
            lambda state: (state[0].left, state[2]),
        ),
        Model(
            "leases",
            f"two holders, a term of {TERM:g} s; the registry is reachable or not, stalls, restarts, at any moment",
            "nobody loses a lease for time in which the registry could not be reached, nor within a term; all is told",
            _leases,
            _lease_moves,
            _lease_key,
        ),
        *doors,
    )
