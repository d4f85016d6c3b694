"""Rounds of the patrol: one enactor begins each, the others know of it, and nobody waits for one that is gone."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from msgspec import structs

from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.memory import MemoryStore
from standfast.core.enactor import Enactor
from standfast.runtime.company import SILENT_S, Company
from standfast.runtime.economy import TURN_PART, Account, Economy
from world.invented import STREAM, ZONE, entry, plan_of

ROUND_S = 60.0


class Free:
    """An account that answers as often as anybody likes."""

    def allot(self, part: float, background: float) -> None:
        """Whatever."""

    def spare(self) -> bool:
        return True


class Enactors:
    """Economies of one store, at one clock; which of them began a round, and when."""

    def __init__(self, *names: str) -> None:
        store, zone = MemoryStore(), MemoryProvider(ZONE, {})
        plan = plan_of(1, [entry(f"e{number}.{ZONE}", 1, "192.0.2.1") for number in range(5)])
        self.core = structs.replace(Enactor("a", STREAM, paced=(ZONE,)), plan=plan)
        self.all = {
            name: Economy(
                {ZONE: Account(Free(), Counter(), ROUND_S)},
                Company(store, name, f"i-{name}"),
                lambda _, request: zone.perform(request),
            )
            for name in names
        }
        self.now, self.rounds = 0.0, list[tuple[float, str]]()
        self.seen = dict.fromkeys(names, 0)

    def pass_time(self, seconds: float, *dead: str) -> list[tuple[float, str]]:
        """The rounds that ended in it."""
        self.rounds.clear()
        for _ in range(round(seconds / 0.25)):
            self.now += 0.25
            for name, one in self.all.items():
                if name not in dead:
                    one.step(self.core, self.now)
                    count = one.standing["rounds"][ZONE]  # type: ignore[index]
                    if count != self.seen[name]:
                        self.seen[name] = count
                        self.rounds.append((self.now, name))
        return list(self.rounds)


@pytest.fixture
def enactors() -> Enactors:
    some = Enactors("a", "b", "c")
    assert {name for _, name in some.pass_time(5)} == {"a", "b", "c"}, "who starts looks at once"
    return some


def test_one_looks_through_the_zone_for_all(enactors: Enactors) -> None:
    rounds = enactors.pass_time(10 * ROUND_S)
    assert {name for _, name in rounds} == {"a"}
    times = [at for at, _ in rounds]
    assert all(ROUND_S <= after - before <= ROUND_S + 2 for before, after in pairwise(times))


def test_nobody_waits_for_one_that_is_gone(enactors: Enactors) -> None:
    enactors.pass_time(10)
    rounds = enactors.pass_time(6 * ROUND_S, "a")
    assert {name for _, name in rounds} == {"b"}
    at = enactors.now - 6 * ROUND_S
    gaps = [after - before for before, after in pairwise([at - 10, *(moment for moment, _ in rounds)])]
    assert gaps[0] <= (1 + TURN_PART) * ROUND_S + 1, "the next in order, at its turn"
    assert max(gaps[1:]) <= (1 + TURN_PART) * ROUND_S + 1
    assert rounds[-1][0] - at > SILENT_S
    assert enactors.pass_time(3 * ROUND_S, "a", "b"), "and the last one by itself"
