"""The words of a step: what an actor does, and which precondition failed."""

from standfast.core.change import Confirming, Following, Looking, Surveying
from standfast.core.enactor import Enactor
from standfast.core.stages import Changing
from standfast.core.writing import Settling
from standfast.model.marker import Damaged, Floor, FloorReading, Marker, MarkerReading, read_floor, read_marker
from standfast.model.name import ROLLBACK_LABEL, SUBTREE
from standfast.model.rrset import RRset, RRType, rdata_text, type_name
from standfast.model.tree import read_tree_name
from standfast.ports.provider import Prerequisite, Read, Replace
from standfast.ports.provider_spec import ZoneState
from standfast.ports.trees import CollectTree
from standfast.sim.tree_properties import is_build

from .histories import FLOOR_OWNER, ZONE


def short(name: str) -> str:
    """An endpoint as people call it."""
    first = name.split(".")[1:2] == ["_first"]
    return "the first entry" if first else name.removesuffix(f".{ZONE}")


def listed(names: list[str]) -> str:
    """Such as `www and api`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else "nothing"


def record_text(reading: MarkerReading | FloorReading) -> str:
    """What a marker or floor says, in a few words."""
    match reading:
        case Marker():
            state = "" if reading.state == "live" else f" {reading.state}"
            return f"since {reading.since} of plan {reading.generation}{state}, {nonce_text(reading.nonce)}"
        case Floor():
            state = "" if reading.state == "live" else f" {reading.state}"
            return f"floor {reading.generation}{state}, {nonce_text(reading.nonce)}"
        case Damaged():
            return "unreadable"
    return "absent"


def nonce_text(nonce: str) -> str:
    """A nonce as a letter, where a search has numbered it: #a, #b, …"""
    number = int(nonce, 16)
    return f"#{chr(97 + number)}" if number < 26 else "#new" if nonce == "f" * 16 else f"#{nonce[-4:]}"


def rrset_text(owner: str, rrset: RRset | None) -> str:
    """What stands at an owner name, in a few words."""
    if rrset is None or not rrset.rdata:
        return "absent"
    if rrset.rtype == RRType.TXT and owner.endswith(f"{SUBTREE}.{ZONE}"):
        read = read_floor if owner == FLOOR_OWNER else read_marker
        return record_text(read(rrset, ZONE, owner))
    return ", ".join(rdata_text(rrset.rtype, rdata) for rdata in rrset.rdata)


def what_stands(owner: str, rtype: int) -> str:
    """An owner name and type as people call it: the floor, www's marker, www's A."""
    if owner == FLOOR_OWNER:
        return "the floor"
    if tree := read_tree_name(owner, ZONE):
        place = owner.removesuffix(tree.top).removesuffix(".") or "the top"
        return f"{place} of tree {tree.since} ({type_name(rtype)})"
    if f".{ROLLBACK_LABEL}." in owner:
        return f"{owner.partition('.')[0]}'s rollback alias ({type_name(rtype)})"
    if owner.endswith(f".{SUBTREE}.{ZONE}"):
        return f"{short(owner.removesuffix(f'.{SUBTREE}.{ZONE}') + '.' + ZONE)}'s marker"
    return f"{short(owner)}'s {RRType(rtype).name}"


def failed_prerequisite(zone: ZoneState, change: Replace) -> str:
    """The first precondition that does not hold: expected, and found."""
    for part in (change.floor, *change.writes):
        for one in part.prerequisites:
            if not zone.holds(one):
                return _failed(zone, one)
    return ""


def _failed(zone: ZoneState, one: Prerequisite) -> str:
    expected = RRset(one.rtype, 0, one.rdata) if one.rdata else None
    found = zone.rrsets.get((one.owner, one.rtype))
    what = what_stands(one.owner, one.rtype)
    return f"{what}: expected {rrset_text(one.owner, expected)}; found {rrset_text(one.owner, found)}"


def change_text(change: Replace) -> str:
    """What a change is about: which endpoints, which plan."""
    names = [short(write.name) for write in change.writes]
    markers = [_put(write.contents) for write in change.writes]
    if all(is_build(write, ZONE) for write in change.writes):
        return f"builds {_put_text(change)} of {listed(names)}'s tree"
    plans = sorted({marker.generation for marker in markers if marker is not None})
    if not plans:
        return f"gives {listed(names)} addresses back (refill)"
    return f"replaces {listed(names)} with plan {listed([str(plan) for plan in plans])}"


def _put_text(change: Replace) -> str:
    trees = sorted({tree.since for one in change.contents if (tree := read_tree_name(one.owner, ZONE)) is not None})
    some = sum(1 for one in change.contents if read_tree_name(one.owner, ZONE) is not None)
    return f"{some} record{'s' * (some > 1)} of since {listed([str(one) for one in trees])}"


def collection_text(change: CollectTree) -> str:
    """What a deletion of tree records is about."""
    trees = sorted({tree.since for one in change.doomed if (tree := read_tree_name(one.owner, ZONE)) is not None})
    return f"collects {short(change.name)}'s tree of since {listed([str(one) for one in trees])}"


def seal_text(change: Replace) -> str:
    """What a step of freezing or thawing is about: markers, floor."""
    records = [f"{short(write.name)}'s marker" for write in change.writes]
    return f"renews {listed([*records, *(['the floor'] if change.floor.contents else [])])}"


def _put(contents: tuple[object, ...]) -> Marker | None:
    for content in contents:
        rrset = RRset(content.rtype, content.ttl, content.rdata)  # type: ignore[attr-defined]
        if rrset.rtype == RRType.TXT and rrset.rdata:
            marker = read_marker(rrset, ZONE, content.owner)  # type: ignore[attr-defined]
            return marker if isinstance(marker, Marker) else None
    return None


def asking_text(core: Enactor) -> str:
    """What an enactor does with its next public request."""
    if not isinstance(core.stage, Changing):
        return "reads the floor" if isinstance(core.request, Read) else "asks"
    phase = core.stage.phase
    names = [short(entry.name) for entry in core.stage.task.entries]
    match phase:
        case Looking():
            what = "markers and addresses" if phase.task.verify else "markers"
            return f"reads {what} of {listed(names)}" if phase.request.keys else "reads the floor"
        case Following():
            return f"reads where the aliases of {listed(names)} lead"
        case Confirming():
            return "asks whether what it can't read stands there literally"
        case Surveying():
            return "reads all markers, for the floor is lost"
        case Settling():
            return "looks whether its change was made"
    request = phase.request
    return change_text(request) if isinstance(request, Replace) else "reads" if isinstance(request, Read) else "waits"
