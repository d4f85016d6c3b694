"""The tester tested: cores broken on purpose, each of which the checks of this folder must catch."""

from collections.abc import Callable

import pytest
from msgspec import structs

from standfast.core import change, drafting, judgement, writing
from standfast.core.drafting import DraftedWrite
from standfast.core.judgement import Due, FloorView, Judgement, Leave, RefillDue
from standfast.core.task import Settled, Sights
from standfast.model.entry import Entry
from standfast.model.marker import Marker, MarkerReading
from standfast.model.plan import Plan
from standfast.ports.provider import Replace, ReplaceReply, Unknown, Write, Written
from world.obedience import OBEDIENCE
from world.schedules import SCHEDULES
from world.test_enactors_in_the_world import run

SEEDS_MAX = 150
Patch = Callable[[pytest.MonkeyPatch], None]


def _without_endpoint_prerequisites(patch: pytest.MonkeyPatch) -> None:
    """As the tools of the field write: blindly."""
    real = drafting.change_of

    def blind(*arguments: object) -> Replace:
        made: Replace = real(*arguments)  # type: ignore[arg-type]
        return structs.replace(made, writes=tuple(structs.replace(w, prerequisites=()) for w in made.writes))

    patch.setattr(writing, "change_of", blind)


def _without_floor_prerequisite(patch: pytest.MonkeyPatch) -> None:
    real = drafting.change_of

    def unasserted(*arguments: object) -> Replace:
        made: Replace = real(*arguments)  # type: ignore[arg-type]
        return structs.replace(made, floor=structs.replace(made.floor, prerequisites=()))

    patch.setattr(writing, "change_of", unasserted)


def _without_any_prerequisite(patch: pytest.MonkeyPatch) -> None:
    real = drafting.change_of

    def blind(*arguments: object) -> Replace:
        made: Replace = real(*arguments)  # type: ignore[arg-type]
        writes = tuple(structs.replace(w, prerequisites=()) for w in made.writes)
        return structs.replace(made, floor=structs.replace(made.floor, prerequisites=()), writes=writes)

    patch.setattr(writing, "change_of", blind)


def _without_comparing_since(patch: pytest.MonkeyPatch) -> None:
    """Compare-and-set alone: what is there is replaced whatever its since."""
    real = judgement.judge

    def careless(
        entry: Entry, plan: Plan, marker: MarkerReading, floor: FloorView, contents: object, **more: bool
    ) -> Judgement:
        verdict = real(entry, plan, marker, floor, contents, **more)  # type: ignore[arg-type]
        if isinstance(verdict, Leave) and verdict.standing == "superseded" and isinstance(marker, Marker):
            return Due("older, but what of it")
        return verdict

    patch.setattr(change, "judge", careless)


def _ignoring_the_floor(patch: pytest.MonkeyPatch) -> None:
    """A missing marker is taken for permission."""
    real = judgement.judge

    def careless(
        entry: Entry, plan: Plan, marker: MarkerReading, floor: FloorView, *rest: object, **more: bool
    ) -> Judgement:
        low = structs.replace(floor, generation=min(floor.generation, plan.generation))
        return real(entry, plan, marker, low, *rest, **more)  # type: ignore[arg-type]

    patch.setattr(change, "judge", careless)


def _taking_a_lost_reply_for_success(patch: pytest.MonkeyPatch) -> None:
    """An unknown outcome is reported as written."""
    real = writing.Replacing.heard

    def trusting(self: writing.Replacing, reply: ReplaceReply) -> writing.Writing | Settled:
        return real(self, Written() if isinstance(reply, Unknown) else reply)

    patch.setattr(writing.Replacing, "heard", trusting)


def _marker_apart_from_addresses(patch: pytest.MonkeyPatch) -> None:
    """The marker goes ahead of what it promises."""
    real = drafting.change_of

    def split(*arguments: object) -> Replace:
        made: Replace = real(*arguments)  # type: ignore[arg-type]
        only = tuple(
            Write(w.name, w.prerequisites, tuple(c for c in w.contents if "_standfast" in c.owner)) for w in made.writes
        )
        return structs.replace(made, writes=only)

    patch.setattr(writing, "change_of", split)


def _refill_of_more_than_what_is_short(patch: pytest.MonkeyPatch) -> None:
    """A refill that asserts nothing about the addresses it replaces, nor the floor."""
    real = judgement._refill

    def generous(entry: Entry, plan: Plan, floor: FloorView, contents: object, known: object) -> Judgement:
        verdict = real(entry, plan, floor, contents, known)  # type: ignore[arg-type]
        return Due("an old plan will do") if isinstance(verdict, RefillDue) else verdict

    patch.setattr(judgement, "_refill", generous)


def _a_lost_floor_rebuilt_at_ones_own_generation(patch: pytest.MonkeyPatch) -> None:
    real = change._judged

    def low(sights: Sights, floor: FloorView, **more: object) -> change.Phase:
        if floor.lost:
            floor = structs.replace(floor, generation=sights.task.plan.generation)
        return real(sights, floor, **more)  # type: ignore[arg-type]

    patch.setattr(change, "_judged", low)
    patch.setattr(drafting, "floor_generation", _own_generation)
    patch.setattr(writing, "floor_generation", _own_generation)


def _own_generation(plan: Plan, floor: FloorView, writes: tuple[DraftedWrite, ...]) -> int | None:
    return plan.generation if floor.lost or plan.generation > floor.generation else None


def _wildcards_believed(patch: pytest.MonkeyPatch) -> None:
    """What is read is asserted without being confirmed."""
    patch.setattr(change, "_doubts", lambda sights: ())


def _no_repair(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judgement, "damage_of", lambda entry, contents, known=None: "")


def _garbage_is_an_obstacle(patch: pytest.MonkeyPatch) -> None:
    """A marker that can't be read blocks its endpoint for ever."""
    real = judgement.judge

    def stuck(entry: Entry, plan: Plan, marker: MarkerReading, *rest: object, **more: bool) -> Judgement:
        if type(marker).__name__ == "Damaged":
            return Leave("unsafe", "can't read its marker")
        return real(entry, plan, marker, *rest, **more)  # type: ignore[arg-type]

    patch.setattr(change, "judge", stuck)


def _disobeying(**fields: object) -> Patch:
    """A core that takes every readable marker for one with these fields."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        real = judgement.judge

        def heedless(
            entry: Entry, plan: Plan, marker: MarkerReading, floor: FloorView, *rest: object, **more: bool
        ) -> Judgement:
            seen = structs.replace(marker, **fields) if isinstance(marker, Marker) else marker
            thawed = structs.replace(floor, frozen=floor.frozen and "state" not in fields)
            return real(entry, plan, seen, thawed, *rest, **more)  # type: ignore[arg-type]

        patch.setattr(change, "judge", heedless)

    return mutate


MUTANTS: dict[str, tuple[Patch, int]] = {
    "blind writes": (_without_any_prerequisite, 0),
    "no endpoint prerequisites": (_without_endpoint_prerequisites, 0),
    "no comparison of since": (_without_comparing_since, 0),
    "no floor prerequisite": (_without_floor_prerequisite, 6),
    "the floor ignored": (_ignoring_the_floor, 6),
    "unknown taken for done": (_taking_a_lost_reply_for_success, 0),
    "marker without addresses": (_marker_apart_from_addresses, 0),
    "refill as a normal write": (_refill_of_more_than_what_is_short, 6),
    "a lost floor at one's own generation": (_a_lost_floor_rebuilt_at_ones_own_generation, 6),
    "wildcards believed": (_wildcards_believed, 0),
    "no repair": (_no_repair, 6),
    "freezes and tombstones ignored": (_disobeying(state="live"), 0),
    "streams ignored": (_disobeying(stream="main"), 0),
    "garbage blocks": (_garbage_is_an_obstacle, 6),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_mutant_is_killed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate, hands = MUTANTS[name]
    mutate(monkeypatch)
    for schedule in SCHEDULES + OBEDIENCE:
        try:
            schedule()
        except AssertionError:
            return
    for seed in range(SEEDS_MAX):
        try:
            run(seed, hands=hands)
        except AssertionError:
            return
    pytest.fail(f"the mutant '{name}' survived {SEEDS_MAX} seeds")
