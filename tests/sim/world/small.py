"""Small worlds for these tests, and questions about what was reached in them."""

from typing import Any

from standfast.ports.provider_spec import ZoneState
from standfast.sim.search.canonical import FULL, Reductions
from standfast.sim.search.exploring import Exploration, survey
from standfast.sim.search.product import Result
from standfast.sim.world.bounds import Run
from standfast.sim.world.histories import history
from standfast.sim.world.world import World

BRIEF: dict[str, Any] = {"memory": False, "patience": 1}


def small(name: str = "small", *plans: str, **bounds: Any) -> Run:
    """A run of brief passes, two enactors, and a late request."""
    return Run(name=name, about="", plans=history(*(plans or ("a", "b"))), **{**BRIEF, "flights": 1, **bounds})


def explored(run: Run, reductions: Reductions = FULL, states_max: int = 200_000) -> Exploration:
    """Everything that may happen in it."""
    found = survey(World(run), states_max=states_max, reductions=reductions)
    assert found.result.bounds.complete, f"{run.name} is larger than {states_max} states"
    return found


def zones(exploration: Exploration) -> set[ZoneState]:
    """Every zone that was reached, nonces numbered as they first appear in it."""
    place = list(exploration.system.places).index("zone")
    found = {exploration.values(state)[place] for state in range(len(exploration))}
    return {zone for zone in found if isinstance(zone, ZoneState)}


def first_finding(run: Run, states_max: int = 200_000) -> Result:
    """Search until anything is broken."""
    return survey(World(run), states_max=states_max, until=lambda name: True).result
