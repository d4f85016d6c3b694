"""A holder of a lease: when it renews, with which registry, and how it behaves when that does not work. Pure.

Rule 1.  It renews when the registry said, within a tenth: a fleet that started together must not renew together.
Rule 2.  Turned away with a moment to come again, it comes at that moment, a little spread, and not before. That is an
         appointment, and no retry; one for at once is none.
Rule 3.  Unheard (no connection, no answer in time, an error), it asks the next registry, if it knows several. After
         that each further try is a retry: paid for from its budget, and spread over a growing interval.
Rule 4.  It stays with the registry that served it last: a lease that wanders is written again each time.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .retrying import RetryBudget, pause_s

SPREAD: Final = 0.1
BASE_S: Final = 1.0
MOST_S: Final = 60.0
UNHEARD_MOST_S: Final = MOST_S + 15.0
"""Whoever is there asks again within this, however long it went unanswered; its last question may hang for a while."""
APPOINTED_SPREAD_S: Final = 1.0
"""Retry-After has whole seconds: who was given the same one spreads over it."""
EXACT_SPREAD_S: Final = 0.02
"""A moment that was given in milliseconds is kept: whoever it was spread for is spread already."""
AT_ONCE_S: Final = 0.2
"""An appointment costs nothing of the budget. No registry gives one that is sooner than this after it was asked; who
says `Retry-After: 0` (a proxy in between) would be asked without end."""
RENEW_MOST_S: Final = 3600.0
"""Whatever a registry says, who is there shows it once an hour."""


class Holder(Struct, frozen=True):
    """Asks registry number `at` of `registries` at `due`; `failures` in a row since it was last answered."""

    due: float
    registries: int = 1
    at: int = 0
    failures: int = 0
    budget: RetryBudget = RetryBudget()

    def renewed(self, now: float, renew_after_s: float, chance: float) -> "Holder":
        """It holds the lease."""
        pause = min(max(renew_after_s, 0.1), RENEW_MOST_S) * (1.0 + SPREAD * (2.0 * chance - 1.0))
        return replace(self, due=now + pause, failures=0, budget=self.budget.attempted(now))

    def appointed(
        self,
        now: float,
        retry_after_s: float,
        chance: float,
        *,
        exact: bool = False,
        asked: float | None = None,
        base_s: float = BASE_S,
    ) -> "Holder":
        """It was turned away, and told when to come (rule 2). `exact`: to the millisecond. `asked`: when it did so; who
        is told to come as soon again has no appointment (rule 3)."""
        if asked is not None and now + retry_after_s - asked < AT_ONCE_S:
            return self.failed(now, chance, base_s)
        spread_s = EXACT_SPREAD_S if exact else APPOINTED_SPREAD_S
        return replace(self, due=now + pause_s(0, chance, spread_s, spread_s, retry_after_s))

    def failed(self, now: float, chance: float, base_s: float = BASE_S) -> "Holder":
        """Nothing came of it (rule 3)."""
        failures, at = self.failures + 1, (self.at + 1) % self.registries
        if failures < self.registries:
            return replace(self, due=now + chance * base_s, at=at, failures=failures)
        rounds = failures // self.registries - 1
        due = now + pause_s(rounds, chance, base_s, MOST_S)
        paid = self.budget.retried(due)
        if paid is None:
            due += self.budget.wait_s(due)
            paid = self.budget.retried(due) or self.budget
        return replace(self, due=due, at=at, failures=failures, budget=paid)


def beginning(now: float, chance: float, registries: int = 1, spread_s: float = 1.0) -> Holder:
    """One that has just started. Many start at once after a power cut: they spread over `spread_s`."""
    return Holder(now + chance * spread_s, registries)
