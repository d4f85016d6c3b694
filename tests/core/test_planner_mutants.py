"""The checks of planning are checked: each mutant of the planner must be found by the check named for it."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from harness import planning_checks as checks
from harness.planning import DOWN, UNKNOWN, UP, WARMING, balancer, fleet_of, policy
from harness.planning_checks import CHECKS, Check, Situation, Step, history
from standfast.core import layout, membership, planner, removal, rotation, selection, velocity
from standfast.core.holding import hold
from standfast.core.selection import Candidate
from standfast.model.entry import Entry
from standfast.model.fleet import LoadBalancer, Verdict
from standfast.model.plan import Plan
from standfast.model.rrset import RRType

SEEDS = range(60)


def row_of(seed: int) -> list[Situation]:
    """A history in which load balancers die and return and one endpoint leaves the configuration."""
    dice = random.Random(seed)
    count = dice.randint(1, 9)
    some = fleet_of(balancer(n, v6=dice.random() < 0.7, az=dice.choice("abc")) for n in range(1, count + 1))
    both = (policy(hold_below=dice.choice([0.0, 0.5]), min_answers=dice.choice([None, 1])), policy("api"))
    now, row = 0.0, [Situation(some, {one.id: UP for one in some.load_balancers}, both, 0.0)]
    for _ in range(6):
        now += dice.choice([1.0, 200.0, 650.0])
        verdicts = {one.id: dice.choice([UP, UP, UP, DOWN, DOWN, UNKNOWN, WARMING]) for one in some.load_balancers}
        row.append(Situation(some, verdicts, both if dice.random() < 0.7 else both[:1], now))
    return row


def steps_of(seed: int) -> list[Step]:
    """The history, and another in which everything is held after its first plan."""
    row = row_of(seed)
    steps = history(row)
    first = steps[0].after
    if first is None:
        return steps
    live = tuple(entry.key for entry in first.shards if entry.kind == "live")
    return steps + history(row[1:], hold(first, live, 2, "alice", "held", 0.0).plan)


def found_by(check: Check) -> list[str]:
    return [text for seed in SEEDS for text in check(steps_of(seed))]


def velocity_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(velocity, "allows", lambda *_: True)


def window_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(velocity, "remembered", lambda *_: ())


def min_answers_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(removal, "below_least", lambda *_: None)


def min_answers_of_ipv4_only(patch: pytest.MonkeyPatch) -> None:
    real = removal.below_least
    patch.setattr(removal, "below_least", lambda rest, one, families, least: real(rest, one, families[:1], least))


def panic_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(removal, "panicking", lambda *_: False)


def since_not_raised(patch: pytest.MonkeyPatch) -> None:
    def kept(entry: Entry, before: Entry | None, _: object) -> Entry:
        return replace(entry, since=before.since) if before else entry

    patch.setattr(planner, "numbered", kept)


def since_always_raised(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(planner, "numbered", lambda entry, _, context: replace(entry, since=context.generation))


def unknown_is_down(patch: pytest.MonkeyPatch) -> None:
    real = membership._wish

    def wish(one: LoadBalancer, verdict: Verdict) -> Any:
        return real(one, DOWN if verdict.state == "unknown" else verdict)

    patch.setattr(membership, "_wish", wish)


def held_ignored(patch: pytest.MonkeyPatch) -> None:
    real = planner._outcome

    def outcome(*arguments: Any) -> Any:
        outlook, wanted, before, *led = arguments
        return real(outlook, wanted, before and replace(before, held=""), *led)

    patch.setattr(planner, "_outcome", outcome)


def absent_is_deleted(patch: pytest.MonkeyPatch) -> None:
    real = planner.draft

    def draft(*arguments: Any) -> Any:
        drawn, wanted = real(*arguments), {one.key for one in arguments[2]}
        if drawn.plan is None:
            return drawn
        kept = [one for one in drawn.plan.shards if one.kind == "first" or one.key in wanted]
        shards = type(drawn.plan.shards).of(kept)
        return replace(drawn, plan=Plan(replace(drawn.plan.record, shards=shards.digest), shards))

    patch.setattr(checks, "draft", draft)


def every_pass_publishes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(planner, "_wanted", lambda *_: True)


def reasons_dropped(patch: pytest.MonkeyPatch) -> None:
    real = membership._member
    patch.setattr(membership, "_member", lambda *arguments: replace(real(*arguments), reason=""))


def one_family_only(patch: pytest.MonkeyPatch) -> None:
    def rdata_of(candidates: Sequence[Candidate], family: RRType) -> list[bytes]:
        return selection.rdata_of(
            candidates[1:] if family == RRType.AAAA and len(candidates) > 2 else candidates, family
        )

    patch.setattr(layout, "rdata_of", rdata_of)


def first_come_first_served(patch: pytest.MonkeyPatch) -> None:
    def draft(some: Any, verdicts: Mapping[str, Verdict], *others: Any) -> Any:
        first = next(iter(verdicts), "")
        return planner.draft(some, {**verdicts, first: UNKNOWN}, *others)

    patch.setattr(checks, "draft", draft)


Mutant = Callable[[pytest.MonkeyPatch], None]
MUTANTS: list[tuple[Mutant, Check]] = [
    (velocity_off, checks.within_velocity),
    (window_forgotten, checks.within_velocity),
    (min_answers_ignored, checks.never_below_min_answers),
    (min_answers_of_ipv4_only, checks.never_below_min_answers),
    (panic_off, checks.nobody_goes_in_panic),
    (since_not_raised, checks.since_tells_changes),
    (since_not_raised, checks.guard_agrees),
    (since_always_raised, checks.since_tells_changes),
    (unknown_is_down, checks.unknown_stays),
    (held_ignored, checks.held_stays),
    (absent_is_deleted, checks.nothing_vanishes),
    (every_pass_publishes, checks.asking_again_changes_nothing),
    (reasons_dropped, checks.every_reason_is_given),
    (one_family_only, checks.families_go_together),
    (first_come_first_served, checks.order_is_irrelevant),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_planner_itself_passes(check: Check) -> None:
    assert found_by(check) == []


@pytest.mark.parametrize(("mutant", "check"), MUTANTS, ids=lambda one: one.__name__)
def test_a_mutant_is_killed_by_the_check_named_for_it(
    mutant: Mutant, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    assert found_by(check) != []


def removals_of(count: int) -> int:
    """How many leave at once where one of `count` dies."""
    some, wanted = fleet_of(balancer(n) for n in range(1, count + 1)), (policy(min_answers=1),)
    up = {one.id: UP for one in some.load_balancers}
    row = [Situation(some, up, wanted, 0.0), Situation(some, {**up, "lb-1": DOWN}, wanted, 1.0)]
    last = history(row)[-1].after
    assert last is not None
    return count - len([m for m in last.by_zone[row[0].policies[0].zone][1].members if m.served])


def test_no_minimum_step_is_killed_by_the_pair_whose_dead_half_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [removals_of(count) for count in (1, 2, 3)] == [0, 1, 1]

    def allows(departures: Any, weight: int, share: float, installed: int) -> bool:
        return velocity.used(departures) + weight <= share * installed

    monkeypatch.setattr(velocity, "allows", allows)
    assert [removals_of(count) for count in (1, 2, 3)] == [0, 0, 1]


def test_choosing_anew_each_time_is_killed_by_who_is_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(displaced()) == 1

    def anew(name: str, some: tuple[Candidate, ...], _: object, __: object, most: int) -> tuple[Candidate, ...]:
        shuffled = list(some)
        random.Random(f"{name} {len(some)}").shuffle(shuffled)
        return tuple(sorted(shuffled[:most], key=lambda one: one.identity))

    monkeypatch.setattr(rotation, "choose", anew)
    assert max(displaced()) > 1


def displaced() -> list[int]:
    """How many lose their place in each of some endpoints when one more becomes healthy."""
    some = fleet_of(balancer(n) for n in range(1, 13))
    wanted = tuple(policy(f"e{number}", removal_share=1.0, max_answers=6) for number in range(8))
    first = {one.id: UP for one in some.load_balancers} | {"lb-9": DOWN}
    steps = history([Situation(some, first, wanted, 0.0), Situation(some, {**first, "lb-9": UP}, wanted, 1.0)])
    return [len(decision.left) for decision in steps[1].drawn.decisions]
