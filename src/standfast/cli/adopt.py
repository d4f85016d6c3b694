"""`standfast adopt`: consent to take over a name that exists in DNS, or (--take) that another stream keeps."""

import time
from typing import TYPE_CHECKING

import click

from standfast.errors import EXIT_FINE, Refusal, StandfastError, StoreError

from .agreeing import agreed, reason_option, say, yes_option
from .reporting import Facts, reported
from .texts import counted
from .wording import as_text, config_option, endpoint_named, json_option, loaded

if TYPE_CHECKING:
    from standfast.config import ZoneConfig
    from standfast.model.marker import Marker
    from standfast.runtime.place import Place
    from standfast.runtime.zonesight import EndpointSight


@click.command("adopt", short_help="take over a name that exists in DNS")
@click.argument("name")
@click.option("--take", is_flag=True, help="even from another stream of Standfast, whose marker stands there")
@reason_option
@yes_option
@config_option
@json_option
@click.pass_context
def adopt_command(ctx: click.Context, name: str, take: bool, reason: str, yes: bool, file: str, as_json: bool) -> None:
    """Consent that the planner takes over NAME, which exists in DNS and is in the configuration.

    The consent is recorded in the plan store; a planner that runs takes it up at once, and the plan says who gave it.
    With --take the marker of another stream is replaced by one of ours, in one conditional change; the addresses stay
    as they are until the next plan. The other stream's enactors refuse the name from then on.

    Exit code: 0 recorded (or nothing to adopt), 3 refused or not agreed to, 1 the zone or the store can't be read.
    """
    with reported(as_json) as facts:
        _adopt(name, take, reason, yes, file, facts)
        facts["ok"] = True
    ctx.exit(EXIT_FINE)


def _adopt(name: str, take: bool, reason: str, yes: bool, file: str, facts: Facts) -> None:
    """Look, ask, record. Raises Refusal and StandfastError."""
    from standfast.model.marker import Marker
    from standfast.runtime.calling import called_alike, short_name
    from standfast.runtime.place import Place
    from standfast.runtime.zoneorders import look_at, standing

    config = loaded(file)
    place = Place(config)
    key = endpoint_named(name, [(one.zone, one.name) for one in config.endpoints])
    zone = next(one for one in config.zones if one.name == key[0])
    short = short_name(key[1], key[0], called_alike(config, None))
    facts |= {"action": "adopt", "zone": key[0], "endpoint": key[1]}
    seen = look_at(zone, config.stream, (key[1],))
    sight = seen.endpoints[0]
    if seen.trouble or sight.unread:
        why = seen.trouble or sight.unread
        raise StandfastError(f"What stands at {key[1]} can't be read ({why}).", "`standfast check` says more.")
    marker = sight.marker
    foreign = isinstance(marker, Marker) and marker.stream != config.stream
    if isinstance(marker, Marker) and not foreign:
        if marker.state == "retired":
            raise Refusal(f"{short} was retired: a tombstone stands there, for ever.", "Use another name.")
        click.echo(f"{short} is ours already (g{marker.since}). Next:  standfast status")
        facts |= {"result": "ours already", "generation": marker.since}
        return
    if not foreign and not standing(sight):
        click.echo(f"Nothing stands at {short}: it needs no consent, and enters by itself. Next:  standfast plan")
        facts["result"] = "not needed"
        return
    if isinstance(marker, Marker) and foreign and not take:
        raise Refusal(
            f"{short} belongs to stream {marker.stream}: its marker says so (g{marker.since}, by {marker.writer}).",
            f"Take it out of that stream's configuration; then `standfast adopt {short} --take`.",
        )
    as_text(_shown(short, sight, marker if isinstance(marker, Marker) else None))
    agreed(short, yes=yes, reason=reason, weighty=foreign)
    try:
        _recorded(place, zone, key[1], reason)
    except StoreError as error:
        if not foreign:  # there the marker itself will tell the planner
            remedy = f"`standfast status` says more. Without the store: standfast run --take {key[1]}"
            raise StandfastError(f"The consent was not recorded: {error.message}", remedy) from None
    say("operator", f"{_who()} adopt {short}{' --take' if foreign else ''}" + (f': "{reason}"' if reason else ""))
    if foreign:
        facts["generation"] = _taken(place, zone, key[1], short, reason)
    facts |= {"result": "taken" if foreign else "recorded", "by": _who(), "reason": reason or None}
    click.echo(
        f"{short} is to be taken over; the plan will say who agreed. Next:  standfast plan   …   standfast status"
    )


def _who() -> str:
    from standfast.runtime.operating import operator

    return operator()


def _shown(short: str, sight: "EndpointSight", marker: "Marker | None") -> list[str]:
    from standfast.model.rrset import type_name
    from standfast.runtime.zoneorders import standing

    lines = [f"{short}: take over what stands there?"]
    for rrset in standing(sight):
        what = counted(rrset.count, f"{type_name(rrset.rtype)} record")
        lines.append(f"   {what}, TTL {rrset.ttl}: {'  '.join(rrset.texts())}")
    if marker is None:
        lines.append("   It was not made by Standfast. `standfast plan` shows what would change.")
    else:
        lines.append(
            f"   It belongs to stream {marker.stream} (g{marker.since}, written by {marker.writer}), which will"
        )
        lines.append("   neither change nor repair it from then on. Its addresses stay until our next plan.")
    return lines


def _recorded(place: "Place", zone: "ZoneConfig", name: str, reason: str) -> None:
    """The consent, in the journal and the store. Raises StoreError."""
    from standfast.runtime.commanding import Desk
    from standfast.runtime.consenting import CONSENTS, Consent, record_consent
    from standfast.runtime.sharing import Board

    place.prepare()
    store = place.open_store()
    try:
        with Desk(place, zone, "adopt", (name,), reason) as desk:
            why = record_consent(Board(store, CONSENTS), Consent(name, desk.who, time.time(), reason))
            desk.concluded("unknown" if why else "consented", why or "recorded for the planner")
    finally:
        store.close()
    if why:
        raise StoreError(f"{why}.", "")


def _taken(place: "Place", zone: "ZoneConfig", name: str, short: str, reason: str) -> int | None:
    """The other stream's marker goes. Gives the generation of ours. Raises StandfastError."""
    from standfast.runtime.commanding import known_names
    from standfast.runtime.zoneorders import take_over

    ended = take_over(place, zone, known_names(place, zone), name, reason)
    if ended.result == "done":
        click.echo(f"{short} is ours: the marker is replaced (g{ended.generation}), the addresses are as they were.")
        return ended.generation
    if ended.result == "refused":
        raise Refusal(f"{short}: {ended.why}.", "Nothing was written.")
    raise StandfastError(f"{short}: {ended.why}.", "Give the same command again.")
