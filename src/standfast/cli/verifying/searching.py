"""The searches of a scope one after the other, with a line of progress on a terminal."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from standfast.errors import StandfastError
from standfast.sim.story.story import save
from standfast.sim.world.bounds import Run
from standfast.sim.world.damaged import Family, Healed, heal
from standfast.sim.world.running import Chosen, Searched, search
from standfast.sim.world.scopes import Scope

from .progress import Telling, far, progress_line

_EXACT_MAX: Final = 100_000_000
"""Above so many states only fingerprints are kept of those seen; the chance of an omission is told."""


class Verified(Struct, frozen=True):
    """What a scope came to. `saved` names each counterexample's file, in the order of the runs and their stories."""

    scope: Scope
    engine: Chosen
    searched: tuple[Searched, ...]
    healed: tuple[Healed, ...]
    saved: tuple[Path, ...]
    unbegun: tuple[str, ...] = ()
    """Runs that were not begun, since one before them was stopped."""

    @property
    def broken(self) -> bool:
        """Whether any property is broken anywhere."""
        return any(one.stories for one in self.searched) or any(one.ill for one in self.healed)

    @property
    def complete(self) -> bool:
        """Whether everything within the bounds was seen."""
        return all(one.bounds.complete for one in self.searched) and all(one.complete for one in self.healed)


def verify(
    scope: Scope, runs: tuple[Run, ...], engine: Chosen, folder: Path, *, families: bool, quiet: bool
) -> Verified:
    """Search every run; Ctrl-C ends the one under way and all that follow."""
    searched: list[Searched] = []
    healed: list[Healed] = []
    saved: list[Path] = []
    with progress_line(quiet=quiet) as tell:
        for run in runs:
            found = search(
                run,
                engine,
                states_max=scope.states_max,
                exact=scope.states_max <= _EXACT_MAX,
                progress=lambda seen, run=run: tell(far(run.name, seen)),  # type: ignore[misc]
            )
            searched.append(found)
            saved += [_saved(folder, run.name, name, story) for name, story in found.stories]
            if not found.bounds.complete and found.bounds.states < scope.states_max:
                break
        else:
            healed = [_healed(family, tell) for family in scope.families if families]
    unbegun = tuple(run.name for run in runs[len(searched) :])
    return Verified(scope, engine, tuple(searched), tuple(healed), tuple(saved), unbegun)


def _healed(family: Family, tell: Telling) -> Healed:
    return heal(family, lambda seen: tell(f"damaged zones: {seen:,} of {family.size:,} healed"))


def _saved(folder: Path, run: str, name: str, story: object) -> Path:
    path = folder / f"{run}-{name}.story.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save(story, path)  # type: ignore[arg-type]
    except OSError as error:
        raise StandfastError(
            f"A counterexample was found and can't be saved in {folder}: {error.strerror}.", "Name another --save DIR."
        ) from None
    return path
