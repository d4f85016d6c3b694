"""`standfast emergency publish`: these addresses, now, with nothing but the DNS server. Held until `resume`."""

from typing import TYPE_CHECKING, Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, EXIT_REFUSED, Refusal, StandfastError

from .agreeing import agreed, reason_option, say, yes_option
from .reporting import Facts, reported
from .wording import as_text, config_option, json_option, loaded, place_named

if TYPE_CHECKING:
    from standfast.config import Config, ZoneConfig
    from standfast.model.entry import Entry
    from standfast.model.rrset import RRset
    from standfast.runtime.commanding import Known
    from standfast.runtime.place import Place
    from standfast.runtime.zonesight import EndpointSight

_CODES: Final = {
    "done": EXIT_FINE,
    "refused": EXIT_REFUSED,
    "moved": EXIT_DIFFERS,
    "conflict": EXIT_DIFFERS,
    "blind": EXIT_ERROR,
    "unrecorded": EXIT_ERROR,
}


@click.group("emergency", short_help="publish addresses without planner and store")
def emergency_command() -> None:
    """What works when only the DNS server does."""


@emergency_command.command("publish", short_help="these addresses, now, held")
@click.argument("name")
@click.option(
    "--address", "addresses", multiple=True, required=True, metavar="ADDRESS", help="IPv4 or IPv6; may be repeated"
)
@click.option("--ttl", type=click.IntRange(1, 604_800), metavar="SECONDS", help="as it is now, if not given")
@reason_option
@yes_option
@config_option
@json_option
@click.pass_context
def publish_command(
    ctx: click.Context,
    name: str,
    addresses: tuple[str, ...],
    ttl: int | None,
    reason: str,
    yes: bool,
    file: str,
    as_json: bool,
) -> None:
    """Publish exactly these addresses at NAME, above every generation known, and hold them.

    Needs only the DNS server and the key: no planner, no store. Health and configuration change nothing about it until
    `standfast resume NAME`: the planner, when it is back, takes over what stands there, held.

    Exit code: 0 DNS has it, 3 refused or not agreed to, 2 somebody else keeps writing, 1 the zone can't be read.
    """
    with reported(as_json) as facts:
        code = _publish(name, addresses, ttl, reason, yes, file, facts)
        facts["ok"] = code == EXIT_FINE
    ctx.exit(code)


def _publish(
    name: str, addresses: tuple[str, ...], ttl: int | None, reason: str, yes: bool, file: str, facts: Facts
) -> int:
    """Look, ask, write, read back. Gives the exit code; raises Refusal and StandfastError."""
    from standfast.runtime.calling import called_alike, short_name
    from standfast.runtime.place import Place
    from standfast.runtime.zoneorders import look_at, publish, standing

    config = loaded(file)
    place = Place(config)
    zone, endpoint, known = place_named(name, config, place)
    if not endpoint:
        raise StandfastError(f"{name} is a zone.", "Name the endpoint to be published.")
    short = short_name(endpoint, zone.name, called_alike(config, known.plan))
    seen = look_at(zone, config.stream, (endpoint,))
    if seen.trouble:
        raise StandfastError(f"{zone.name} can't be read ({seen.trouble}).", "`standfast check` says more.")
    sight = seen.endpoints[0]
    planned = known.plan.entry((zone.name, endpoint)) if known.plan else None
    rrsets = _rrsets(addresses, ttl or _ttl(config, endpoint, sight, planned))
    least = tuple((one.rtype, min(_least(planned, one.rtype), len(one.rdata))) for one in rrsets)
    _usable(zone, endpoint, rrsets, least)
    doubts = [*_doubts(config, place, known, planned, sight, rrsets)]
    as_text(_shown(short, standing(sight), rrsets, doubts))
    agreed(short, yes=yes, reason=reason, weighty=bool(doubts))
    ended = publish(place, zone, known, endpoint, rrsets, least, reason)
    if ended.result != "done":
        raise _not_done(short, ended.result, ended.why)
    after = look_at(zone, config.stream, (endpoint,)).endpoints[0]
    same = set(standing(after)) == set(rrsets)
    facts |= {"action": "emergency publish", "zone": zone.name, "endpoint": endpoint, "generation": ended.generation}
    facts |= {"addresses": [text for one in rrsets for text in one.texts()], "ttl": rrsets[0].ttl}
    facts |= {"read_back": same, "held": True, "doubts": doubts}
    say("operator", f"{known_who()} emergency publish {short}" + (f': "{reason}"' if reason else ""))
    proof = "written and read back" if same else "written; what is read back differs already"
    click.echo(f"{short} serves g{ended.generation}: {_texts(rrsets)}  ({proof})")
    click.echo(f"Failover is OFF for {short}. A planner takes this over as HELD when it is back.")
    click.echo(f"Next:  mend what is broken  →  standfast status  →  standfast resume {short}")
    return EXIT_FINE if same else EXIT_DIFFERS


def known_who() -> str:
    """Who is at the keyboard."""
    from standfast.runtime.operating import operator

    return operator()


def _not_done(short: str, result: str, why: str) -> StandfastError:
    text = f"{short}: {why}."
    if _CODES[result] == EXIT_REFUSED:
        return Refusal(text, "Nothing was written.")
    from standfast.errors import Differs

    if _CODES[result] == EXIT_DIFFERS:
        return Differs(text, "Give the same command again.")
    return StandfastError(text, "Give the same command again.")


def _rrsets(texts: tuple[str, ...], ttl: int) -> "tuple[RRset, ...]":
    """Raises StandfastError with every text that is no address."""
    from standfast.model.rrset import address_rdata, addresses

    wrong = []
    for text in texts:
        try:
            address_rdata(text)
        except ValueError:
            wrong.append(text)
    if wrong:
        raise StandfastError(f"No address: {', '.join(wrong)}.", "Give each as --address 192.0.2.1.")
    return addresses(ttl, texts)


def _ttl(config: "Config", endpoint: str, sight: "EndpointSight", planned: "Entry | None") -> int:
    from standfast.runtime.zoneorders import standing

    configured = [one.ttl for one in config.endpoints if one.name == endpoint]
    there = [one.ttl for one in standing(sight)] + [one.ttl for one in (planned.rrsets if planned else ())]
    return (configured or there or [60])[0]


def _least(planned: "Entry | None", rtype: int) -> int:
    return dict(planned.min_answers).get(rtype, 1) if planned else 1


def _usable(zone: "ZoneConfig", name: str, rrsets: "tuple[RRset, ...]", least: tuple[tuple[int, int], ...]) -> None:
    """By the guard that every plan passes, and within the prefixes of this machine's configuration. Raises Refusal."""
    from standfast.core.guard import entry_violations
    from standfast.core.prefixes import prefix_violations
    from standfast.model.entry import Entry

    entry = Entry(zone.name, name, 1, rrsets=rrsets, min_answers=least)
    if violations := (*entry_violations(entry), *prefix_violations(entry, zone.prefixes)):
        raise Refusal("; ".join(str(one) for one in violations) + ".", "Nothing was written.")


def _doubts(
    config: "Config",
    place: "Place",
    known: "Known",
    planned: "Entry | None",
    sight: "EndpointSight",
    rrsets: "tuple[RRset, ...]",
) -> "list[str]":
    """What a guard would refuse, or somebody better informed would do otherwise."""
    from standfast.model.marker import Absent
    from standfast.model.rrset import RRType, type_name
    from standfast.runtime.observing import at_work, declared_fleet, present
    from standfast.runtime.zoneorders import standing

    found = []
    given = {one.rtype: one for one in rrsets}
    if any(one.role == "planner" and at_work(one) for one in present(place)):
        found.append("a planner is at work here: `rollback`, `hold` and `override` go through it and its guards")
    found += [
        f"it has {one.count} {type_name(one.rtype)} now and will have none"
        for one in standing(sight)
        if one.answers not in given
    ]
    for rtype, least in planned.min_answers if planned else ():
        if rtype in given and len(given[rtype].rdata) < least:
            found.append(f"{len(given[rtype].rdata)} {RRType(rtype).name} where min_answers is {least}")
    if standing(sight) and isinstance(sight.marker, Absent) and planned is None:
        found.append("it exists in DNS and has no marker of ours")
    fleet = declared_fleet(config)
    members = [one.addresses for one in planned.members] if planned else []
    ours = {text for one in fleet.load_balancers for text in (*one.ipv4, *one.ipv6)} if fleet else set()
    ours |= {text for some in members for text in some}
    strange = sorted(text for one in rrsets for text in one.texts() if text not in ours)
    if strange:
        found.append(f"of no load balancer that is known here: {', '.join(strange)}")
    return found


def _texts(rrsets: "tuple[RRset, ...]") -> str:
    return "  ".join(text for one in rrsets for text in one.texts())


def _shown(short: str, before: "tuple[RRset, ...]", after: "tuple[RRset, ...]", doubts: list[str]) -> list[str]:
    was = {text for one in before for text in one.texts()}
    now = {text for one in after for text in one.texts()}
    lines = [f"{short}: publish this now, without a plan, and hold it?"]
    for sign, texts in (("  ", was & now), ("− ", was - now), ("+ ", now - was)):
        if texts:
            lines.append(f"   {sign}{'  '.join(sorted(texts))}" + ("   stay" if sign == "  " else ""))
    lines += [f"   Take care: {doubt}." for doubt in doubts]
    return lines
