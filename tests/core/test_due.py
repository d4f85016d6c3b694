"""What a newer plan makes due, which of it goes first, and how it waits until it is admitted."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from standfast.core.agenda import Agenda
from standfast.core.due import admitted, asked, loses, queueing, taken_up
from standfast.core.enactor import Enactor
from standfast.model.entry import Entry, Key, Member, Turn
from standfast.model.plan import Plan
from standfast.ports.local import Admit, Admitted
from standfast.ports.provider import Changes, ReadChanges, Unknown
from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan
from world.invented import STREAM, ZONE, entry, plan_of

OLD, NEW, HELD, ADDED, SAME = (f"{name}.{ZONE}" for name in ("old", "new", "held", "added", "same"))


def key(name: str) -> Key:
    return (ZONE, name)


def plans() -> tuple[Plan, Plan]:
    before = [entry(OLD, 1, "192.0.2.1", "192.0.2.2"), entry(NEW, 1, "192.0.2.1"), entry(SAME, 1, "192.0.2.1")]
    after = [
        entry(OLD, 7, "192.0.2.1"),
        entry(NEW, 7, "192.0.2.1", "192.0.2.3"),
        entry(SAME, 1, "192.0.2.1"),
        entry(ADDED, 7, "192.0.2.1"),
        replace(entry(HELD, 7, "192.0.2.1"), held="an emergency"),
    ]
    return plan_of(1, [*before, entry(HELD, 1, "192.0.2.1")]), plan_of(7, after)


def test_dead_addresses_and_what_is_held_by_people_go_first() -> None:
    agenda = taken_up(Agenda(), *plans(), "a", ())
    assert set(agenda.due[:2]) == set(agenda.urgent) == {key(OLD), key(HELD)}
    assert set(agenda.due[2:]) == {key(NEW), key(ADDED)}


def test_what_is_new_goes_before_what_waited() -> None:
    before, after = plans()
    waited = Agenda(due=(key(SAME), key(OLD)), urgent=(key(SAME),))
    agenda = queueing(taken_up(waited, before, after, "a", ()))
    assert agenda.due == ()
    assert agenda.queued[-1] == key(SAME)
    assert asked(agenda).urgent[-1] == key(SAME), "urgent it remains"


def test_without_a_plan_before_the_newest_goes_first() -> None:
    plan = plan_of(9, [entry(OLD, 2, "192.0.2.1"), entry(NEW, 9, "192.0.2.1"), entry(SAME, 5, "192.0.2.1")])
    due = [name for _, name in taken_up(Agenda(), None, plan, "a", ()).due]
    assert [name for name in due if name in (OLD, NEW, SAME)] == [NEW, SAME, OLD]


def member(name: str, *, served: bool) -> Member:
    return Member(name, ("192.0.2.1",), 1, served, "")


def rotating(served: Sequence[str]) -> Entry:
    members = tuple(member(name, served=name in served) for name in "abc")
    return replace(entry(OLD, 1, *(f"192.0.2.{ord(name)}" for name in served)), members=members, turn=Turn(0.0))


def test_a_turn_of_a_rotation_is_no_loss() -> None:
    assert not loses(rotating("ab"), rotating("bc"))
    assert loses(replace(rotating("ab"), turn=None), replace(rotating("bc"), turn=None))


@pytest.mark.parametrize("layout", ["tree", "multivalue"])
def test_a_load_balancer_that_leaves_a_tree_is_a_loss(layout: str) -> None:
    before = Entry(ZONE, OLD, 1, members=(member("a", served=True), member("b", served=True)))
    after = replace(before, members=(member("a", served=True), member("b", served=False)))
    assert loses(before, after)
    assert not loses(after, before)


def test_what_was_not_asked_for_is_not_admitted() -> None:
    with pytest.raises(AssertionError, match="not asked for"):
        admitted(Agenda(queued=(key(OLD),)), Admitted((key(NEW),)))


def at_admission(core: Enactor, plan: Plan) -> Enactor:
    """The enactor, heard of this plan, at the question what it may begin."""
    core = core.wake("news", 0.0)
    while not isinstance(core.request, Admit):
        match core.request:
            case ReadHead():
                core = core.heard(HeadRead(plan.head))
            case ReadPlan():
                core = core.heard(PlanRead(plan))
            case ReadChanges():
                core = core.heard(Changes(1, ()))
            case other:
                raise AssertionError(f"asked {other} with nothing admitted")
    return core


def test_nothing_is_begun_that_is_not_admitted() -> None:
    before, after = plans()
    core = at_admission(Enactor("a", STREAM, plan=before, admission=True), after)
    request = core.request
    assert isinstance(request, Admit)
    assert set(request.urgent) == {key(OLD), key(HELD)}
    refused = core.heard(Admitted(over=True))
    assert refused.request is None
    assert not refused.agenda.empty
    assert refused.agenda.waiting == 4
    some = core.heard(Admitted((key(OLD),)))
    assert [one.name for one in some.stage.task.entries] == [OLD]  # type: ignore[union-attr]
    assert some.agenda.waiting == 3


def test_a_look_is_made_in_the_middle_of_a_backlog() -> None:
    before, after = plans()
    core = at_admission(Enactor("a", STREAM, plan=before, admission=True), after).heard(Admitted(over=True))
    core = core.wake("look", 1.0).heard(HeadRead(after.head))
    assert isinstance(core.request, ReadChanges)


def test_who_gets_no_answer_asks_again_before_anything_else_is_begun_there() -> None:
    before, after = plans()
    core = at_admission(Enactor("a", STREAM, plan=before, admission=True), after)
    core = core.heard(Admitted((key(OLD), key(NEW))))
    while not isinstance(core.request, Admit):
        core = core.heard(HeadRead(after.head) if isinstance(core.request, ReadHead) else Unknown("no answer"))
    assert not core.agenda.aside
    assert {name for _, name in core.agenda.queued[:2]} == {OLD, NEW}, "they wait again, before the others"
    assert key(OLD) in core.request.urgent, "and are as urgent as before"
