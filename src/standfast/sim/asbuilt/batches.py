"""The change batches of the system as built: lock, tree, root with rollback, clean-up.

Every batch of an enactor that holds a lock begins with a preamble: DELETE of the lock exactly as the enactor believes
it to be, then CREATE of it with a later expiry; if somebody else has broken the lock, all is refused [TALK]. That
compares who holds the lock, and says nothing about how old a plan is [INF].
"""

from typing import Final

from . import plans
from .plans import alias, text
from .route53 import Batch, Change, RecordSet

_PLACEHOLDER: Final = ("192.0.2.0",)


def taken(apex: str, found: str, stamp: str) -> Batch:
    """Take the lock: a bare CREATE if it is free; an expired one is broken by DELETE of its value and CREATE [INF]."""
    create = Change("CREATE", text(plans.lock_name(apex), stamp))
    return (create,) if not found else (Change("DELETE", text(plans.lock_name(apex), found)), create)


def preamble(apex: str, held: str, stamp: str) -> Batch:
    """Renew the lock, or refuse what follows."""
    return taken(apex, held, stamp)


def queued(apex: str, before: tuple[str, ...], after: tuple[str, ...]) -> Batch:
    """Not as built: the queue for the lock, compared with what was read."""
    old, new = (RecordSet(plans.queue_name(apex), "TXT", values=tickets) for tickets in (before, after))
    return ((Change("DELETE", old),) if before else ()) + ((Change("CREATE", new),) if after else ())


def released(apex: str, held: str) -> Batch:
    """Give the lock back. When that is done is not published [INF]."""
    return (Change("DELETE", text(plans.lock_name(apex), held)),)


def built(apex: str, tree: int) -> Batch:
    """A whole tree from its leaves upwards; no traffic reaches it yet [TALK]."""
    return tuple(Change("UPSERT", record) for record in (*plans.leaves(apex, tree), *plans.weighted(apex, tree)))


def rolled(apex: str, previous: int) -> Batch:
    """The way back; nothing to write before there is anything to go back to [INF]."""
    return (Change("UPSERT", alias(plans.rollback_name(apex), apex, previous)),) if previous else ()


def moved(apex: str, tree: int) -> Batch:
    """The root to a tree."""
    return (Change("UPSERT", alias(apex, apex, tree)),)


def fenced(apex: str, marker: str, tree: int) -> Batch:
    """Not as built: the generation marker, compared with what was read and set to one's own."""
    name = plans.marker_name(apex)
    create = Change("CREATE", text(name, str(tree)))
    return (Change("DELETE", text(name, marker)), create) if marker else (create,)


def asserted(apex: str, root: int, rollback: int) -> Batch:
    """Not as built: aliases deleted and created again as they were read, so that all is refused if they moved.

    One that was absent is created and deleted, which is refused if somebody has made it since: without that, a
    rollback alias written for the first time could refer to what is being deleted.
    """
    batch: Batch = ()
    for name, tree in ((apex, root), (plans.rollback_name(apex), rollback)):
        record = alias(name, apex, tree) if tree else RecordSet(name, "A", values=_PLACEHOLDER)
        there, gone = Change("CREATE", record), Change("DELETE", record)
        batch += (gone, there) if tree else (there, gone)
    return batch


def swept(apex: str, doomed: tuple[int, ...]) -> Batch:
    """Old trees away, weighted set and leaves; an alias that refers to them stays [INF from TALK]."""
    records = [record for tree in doomed for record in (*plans.weighted(apex, tree), *plans.leaves(apex, tree))]
    return tuple(Change("DELETE", record) for record in records)
