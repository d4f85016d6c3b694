"""`run --observe` plans for itself: in a folder of its own, with a plan store of its own, which nothing else reads.

So nothing that was planned while observing is ever published, an enactor that writes never sees it, and agreeing to
look at a name is no consent to take it over. What is there already is looked at first: the store's newest plan.
"""

from dataclasses import replace
from typing import Final

from standfast.config import Config, SqliteStoreConfig
from standfast.ports.provider import Unknown
from standfast.ports.store import HeadRead, PlanRead, Publish, ReadHead, ReadPlan

from .observing import at_work, open_existing, present
from .place import OBSERVED, Place

OBSERVER: Final = "observing"
"""Who consents to everything while observing, where consent changes nothing."""
_WRITERS: Final = frozenset({"planner", "enactor"})


def observed(config: Config) -> Config:
    """The same configuration for who only observes."""
    if config.state_dir.name == OBSERVED:
        return config
    folder = config.state_dir / OBSERVED
    return replace(config, state_dir=folder, store=SqliteStoreConfig(folder / "store.sqlite"))


def viewed(config: Config) -> Config:
    """What people who look shall see: what is observed, while somebody observes here and nobody works here."""
    shadow = observed(config)
    return shadow if _somebody(shadow) and not _somebody(config) else config


def _somebody(config: Config) -> bool:
    return any(one.role in _WRITERS and at_work(one) for one in present(Place(config)))


def consents(config: Config) -> tuple[tuple[str, str], ...]:
    """Every name may be looked at."""
    return tuple((endpoint.name, OBSERVER) for endpoint in config.endpoints)


def begin(config: Config) -> None:
    """Take the newest plan of the store that is really in use, if it has one and it is newer than what was observed:
    then only what would differ from it is told. Raises nothing: without it, everything is told as new."""
    theirs = open_existing(Place(config))
    if isinstance(theirs, Unknown):
        return
    try:
        head = theirs.perform(ReadHead())
        plan = theirs.perform(ReadPlan(head.head.digest)) if isinstance(head, HeadRead) and head.head else None
    finally:
        theirs.close()
    if not isinstance(plan, PlanRead):
        return
    place = Place(observed(config))
    ours = place.open_store()
    stands = ours.perform(ReadHead())
    ours.close()
    if isinstance(stands, HeadRead) and stands.head is not None and stands.head.generation >= plan.plan.generation:
        return
    for path in place.root.glob("store.sqlite*"):
        path.unlink()  # what was observed upon an older plan
    ours = place.open_store()
    ours.perform(Publish(None, plan.plan))
    ours.close()
