"""`standfast status`: one sentence on how things stand, then every name, server and process; nothing is changed."""

import re
import textwrap
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from .contents import entry_json
from .texts import Tone, paint
from .wording import (
    DRAINED,
    IN,
    KEPT,
    OUT,
    as_text,
    config_option,
    dump,
    json_option,
    loaded,
    override_json,
)

if TYPE_CHECKING:
    from standfast.config import Config
    from standfast.model.entry import Entry, Member
    from standfast.runtime.observing import Seen
    from standfast.runtime.verdict import Standing, Verdict
    from standfast.runtime.zonesight import EndpointSight

SHOWN_MAX: Final = 12
"""So many names are shown, worst first; the others are counted."""
_WIDTH: Final = 110
_TIE: Final = "\N{NO-BREAK SPACE}"
_WORDS: Final[Mapping[str, str]] = {
    "ok": "OK",
    "held": "HELD",
    "frozen": "FROZEN",
    "behind": "BEHIND",
    "damaged": "DAMAGED",
    "ahead": "AHEAD",
    "refused": "REFUSED",
    "retired": "RETIRED",
    "unread": "UNKNOWN",
}
_TONES: Final[Mapping[str, Tone]] = {"FINE": "good", "NEEDS YOU": "bad", "BLIND": "bad"}
"""On a terminal; the others want to be seen, and no more."""
_ORDER: Final = ("refused", "unread", "damaged", "behind", "ahead", "frozen", "held", "ok", "retired")


@click.command("status", short_help="how things stand, and the one command that fits")
@config_option
@json_option
@click.option("--all", "every", is_flag=True, help="every name, however many there are")
@click.option("--watch", is_flag=True, help="look again each second, until Ctrl-C")
@click.pass_context
def status_command(ctx: click.Context, file: str, as_json: bool, every: bool, watch: bool) -> None:
    """How things stand. Exit code: 0 in step, 2 something differs or nobody runs, 3 a guard holds or refuses
    something, 1 the zone or the store can't be read."""
    from standfast.runtime.observed import viewed
    from standfast.runtime.observing import observe
    from standfast.runtime.verdict import verdict

    config = viewed(loaded(file))
    if watch and not as_json:
        _watch(config, every)
        return
    seen = observe(config)
    found = verdict(seen)
    if as_json:
        dump(status_json(seen, found, config))
    else:
        lines = status_lines(seen, found, config, every)
        kind = found.line[: -len(found.sentence)]
        as_text([paint(kind, _TONES.get(found.kind, "watch")) + found.sentence, *lines[1:]])
    ctx.exit(found.exit_code)


def _watch(config: "Config", every: bool) -> None:
    from rich.live import Live
    from rich.text import Text

    from standfast.runtime.observing import observe
    from standfast.runtime.verdict import verdict

    try:
        with Live(refresh_per_second=4, screen=False) as live:
            while True:
                seen = observe(config)
                live.update(Text("\n".join(status_lines(seen, verdict(seen), config, every))), refresh=True)
                time.sleep(1)
    except KeyboardInterrupt:
        return


def status_lines(seen: "Seen", found: "Verdict", config: "Config", every: bool = False) -> list[str]:
    """The whole of it, as people read it."""
    from standfast.runtime.backlogstold import backlog_lines
    from standfast.runtime.budgets import loads_told
    from standfast.runtime.hostedtold import hosted_lines
    from standfast.runtime.registriestold import registry_lines
    from standfast.runtime.skew import skewed
    from standfast.runtime.verdict import standings
    from standfast.runtime.watching import votes_lines

    lines = [found.line, f"  {'':<10}{found.command}", ""]
    ranked = sorted(standings(seen), key=lambda pair: (_ORDER.index(pair[1].state), _whole(pair[0])))
    words = _Words(seen, config)
    folded: dict[str, int] = {}
    for place, (sight, how) in enumerate(ranked):
        if place >= SHOWN_MAX and not every:
            kind = _folded_as(how, sight)
            folded[kind] = folded.get(kind, 0) + 1
            continue
        lines += _endpoint_lines(words, sight, how)
    lines += [f"… {count} more {kind} (--all shows them)" for kind, count in folded.items()]
    if seen.absent:
        lines.append(f"not in a plan yet: {', '.join(name for _, name in seen.absent[:SHOWN_MAX])}")
    lines += loads_told(seen.loads)
    lines += _override_lines(seen)
    lines += _secondary_lines(seen)
    lines += [f"configuration: {one.sentence}" for one in skewed(seen)]
    lines += [f"{zone.zone}: {text}" for zone in seen.zones for text in (*zone.weaker, *zone.notes)]
    lines += [f"{zone.zone} ({zone.address}) can't be read: {zone.trouble}" for zone in seen.zones if zone.trouble]
    lines += backlog_lines(seen)
    return [*lines, *votes_lines(seen), *hosted_lines(seen), *registry_lines(seen), *_last_lines(seen)]


def _override_lines(seen: "Seen") -> list[str]:
    from standfast.runtime.overridden import until

    if seen.store.overrides is None and not seen.store.trouble and seen.store.plan is not None:
        return ["which overrides are in force is unknown"]
    return [f"override: {one.subject} {until(one, seen.at)}" for one in seen.store.in_force(seen.at)]


def _secondary_lines(seen: "Seen") -> list[str]:
    """Each zone's other name servers, as they are followed after each write."""
    zones: dict[str, list[str]] = {}
    for one in seen.secondaries:
        zones.setdefault(one.zone, []).append(one.text)
    return [f"{zone}: {'   '.join(texts)}" for zone, texts in zones.items()]


class _Words:
    """What the lines of every endpoint are made from, looked up once."""

    def __init__(self, seen: "Seen", config: "Config") -> None:
        from standfast.runtime.observing import azs_of
        from standfast.runtime.verdict import published_at

        self.seen = seen
        self.azs = azs_of(seen, config)
        self.when = published_at(seen.store.plans)
        self.decisions = {one.key: one for one in seen.decisions}
        self.reasons = {
            one.key: {member.load_balancer: member.reason for member in one.members} for one in seen.decisions
        }
        known = seen.store.overlaid(seen.at)
        fleet, health = known[0] if known else seen.store.fleet, dict(seen.store.verdicts or ())
        self.health = {name: judged.state for name, judged in health.items()}
        self.words = {}
        for one in {member.load_balancer for sight in seen.endpoints for member in sight.entry.members}:
            declared = next((lb for lb in fleet.load_balancers if lb.id == one), None) if fleet else None
            word: str = self.health.get(one, "?")
            if declared is not None and declared.admin != "up":
                word = "drained" if declared.admin == "drain" else "taken down"
            elif fleet is not None and declared is None:
                word = "gone"
            self.words[one] = word

    def hosted(self, load_balancer: str) -> str | None:
        """What Route 53's own checks say of it."""
        theirs = self.seen.store.hosted.of(load_balancer) if self.seen.store.hosted else None
        return theirs.state if theirs else None


def _folded_as(how: "Standing", sight: "EndpointSight") -> str:
    if how.state != "ok":
        return f"are {_WORDS[how.state]}"
    return "names are in step and whole" if _whole(sight) else "names are in step with some load balancers out"


def _whole(sight: "EndpointSight") -> bool:
    return all(one.served for one in sight.entry.members)


def _members(words: _Words, sight: "EndpointSight") -> "list[Member]":
    """Who is considered, with the reasons of now where they are known; who is served is what the plan says."""
    from msgspec.structs import replace

    reasons = words.reasons.get(sight.entry.key, {})
    some: dict[str, Member] = {}
    for one in sight.entry.members:
        if one.load_balancer not in some or one.served:
            some[one.load_balancer] = replace(one, reason=reasons.get(one.load_balancer, one.reason))
    return [some[name] for name in sorted(some)]


def _endpoint_lines(words: _Words, sight: "EndpointSight", how: "Standing") -> list[str]:
    from standfast.model.rrset import type_name
    from standfast.runtime.times import span

    entry = sight.entry
    at = words.when.get(entry.since)
    age = f" for {span(words.seen.at - at)}" if at is not None else ""
    members = _members(words, sight)
    served = sum(one.served for one in members)
    counts = "  ".join(f"{type_name(one.rtype)} {one.count}" for one in entry.rrsets)
    ttls = ", ".join(sorted({str(one.ttl) for one in entry.rrsets}))
    parts = [entry.name, _WORDS[how.state], f"g{entry.since}{age}"]
    parts += [f"{served} of {len(members)}"] if members else []
    lines = ["   ".join([*parts, f"{counts}  TTL {ttls}" if counts else "no addresses"])]
    if how.why:
        lines.append(f"   {'held: ' if how.state == 'held' else ''}{how.why}")
    lines += _az_lines(words, members)
    lines += _limit_lines(words, entry)
    servers = "   ".join(f"{name} {_marked(marker)}" for name, marker in sight.servers)
    return [*lines, *([f"   {servers}"] if servers else [])]


def _limit_lines(words: _Words, entry: "Entry") -> list[str]:
    from standfast.runtime.budgets import limits_told

    decision = words.decisions.get(entry.key)
    return [f"   {text}" for text in limits_told(decision, words.seen.at)] if decision else []


def _az_lines(words: _Words, members: "list[Member]") -> list[str]:
    groups: dict[str, list[str]] = {}
    for one in members:
        groups.setdefault(words.azs.get(one.load_balancer, "–"), []).append(_member_text(words, one))
    rows = [f"{az}  {'  '.join(texts)}" for az, texts in sorted(groups.items())]
    joined = "     ".join(rows)
    if not rows or len(joined) <= _WIDTH:
        return [f"   {joined}"] if rows else []
    whole = [re.sub(r"(?<=\S) (?=\S)", _TIE, row) for row in rows]  # a line ends between load balancers, not within one
    lines = (textwrap.wrap(row, _WIDTH, initial_indent="   ", subsequent_indent="      ") for row in whole)
    return [line.replace(_TIE, " ") for some in lines for line in some]


def _member_text(words: _Words, one: "Member") -> str:
    from standfast.runtime.keeping import kept

    word = words.words[one.load_balancer]
    out = DRAINED if word == "drained" else OUT
    return f"{(KEPT if kept(one) else IN) if one.served else out} {one.load_balancer} {word}"


def _marked(marker: object) -> str:
    """A marker in a word."""
    from standfast.model.marker import Damaged, Marker
    from standfast.ports.provider import Unknown

    match marker:
        case Marker():
            frozen = "" if marker.state == "live" else f" {marker.state}"
            return f"g{marker.since}{frozen}"
        case Damaged():
            return f"garbage ({marker.why})"
        case Unknown():
            return f"? ({marker.why})"
        case _:
            return "no marker"


def _last_lines(seen: "Seen") -> list[str]:
    from standfast.runtime.sourced import source_lines
    from standfast.runtime.verdict import ages

    store = f"store can't be read: {seen.store.trouble}" if seen.store.trouble else "store ok"
    held = guards(seen)
    unknown = seen.store.plan is not None and (seen.store.fleet is None or seen.store.verdicts is None)
    none = "what guards hold is unknown" if unknown else "no guard is holding anything"
    sources = source_lines(seen)
    line = f"{ages(seen)}   {store}   {none if not held else ''}".rstrip()
    return [line, *sources, *(f"guard: {text}" for text in held[:5])]


def guards(seen: "Seen") -> list[str]:
    """What guards hold or refuse now, a line each."""
    from standfast.runtime.keeping import kept

    found = [f"{seen.short(one.key)}: {one.reason}" for one in seen.refusals]
    for decision in seen.decisions:
        if decision.action == "held":
            continue
        name = seen.short(decision.key)
        found += [f"{name}: {m.load_balancer} {m.reason}" for m in decision.members if kept(m)]
    return found


def _configuration_json(seen: "Seen") -> dict[str, Any]:
    from standfast.runtime.skew import skewed

    force = seen.store.policy.digest if seen.store.policy else None
    return {"file": seen.file, "in_force": force, "differences": [one.sentence for one in skewed(seen)]}


def _endpoint_json(words: _Words, sight: "EndpointSight", how: "Standing") -> dict[str, Any]:
    from standfast.runtime.budgets import budget_facts
    from standfast.runtime.keeping import kept

    members, decision = _members(words, sight), words.decisions.get(sight.entry.key)
    return {
        **entry_json(sight.entry),
        "state": how.state,
        "why": how.why or None,
        "since_at": words.when.get(sight.entry.since),
        "served": sum(one.served for one in members),
        "of": len(members),
        "load_balancers": [
            {
                "id": one.load_balancer,
                "az": words.azs.get(one.load_balancer),
                "served": one.served,
                "kept": kept(one),
                "health": words.health.get(one.load_balancer),
                "route53": words.hosted(one.load_balancer),
                "reason": one.reason,
            }
            for one in members
        ],
        **(budget_facts(decision) if decision else {"budget": None, "adding": None, "held_back": None}),
        "servers": [{"name": name, "marker": _marked(marker)} for name, marker in sight.servers],
    }


def status_json(seen: "Seen", found: "Verdict", config: "Config") -> dict[str, Any]:
    """For programs."""
    from msgspec import to_builtins

    from standfast.core.spread import shares
    from standfast.runtime.backlogstold import backlogs_json
    from standfast.runtime.budgets import loads_facts, shares_facts
    from standfast.runtime.hostedtold import hosted_json
    from standfast.runtime.observing import at_work
    from standfast.runtime.registriestold import registries_json
    from standfast.runtime.sourced import sources_json
    from standfast.runtime.verdict import standings
    from standfast.runtime.watching import votes_json

    words, overrides = _Words(seen, config), seen.store.in_force(seen.at)
    return {
        "verdict": {"kind": found.kind, "sentence": found.sentence, "command": found.command},
        "exit_code": found.exit_code,
        "at": seen.at,
        "stream": seen.stream,
        "generation": seen.store.plan.generation if seen.store.plan else None,
        "store": {"ok": not seen.store.trouble, "trouble": seen.store.trouble or None, "copy": seen.store.copy or None},
        "zones": [
            {
                "zone": one.zone,
                "primary": one.primary,
                "address": one.address,
                "trouble": one.trouble or None,
                "weaker": list(one.weaker),
            }
            for one in seen.zones
        ],
        "endpoints": [_endpoint_json(words, sight, how) for sight, how in standings(seen)],
        "secondaries": [to_builtins(one) for one in seen.secondaries],
        "absent": [name for _, name in seen.absent],
        "loads": loads_facts(seen.loads),
        "shares": shares_facts(shares(seen.spreads)),
        "guards": guards(seen),
        "configuration": _configuration_json(seen),
        "overrides": None if seen.store.overrides is None else [override_json(one) for one in overrides],
        "vantages": votes_json(seen),
        "route53": hosted_json(seen),
        "sources": sources_json(seen),
        "registries": registries_json(seen),
        "backlogs": backlogs_json(seen),
        "processes": [
            {
                "role": one.role,
                "who": one.who,
                "pid": one.pid,
                "age_s": round(one.age_s, 3),
                "at_work": at_work(one),
                "alive": one.alive,
                "stopped": one.stopped,
            }
            for one in seen.present
        ],
    }
