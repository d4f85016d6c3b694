"""The cleaner over a zone and a store by their specifications: it collects what nobody can need, and nothing else."""

from standfast.core.cleaner import CleanerRequest, Retention, SweepingHead, Swept
from standfast.model.name import first_name, marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRType
from standfast.ports import provider_spec, store_spec
from standfast.ports.provider import Read
from world.invented import STREAM, ZONE, World, entry, plan_of

WWW, API = f"www.{ZONE}", f"api.{ZONE}"
NOTHING_KEPT = Retention(plans=1, days=0.0)


def history(count: int) -> list[Plan]:
    """www and api change in every generation; the first entry never does."""
    return [plan_of(g, [entry(WWW, g, f"192.0.2.{g}"), entry(API, g, f"198.51.100.{g}")]) for g in range(1, count + 1)]


def begun(count: int) -> World:
    """A zone that stands as the newest of so many plans has it."""
    world = World(0, history(count), enactors=1)
    while world.unpublished:
        world.publish()
    world.settle(world.actors[0])
    return world


def sweep(world: World) -> Swept:
    """One pass."""

    def answer(request: CleanerRequest) -> object:
        if isinstance(request, Read):
            return provider_spec.apply(world.zone, request)[1]
        world.store, reply = store_spec.apply(world.store, request)
        return reply

    phase: object = SweepingHead(STREAM, NOTHING_KEPT, 0.0)
    while not isinstance(phase, Swept):
        phase = phase.heard(answer(phase.request))  # type: ignore[attr-defined]
    return phase


def test_the_first_entry_which_never_changes_keeps_no_plan() -> None:
    assert sweep(begun(5)).collected == (1, 2, 3, 4)


def test_an_endpoint_that_lags_keeps_the_plans_from_its_since_on() -> None:
    world = begun(3)
    behind = world.zone
    world.unpublished = history(6)[3:]
    while world.unpublished:
        world.publish()
    world.settle(world.actors[0])
    owner = (marker_owner(WWW, ZONE), int(RRType.TXT))
    world.zone = provider_spec.ZoneState(ZONE, {**world.zone.rrsets, owner: behind.rrsets[owner]})
    assert sweep(world).collected == (1, 2)


def test_a_first_entry_without_its_marker_ends_the_pass() -> None:
    world = begun(4)
    gone = (marker_owner(first_name(STREAM, ZONE), ZONE), int(RRType.TXT))
    left = {key: rrset for key, rrset in world.zone.rrsets.items() if key != gone}
    world.zone = provider_spec.ZoneState(ZONE, left)
    swept = sweep(world)
    assert not swept.collected
    assert "no marker" in swept.why
