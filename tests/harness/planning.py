"""Fleets, policies, verdicts and drafts for tests of planning, in few words."""

from collections.abc import Iterable, Mapping

from standfast.core.decisions import Draft, PlanContext, Presence
from standfast.core.planner import draft
from standfast.model.entry import Entry
from standfast.model.fleet import AdminState, Fleet, LoadBalancer, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import AzLoss, EndpointPolicy, OnPanic
from standfast.model.rrset import RRType

ZONE = "lb.example.com"
WWW = (ZONE, f"www.{ZONE}")
UP = Verdict("up", "6 checks passed")
DOWN = Verdict("down", "failed 3 checks in a row: connection refused")
AGREED = Verdict("down", "failed 3 checks in a row: connection refused", 2)
"""Down, and two vantage points outside its AZ see it."""
UNKNOWN = Verdict("unknown", "not checked yet")
WARMING = Verdict("warming", "new: admitted after 6 checks passed over 60 s")
EMPTY = Presence(())


def balancer(
    number: int,
    *,
    az: str = "a",
    capacity: int = 1,
    admin: AdminState = "up",
    v4: bool = True,
    v6: bool = False,
) -> LoadBalancer:
    """lb-<number> at 192.0.2.<number> and 2001:db8::<number>."""
    ipv4 = (f"192.0.2.{number}",) if v4 else ()
    ipv6 = (f"2001:db8::{number:x}",) if v6 else ()
    return LoadBalancer(f"lb-{number}", az, "main", ipv4, ipv6, capacity, admin)


def fleet_of(some: Iterable[LoadBalancer]) -> Fleet:
    """In the order of ids."""
    return Fleet(tuple(sorted(some, key=lambda one: one.id)))


def fleet(count: int, *, v6: bool = False) -> Fleet:
    """lb-1 … lb-<count>, all alike."""
    return fleet_of(balancer(number, v6=v6) for number in range(1, count + 1))


def policy(
    label: str = "www",
    *,
    zone: str = ZONE,
    ttl: int = 60,
    min_answers: int | None = None,
    max_answers: int = 8,
    azs: tuple[str, ...] = (),
    families: tuple[RRType, ...] = (),
    hold_below: float = 0.0,
    removal_share: float = 0.34,
    az_loss: AzLoss = "auto",
    on_panic: OnPanic = "hold",
    follows: str = "",
) -> EndpointPolicy:
    """Without panic unless asked, so that one limit is seen at a time."""
    return EndpointPolicy(
        name=f"{label}.{zone}",
        zone=zone,
        ttl=ttl,
        min_answers=min_answers,
        max_answers=max_answers,
        azs=azs,
        families=families,
        hold_below=hold_below,
        removal_share=removal_share,
        az_loss=az_loss,
        on_panic=on_panic,
        kind="account" if follows else "",
        follows=f"{follows}.{zone}" if follows else "",
    )


def verdicts_of(some: Fleet, **others: Verdict) -> dict[str, Verdict]:
    """All up, but lb_2=DOWN and so on."""
    return {one.id: others.get(one.id.replace("-", "_"), UP) for one in some.load_balancers}


def context(
    generation: int,
    policies: Iterable[EndpointPolicy] = (),
    *,
    zones: tuple[str, ...] = (ZONE,),
    present: Mapping[tuple[str, str], Presence] | None = None,
    consents: Mapping[str, str] | None = None,
) -> PlanContext:
    """Nothing stands at any name unless said."""
    everything = {one.key: EMPTY for one in policies} if present is None else present
    return PlanContext("main", zones, generation, "tests", present=everything, consents=consents or {})


def planned(
    some: Fleet,
    verdicts: Mapping[str, Verdict],
    policies: tuple[EndpointPolicy, ...],
    previous: Plan | None = None,
    now: float = 1000.0,
) -> Draft:
    """A draft with the next number."""
    generation = previous.generation + 1 if previous else 1
    return draft(some, verdicts, policies, previous, now, context(generation, policies))


def begun(some: Fleet, *policies: EndpointPolicy, now: float = 0.0) -> Plan:
    """The first plan, all load balancers up."""
    first = planned(some, verdicts_of(some), policies or (policy(),), now=now).plan
    assert first is not None
    return first


def entry_of(plan: Plan | None, key: tuple[str, str] = WWW) -> Entry:
    """Its entry, which must be there."""
    assert plan is not None
    entry = plan.entry(key)
    assert entry is not None
    return entry


def served(entry: Entry) -> list[str]:
    """The ids in the answer."""
    return sorted({member.load_balancer for member in entry.members if member.served})


def texts(entry: Entry, rtype: RRType = RRType.A) -> tuple[str, ...]:
    """The addresses in the answer."""
    rrset = entry.rrset(rtype)
    return rrset.texts() if rrset else ()
