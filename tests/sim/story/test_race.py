"""The two runs of October 2025: one schedule, sources for every step, facts, and the poster in the repository."""

from pathlib import Path

import pytest

from standfast.sim.story.page import Run
from standfast.sim.story.poster import poster
from standfast.sim.story.race import AS_BUILT, SOURCES, STANDFAST, race_runs
from standfast.sim.story.remedied import OFFERED, remedied
from standfast.sim.story.story import Moment, Story
from standfast.sim.world import race as ours

POSTER = Path(__file__).parents[3] / "docs" / "img" / "race.svg"
NAME = "dynamodb.us-east-1.amazonaws.com"
FACTS = (
    # (step, words that the as-built caption or text must have, because the accounts say so)
    (1, ("A, B and C", "once")),
    (2, ("loses", "backs off", "TXT")),
    (4, ("loses again", "unusual delay")),
    (6, ("145", "clean-up")),
    (7, ("146",)),
    (8, ("110", "holds the lock rightly", "rollback", "145")),
    (9, ("NOERROR", "AAAA", "23:48")),
    (10, ("one transaction", "rollback", "not published")),
    (14, ("00:38", "02:25", "by hand")),
)
"""Read against the talk and the post-event summary; see docs/incident.md for what each of them says."""


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {run.key: run for run in race_runs()}


def moment(run: Run, step: int) -> Moment:
    return run.story.moments[step - 1]


def test_both_have_fourteen_steps_and_the_same_sleeper(runs: dict[str, Run]) -> None:
    built, standfast = runs[AS_BUILT].story, runs[STANDFAST].story
    assert len(built.moments) == len(standfast.moments) == 14
    assert built.actors == standfast.actors
    for step in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14):
        assert moment(runs[AS_BUILT], step).actor == moment(runs[STANDFAST], step).actor, step
    for run in runs.values():
        waits = [step for step in range(1, 15) if "enactor C" in moment(run, step).waiting]
        assert waits == [2, 3, 4, 5, 6, 7], run.key


def test_no_step_without_a_source_or_the_word_ours(runs: dict[str, Run]) -> None:
    tags = [source.tag for source in SOURCES]
    for run in runs.values():
        for step, one in enumerate(run.story.moments, start=1):
            assert one.caption, (run.key, step)
            if one.certainty == "ours":
                continue
            assert one.source, (run.key, step)
            assert all(part in tags for part in one.source.split("; ")), (run.key, step, one.source)


@pytest.mark.parametrize(("step", "words"), FACTS)
def test_what_is_told_of_the_system_as_built_is_what_was_published(
    runs: dict[str, Run], step: int, words: tuple[str, ...]
) -> None:
    told = moment(runs[AS_BUILT], step)
    for word in words:
        assert word in f"{told.text} {told.caption}", (step, word)


def answers(story: Story) -> list[int]:
    return [len(one.addresses) for some in story.moments for one in some.scene.answers if one.name == NAME]


def test_as_built_it_is_emptied_at_step_9_and_stays_so(runs: dict[str, Run]) -> None:
    found = answers(runs[AS_BUILT].story)
    assert all(count >= 2 for count in found[:8])
    assert found[8:] == [0] * 6
    empty = moment(runs[AS_BUILT], 9).scene.answers
    assert next(one.status for one in empty if one.name == NAME) == "NOERROR"
    broken = [step for step in range(1, 15) if moment(runs[AS_BUILT], step).violation]
    assert broken == [8, 9, 14]


def test_with_standfast_the_old_write_is_refused_and_the_answer_is_whole(runs: dict[str, Run]) -> None:
    run = runs[STANDFAST]
    assert all(count == 3 for count in answers(run.story))
    assert not [one for one in run.story.moments if one.violation]
    assert [step for step in range(1, 15) if moment(run, step).refused] == [8]
    refused = moment(run, 8).refused
    assert "floor: expected generation 109, found 145" in refused
    assert "marker of dynamodb: expected since 109, found 145" in refused
    assert moment(run, 8).scene.zone == moment(run, 7).scene.zone, "all or nothing"
    assert moment(run, 9).scene.zone == moment(run, 8).scene.zone, "the clean-up cannot write a zone"
    assert "plans kept: 110–146" in moment(run, 9).scene.store


OUTCOMES = {
    # remedy: steps in which the endpoint is empty, steps in which something breaks
    "fence": ([], []),
    "check-in-lock": ([], []),
    "recheck": ([9, 10, 11, 12, 13, 14], [8, 9, 14]),
    "assert-referenced": ([], [8]),
    "spare-referenced": ([9, 10, 11, 12, 13, 14], [8, 9, 14]),
    "velocity": ([], [8]),
    "decoupled": ([9], [8, 9]),
    "repair": ([9], [8, 9]),
}
"""`recheck` comes too early: C checks again when it arrives at the endpoint, and then waits for the lock.
`spare-referenced` looks and then deletes: the root goes back between the two."""


def test_a_single_remedy_on_the_same_schedule() -> None:
    assert tuple(OUTCOMES) == OFFERED
    for remedy in OFFERED:
        story = remedied(remedy)
        empty = [step for step, count in enumerate(answers(story), start=1) if not count]
        broken = [step for step, one in enumerate(story.moments, start=1) if one.violation]
        assert (empty, broken) == OUTCOMES[remedy], remedy
        assert ("no later plan" in story.outcome) == (14 in empty), remedy


def test_the_schedule_without_a_remedy_is_the_race(runs: dict[str, Run]) -> None:
    told, plain = runs[AS_BUILT].story, remedied(None)
    assert answers(plain) == answers(told)
    assert [one.violation for one in plain.moments] == [one.violation for one in told.moments]
    assert [one.actor for one in plain.moments] == [one.actor for one in told.moments]


def test_it_is_the_same_every_time() -> None:
    assert ours.race_with_standfast() == ours.race_with_standfast()
    assert remedied("fence") == remedied("fence")


def test_a_provider_that_does_not_compare_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule checks what it tells: without preconditions C's write would go through."""
    monkeypatch.setattr("standfast.ports.provider_spec.ZoneState.holds", lambda self, prerequisite: True)
    with pytest.raises(ours.RaceError, match="C's change was refused"):
        ours.race_with_standfast()


def test_a_cleaner_that_takes_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Age measured from the newest plan, as it was in October 2025."""
    monkeypatch.setattr(
        "standfast.core.cleaner.collectable",
        lambda plans, newest, lowest, retention, wall: tuple(
            one.generation for one in reversed(plans) if one.generation < newest.generation - 30
        ),
    )
    with pytest.raises(ours.RaceError, match="the clean-up took what nobody needs"):
        ours.race_with_standfast()


def test_the_poster_in_the_repository_is_what_the_tool_makes(runs: dict[str, Run]) -> None:
    made = poster(runs[AS_BUILT], runs[STANDFAST])
    assert POSTER.read_text(encoding="utf-8") == made, (
        f"{POSTER} is not what the tool makes: .venv/bin/standfast replay race --svg docs/img/race.svg"
    )
    for words in ("Step 8", "NOERROR, 0 addresses ✗", "found 145", "prefers-color-scheme: dark"):
        assert words in made
