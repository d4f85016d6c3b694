"""What people do to a zone by hand, each as a pure function of the zone as it is and as it was."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from standfast.model.name import first_name, floor_owner, marker_owner, name_to_wire, subtree
from standfast.model.rrset import ADDRESS_TYPES, BESIDE, RRset, RRType, addresses, txt_rdata
from standfast.ports.provider import Key
from standfast.ports.provider_spec import ZoneState

from .scenario import STREAM
from .treehands import TREE_HANDS, Hand, Records

_TXT: Final = int(RRType.TXT)


def hand(kind: str, zone: ZoneState, name: str, past: Sequence[ZoneState], draw: random.Random) -> ZoneState | None:
    """The zone afterwards; None if nothing is different."""
    rrsets = _HANDS[kind](dict(zone.rrsets), zone.apex, name, past, draw)
    return None if rrsets == zone.rrsets else ZoneState(zone.apex, rrsets, zone.serial + 1)


def without_wildcard(zone: ZoneState) -> ZoneState | None:
    """The wildcard that somebody put is taken away; None if there is none."""
    rrsets = {key: rrset for key, rrset in zone.rrsets.items() if key[0] not in _wildcards(zone.apex)}
    return None if len(rrsets) == len(zone.rrsets) else ZoneState(zone.apex, rrsets, zone.serial + 1)


def _addresses_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    for rtype in ADDRESS_TYPES if draw.random() < 0.6 else (draw.choice(ADDRESS_TYPES),):
        _pop_address(rrsets, name, rtype)
    return rrsets


def _pop_address(rrsets: Records, name: str, rtype: RRType) -> None:
    """Plain or routed."""
    rrsets.pop((name, int(rtype)), None)
    rrsets.pop((name, int(BESIDE[rtype])), None)


def _other_addresses(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    some = draw.choice((["203.0.113.7"], ["203.0.113.7", "203.0.113.8"], ["2001:db8:ff::1"]))
    for rrset in addresses(60, some):
        rrsets.pop((name, int(BESIDE[rrset.rtype])), None)
        rrsets[name, rrset.rtype] = rrset
    return rrsets


def _marker_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    rrsets.pop((marker_owner(name, apex), _TXT), None)
    return rrsets


def _marker_garbage(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    rrsets[marker_owner(name, apex), _TXT] = _garbage(draw)
    return rrsets


def _garbage(draw: random.Random) -> RRset:
    texts = draw.choice((["v=spf1 -all"], ["standfast1 k=marker s=main n=99 g=99"], ["what", "is this"]))
    return RRset.of(_TXT, 60, [txt_rdata(text) for text in texts])


def _older(rrsets: Records, keys: Sequence[Key], past: Sequence[ZoneState], draw: random.Random) -> Records:
    """These records as they once were, all from one moment; unchanged if they never were otherwise."""
    moments = [old for old in past if any(old.rrsets.get(key) != rrsets.get(key) for key in keys)]
    moments = [old for old in moments if keys[0] in old.rrsets]
    if moments:
        then = draw.choice(moments)
        for key in keys:
            rrsets.pop(key, None)
            if key in then.rrsets:
                rrsets[key] = then.rrsets[key]
    return rrsets


def _older_marker(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    return _older(rrsets, [(marker_owner(name, apex), _TXT)], past, draw)


def _older_both(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    keys = [(marker_owner(name, apex), _TXT)]
    keys += ((name, int(one)) for rtype in ADDRESS_TYPES for one in (rtype, BESIDE[rtype]))
    return _older(rrsets, keys, past, draw)


def _cname(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    """In place of the addresses, as a server would demand (RFC 1034 §3.6.2)."""
    for rtype in ADDRESS_TYPES:
        _pop_address(rrsets, name, rtype)
    rrsets[name, int(RRType.CNAME)] = RRset.of(RRType.CNAME, 60, [name_to_wire(f"elsewhere.{apex}")])
    return rrsets


def _floor_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    rrsets.pop((floor_owner(STREAM, apex), _TXT), None)
    return rrsets


def _floor_garbage(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    rrsets[floor_owner(STREAM, apex), _TXT] = _garbage(draw)
    return rrsets


def _first_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    rrsets.pop((marker_owner(first_name(STREAM, apex), apex), _TXT), None)
    return rrsets


def _wildcard(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    """Over names, or over markers: then a marker that is missing reads as garbage."""
    owner = draw.choice(_wildcards(apex))
    (rrset,) = addresses(60, ["203.0.113.9"]) if draw.random() < 0.3 else (RRset.of(_TXT, 60, [txt_rdata("v=spf1")]),)
    rrsets[owner, rrset.rtype] = rrset
    return rrsets


def _wildcards(apex: str) -> tuple[str, str]:
    return (f"*.{apex}", f"*.{subtree(apex)}")


def _both_gone(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    for rtype in ADDRESS_TYPES:
        _pop_address(rrsets, name, rtype)
    return _marker_gone(rrsets, apex, name, past, draw)


def _emptied(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    return {}


def _restored(rrsets: Records, apex: str, name: str, past: Sequence[ZoneState], draw: random.Random) -> Records:
    """From a backup, markers and floor included."""
    return dict(draw.choice(past).rrsets) if past else rrsets


_HANDS: Final[Mapping[str, Hand]] = {
    "hand: addresses gone": _addresses_gone,
    "hand: other addresses": _other_addresses,
    "hand: marker gone": _marker_gone,
    "hand: marker and addresses gone": _both_gone,
    "hand: marker garbage": _marker_garbage,
    "hand: older marker": _older_marker,
    "hand: marker and addresses of old": _older_both,
    "hand: CNAME": _cname,
    "hand: floor gone": _floor_gone,
    "hand: floor garbage": _floor_garbage,
    "hand: first entry gone": _first_gone,
    "hand: wildcard": _wildcard,
    "hand: zone emptied": _emptied,
    "hand: zone restored": _restored,
    **TREE_HANDS,
}
RESTORING: Final = frozenset({"hand: older marker", "hand: marker and addresses of old", "hand: zone restored"})
"""After these a marker may stand below what a cleaner has rightly read."""
