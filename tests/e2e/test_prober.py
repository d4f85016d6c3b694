"""The judge of the prober's answers, by answers made up."""

from __future__ import annotations

from collections.abc import Iterable

from e2e.prober import Answer, Damage, History, Question, Seen, Verdict, judge

A: Question = ("www", "A")
OLD, NEW = frozenset({"1", "2"}), frozenset({"3", "4"})
HISTORY: History = [(1, OLD), (2, NEW), (5, OLD)]


def judged(
    answers: Iterable[frozenset[str]], damages: list[Damage] | None = None, sights: tuple[Seen, ...] = ()
) -> Verdict:
    """One answer a second."""
    made = [Answer(float(at), at + 0.1, A, "NOERROR", values) for at, values in enumerate(answers)]
    return judge(made, {A: HISTORY}, damages or [], sights)


def test_the_plans_in_their_order_are_good() -> None:
    assert judged([OLD, OLD, NEW, OLD]).bad == ()
    assert judged([NEW, NEW, OLD]).bad == ()


def test_empty_mixed_and_older_are_bad() -> None:
    assert judged([OLD, frozenset()]).bad == ("1 times empty: www A NOERROR []",)
    assert judged([OLD | NEW]).bad == ("1 times mixed: www A NOERROR ['1', '2', '3', '4'] is in no plan",)
    assert judged([OLD, NEW, OLD, NEW]).bad == ("1 times older: www A NOERROR ['3', '4'] after ['1', '2']",)


def test_what_the_test_itself_saw_counts() -> None:
    assert judged([OLD, NEW]).bad == ()
    assert len(judged([OLD, NEW], sights=(Seen(0.5, "www", 5),)).bad) == 1


def test_damage_ends_with_the_first_whole_answer() -> None:
    hands = [Damage("www", 0.5, 9.0)]
    healed = judged([OLD, frozenset(), frozenset(), OLD], hands)
    assert (healed.bad, healed.damaged) == ((), 2)
    again = judged([OLD, frozenset(), OLD, frozenset()], hands)
    assert (len(again.bad), again.damaged) == (1, 1)


def test_no_answer_says_nothing() -> None:
    silent = judge(
        [Answer(0.0, 1.0, A, "", frozenset()), Answer(1.0, 1.1, A, "SERVFAIL", frozenset())], {A: HISTORY}, []
    )
    assert (silent.bad, silent.silent) == ((), 2)


def test_the_rate_is_of_the_time_in_which_it_could_ask() -> None:
    """A hundred questions without a pause, and a machine that stood still for nine seconds in their midst."""
    at = [0.004 * number + (9.0 if number >= 50 else 0.0) for number in range(100)]
    verdict = judge([Answer(one, one + 0.001, A, "NOERROR", OLD) for one in at], {A: HISTORY}, [])
    assert 240 < verdict.rate < 260
    slow = [0.1 * number for number in range(100)]
    assert judge([Answer(one, one + 0.099, A, "NOERROR", OLD) for one in slow], {A: HISTORY}, []).rate < 11
