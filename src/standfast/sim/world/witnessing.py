"""What an enactor is about to send, and what a reply shows of it: for the judge of G10."""

from standfast.core.drafting import written_marker
from standfast.core.enactor import Enactor
from standfast.core.stages import Changing
from standfast.core.writing import Replacing, Settling
from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.rrset import RRset
from standfast.ports.provider import Read, Readings, Replace, Unknown, Written

from .telling import listed


def change_of(core: object) -> Replace | None:
    """The change that it sends next, if that is what comes next."""
    request = core.request if isinstance(core, Enactor) else None
    return request if isinstance(request, Replace) else None


def unaccounted(core: Enactor) -> str:
    """G10: in a pass whose journal can't be written nothing is sent that leaves a marker; refills leave none."""
    change = change_of(core)
    names = [write.name for write in change.writes if written_marker(write) is not None] if change is not None else []
    return f"G10: {listed(names)} is about to be written, and no intent is on disk" if names else ""


def witnessed(core: Enactor, reply: object) -> bool:
    """Whether a reply shows that the change now in the enactor's hands was made."""
    if not isinstance(core.stage, Changing):
        return False
    phase = core.stage.phase
    if isinstance(phase, Replacing):
        return isinstance(reply, Written)
    if not isinstance(phase, Settling) or not isinstance(reply, Readings) or not isinstance(phase.request, Read):
        return False
    records = zip(phase.request.keys, reply.values, strict=True)
    return any(phase.nonce == _nonce(owner, value) for (owner, _), value in records)


def _nonce(owner: str, value: RRset | Unknown | None) -> str:
    if not isinstance(value, RRset):
        return ""
    zone = owner.partition("_standfast.")[2]
    for record in (read_marker(value, zone, owner), read_floor(value, zone, owner)):
        if isinstance(record, Marker | Floor):
            return record.nonce
    return ""
