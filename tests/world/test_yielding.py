"""Several enactors at a first publication: who is refused twice in a row lets the one that gets on with it finish."""

from msgspec.structs import replace

from standfast.core.enactor import ASIDE, Enactor
from standfast.core.stages import Idle
from standfast.model.marker import Floor, floor_rdata
from standfast.model.name import floor_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Conflict, Replace
from standfast.ports.provider_spec import ZoneState
from world.invented import ZONE, Actor, World, floor, served
from world.schedules import NEW, OLD, WWW, history

FLOOR = floor_owner("main", ZONE)


def moved(world: World) -> None:
    """Somebody wrote in the zone."""
    held = floor(world.zone)
    held = held if isinstance(held, Floor) else Floor("main", 1, "live", "0" * 16)
    nonce = f"{int(held.nonce, 16) + 1:016x}"
    rdata = floor_rdata(replace(held, nonce=nonce), ZONE, FLOOR)
    rrsets = {**world.zone.rrsets, (FLOOR, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [rdata])}
    world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)


def refused_twice() -> tuple[World, Actor]:
    """An enactor with a plan to write, two of whose changes met a conflict."""
    world = World(0, history((OLD, NEW)), enactors=1)
    world.publish()
    (actor,) = world.actors
    conflicts = 0

    def meddle(who: Actor, request: object) -> object:
        nonlocal conflicts
        if isinstance(request, Replace) and conflicts < 2:
            conflicts += 1
            moved(world)
            return Conflict()
        return None

    world.meddle = meddle
    awake(world, actor, "start")
    assert actor.core.contention == 2
    return world, actor


def awake(world: World, actor: Actor, occasion: str = "news") -> Enactor:
    """One pass; the core when it is idle again."""
    actor.core, actor.started = actor.core.wake(occasion, world.now), True  # type: ignore[arg-type]
    for _ in range(100):
        if isinstance(actor.core.stage, Idle):
            return actor.core
        world.step(actor, faults=False)
    raise AssertionError("it does not come to rest")


def test_nothing_is_written_while_the_floor_moves() -> None:
    world, actor = refused_twice()
    for occasion in ("news", "look", "news", "audit"):
        moved(world)
        before = world.zone
        assert not awake(world, actor, occasion).agenda.done
        assert world.zone == before


def test_once_the_floor_stands_still_the_rest_is_done() -> None:
    world, actor = refused_twice()
    moved(world)
    awake(world, actor)
    assert served(world.zone, WWW) == ()
    assert awake(world, actor).agenda.done
    assert served(world.zone, WWW) == OLD


def test_nobody_stands_aside_for_ever() -> None:
    world, actor = refused_twice()
    for _ in range(ASIDE):
        moved(world)
        if awake(world, actor).agenda.done:
            break
    assert served(world.zone, WWW) == OLD


def test_the_next_conflict_is_enough_to_step_aside_again() -> None:
    world, actor = refused_twice()
    awake(world, actor)
    sent = []

    def meddle(who: Actor, request: object) -> object:
        if isinstance(request, Replace):
            sent.append(request)
            moved(world)
            return Conflict()
        return None

    world.meddle = meddle
    awake(world, actor)
    assert len(sent) == 1
