"""Why an address is, or is not, in the answer, since when, and who decided: said once, for the command and the page."""

import ipaddress
from collections.abc import Callable

from msgspec import Struct

from standfast.config import Config
from standfast.core.decisions import Load
from standfast.core.selection import excluded
from standfast.core.spread import Share, shares
from standfast.model.entry import NOT_CHOSEN, Entry, Key, Member
from standfast.model.fleet import LoadBalancer, readable
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown

from .archive import Archive
from .budgets import limits_told, loads_told, shares_told
from .chronicle import Since, member_of, since_when
from .hostedtold import left_out
from .observing import Seen, open_existing
from .overridden import told
from .phrases import capital
from .place import Place, policy_of
from .times import clock
from .verdict import Standing, by, held_sentence, standing
from .zonesight import EndpointSight


class Case(Struct, frozen=True):
    """One load balancer and one endpoint. `known` is False if the plan does not consider it: then `since` is None."""

    member: Member
    known: bool
    since: Since | None
    remedy: str


def cases(seen: Seen, entry: Entry, config: Config, wanted: str | None = None) -> list[Case]:
    """Every load balancer that is known, or those `wanted` by id or address. Raises StandfastError."""
    now = next((one.members for one in seen.decisions if one.key == entry.key), ())
    reasons = {(one.load_balancer, one.addresses, one.served): one.reason for one in now}
    members = [
        (Member(m.load_balancer, m.addresses, m.weight, m.served, reasons.get(_identity(m), m.reason)), True)
        for m in entry.members
    ]
    considered = {one.load_balancer for one in entry.members}
    fleet = seen.store.fleet.load_balancers if seen.store.fleet else ()
    members += [(_excluded(entry.key, one, config), False) for one in fleet if one.id not in considered]
    if wanted is not None:
        members = [(one, known) for one, known in members if _meant(one, wanted)]
    store = open_existing(Place(config))
    if isinstance(store, Unknown):
        return [Case(one, known, None, _remedy(seen, entry, one, known, config)) for one, known in members]
    try:
        archive = Archive(store)
        return [
            Case(one, known, _since(seen, archive, entry.key, one) if known else None,
                 _remedy(seen, entry, one, known, config))
            for one, known in members
        ]  # fmt: skip
    finally:
        store.close()


def _identity(member: Member) -> tuple[str, tuple[str, ...], bool]:
    return (member.load_balancer, member.addresses, member.served)


def _excluded(key: Key, one: LoadBalancer, config: Config) -> Member:
    """One that the plan does not consider for this endpoint, with the policy's reason."""
    policy = next((policy_of(e) for e in config.endpoints if (e.zone, e.name) == key), None)
    why = "the endpoint is not in the configuration any more" if policy is None else excluded(policy, one)
    return Member(one.id, (*one.ipv4, *one.ipv6), one.capacity, False, why or "no plan considers it yet")


def _meant(one: Member, wanted: str) -> bool:
    return one.load_balancer == wanted or (canonical(wanted) or wanted.lower().rstrip(".")) in readable(one.addresses)


def canonical(text: str) -> str:
    """An address in canonical text; empty if it is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _since(seen: Seen, archive: Archive, key: Key, member: Member) -> Since | None:
    def same(plan: Plan) -> bool:
        then = member_of(plan.entry(key), member.load_balancer)
        return (
            then is not None
            and then.served == member.served
            and (not then.served or then.addresses == member.addresses)
        )

    def same_or_absent(plan: Plan) -> bool:
        then = member_of(plan.entry(key), member.load_balancer)
        return then is None or not then.served

    is_same: Callable[[Plan], bool] = same if member.served else same_or_absent
    return since_when(seen.store.plans, archive.load, is_same)


def _remedy(seen: Seen, entry: Entry, member: Member, known: bool, config: Config) -> str:
    """What would bring it back, or why it will come back by itself."""
    if entry.held:
        return ""
    if (override := seen.store.ruling(seen.at).get(member.load_balancer)) is not None:
        return f"{told(override, seen.at)}."
    if member.served:
        return ""
    fleet = seen.store.fleet
    declared = next((one for one in fleet.load_balancers if one.id == member.load_balancer), None) if fleet else None
    if declared is not None and declared.admin != "up" and declared.why:
        return f"It returns when who asked for that ends it. {_regardless(member)}"
    if declared is not None and declared.admin != "up":
        return f"To put it back: take `admin: {declared.admin}` away from {member.load_balancer} in the file."
    if not known:
        return ""
    judged, health = seen.store.judged(member.load_balancer), config.health
    if judged is not None and judged.state == "down" and health is not None:
        if judged.returns is not None:
            return f"It passes now, and returns at {clock(judged.returns, seen.at)} if it goes on."
        if judged.flaps > 1:
            return f"It fell {judged.flaps} times lately, so it returns only after a longer row of passed checks."
        span = f"{health.rise * health.interval_s:g} s"
        return f"It returns by itself after {health.rise} passed checks ({span})."
    if judged is not None and judged.state == "up" and not member.reason.startswith(NOT_CHOSEN):
        return "Its checks pass now; it returns with the next plan, as far as the guards allow."
    return ""


def _regardless(member: Member) -> str:
    return f'To put it back regardless: standfast override {member.load_balancer} up --for 1h --reason "…"'


def sentence(seen: Seen, entry: Entry, case: Case) -> str:
    """All that is to be said of one load balancer."""
    member = case.member
    name = seen.short(entry.key)
    where = readable(member.addresses)
    some = _addresses(where)
    verb = "are" if len(where) > 1 else "is"
    text = f"{some} {verb}{'' if member.served else ' not'} in the answer of {name}{_moment(seen, case)}"
    judged = seen.store.judged(member.load_balancer)
    alone = judged and seen.store.vantage and not seen.store.votes  # the votes' own words name who saw it
    seen_from = f", seen from {seen.store.vantage}" if alone else ""
    if member.reason.startswith("failed"):
        text += f" because {member.load_balancer} {member.reason}{seen_from}."
    else:
        text += f". {member.load_balancer}: {member.reason or 'the plan gives no reason'}."
        if judged is not None and judged.reason != member.reason and judged.reason not in member.reason:
            text += f" Health now: {judged.state}, {judged.reason}{seen_from}."
    if judged is not None and judged.state == "down":
        text += f" Its checks fail since {clock(judged.since, seen.at)}."
    return f"{text} {case.remedy}".rstrip()


def _addresses(some: tuple[str, ...]) -> str:
    if not some:
        return "No address"
    return some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"


def _moment(seen: Seen, case: Case) -> str:
    if case.since is None:
        return ""
    one = case.since.summary
    at = clock(one.at, seen.at)
    if not case.since.exact:
        return f" since {at} (g{one.generation}) or longer: older plans are gone"
    return f" since {at} (g{one.generation}, by {by(one.author)})"


def sight_of(seen: Seen, entry: Entry) -> EndpointSight | None:
    """How DNS has it, if it was looked at."""
    zone = next((one for one in seen.zones if one.zone == entry.zone), None)
    return next((one for one in zone.endpoints if one.entry.key == entry.key), None) if zone else None


def standing_of(seen: Seen, entry: Entry) -> Standing | None:
    """How it stands, if it was looked at."""
    sight = sight_of(seen, entry)
    zone = next((one for one in seen.zones if one.zone == entry.zone), None)
    return standing(sight, seen.store.plan, zone) if sight and zone and seen.store.plan else None


def concerned(seen: Seen, entry: Entry) -> tuple[list[Load], list[Share]]:
    """What its load balancers carry, of all endpoints, and this endpoint's own shares."""
    names = {one.load_balancer for one in entry.members}
    own = (one for one in seen.spreads if one.key == entry.key)
    return [one for one in seen.loads if one.load_balancer in names], list(shares(own))


def remarks(seen: Seen, entry: Entry) -> list[str]:
    """What is true of the endpoint as a whole: held, not written yet, damaged, unknown."""
    name = seen.short(entry.key)
    lines = []
    if entry.held:
        lines.append(f"{held_sentence(seen, entry)} To end that: standfast resume {name}")
    if entry.note and not entry.held:
        lines.append(f"Note: {entry.note}.")
    for one in seen.decisions:
        if one.key == entry.key:
            lines += limits_told(one, seen.at)
    loads, own = concerned(seen, entry)
    lines += [*left_out(seen, entry), *loads_told(loads), *shares_told(own)]
    how = standing_of(seen, entry)
    if how is not None and how.state == "unread":
        lines.append(f"This is the plan's word: whether DNS answers so is unknown ({how.why}).")
    elif how is not None and how.state not in ("ok", "held"):
        lines.append(f"This is the plan's word; DNS differs now: {how.why}.")
    if not seen.hidden and not seen.running("planner"):
        lines.append("No planner is at work here, so what is said of health may be old: standfast status.")
    if seen.store.trouble:
        copy = f" This is the copy that enactor {seen.store.copy} keeps." if seen.store.copy else ""
        lines.append(f"The plan store can't be read: {seen.store.trouble.rstrip('.')}.{copy}")
    refusals = [one for one in seen.refusals if one.key == entry.key]
    return lines + [f"A guard refuses to change it: {one.reason}. {capital(one.remedy)}." for one in refusals]
