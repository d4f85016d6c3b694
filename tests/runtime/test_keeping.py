"""Whom guards keep: who does harm needs a person, who is only more than max_answers needs nobody."""

from __future__ import annotations

from standfast.core.decisions import Decision, HeldBack, Refusal, Rule
from standfast.model.entry import Member
from standfast.runtime.budgets import limits_told
from standfast.runtime.keeping import guarded, kept, overfull, spare
from standfast.runtime.observing import Seen, StoreSight
from standfast.runtime.times import clock

ZONE = "lb.example.com"
KEY = (ZONE, f"www.{ZONE}")
USED = "34 % in 10 min is used up"
MORE = Member("lb-c2", ("192.0.2.1",), 100, True, f"kept: {USED}; not chosen: 8 of 20 by weight")
ILL = Member("lb-b1", ("192.0.2.2",), 100, True, f"kept: {USED}; failed 3 checks in a row")


def seen(*members: Member, refusals: tuple[Refusal, ...] = (), due: float | None = 1060.0) -> Seen:
    held = tuple(HeldBack(one.load_balancer, "velocity", USED, due) for one in members)
    decision = Decision(KEY, "kept", "", members, held_back=held, due=due)
    return Seen(1000.0, "main", StoreSight(), (), (), decisions=(decision,), refusals=refusals)


def test_who_is_only_more_than_max_answers_needs_nobody() -> None:
    assert (spare(MORE), kept(MORE), spare(ILL), kept(ILL)) == (True, False, False, True)
    assert list(guarded(seen(MORE))) == []
    (told,) = overfull(seen(MORE))
    assert told.kind == "HANDLED"
    assert told.sentence == (
        "www answers with 1 more than max_answers: others were chosen, and lb-c2 may leave as soon as guards allow, "
        f"at {clock(1060.0, 1000.0)}. Nobody needs to act."
    )
    (line,) = limits_told(seen(MORE).decisions[0], 1000.0)
    assert "standfast drain" not in line, "nobody is to drain what is well"
    assert line.endswith("It is more than max_answers, and not ill.")


def test_who_is_ill_and_kept_needs_a_person() -> None:
    (told,) = guarded(seen(ILL, MORE))
    assert told.sentence.startswith(
        f"www: a guard keeps lb-b1 in the answer (1 of 2 there) until {clock(1060.0, 1000.0)}: 34 % in"
    )
    assert told.command == "standfast explain www lb-b1"
    assert [one.kind for one in overfull(seen(ILL))] == []


def test_a_lost_az_is_one_thing_with_the_command_that_fits() -> None:
    """It is refused at every endpoint that the AZ serves, and said of each that is kept; people need it once."""
    why = "AZ b would be gone by health alone: nobody outside sees it"
    remedy = "if AZ b is really down: `standfast evacuate az b`"
    gone = Member("lb-b1", (), 100, True, f"kept: {why}; failed 3 checks in a row")
    refusals = tuple(Refusal((ZONE, f"{name}.{ZONE}"), "az_loss", why, remedy) for name in ("www", "api"))
    (told,) = guarded(seen(gone, refusals=refusals))
    assert told.sentence == f"www, api: {why}. If AZ b is really down: `standfast evacuate az b`."
    assert told.command == "standfast evacuate az b"
    assert told.exit_code == 3


def test_each_limit_has_a_way_out() -> None:
    """At three in the morning: what do I type?"""

    def told(rule: Rule) -> str:
        held = HeldBack("lb-b1", rule, "why")
        (line,) = limits_told(Decision(KEY, "kept", "", (ILL,), held_back=(held,)), 1000.0)
        return line

    assert told("velocity").endswith("standfast drain lb-b1 --yes --reason TEXT")
    assert "standfast override lb-b1 up --for 1h --reason TEXT" in told("panic")
    assert "standfast drain lb-b1 --reason TEXT" in told("panic")
    assert "a lower min_answers" in told("min_answers")
