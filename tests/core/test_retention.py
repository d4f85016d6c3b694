"""Which plans are kept though nothing needs them."""

from harness.planning import begun, fleet
from standfast.core.cleaner import Retention, collectable
from standfast.model.plan import ROTATION
from standfast.ports.store import PlanSummary

DAY = 86_400.0
NEWEST = begun(fleet(3))


def plan(generation: int, age_days: float, reason: str = "www − lb-1", pinned: str = "") -> PlanSummary:
    return PlanSummary(generation, f"d{generation}", 100 * DAY - age_days * DAY, "ops1", reason, pinned)


def kept(plans: list[PlanSummary], retention: Retention) -> list[int]:
    newest_first = tuple(sorted(plans, key=lambda one: -one.generation))
    doomed = collectable(newest_first, NEWEST, 10_000, retention, 100 * DAY)
    return sorted({one.generation for one in plans} - set(doomed))


def test_turns_are_neither_kept_nor_counted_by_age() -> None:
    turns = [plan(n, 1.0, f"{ROTATION}www + lb-2 − lb-1") for n in range(20, 40)]
    others = [plan(n, 2.0) for n in range(10, 15)]
    old = [plan(n, 40.0) for n in range(2, 5)]
    assert kept([*turns, *others, *old], Retention(plans=0, days=30.0, cap=5)) == [10, 11, 12, 13, 14]
    assert kept([*turns, *others, *old], Retention(plans=6, days=0.0, cap=5)) == [4, 10, 11, 12, 13, 14]


def test_the_cap_bounds_what_is_young_and_pins_are_kept() -> None:
    some = [plan(n, 1.0, pinned="looked at" if n == 3 else "") for n in range(2, 9)]
    assert kept(some, Retention(plans=0, days=30.0, cap=2)) == [3, 7, 8]
