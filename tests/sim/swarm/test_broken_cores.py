"""The simulator tested: with a core that is broken on purpose it names the property, and shrinks to what it takes."""

from collections.abc import Callable

import pytest
from msgspec import structs

from standfast.core import change, cleaner, drafting, judgement, velocity, writing
from standfast.core.judgement import FloorView, Judgement
from standfast.core.task import Settled
from standfast.model.entry import Entry
from standfast.model.marker import Marker, MarkerReading
from standfast.model.plan import Plan
from standfast.ports.provider import Replace, ReplaceReply, Unknown, Write, Written
from standfast.ports.store import PlanSummary
from standfast.sim.swarm.finding import Failure, find
from standfast.sim.swarm.running import run
from standfast.sim.swarm.scenario import drawn
from standfast.sim.swarm.shrinking import shrunk
from standfast.sim.swarm.telling import told

Patch = Callable[[pytest.MonkeyPatch], None]
SEEDS = range(60)


def _blind_writes(patch: pytest.MonkeyPatch) -> None:
    real = drafting.change_of

    def blind(*arguments: object) -> Replace:
        made: Replace = real(*arguments)  # type: ignore[arg-type]
        writes = tuple(structs.replace(write, prerequisites=()) for write in made.writes)
        return structs.replace(made, floor=structs.replace(made.floor, prerequisites=()), writes=writes)

    patch.setattr(writing, "change_of", blind)


def _marker_without_addresses(patch: pytest.MonkeyPatch) -> None:
    real = drafting.change_of

    def split(*arguments: object) -> Replace:
        made: Replace = real(*arguments)  # type: ignore[arg-type]
        only = tuple(
            Write(w.name, w.prerequisites, tuple(c for c in w.contents if "_standfast" in c.owner)) for w in made.writes
        )
        return structs.replace(made, writes=only)

    patch.setattr(writing, "change_of", split)


def _unknown_taken_for_done(patch: pytest.MonkeyPatch) -> None:
    real = writing.Replacing.heard

    def trusting(self: writing.Replacing, reply: ReplaceReply) -> writing.Writing | Settled:
        return real(self, Written() if isinstance(reply, Unknown) else reply)

    patch.setattr(writing.Replacing, "heard", trusting)


def _no_repair(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judgement, "damage_of", lambda entry, contents, known=None: "")


def _freezes_ignored(patch: pytest.MonkeyPatch) -> None:
    real = judgement.judge

    def heedless(
        entry: Entry, plan: Plan, marker: MarkerReading, floor: FloorView, *rest: object, **more: bool
    ) -> Judgement:
        seen = structs.replace(marker, state="live") if isinstance(marker, Marker) else marker
        return real(entry, plan, seen, structs.replace(floor, frozen=False), *rest, **more)  # type: ignore[arg-type]

    patch.setattr(change, "judge", heedless)


def _collecting_by_distance(patch: pytest.MonkeyPatch) -> None:
    """As in October 2025: what is far behind the newest plan is old."""

    def distant(plans: tuple[PlanSummary, ...], newest: Plan, *rest: object) -> tuple[int, ...]:
        return tuple(sorted(plan.generation for plan in plans if plan.generation < newest.generation - 1))

    patch.setattr(cleaner, "collectable", distant)


def _no_velocity(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(velocity, "allows", lambda *arguments: True)


BROKEN: dict[str, tuple[Patch, str]] = {
    "blind writes": (_blind_writes, "G2 G8"),  # over newer contents or over a seal, whichever is met first
    "collecting by distance": (_collecting_by_distance, "G3"),
    "no repair": (_no_repair, "G4"),
    "marker without addresses": (_marker_without_addresses, "G5"),
    "no velocity": (_no_velocity, "G7"),
    "freezes ignored": (_freezes_ignored, "G8"),
    "unknown taken for done": (_unknown_taken_for_done, "G10"),
}


def found(patch: Patch, monkeypatch: pytest.MonkeyPatch) -> Failure:
    """What the simulator says of a core broken this way."""
    patch(monkeypatch)
    failure = find(SEEDS)
    assert failure is not None, f"{len(SEEDS)} seeds found nothing"
    return failure


@pytest.mark.parametrize("name", BROKEN)
def test_the_property_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patch, rule = BROKEN[name]
    failure = found(patch, monkeypatch)
    assert failure.broken.rule in rule.split(), failure.broken


def test_a_failure_is_shrunk_to_the_fault_it_takes_and_told_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = found(_unknown_taken_for_done, monkeypatch)
    failed = run(failure.scenario)
    smallest = shrunk(failed)
    assert 1 <= len(smallest.faults) <= 6 < len(failure.scenario.faults)
    assert {fault.kind for fault in smallest.faults} & {"reply lost", "request lost", "late", "outage"}
    assert shrunk(failed) == smallest, "shrinking is not deterministic"
    again = run(smallest)
    assert again.broken is not None
    story = told(again, "standfast simulate --replay FILE")
    assert 1 < len(story.moments) <= 60
    assert story.moments[-1].violation.startswith("G10")
    assert story.outcome.startswith("G10")
    assert {"fault", "judge"} < set(story.actors)
    assert any(moment.scene.zone and moment.scene.beliefs for moment in story.moments)


def test_a_run_that_breaks_nothing_has_nothing_to_shrink_or_tell() -> None:
    fine = run(structs.replace(drawn(0, 0.05, 2), faults=()))
    assert fine.broken is None
    with pytest.raises(ValueError, match="nothing is broken"):
        shrunk(fine)
    with pytest.raises(ValueError, match="nothing is broken"):
        told(fine)
