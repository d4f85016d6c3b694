"""Who is at rest is not planned anew, and nothing comes out otherwise: drafts with and without a memory, word by word.

Over random histories of a fleet, health, clocks, configuration, drains, consents, frozen zones and holds by operators.
"""

import math
import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from harness.planning import DOWN, EMPTY, UNKNOWN, UP, ZONE, balancer, context, fleet_of, policy
from standfast.core import resting
from standfast.core.decisions import Draft
from standfast.core.endpoint import Planned
from standfast.core.holding import hold
from standfast.core.planner import draft
from standfast.core.resting import NOTHING, Memory, Recall
from standfast.model.entry import Entry, Key
from standfast.model.fleet import Fleet, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy

HISTORIES, STEPS = 12, 40
MOMENTS = (0.0, 1.0, 30.0, 30.0, 30.0, 60.0, 300.0, 600.0, 1800.0)


class Going:
    """A region: two pools of six, eight endpoints, two of which follow another."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.some = {
            number: replace(balancer(number, az="abc"[number % 3], v6=number % 4 > 0), pool=f"p{number % 2}")
            for number in range(1, 13)
        }
        self.verdicts: dict[int, Verdict] = dict.fromkeys(self.some, UP)
        self.policies = self._configured()
        self.now, self.generation = 10_000.0, 0
        self.plan: Plan | None = None
        self.memory: Memory | None = NOTHING
        self.kept = 0

    def _configured(self) -> tuple[EndpointPolicy, ...]:
        draw, found = self.draw, list[EndpointPolicy]()
        for place in range(6):
            found.append(
                replace(
                    policy(f"e{place}", hold_below=0.5),
                    pools=draw.choice([(), ("p0",), ("p1",)]),
                    max_answers=draw.choice([2, 3, 8]),
                    need=draw.choice([0, 0, 0, 150]),
                    removal_window_s=draw.choice([60.0, 600.0]),
                    rotation_s=draw.choice([0.0, 0.0, 0.0, 300.0]),
                    az_loss=draw.choice(["auto", "ask"]),
                    on_panic=draw.choice(["hold", "all"]),
                )
            )
        return (*found, policy("f0", follows="e0"), policy("f1", follows="e5"))

    @property
    def fleet(self) -> Fleet:
        return fleet_of(self.some.values())

    def alter(self) -> None:
        """Something happens, or nothing does."""
        draw = self.draw
        one = draw.choice(sorted(self.some))
        match draw.choice(
            ["none", "none", "none", "health", "admin", "capacity", "back", "configuration", "hold", "az"]
        ):
            case "health":
                self.verdicts[one] = draw.choice([UP, DOWN, UNKNOWN, replace(DOWN, outside=2)])
            case "admin":
                self.some[one] = replace(self.some[one], admin=draw.choice(["up", "drain", "down"]))
            case "capacity":
                self.some[one] = replace(self.some[one], capacity=draw.choice([50, 100, 200]))
            case "back":
                self.verdicts = dict.fromkeys(self.some, UP)
                self.some = {number: replace(one, admin="up") for number, one in self.some.items()}
            case "some" if draw.random() < 0.3:
                self.policies = self._configured()
            case "some" if draw.random() < 0.1 and self.plan is not None:
                live = [entry.key for entry in self.plan.shards if entry.kind == "live"]
                self.generation += 1
                held = hold(self.plan, (draw.choice(live),), self.generation, "alice", "held", self.now).plan
                self.plan = held or self.plan
            case "az":
                az = draw.choice("abc")
                self.verdicts.update({n: replace(DOWN, outside=2) for n, one in self.some.items() if one.az == az})
        self.now += draw.choice(MOMENTS) if draw.random() < 0.97 else -draw.choice(MOMENTS)

    def drafts(self) -> tuple[Draft, Draft]:
        """With the memory, and without."""
        some, fleet = self.policies, self.fleet
        verdicts = {one.id: self.verdicts[number] for number, one in self.some.items()}
        given = context(self.generation + 1, some, present={one.key: EMPTY for one in some})
        draw = self.draw
        given = replace(
            given,
            unreadable=frozenset({ZONE}) if draw.random() < 0.03 else frozenset(),
            raised=frozenset({draw.choice(some).key}) if draw.random() < 0.03 else frozenset(),
            raise_all=draw.random() < 0.02,
            consented=frozenset({draw.choice(fleet.load_balancers).id}) if draw.random() < 0.1 else frozenset(),
        )
        told = (fleet, verdicts, some, self.plan, self.now, given)
        return draft(*told, self.memory), draft(*told)

    def step(self) -> None:
        """Both say the same, to the last reason; and the plan is published or, by a race, not."""
        self.alter()
        ours, plain = self.drafts()
        assert replace(ours, memory=None) == plain
        if ours.plan is not None and plain.plan is not None:
            assert ours.plan.digest == plain.plan.digest
        assert ours.memory is not None
        self.kept += len(ours.memory.rests)
        self.memory = ours.memory
        if ours.plan is not None and self.draw.random() < 0.9:
            self.plan, self.generation = ours.plan, self.generation + 1


def lived(seeds: range) -> int:
    """How often an endpoint was at rest."""
    kept = 0
    for seed in seeds:
        going = Going(seed)
        for _ in range(STEPS):
            going.step()
        kept += going.kept
    return kept


def test_a_memory_changes_nothing_but_the_cost() -> None:
    assert lived(range(HISTORIES)) > HISTORIES * STEPS, "of eight endpoints one and more are at rest"


def blind(patch: pytest.MonkeyPatch) -> None:
    """Nothing new is seen of anybody."""

    def look(self: Recall, shape: resting.Shape, _: object) -> object:
        return self._seen.setdefault(shape, "the same")

    patch.setattr(Recall, "_look", look)


def timeless(patch: pytest.MonkeyPatch) -> None:
    """No window ever passes."""
    patch.setattr(Recall, "_until", lambda *_: math.inf)


def unready(patch: pytest.MonkeyPatch) -> None:
    """Whatever came of an endpoint stays so."""
    patch.setattr(resting, "_rests", lambda *_: True)


@pytest.mark.parametrize("mutant", [blind, timeless, unready])
def test_a_memory_that_forgets_to_look_is_found_out(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        lived(range(20 * HISTORIES))


def test_without_news_nobody_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    going = Going(3)
    going.policies = tuple(replace(policy(f"e{place}"), pools=(f"p{place % 2}",)) for place in range(40))
    for _ in range(4):
        ours, _ = going.drafts()
        going.memory, going.plan, going.generation = ours.memory, ours.plan or going.plan, going.generation + 1
        going.now += 4_000.0
    planned: list[object] = []
    real = Recall.planned

    def counted(self: Recall, key: Key, come: Planned, was: Entry | None) -> None:
        planned.append(key)
        real(self, key, come, was)

    monkeypatch.setattr(Recall, "planned", counted)
    going.drafts()
    first = len(planned)
    assert first == 40, "of the draft without a memory; of the other nobody"
    going.some[1] = replace(going.some[1], admin="drain")
    going.drafts()
    assert len(planned) - first == 40 + 20, "those of its pool"
