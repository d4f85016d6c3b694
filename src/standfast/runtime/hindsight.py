"""How things stood at a moment that is past, put together from stored plans and journals, as a `Seen` like any other.

So the verdict on then is said by the same words as the verdict on now. What journals can't tell is left unknown: what
secondaries served, and what people did to the zone by hand until an enactor found it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from msgspec.structs import replace

from standfast.core.decisions import Refusal
from standfast.model.entry import Entry
from standfast.model.marker import ABSENT, Floor, Marker, MarkerState
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES
from standfast.ports.store import PlanSummary

from .chronicle import Load
from .observing import Seen, StoreSight
from .presence import Present
from .sharing import Judged
from .tailing import Event
from .zonesight import EndpointSight, ZoneSight

_ROLES: Final = ("planner", "enactor", "cleaner")


def remembered_since(events: Sequence[Event], plans: Iterable[PlanSummary]) -> float | None:
    """The earliest moment of which something is known here; None: of none."""
    moments = [one.at for one in plans] + [event.at for event in events[:1]]
    return min(moments, default=None)


def recalled(store: StoreSight, events: Sequence[Event]) -> StoreSight:
    """A store that can't be read, with what journals and the plan that is left tell of health and publishing."""
    if not store.trouble or store.plan is None:
        return store
    judged = _planned_health(store.plan) | _health(events)
    found = (_summary(event) for event in reversed(events) if event.kind == "planned")
    plans = store.plans or tuple(one for one in found if one is not None)
    return replace(store, verdicts=store.verdicts or tuple(sorted(judged.items())), plans=plans)


def _summary(event: Event) -> PlanSummary | None:
    facts = event.facts
    try:
        at = float(facts.get("planned_at") or event.at)
        return PlanSummary(
            int(facts["generation"]), str(facts["digest"]), at, str(facts["author"]), str(facts["reason"]), ""
        )
    except (KeyError, TypeError, ValueError):
        return None


def seen_at(moment: float, now: Seen, events: Sequence[Event], load: Load) -> Seen:
    """The state at `moment`. Plans that are stored no more are unknown. Raises StandfastError if the store fails."""
    past = events[: bisect_right(events, moment, key=attrgetter("at"))]
    plans = tuple(one for one in now.store.plans if one.at <= moment)
    plan = load(plans[0].digest) if plans else None
    if now.store.trouble and now.store.plan is not None and now.store.plan.record.at <= moment:
        plan = now.store.plan
    judged = _planned_health(plan) | _health(past)
    trouble = _trouble(past) if plan is not None or not plans else f"the plan g{plans[0].generation} is gone"
    store = StoreSight(
        trouble=trouble,
        began=now.store.began,
        head=plan.head if plan else None,
        plan=plan,
        plans=plans,
        fleet=now.store.fleet,  # AZs move rarely, and only where load balancers stand is read off it
        fleet_revision=now.store.fleet_revision,
        verdicts=tuple(sorted(judged.items())) or None,
        vantage=next((event.who for event in reversed(past) if event.kind == "verdict"), ""),
    )
    zones = tuple(_zone(zone, plan, past) for zone in now.zones)
    there, known = _present(past, events, now, moment)
    absent = tuple(key for key in now.absent if plan is None or plan.entry(key) is None)
    return Seen(
        moment,
        now.stream,
        store,
        zones,
        there,
        refusals=_refusals(past, now),
        absent=absent,
        hidden=now.hidden or not known,
    )


def _planned_health(plan: Plan | None) -> dict[str, Judged]:
    """What the plan thought, of those of whom no line says it: journals may begin later."""
    found: dict[str, Judged] = {}
    if plan is None:
        return found
    for entry in plan.shards:
        for one in entry.members:
            if one.served or one.reason.startswith("failed"):
                found.setdefault(one.load_balancer, Judged("up" if one.served else "down", one.reason, plan.record.at))
    return found


def _health(past: Sequence[Event]) -> dict[str, Judged]:
    found: dict[str, Judged] = {}
    for event in past:
        if event.kind == "verdict":
            facts = event.facts
            state = facts.get("state")
            if state in ("up", "down", "unknown", "warming"):
                found[str(facts.get("load_balancer"))] = Judged(state, str(facts.get("reason", "")), event.at)
    return found


def _trouble(past: Sequence[Event]) -> str:
    """What the planner last said of the store."""
    for event in reversed(past):
        if event.kind == "notice" and event.facts.get("kind") == "store" and event.role == "planner":
            why = str(event.facts.get("why", ""))
            return "" if why.startswith("no longer: ") else why
    return ""


def _zone(zone: ZoneSight, plan: Plan | None, past: Sequence[Event]) -> ZoneSight:
    """The markers that enactors say to have written, of the names in the plan of then."""
    reached: dict[str, tuple[int, str]] = {}
    for event in past:
        facts = event.facts
        if (
            event.kind == "outcome"
            and facts.get("zone") == zone.zone
            and facts.get("result") in ("written", "refilled")
        ):
            since = facts.get("since")
            if isinstance(since, int):
                reached[str(facts.get("name"))] = (since, event.who)
    entries = plan.by_zone.get(zone.zone, ()) if plan else ()
    sights = tuple(_sight(entry, plan, reached.get(entry.name)) for entry in entries if plan is not None)
    floor = Floor(plan.record.stream, plan.generation, "live", "0" * 16) if plan else ABSENT
    return replace(zone, trouble="", floor=floor, endpoints=sights, notes=())


def _sight(entry: Entry, plan: Plan, reached: tuple[int, str] | None) -> EndpointSight:
    """Without a line about it, it is taken to have followed its plan: journals may be younger than the zone."""
    since, who = reached or (entry.since, "")
    state: MarkerState = "retired" if entry.kind == "retired" else "live"
    marker = Marker(plan.record.stream, since, max(since, entry.since), plan.digest, state, who or "-", "0" * 16)
    contents = tuple(entry.rrset(rtype) for rtype in ADDRESS_TYPES) if since == entry.since else ()
    return EndpointSight(entry, marker, contents or (None,) * len(ADDRESS_TYPES))


def _refusals(past: Sequence[Event], now: Seen) -> tuple[Refusal, ...]:
    """What was refused and not published since. A refusal's end is not told; a plan that changes the name is one."""
    found: dict[str, Refusal] = {}
    for event in past:
        facts = event.facts
        if event.kind == "refused":
            name = str(facts.get("name"))
            words = (str(facts.get(word, "")) for word in ("rule", "why", "remedy"))
            zone = next((one.zone for one in now.zones if name == one.zone or name.endswith(f".{one.zone}")), "")
            found[name] = Refusal((zone, name), *words)
        elif event.kind == "planned":
            for change in facts.get("changes") or ():
                found.pop(str(change.get("name")), None)
        elif event.kind == "started" and event.role == "planner":
            found.clear()
    return tuple(found.values())


def _present(
    past: Sequence[Event], events: Sequence[Event], now: Seen, moment: float
) -> tuple[tuple[Present, ...], bool]:
    """Who was at work, and whether that is known of planners and enactors.

    Who was started, not stopped, and not heard of after may have been killed before or after the moment.
    """
    here = {(one.role, one.who) for one in now.present}
    last = {(e.role, e.who): e for e in past if e.role in _ROLES and e.kind in ("started", "stopped")}
    after: dict[tuple[str, str], Event] = {}
    for event in events[len(past) :]:
        after.setdefault((event.role, event.who), event)
    found, unclear = [], {"planner", "enactor"} - {role for role, _ in last}
    for (role, who), event in last.items():
        heard = after.get((role, who))
        if event.kind == "stopped":
            continue
        if (heard is not None and heard.kind != "started") or (heard is None and (role, who) in here):
            facts = {"observe": event.facts.get("observe", False)}
            found.append(Present(role, who, 0, 0.0, True, facts, moment))
        else:
            unclear.add(role)
    unclear -= {one.role for one in found} | {"cleaner"}
    return tuple(found), not unclear
