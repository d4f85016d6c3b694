"""The judge of the demo: each kind of bad answer is found, damage on purpose is set apart, and no rule is idle."""

from collections.abc import Sequence

import pytest

from standfast.demo.judge import RULES, Answer, Badness, Damage, Judge, Planned

NAME, OTHER = "www.demo.example.test", "api.demo.example.test"
A, AAAA = (NAME, 1), (NAME, 28)
A1, A2, A3 = "192.0.2.1", "192.0.2.2", "192.0.2.3"
V6 = "2001:db8::1"


def planned(generation: int, *addresses: str, at: float | None = None) -> Planned:
    contents = {A: frozenset(addresses), AAAA: frozenset({V6}), (OTHER, 1): frozenset({A1})}
    return Planned(generation, float(generation) if at is None else at, contents)


HISTORY = (planned(1, A1, A2), planned(2, A1), planned(3, A1, A2), planned(4, A2, A3))
"""a, b, a, c: published at seconds 1, 2, 3, 4."""


def said(at: float, *addresses: str, key: tuple[str, int] = A, rcode: int = 0, took: float = 0.01) -> Answer:
    return Answer(key, at, at + took, rcode, frozenset(addresses))


def judged(answers: Sequence[Answer], rules: object = RULES, damages: Sequence[Damage] = ()) -> list[Badness | None]:
    judge = Judge(rules)  # type: ignore[arg-type]
    judge.damages.extend(damages)
    for one in HISTORY:
        judge.plan(one)
    return [judge.answer(answer) for answer in answers]


TABLE: dict[str, tuple[list[Answer], list[Badness | None]]] = {
    "all as planned": ([said(1.5, A1, A2), said(2.5, A1), said(3.5, A1, A2), said(4.5, A2, A3)], [None] * 4),
    "nothing": ([said(1.5)], ["empty"]),
    "an error": ([said(1.5, rcode=2)], ["empty"]),
    "no such name": ([said(1.5, rcode=3)], ["empty"]),
    "an error with addresses": ([said(1.5, A1, A2, rcode=2)], ["empty"]),
    "an address in no plan": ([said(1.5, A1, A2, "192.0.2.99")], ["unknown"]),
    "an address of a plan to come": ([said(1.5, A2, A3)], ["unknown"]),
    "another name's address": ([said(1.5, A3, key=(OTHER, 1))], ["unknown"]),
    "half of one": ([said(1.5, A2)], ["mixed"]),
    "two plans in one answer": ([said(4.5, A1, A2, A3)], ["mixed"]),
    "contents of a plan to come": ([said(1.5, A1)], ["mixed"]),
    "back to the one before": ([said(4.5, A2, A3), said(4.6, A1)], [None, "older"]),
    "b after a came back": (
        [said(1.5, A1, A2), said(2.5, A1), said(3.5, A1, A2), said(3.6, A1)],
        [None, None, None, "older"],
    ),
    "a again, which is new": ([said(2.5, A1), said(3.5, A1, A2)], [None, None]),
    "a may still be the first a": ([said(3.5, A1, A2), said(3.6, A1), said(3.7, A1, A2)], [None, None, None]),
    "both under way at once": ([said(4.50, A2, A3, took=0.2), said(4.51, A1, took=0.3)], [None, None]),
    "asked after the newer one had come": ([said(4.5, A2, A3, took=0.2), said(4.71, A1)], [None, "older"]),
    "one family proves it for the other": (
        [said(4.5, A2, A3), said(4.6, V6, key=AAAA), said(4.7, A1)],
        [None, None, "older"],
    ),
    "another name proves nothing": ([said(4.5, A1, key=(OTHER, 1)), said(4.6, A1)], [None, None]),
    "a lost answer is none": ([Answer(A, 1.5, None, -1, frozenset())], [None]),
}


@pytest.mark.parametrize("case", TABLE)
def test_answers_are_judged(case: str) -> None:
    answers, wanted = TABLE[case]
    assert judged(answers) == wanted


@pytest.mark.parametrize("idle", [kind for kind, _ in RULES])
def test_a_judge_without_one_of_its_rules_is_found_out(idle: str) -> None:
    mutant = tuple((kind, (lambda answer, known: False) if kind == idle else rule) for kind, rule in RULES)
    missed = []
    for case, (answers, wanted) in TABLE.items():
        try:
            right = judged(answers, mutant) == wanted
        except IndexError:  # `older` relies on what `mixed` left it
            right = False
        if not right:
            missed.append(case)
    assert missed, f"no case needs the rule {idle}"


def test_a_judge_that_forgets_what_was_proved_is_found_out() -> None:
    class Forgetful(Judge):
        def _proved_before(self, name: str, at: float) -> int:
            return 0

    judge = Forgetful()
    for one in HISTORY:
        judge.plan(one)
    answers, wanted = TABLE["back to the one before"]
    assert [judge.answer(answer) for answer in answers] != wanted


def test_damage_on_purpose_is_counted_for_the_damaged_name_until_its_first_good_answer() -> None:
    damage = Damage("name_deleted", NAME, began=1.4, done=1.5)
    empty = said(1.6)
    other = said(1.6, key=(OTHER, 1))
    assert judged([said(1.3), empty, other], damages=[damage]) == ["empty", None, "empty"]
    assert damage.answers == 1
    after = [said(1.7, A1, A2), said(1.8), said(1.85, key=AAAA), said(1.9, V6, key=AAAA), said(2.0, key=AAAA)]
    assert judged(after, damages=[damage]) == [None, "empty", None, None, "empty"]
    assert damage.answers == 2
    assert damage.healed == {A: 1.71, AAAA: 1.91}


def test_a_good_answer_asked_before_the_deletion_ends_no_window() -> None:
    damage = Damage("addresses_deleted", NAME, began=1.4, done=1.5)
    assert judged([said(1.45, A1, A2), said(1.6)], damages=[damage]) == [None, None]
    assert damage.answers == 1
    assert not damage.healed


def test_an_end_that_is_not_known_leaves_the_window_open() -> None:
    damage = Damage("addresses_deleted", NAME, began=1.4)
    assert judged([said(1.6), said(1.7, A1, A2), said(1.8)], damages=[damage]) == [None, None, None]
    assert damage.answers == 2


def test_bad_answers_are_shown_and_counted() -> None:
    judge = Judge()
    judge.plan(HISTORY[0])
    for _ in range(100):
        judge.answer(said(1.5))
    judge.answer(said(1.6, "192.0.2.99"))
    judge.answer(Answer(A, 1.7, None, -1, frozenset()))
    assert (judge.heard, judge.bad, judge.unanswered) == (102, 101, 1)
    assert judge.by_kind == {"empty": 100, "unknown": 1}
    assert len(judge.examples) == 20
    assert judge.examples[0]["name"] == NAME


def test_plans_may_be_heard_in_any_order() -> None:
    judge = Judge()
    for one in reversed(HISTORY):
        judge.plan(one)
    assert judge.answer(said(4.5, A2, A3)) is None
    assert judge.proved(NAME) == 4
    assert judge.answer(said(4.6, A1, A2)) == "older"
