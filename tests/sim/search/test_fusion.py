"""Private steps taken at once: the same states but for those passed over; and what may not be private is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from sim.search.naive import State, representative
from sim.search.toys import Toy, ToyProperty, ToyRule, outcome, register
from standfast.sim.search.alphabet import ContractError
from standfast.sim.search.canonical import Reductions
from standfast.sim.search.exploring import explore, survey
from standfast.sim.search.product import FRESH, Outcome


def settled(toy: Toy, state: State) -> State:
    """All private steps taken, in plain values."""
    for rule in toy.rules:
        if getattr(rule, "private", False):
            (place,) = rule.reads
            for number, one in enumerate(rule.fire(state[place])):
                assert number == 0
                (value,) = one.values
                names = {FRESH: f"fresh{place:011}"}
                return settled(toy, (*state[:place], toy.renamed(value, names), *state[place + 1 :]))
    return state


@pytest.mark.parametrize("versions", [True, False])
@pytest.mark.parametrize("writers", [1, 2, 3])
def test_the_unreduced_states_settled_are_the_fused_ones(writers: int, versions: bool) -> None:
    toy = register(writers, versions=versions)
    fused = survey(toy, states_max=100_000)
    whole = survey(toy, states_max=100_000, reductions=Reductions(fusion=False))
    assert fused.result.bounds.complete
    assert whole.result.bounds.complete
    assert len(fused) < len(whole)
    assert {representative(toy, settled(toy, whole.values(state))) for state in range(len(whole))} == {
        representative(toy, fused.values(state)) for state in range(len(fused))
    }
    assert {one.property for one in fused.result.findings} == {one.property for one in whole.result.findings}


def test_a_trace_tells_the_private_steps_too() -> None:
    (finding,) = explore(register(2, versions=False, values=1), states_max=10_000).findings
    assert [step.text for step in finding.steps] == [
        *("reads", "draws a nonce", "reads", "draws a nonce", "writes", "writes"),
    ]
    assert len(finding.states) == 7


def keeper(*, atomic: bool) -> Toy:
    """An actor fetches a plan, keeps it on its disk in a private step, and may crash: its memory is lost.

    Before the copy is kept a crash loses the plan, afterwards it does not: keeping it is private only if the actor
    has kept it before it can crash (`atomic`: the fetch already stands in a journal).
    """

    def fetch(memory_and_disk: Any) -> Iterator[Outcome]:
        memory, disk = memory_and_disk
        if memory == "empty":
            yield outcome("actor", "fetches", ("fetched", disk))

    def keep(memory_and_disk: Any) -> Iterator[Outcome]:
        if memory_and_disk[0] == "fetched":
            yield outcome("actor", "keeps", ("kept", "plan"))

    def crash(memory_and_disk: Any) -> Iterator[Outcome]:
        memory, disk = memory_and_disk
        yield outcome("actor", "crashes", ("empty", "plan" if atomic and memory != "empty" else disk))

    rules = (
        ToyRule("fetch", (0,), (0,), fetch),
        ToyRule("keep", (0,), (0,), keep, private=True),
        ToyRule("crash", (0,), (0,), crash),
    )
    return Toy("keeper", ("actor",), (("empty", "nothing"),), rules)


def test_a_step_that_a_crash_can_see_is_not_private() -> None:
    with pytest.raises(ContractError, match="Rule crash does not commute"):
        explore(keeper(atomic=False), states_max=100)
    assert explore(keeper(atomic=False), states_max=100, reductions=Reductions(fusion=False)).bounds.states == 5
    assert explore(keeper(atomic=True), states_max=100).bounds.states == 3


def glimpse(*, hidden: bool) -> Toy:
    """One place counts 0, 1, 2; getting from 1 to 2 is private; a property is broken in 1 and perhaps still in 2."""

    def start(count: Any) -> Iterator[Outcome]:
        if count == 0:
            yield outcome("actor", "starts", 1)

    def go_on(count: Any) -> Iterator[Outcome]:
        if count == 1:
            yield outcome("actor", "goes on", 2)

    rules = (ToyRule("start", (0,), (0,), start), ToyRule("go on", (0,), (0,), go_on, private=True))
    judged = ToyProperty("low", (0,), lambda count: "too high" if count in ((1,) if hidden else (1, 2)) else "")
    return Toy("glimpse", ("actor",), (0,), rules, (judged,))


def test_a_violation_passed_over_is_not_lost() -> None:
    with pytest.raises(ContractError, match="low is broken in a state that private steps pass over"):
        explore(glimpse(hidden=True), states_max=100)
    assert [one.property for one in explore(glimpse(hidden=False), states_max=100).findings] == ["low"]


def forgetful(*, watched: bool) -> Toy:
    """An actor drops a nonce in a private step; a watcher who can still compare it makes that step visible."""

    def draw(actor: Any, other: Any) -> Iterator[Outcome]:
        if actor == ("idle",):
            yield outcome("actor", "draws", ("has", FRESH), FRESH)

    def drop(actor: Any) -> Iterator[Outcome]:
        if actor[0] == "has":
            yield outcome("actor", "drops", ("dropped",))

    def compare(actor: Any, other: Any) -> Iterator[Outcome]:
        if watched and actor == ("has", other):
            yield outcome("watcher", "sees the same nonce", ("seen",), other)

    rules = (
        ToyRule("draw", (0, 1), (0, 1), draw),
        ToyRule("drop", (0,), (0,), drop, private=True),
        ToyRule("compare", (0, 1), (0, 1), compare),
    )
    return Toy("forgetful", ("actor", "other"), (("idle",), "0" * 16), rules)


def test_a_symbol_that_a_private_step_drops_may_still_be_compared_with_every_other() -> None:
    with pytest.raises(ContractError, match="Rule compare does not commute"):
        explore(forgetful(watched=True), states_max=100)
    assert explore(forgetful(watched=False), states_max=100).bounds.states == 2


def test_private_steps_that_go_round_are_refused() -> None:
    def turn(side: Any) -> Iterator[Outcome]:
        yield outcome("actor", "turns", 1 - side)

    with pytest.raises(ContractError, match="go round"):
        explore(Toy("round", ("actor",), (0,), (ToyRule("turn", (0,), (0,), turn, private=True),)), states_max=10)


def test_a_private_rule_has_one_place() -> None:
    rule = ToyRule("both", (0, 1), (0, 1), lambda one, other: (), private=True)
    with pytest.raises(ContractError, match="must read and write one and the same place"):
        explore(Toy("two", ("a", "b"), (0, 0), (rule,)), states_max=10)
