"""Several enactors in a bulk write: who is refused while the floor moves gives way; whose beliefs are old goes on."""

from msgspec.structs import replace

from standfast.core.enactor import Enactor
from standfast.core.stages import Idle
from standfast.model.marker import Floor, floor_rdata
from standfast.model.name import floor_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Conflict, Replace
from standfast.ports.provider_spec import ZoneState
from world.invented import ZONE, Actor, World, entry, floor, plan_of, served

FLOOR = floor_owner("main", ZONE)
NAMES = [f"edge-{number}.{ZONE}" for number in range(8)]
ADDRESS = "192.0.2.1"


def moved(world: World) -> None:
    """Somebody else wrote in the zone."""
    held = floor(world.zone)
    assert isinstance(held, Floor)
    rdata = floor_rdata(replace(held, nonce=f"{int(held.nonce, 16) + 1:016x}"), ZONE, FLOOR)
    rrsets = {**world.zone.rrsets, (FLOOR, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [rdata])}
    world.zone = ZoneState(ZONE, rrsets, world.zone.serial + 1)


def first_pass(refusals: int, *, floor_moves: bool, names: list[str] = NAMES) -> tuple[World, Enactor]:
    """An enactor that writes endpoints one by one; after its first change so many are refused in a row."""
    world = World(0, [plan_of(1, [entry(name, 1, ADDRESS) for name in names])], enactors=1)
    world.publish()
    (actor,) = world.actors
    left = refusals

    def meddle(who: Actor, request: object) -> object:
        nonlocal left
        if not isinstance(request, Replace) or not left or not isinstance(floor(world.zone), Floor):
            return None
        left -= 1
        if floor_moves:
            moved(world)
        return Conflict()

    world.meddle = meddle
    actor.core = Enactor(actor.name, "main", batch_octets=1).wake("start", world.now)
    actor.started = True
    for _ in range(400):
        if isinstance(actor.core.stage, Idle):
            return world, actor.core
        world.step(actor, faults=False)
    raise AssertionError("it does not come to rest")


def test_who_meets_a_floor_that_moves_gives_way() -> None:
    """Already after the first conflict: the second would spoil the other one's change, too."""
    world, core = first_pass(1, floor_moves=True)
    assert core.contention.conflicts == 2
    assert len(core.agenda.due) == len(NAMES), "the change that was refused is still due"
    assert [name for name in NAMES if served(world.zone, name)] == []


def test_who_gave_way_gets_there_in_its_next_pass() -> None:
    world, core = first_pass(1, floor_moves=True)
    (actor,) = world.actors
    actor.core = core.wake("news", world.now)
    while not isinstance(actor.core.stage, Idle):
        world.step(actor, faults=False)
    assert [name for name in NAMES if served(world.zone, name)] == NAMES
    assert actor.core.contention.conflicts == 0


def test_who_meets_old_beliefs_alone_goes_on() -> None:
    world, core = first_pass(5, floor_moves=False)
    assert core.contention.conflicts == 0
    assert [name for name in NAMES if served(world.zone, name)] == NAMES


def test_the_last_change_of_a_pass_is_tried_again_at_once() -> None:
    """There is nothing left to give way for: one conflict is not yet contention."""
    world, core = first_pass(1, floor_moves=True, names=NAMES[:1])
    assert core.contention.conflicts == 0
    assert [name for name in NAMES if served(world.zone, name)] == NAMES[:1]
