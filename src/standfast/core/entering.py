"""Whether an endpoint that is new to the plan may enter it, judged by what stands at its name in DNS. Pure.

Consent to take over a name that exists is given once, here, and recorded in the entry; enactors never ask. A valid
marker of our own stream means that the name was ours already. A wildcard's answer counts as existing: users see it.
"""

from typing import Final

from standfast.model.entry import Entry, Stood
from standfast.model.marker import EMERGENCY, Marker
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import FLAT_TYPES, RRset, type_name

from .decisions import PlanContext, Presence, Refusal
from .drafting import NO_PLAN

STOOD_OCTETS: Final = 4096
"""So much rdata of what stood at a name is kept with its entry: 256 AAAA. Every plan from then on has it."""
_UNKNOWN: Final = Presence(None)
_UNREAD: Final = "what stands at its name in DNS could not be read"


def admitted(policy: EndpointPolicy, context: PlanContext) -> tuple[Refusal | None, str]:
    """The refusal, if any; and who consented to the take-over, if that was needed."""
    presence = context.present.get(policy.key, _UNKNOWN)
    name, marker = policy.name, presence.marker
    if isinstance(marker, Marker) and not _placeholder(presence, context):
        if marker.stream != context.stream:
            why = f"it belongs to stream {marker.stream}: its marker says so"
            remedy = f"take it out of this configuration, or `standfast adopt --take {name}`"
            return Refusal(policy.key, "foreign", why, remedy), ""
        if marker.state == "retired":
            why = "it was retired: its marker is a tombstone"
            return Refusal(policy.key, "retired", why, f"take {name} out of the configuration"), ""
        if marker.plan in (EMERGENCY, NO_PLAN) and presence.rrsets is None:
            return Refusal(policy.key, "presence", _UNREAD, "try again; it is tried at each pass"), ""
        taken = f"{marker.writer}, from another stream" if marker.plan == NO_PLAN else ""
        return None, context.consents.get(name, taken)
    if presence.rrsets is None:
        return Refusal(policy.key, "presence", _UNREAD, "try again; it is tried at each pass"), ""
    standing = [rrset for rrset in presence.rrsets if rrset.answers in FLAT_TYPES and rrset.rdata]
    if not standing:
        return None, ""
    if who := context.consents.get(name, ""):
        return None, who
    some = ", ".join(f"{rrset.count} {type_name(rrset.rtype)}" for rrset in standing)
    why = f"it exists in DNS already ({some}) and has no marker of ours"
    return Refusal(policy.key, "consent", why, f"--take {name}"), ""


def _placeholder(presence: Presence, context: PlanContext) -> bool:
    """Whether the marker is only what our freeze put where none was: it makes nothing ours."""
    marker = presence.marker
    return isinstance(marker, Marker) and marker.stream == context.stream and marker.state == "placeholder"


def stood_before(entry: Entry, context: PlanContext) -> Stood | None:
    """What an entry that has just entered took over, from somebody else; None if nothing was taken over.

    Under a marker of ours that names a plan stands what we wrote before our plans were lost.
    """
    presence = context.present.get(entry.key, _UNKNOWN)
    marker = presence.marker
    ours = isinstance(marker, Marker) and marker.stream == context.stream and marker.plan != NO_PLAN
    found = [one for one in presence.rrsets or () if one.answers in FLAT_TYPES and one.rdata]
    if not entry.taken or ours or not found:
        return None
    kept, room, left_off = [], STOOD_OCTETS, 0
    for rrset in sorted(found, key=lambda one: one.answers):
        some = []
        for rdata in rrset.rdata:
            room -= len(rdata)
            if room >= 0:
                some.append(rdata)
        left_off += len(rrset.rdata) - len(some)
        kept.append(RRset(rrset.rtype, rrset.ttl, tuple(some)))
    return Stood(context.generation, tuple(kept), left_off)
