"""`standfast explain`: why each address is (not) in the answer, since when, who decided, and what would change it."""

from typing import TYPE_CHECKING, Any

import click

from standfast.errors import StandfastError

from .wording import (
    DRAINED,
    IN,
    KEPT,
    OUT,
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
    from standfast.model.plan import Plan
    from standfast.runtime.explaining import Case
    from standfast.runtime.observing import Seen


@click.command("explain", short_help="why an address is (not) in the answer, since when, who decided")
@click.argument("name")
@click.argument("load_balancer", required=False, metavar="[LB|ADDRESS]")
@config_option
@json_option
def explain_command(name: str, load_balancer: str | None, file: str, as_json: bool) -> None:
    """Why each address is, or is not, in the answer of NAME; or of one load balancer, by its id or an address.

    `standfast explain defaults` shows every default with its reason. (An endpoint of that name is meant in full.)
    """
    if name == "defaults" and load_balancer is None:
        from .defaults import show_defaults

        show_defaults(as_json=as_json)
        return
    from standfast.runtime.explaining import cases, remarks, sentence
    from standfast.runtime.observed import viewed
    from standfast.runtime.observing import look_at_store, observe
    from standfast.runtime.place import Place

    config = viewed(loaded(file))
    plan = look_at_store(Place(config)).plan
    if plan is None:
        raise StandfastError("Nothing was published yet, as far as can be read here.", "`standfast status` says more.")
    key = _endpoint(name, plan, config)
    seen = observe(config, secondaries=False, only=key)
    entry = seen.store.plan.entry(key) if seen.store.plan else None
    if entry is None:
        raise StandfastError("The plan changed while it was read.", "Try again.")
    found = cases(seen, entry, config, load_balancer)
    if as_json:
        dump(_json(seen, entry, found, config))
    elif load_balancer is None:
        as_text(_overview(seen, entry, found))
    else:
        lines = [sentence(seen, entry, case) for case in found] or [_stranger(seen, entry, load_balancer, config)]
        as_text([*lines, *remarks(seen, entry)])


def _endpoint(name: str, plan: "Plan", config: "Config") -> "Key":
    """The endpoint that is meant. Raises StandfastError, of one that is in no plan yet with what keeps it out."""
    try:
        return endpoint_named(name, live_keys(plan))
    except StandfastError:
        try:
            key = endpoint_named(name, [(one.zone, one.name) for one in config.endpoints])
        except StandfastError:
            key = None
        if key is None or plan.entry(key) is not None:
            raise
    from standfast.runtime.observing import at_work, present
    from standfast.runtime.place import Place

    planners = (one for one in present(Place(config)) if one.role == "planner" and at_work(one))
    told = [str(text) for one in planners for text in one.facts.get("refusals") or ()]
    why = next((text.removeprefix(f"{key[1]}: ") for text in told if text.startswith(f"{key[1]}: ")), "")
    ended = f": {why.rstrip('.')}" if why else ""
    raise StandfastError(f"{key[1]} is in no plan yet{ended}.", "`standfast plan` says what it waits for.")


def _overview(seen: "Seen", entry: "Entry", cases: "list[Case]") -> list[str]:
    from standfast.model.fleet import readable
    from standfast.runtime.explaining import remarks
    from standfast.runtime.keeping import kept
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
        drained = not one.served and one.reason.startswith("drained")
        sign = KEPT if kept(one) else IN if one.served else DRAINED if drained else OUT
        word = "in" if one.served else "out"
        where = " ".join(readable(one.addresses))
        rows.append((f"{sign} {word}", one.load_balancer, where, _short(seen, case), one.reason))
    lines += table(rows, "   ")
    if not cases:
        texts = [text for rrset in entry.rrsets for text in rrset.texts()]
        lines.append(
            f"   {' '.join(texts) or 'no address'}: the plan names no load balancer for {'these' if texts else 'it'}"
        )
    remedies = [f"   {case.member.load_balancer}: {case.remedy}" for case in cases if case.remedy]
    return [*lines, *remedies, *remarks(seen, entry)]


def _short(seen: "Seen", case: "Case") -> str:
    from standfast.runtime.times import clock
    from standfast.runtime.verdict import by

    if case.since is None:
        return "–" if case.known else "not eligible"
    one = case.since.summary
    return f"{'since' if case.since.exact else 'before'} {clock(one.at, seen.at)} g{one.generation} {by(one.author)}"


def _stranger(seen: "Seen", entry: "Entry", text: str, config: "Config") -> str:
    """An id or address that no load balancer has. Raises StandfastError if it is no address."""
    from standfast.runtime.explaining import canonical, sight_of

    address = canonical(text)
    if not address:
        known = {one.load_balancer for one in entry.members} | {one.id for one in config.load_balancers}
        known |= {one.id for one in seen.store.fleet.load_balancers} if seen.store.fleet else set()
        raise StandfastError(f"There is no load balancer {text}.", did_you_mean(text, sorted(known)))
    planned = {one for rrset in entry.rrsets for one in rrset.texts()}
    sight = sight_of(seen, entry)
    standing = {t for one in (sight.seen or ()) if one is not None for t in one.texts()} if sight else set()
    if address in planned:
        return f"{address} is in the answer since g{entry.since}; the plan names no load balancer for it."
    if address in standing:
        return (
            f"{address} stands in DNS, but no plan gives it and it belongs to no load balancer: "
            "somebody else wrote it. Enactors take it out at their next look."
        )
    return f"{address} belongs to no load balancer that is known, and is not in the answer."


def _json(seen: "Seen", entry: "Entry", cases: "list[Case]", config: "Config") -> dict[str, Any]:
    from msgspec import to_builtins

    from standfast.runtime.budgets import budget_facts, limits_facts, loads_facts, shares_facts
    from standfast.runtime.explaining import concerned, remarks, sentence, standing_of
    from standfast.runtime.keeping import kept
    from standfast.runtime.place import policy_of

    how = standing_of(seen, entry)
    decision = next((one for one in seen.decisions if one.key == entry.key), None)
    policy = next((policy_of(one) for one in config.endpoints if (one.zone, one.name) == entry.key), None)
    loads, own = concerned(seen, entry)
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
                "kept": kept(one.member),
                "reason": one.member.reason,
                "health": to_builtins(judged) if (judged := seen.store.judged(one.member.load_balancer)) else None,
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
        **(budget_facts(decision) if decision else {"budget": None, "adding": None, "held_back": None}),
        "limits": limits_facts(policy) if policy else None,
        "loads": loads_facts(loads),
        "shares": shares_facts(own),
        "remarks": remarks(seen, entry),
    }
