"""The tester tested: with a core broken on purpose, the search names the property that breaks, by a short trace."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from sim.world.small import first_finding, small
from standfast.core import change, cleaner, direct, drafting, judgement, publisher, writing
from standfast.core.cleaner import Listing, Sweep
from standfast.core.enactor import Enactor
from standfast.core.judgement import Due, Judgement, Leave
from standfast.core.publisher import Assignment, Base, Phase
from standfast.core.survey import Survey
from standfast.core.task import Settled
from standfast.model.marker import Marker
from standfast.ports.local import Recorded
from standfast.ports.provider import Replace, ReplaceReply, Unknown, Write, Written
from standfast.ports.store import CollectPlans, HeadRead, PlanList
from standfast.sim.world.bounds import Run

Patch = Callable[[pytest.MonkeyPatch], None]
LATE = frozenset({"late"})


def _changes(edit: Callable[[Replace], Replace]) -> Patch:
    """A core whose changes are edited before they are sent."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        real = drafting.change_of
        patch.setattr(writing, "change_of", lambda *some: edit(real(*some)))

    return mutate


def _blind(made: Replace) -> Replace:
    writes = tuple(structs.replace(write, prerequisites=()) for write in made.writes)
    return structs.replace(made, floor=structs.replace(made.floor, prerequisites=()), writes=writes)


def _unasserted_floor(made: Replace) -> Replace:
    return structs.replace(made, floor=structs.replace(made.floor, prerequisites=()))


def _marker_alone(made: Replace) -> Replace:
    """The marker goes ahead of what it promises."""
    kept = [tuple(one for one in write.contents if "_standfast" in one.owner) for write in made.writes]
    writes = [Write(w.name, w.prerequisites, some) for w, some in zip(made.writes, kept, strict=True)]
    return structs.replace(made, writes=tuple(writes))


def _without_a_family(made: Replace) -> Replace:
    """One address is lost on the way from the plan to the change."""
    writes = []
    for write in made.writes:
        contents = tuple(structs.replace(one, rdata=one.rdata[:1]) if one.rtype == 1 else one for one in write.contents)
        writes.append(structs.replace(write, contents=contents))
    return structs.replace(made, writes=tuple(writes))


def _judging(edit: Callable[[Judgement, Any], Judgement]) -> Patch:
    """A core that judges otherwise; `edit` is given the judgement and the marker's reading."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        real = judgement.judge
        patch.setattr(change, "judge", lambda *some, **more: edit(real(*some, **more), some[2]))

    return mutate


def _since_ignored(verdict: Judgement, marker: Any) -> Judgement:
    old = isinstance(verdict, Leave) and verdict.standing == "superseded" and isinstance(marker, Marker)
    return Due("older, but what of it") if old else verdict


def _freeze_ignored(verdict: Judgement, marker: Any) -> Judgement:
    return Due("frozen, but what of it") if isinstance(verdict, Leave) and verdict.standing == "frozen" else verdict


def _never_repaired(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judgement, "damage_of", lambda entry, contents, known=None: "")


def _believing_in_success(patch: pytest.MonkeyPatch) -> None:
    real = writing.Replacing.heard

    def trusting(self: writing.Replacing, reply: ReplaceReply) -> writing.Writing | Settled:
        return real(self, Written() if isinstance(reply, Unknown) else reply)

    patch.setattr(writing.Replacing, "heard", trusting)


def _age_by_the_head(patch: pytest.MonkeyPatch) -> None:
    """October 2025: whatever is older than the newest plan may go."""

    def heard(self: Listing, reply: PlanList) -> Sweep:
        doomed = tuple(plan.generation for plan in reply.plans if plan.generation < self.plan.generation)
        return cleaner.Collecting(CollectPlans(doomed)) if doomed else cleaner.Swept((), "")

    patch.setattr(Listing, "heard", heard)


def _deaf(patch: pytest.MonkeyPatch) -> None:
    """An enactor that holds a plan never takes a newer one: a fresh one would, those that live on never do."""
    real = Enactor._head

    def head(self: Enactor, reply: HeadRead | Unknown) -> Enactor:
        return self._proceed() if self.plan is not None else real(self, reply)

    patch.setattr(Enactor, "_head", head)


def _unjournalled(patch: pytest.MonkeyPatch) -> None:
    """The change is sent although its intent could not be recorded."""
    real = writing.Recording.heard
    patch.setattr(writing.Recording, "heard", lambda self, reply: real(self, Recorded()))


def _told_too_early(patch: pytest.MonkeyPatch) -> None:
    """An operator is told that the zone is sealed while a marker's change is still under way."""
    real = direct.Replacing.heard

    def trusting(self: direct.Replacing, reply: ReplaceReply) -> Any:
        return real(self, Written() if isinstance(reply, Unknown) else reply)

    patch.setattr(direct.Replacing, "heard", trusting)


MUTANTS: dict[str, tuple[Patch, Run, str, int]] = {
    "blind writes": (_changes(_blind), small("mutant", "a", "b"), "G2", 10),
    "since ignored": (_judging(_since_ignored), small("mutant", "a", "b"), "G2", 10),
    "floor not asserted": (
        _changes(_unasserted_floor),
        small("mutant", "a", "b", flights=0, hands=("marker",), acts=1),
        "G2",
        12,
    ),
    "one address lost": (_changes(_without_a_family), small("mutant", "A", "B", flights=0, reachable=False), "G1", 8),
    "marker alone": (_changes(_marker_alone), small("mutant", "a", "b", flights=0, reachable=False), "G5", 8),
    "no repair": (_never_repaired, small("mutant", "a", "b", flights=0, hands=("addresses",), acts=1), "G4", 8),
    "deaf": (_deaf, small("mutant", "a", "b", flights=0, memory=True, survivors=True), "G4", 3),
    "unknown is done": (_believing_in_success, small("mutant", "a", "b", faults=LATE), "G10", 6),
    "unjournalled": (
        _unjournalled,
        small("mutant", "a", "b", flights=0, faults=frozenset({"journal"})),
        "G10",
        4,
    ),
    "freeze ignored": (
        _judging(_freeze_ignored),
        small("mutant", "a", "b", flights=0, operator=("freeze zone",), commands=1),
        "G8",
        12,
    ),
    "told too early": (
        _told_too_early,
        small("mutant", "a", operator=("freeze zone",), commands=1, enactors=1),
        "G8",
        12,
    ),
    "age by the head": (
        _age_by_the_head,
        small("mutant", "aa", "ba", publishing="atomic", cleaner=True, flights=0),
        "G3",
        16,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_search_names_what_a_mutant_breaks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, run, broken, steps = MUTANTS[name]
    assert not first_finding(run, 20_000).findings, "the run finds something without the mutant"
    mutate(monkeypatch)
    findings = first_finding(run).findings
    assert [finding.property for finding in findings] == [broken]
    (finding,) = findings
    assert len(finding.steps) <= steps, [step.text for step in finding.steps]
    assert len(finding.states) == len(finding.steps) + 1


def test_a_planner_that_does_not_look_above_the_head_is_found_once_the_store_is_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(
        name="mutant",
        about="",
        plans=(),
        enactors=1,
        publishing="planner",
        planners=1,
        publications=2,
        setbacks=1,
        memory=False,
        patience=1,
    )
    real = publisher._drawn

    def heedless(task: Assignment, base: Base, survey: Survey) -> Phase:
        begun = tuple((zone, 0) for zone, _ in survey.begun)
        return real(task, base, structs.replace(survey, begun=begun, markers=()))

    monkeypatch.setattr(publisher, "_drawn", heedless)
    findings = first_finding(run).findings
    assert [finding.property for finding in findings] == ["G4"]
