"""`standfast explain`: why each address is (not) in the answer, since when, who decided, and what would change it."""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from standfast.errors import StandfastError
from standfast.model.entry import Member
from standfast.ports.provider import Unknown

from .wording import (
    DRAINED,
    IN,
    KEPT,
    OUT,
    Archive,
    as_text,
    config_option,
    did_you_mean,
    dump,
    endpoint_named,
    json_option,
    live_keys,
    loaded,
    table,
)

if TYPE_CHECKING:
    from standfast.config import Config
    from standfast.model.entry import Entry, Key
    from standfast.model.fleet import LoadBalancer
    from standfast.model.plan import Plan
    from standfast.runtime.chronicle import Since
    from standfast.runtime.observing import Seen
    from standfast.runtime.verdict import Standing
    from standfast.runtime.zonesight import EndpointSight


class Case(Struct, frozen=True):
    """One load balancer and one endpoint. `known` is False if the plan does not consider it: then `since` is None."""

    member: Member
    known: bool
    since: "Since | None"
    remedy: str


@click.command("explain", short_help="why an address is (not) in the answer, since when, who decided")
@click.argument("name")
@click.argument("load_balancer", required=False, metavar="[LB|ADDRESS]")
@config_option
@json_option
def explain_command(name: str, load_balancer: str | None, file: str, as_json: bool) -> None:
    """Why each address is, or is not, in the answer of NAME; or of one load balancer, by its id or an address."""
    from standfast.runtime.observing import look_at_store, observe
    from standfast.runtime.place import Place

    config = loaded(file)
    plan = look_at_store(Place(config)).plan
    if plan is None:
        raise StandfastError("Nothing was published yet, as far as can be read here.", "`standfast status` says more.")
    key = endpoint_named(name, live_keys(plan))
    seen = observe(config, secondaries=False, only=key)
    entry = seen.store.plan.entry(key) if seen.store.plan else None
    if entry is None:
        raise StandfastError("The plan changed while it was read.", "Try again.")
    cases = _cases(seen, entry, config, load_balancer)
    if as_json:
        dump(_json(seen, entry, cases))
    elif load_balancer is None:
        as_text(_overview(seen, entry, cases))
    else:
        lines = [sentence(seen, entry, case) for case in cases] or [_stranger(seen, entry, load_balancer, config)]
        as_text([*lines, *_remarks(seen, entry)])


def _cases(seen: "Seen", entry: "Entry", config: "Config", wanted: str | None) -> list[Case]:
    from standfast.runtime.observing import open_existing
    from standfast.runtime.place import Place

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


def _excluded(key: "Key", one: "LoadBalancer", config: "Config") -> Member:
    """One that the plan does not consider for this endpoint, with the policy's reason."""
    from standfast.core.selection import excluded
    from standfast.runtime.place import policy_of

    policy = next((policy_of(e) for e in config.endpoints if (e.zone, e.name) == key), None)
    why = "the endpoint is not in the configuration any more" if policy is None else excluded(policy, one)
    return Member(one.id, (*one.ipv4, *one.ipv6), one.capacity, False, why or "no plan considers it yet")


def _meant(one: Member, wanted: str) -> bool:
    return one.load_balancer == wanted or _canonical(wanted) in one.addresses


def _canonical(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _since(seen: "Seen", archive: Archive, key: "Key", member: Member) -> "Since | None":
    from standfast.runtime.chronicle import member_of, since_when

    def same(plan: "Plan") -> bool:
        then = member_of(plan.entry(key), member.load_balancer)
        return (
            then is not None
            and then.served == member.served
            and (not then.served or then.addresses == member.addresses)
        )

    def same_or_absent(plan: "Plan") -> bool:
        then = member_of(plan.entry(key), member.load_balancer)
        return then is None or not then.served

    is_same: Callable[[Plan], bool] = same if member.served else same_or_absent
    return since_when(seen.store.plans, archive.load, is_same)


def _remedy(seen: "Seen", entry: "Entry", member: Member, known: bool, config: "Config") -> str:
    """What would bring it back, or why it will come back by itself."""
    if entry.held or member.served:
        return ""
    fleet = seen.store.fleet
    declared = next((one for one in fleet.load_balancers if one.id == member.load_balancer), None) if fleet else None
    if declared is not None and declared.admin != "up":
        return f"To put it back: take `admin: {declared.admin}` away from {member.load_balancer} in the file."
    if not known:
        return ""
    judged, health = seen.store.judged(member.load_balancer), config.health
    if judged is not None and judged.state == "down" and health is not None:
        span = f"{health.rise * health.interval_s:g} s"
        return f"It returns by itself after {health.rise} passed checks ({span})."
    if judged is not None and judged.state == "up" and not member.reason.startswith("not chosen"):
        return "Its checks pass now; it returns with the next plan, as far as the guards allow."
    return ""


def sentence(seen: "Seen", entry: "Entry", case: Case) -> str:
    """All that is to be said of one load balancer."""
    from standfast.runtime.verdict import short_name

    member = case.member
    name = short_name(entry.name, entry.zone)
    some = _addresses(member.addresses)
    verb = "are" if len(member.addresses) > 1 else "is"
    text = f"{some} {verb}{'' if member.served else ' not'} in the answer of {name}{_moment(seen, case)}"
    judged = seen.store.judged(member.load_balancer)
    seen_from = f", seen from {seen.store.vantage}" if judged and seen.store.vantage else ""
    if member.reason.startswith("failed"):
        text += f" because {member.load_balancer} {member.reason}{seen_from}."
    else:
        text += f". {member.load_balancer}: {member.reason or 'the plan gives no reason'}."
        if judged is not None and judged.reason != member.reason and judged.reason not in member.reason:
            text += f" Health now: {judged.state}, {judged.reason}{seen_from}."
    return f"{text} {case.remedy}".rstrip()


def _addresses(some: tuple[str, ...]) -> str:
    if not some:
        return "No address"
    return some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"


def _moment(seen: "Seen", case: Case) -> str:
    from standfast.runtime.times import clock
    from standfast.runtime.verdict import by

    if case.since is None:
        return ""
    one = case.since.summary
    at = clock(one.at, seen.at)
    if not case.since.exact:
        return f" since {at} (g{one.generation}) or longer: older plans are gone"
    return f" since {at} (g{one.generation}, by {by(one.author)})"


def _overview(seen: "Seen", entry: "Entry", cases: list[Case]) -> list[str]:
    from standfast.runtime.times import clock, span
    from standfast.runtime.verdict import published_at

    at = published_at(seen.store.plans).get(entry.since)
    when = f" since {clock(at, seen.at)} ({span(seen.at - at)})" if at is not None else ""
    served = sum(one.member.served for one in cases)
    known = sum(one.known for one in cases)
    lines = [f"{entry.name}: {served} of {known} load balancers are in the answer; it is so{when}, g{entry.since}."]
    rows = []
    for case in cases:
        one = case.member
        kept = one.served and one.reason.startswith("kept: ")
        drained = not one.served and one.reason.startswith("drained")
        sign = KEPT if kept else IN if one.served else DRAINED if drained else OUT
        word = "in" if one.served else "out"
        rows.append((f"{sign} {word}", one.load_balancer, " ".join(one.addresses), _short(seen, case), one.reason))
    lines += table(rows, "   ")
    if not cases:
        texts = [text for rrset in entry.rrsets for text in rrset.texts()]
        lines.append(
            f"   {' '.join(texts) or 'no address'}: the plan names no load balancer for {'these' if texts else 'it'}"
        )
    remedies = [f"   {case.member.load_balancer}: {case.remedy}" for case in cases if case.remedy]
    return [*lines, *remedies, *_remarks(seen, entry)]


def _short(seen: "Seen", case: Case) -> str:
    from standfast.runtime.times import clock
    from standfast.runtime.verdict import by

    if case.since is None:
        return "–" if case.known else "not eligible"
    one = case.since.summary
    return f"{'since' if case.since.exact else 'before'} {clock(one.at, seen.at)} g{one.generation} {by(one.author)}"


def _stranger(seen: "Seen", entry: "Entry", text: str, config: "Config") -> str:
    """An id or address that no load balancer has. Raises StandfastError if it is no address."""
    address = _canonical(text)
    if not address:
        known = {one.load_balancer for one in entry.members} | {one.id for one in config.load_balancers}
        known |= {one.id for one in seen.store.fleet.load_balancers} if seen.store.fleet else set()
        raise StandfastError(f"There is no load balancer {text}.", did_you_mean(text, sorted(known)))
    planned = {one for rrset in entry.rrsets for one in rrset.texts()}
    sight = _sight(seen, entry)
    standing = {t for one in (sight.seen or ()) if one is not None for t in one.texts()} if sight else set()
    if address in planned:
        return f"{address} is in the answer since g{entry.since}; the plan names no load balancer for it."
    if address in standing:
        return (
            f"{address} stands in DNS, but no plan gives it and it belongs to no load balancer: "
            "somebody else wrote it. Enactors take it out at their next look."
        )
    return f"{address} belongs to no load balancer that is known, and is not in the answer."


def _sight(seen: "Seen", entry: "Entry") -> "EndpointSight | None":
    return next((one for one in seen.endpoints if one.entry.key == entry.key), None)


def _standing(seen: "Seen", entry: "Entry") -> "Standing | None":
    from standfast.runtime.verdict import standings

    return next((how for one, how in standings(seen) if one.entry.key == entry.key), None)


def _remarks(seen: "Seen", entry: "Entry") -> list[str]:
    """What is true of the endpoint as a whole: held, not written yet, damaged, unknown."""
    from standfast.runtime.verdict import held_sentence, short_name

    name = short_name(entry.name, entry.zone)
    lines = []
    if entry.held:
        lines.append(f"{held_sentence(seen, entry)} To end that: standfast resume {name}")
    if entry.note and not entry.held:
        lines.append(f"Note: {entry.note}.")
    how = _standing(seen, entry)
    if how is not None and how.state == "unread":
        lines.append(f"This is the plan's word: whether DNS answers so is unknown ({how.why}).")
    elif how is not None and how.state not in ("ok", "held"):
        lines.append(f"This is the plan's word; DNS differs now: {how.why}.")
    if seen.store.trouble:
        copy = f" This is the copy that enactor {seen.store.copy} keeps." if seen.store.copy else ""
        lines.append(f"The plan store can't be read: {seen.store.trouble.rstrip('.')}.{copy}")
    refusals = [one for one in seen.refusals if one.key == entry.key]
    return lines + [f"A guard refuses to change it: {one.reason}. {one.remedy}." for one in refusals]


def _json(seen: "Seen", entry: "Entry", cases: list[Case]) -> dict[str, Any]:
    how = _standing(seen, entry)
    return {
        "name": entry.name,
        "zone": entry.zone,
        "generation": seen.store.plan.generation if seen.store.plan else None,
        "since": entry.since,
        "held": entry.held or None,
        "state": how.state if how else None,
        "why": how.why or None if how else None,
        "load_balancers": [
            {
                "id": one.member.load_balancer,
                "addresses": list(one.member.addresses),
                "in_answer": one.member.served,
                "eligible": one.known,
                "reason": one.member.reason,
                "since": None
                if one.since is None
                else {
                    "generation": one.since.summary.generation,
                    "at": one.since.summary.at,
                    "by": one.since.summary.author,
                    "exact": one.since.exact,
                },
                "sentence": sentence(seen, entry, one),
            }
            for one in cases
        ],
        "remarks": _remarks(seen, entry),
    }
