"""One run searched by one of the two engines, and what came of it in numbers and in stories."""

import importlib.util
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from standfast.errors import StandfastError
from standfast.sim.search.compiled import explore_compiled
from standfast.sim.search.exploring import explore
from standfast.sim.search.product import Bounds, Progress
from standfast.sim.story.story import Story

from .bounds import Run
from .narrating import story_of
from .world import World

Engine: TypeAlias = Literal["auto", "python", "compiled"]
Chosen: TypeAlias = Literal["python", "compiled"]


class Searched(Struct, frozen=True):
    """A run, how far it got, and one story for each property that is broken."""

    run: Run
    bounds: Bounds
    stories: tuple[tuple[str, Story], ...]


def chosen(engine: Engine, *, worthwhile: bool) -> Chosen:
    """Which engine: the compiled one needs numba, and some seconds to begin with. Raises StandfastError."""
    there = all(importlib.util.find_spec(name) is not None for name in ("numba", "numpy"))
    if engine == "compiled" and not there:
        raise StandfastError(
            "--engine compiled needs numba and numpy, which are not installed.",
            "Install them: pip install 'standfast[verify]'. Or search without: --engine python.",
        )
    if engine == "auto":
        return "compiled" if worthwhile and there else "python"
    return engine


def search(
    run: Run,
    engine: Chosen,
    *,
    states_max: int,
    exact: bool = True,
    seconds_max: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Searched:
    """Explore everything that may happen in a run, up to so many states."""
    world = World(run)
    if engine == "compiled":
        result = explore_compiled(world, states_max=states_max, seconds_max=seconds_max, progress=progress, exact=exact)
    else:
        result = explore(world, states_max=states_max, seconds_max=seconds_max, progress=progress)
    stories = ((one.property, story_of(world, one)) for one in result.findings)
    return Searched(run, result.bounds, tuple(stories))
