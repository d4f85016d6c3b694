"""What stands at the endpoints' names: which of them the planner would ask about, or refuse."""

from collections.abc import Iterable, Sequence

from standfast.cli.texts import counted
from standfast.core.decisions import PlanContext, Presence
from standfast.core.entering import admitted
from standfast.core.survey import Survey, presence_asks, presence_heard, request_of
from standfast.model.entry import Key
from standfast.model.marker import Damaged, Floor, read_floor
from standfast.model.name import floor_owner, relative
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRset, RRType, type_name
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider
from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan
from standfast.runtime.observing import open_existing
from standfast.runtime.phrases import capital, listed
from standfast.runtime.place import Place

from .findings import Finding


def head_plan(place: Place) -> Plan | None:
    """The newest published plan, if there is a store and it can be read. Never makes a store."""
    store = open_existing(place)
    if isinstance(store, Unknown):
        return None
    try:
        head = store.perform(ReadHead())
        if not isinstance(head, HeadRead) or head.head is None:
            return None
        reply = store.perform(ReadPlan(head.head.digest))
        return reply.plan if isinstance(reply, PlanRead) else None
    finally:
        store.close()


def name_findings(
    provider: ZoneProvider, zone: str, stream: str, policies: Sequence[EndpointPolicy], plan: Plan | None
) -> list[Finding]:
    """Of names that no plan has yet: what is there, and what `run` will do about it; and the floor's word."""
    found = _floor_findings(provider, zone, stream)
    new = [policy for policy in policies if plan is None or plan.entry(policy.key) is None]
    survey = Survey()
    for ask in presence_asks(zone, [policy.name for policy in new]):
        reply = provider.perform(request_of(stream, ask))
        survey = presence_heard(survey, stream, ask, reply)
    presences = dict(survey.presences)
    context = PlanContext(stream, (zone,), 1, "check", present=presences)
    for policy in new:
        found += _name_finding(policy, context, presences)
    return found


def _name_finding(policy: EndpointPolicy, context: PlanContext, presences: dict[Key, Presence]) -> Iterable[Finding]:
    subject = relative(policy.name, policy.zone) or "@"
    presence = presences.get(policy.key, Presence(None))
    if isinstance(presence.marker, Damaged):
        text = f"Its marker cannot be believed: {presence.marker.why}."
        yield Finding("note", "names", subject, text, "It is repaired at the first write.")
    refusal, _ = admitted(policy, context)
    if refusal is None:
        return
    if refusal.rule == "consent" and presence.rrsets is not None:
        text = f"It {standing(presence.rrsets)} and no marker."
        remedy = f"`run` takes {_them(presence.rrsets)} over only with your consent: --take NAME. "
        remedy += "If another tool manages it, take it out there first: docs/beside-*.md."
        yield Finding("note", "names", subject, text, remedy)
        return
    yield Finding("problem", "names", subject, _sentence(refusal.reason), _sentence(refusal.remedy))


def standing(rrsets: tuple[RRset, ...]) -> str:
    """What users get there now, after `It`."""
    alias = next((rrset for rrset in rrsets if rrset.rtype == RRType.CNAME), None)
    if alias is not None:
        return f"is a CNAME to {alias.texts()[0].rstrip('.')}"
    return "has " + " and ".join(counted(one.count, f"{type_name(one.rtype)} record") for one in rrsets)


def _them(rrsets: tuple[RRset, ...]) -> str:
    return "it" if sum(rrset.count for rrset in rrsets) == 1 else "them"


def _sentence(text: str) -> str:
    return capital(text) + ("" if text.endswith((".", "?")) else ".")


def _floor_findings(provider: ZoneProvider, zone: str, stream: str) -> list[Finding]:
    owner = floor_owner(stream, zone)
    reply = provider.perform(Read(zone, ((owner, int(RRType.TXT)),)))
    value = reply.values[0] if isinstance(reply, Readings) else reply
    if value is not None and not isinstance(value, RRset):
        return [Finding("problem", "floor", zone, f"Its floor {owner} could not be read: {value.why}.")]
    floor = read_floor(value, zone, owner)
    if isinstance(floor, Damaged):
        text = f"Its floor {owner} cannot be believed: {floor.why}."
        return [Finding("note", "floor", zone, text, "It is rebuilt at the first write.")]
    if isinstance(floor, Floor) and floor.frozen:
        return [Finding("note", "floor", zone, "It is frozen: nothing is written.", "`standfast thaw` ends that.")]
    return []


def folded_findings(findings: Sequence[Finding], most: int) -> list[Finding]:
    """With findings that say the same of many names drawn together, so that a thousand names make one line."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for one in findings:
        groups.setdefault((one.level, one.area, one.text, one.remedy), []).append(one.subject)
    result = []
    for one in findings:
        subjects = groups.pop((one.level, one.area, one.text, one.remedy), [])
        if len(subjects) > most:
            text = f"{listed(subjects, most)}: {one.text}"
            result.append(Finding(one.level, one.area, counted(len(subjects), "name"), text, one.remedy))
        else:
            result += [Finding(one.level, one.area, subject, one.text, one.remedy) for subject in subjects]
    return result
