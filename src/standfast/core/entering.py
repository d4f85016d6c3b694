"""Whether an endpoint that is new to the plan may enter it, judged by what stands at its name in DNS. Pure.

Consent to take over a name that exists is given once, here, and recorded in the entry; enactors never ask. A valid
marker of our own stream means that the name was ours already. A wildcard's answer counts as existing: users see it.
"""

from standfast.model.marker import EMERGENCY, Marker
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import FLAT_TYPES, type_name

from .decisions import PlanContext, Presence, Refusal
from .drafting import NO_PLAN

_UNKNOWN = Presence(None)
_UNREAD = "what stands at its name in DNS could not be read"


def admitted(policy: EndpointPolicy, context: PlanContext) -> tuple[Refusal | None, str]:
    """The refusal, if any; and who consented to the take-over, if that was needed."""
    presence = context.present.get(policy.key, _UNKNOWN)
    name, marker = policy.name, presence.marker
    if isinstance(marker, Marker):
        if marker.stream != context.stream:
            why = f"it belongs to stream {marker.stream}: its marker says so"
            remedy = f"take it out of this configuration, or `standfast adopt --take {name}`"
            return Refusal(policy.key, "foreign", why, remedy), ""
        if marker.state == "retired":
            why = "it was retired: its marker is a tombstone"
            return Refusal(policy.key, "retired", why, f"take {name} out of the configuration"), ""
        if marker.plan == EMERGENCY and presence.rrsets is None:
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
