"""Every state of the small models of leases, admission and budgets; and that the models can fail."""

from dataclasses import dataclass

import pytest

from standfast.recovery import admission, lease, retrying
from standfast.sim.recovering.exploring import Broken, Model, explore
from standfast.sim.recovering.models import models

NAMES = [model.name for model in models()]


@pytest.mark.parametrize("name", NAMES)
def test_every_state_keeps_what_is_promised(name: str) -> None:
    model = next(one for one in models() if one.name == name)
    found = explore(model)
    assert found.complete
    assert not found.broken, found.steps
    assert found.states > 10


@pytest.mark.parametrize(
    ("name", "where", "what", "value", "text"),
    [
        ("leases", lease.Book, "restore", lambda self, leases: None, "not told"),
        ("leases", lease, "STALL_TIMES", 100.0, "could not be reached"),
        ("retry budget", retrying, "_ROUNDING", 0.6, "more retries"),
        ("admission, 1 at a time", admission.Intake, "room", lambda self, now, deadline: 9, "turned out|deadline"),
    ],
)
def test_what_is_broken_is_found_by_the_fewest_steps(
    name: str, where: object, what: str, value: object, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, what, value)
    found = explore(next(one for one in models() if one.name == name))
    assert any(part in found.broken for part in text.split("|")), found
    assert found.steps


def test_the_search_is_bounded_and_tells_the_way() -> None:
    @dataclass
    class Count:
        at: int

    def moves(state: Count):  # type: ignore[no-untyped-def]
        def more() -> Count:
            if state.at == 5:
                raise Broken("five")
            return Count(state.at + 1)

        yield "one more", more

    model: Model[Count] = Model("count", "", "", lambda: Count(0), moves, lambda state: state.at)
    found = explore(model)
    assert (found.broken, found.steps, found.states) == ("five", ("one more",) * 6, 6)
    assert not explore(model, states_max=3).complete
