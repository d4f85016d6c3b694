"""`standfast leave`: the way out of a zone. Addresses stay, everything of ours goes, and is printed for other tools."""

import shlex
from typing import TYPE_CHECKING

import click

from standfast.errors import EXIT_DIFFERS, EXIT_FINE, Refusal, StandfastError

from .agreeing import agreed, reason_option, say, yes_option
from .texts import counted
from .wording import as_text, config_option, did_you_mean, dump, json_option, loaded

if TYPE_CHECKING:
    from standfast.config import Config, ZoneConfig
    from standfast.model.rrset import RRset
    from standfast.runtime.commanding import Known
    from standfast.runtime.place import Place

_HOSTED = """\
What names lead to stays, for answers come from it: record sets, trees below _tree._standfast, and Route 53's
health checks that they name (tag standfast:zone), which are paid for."""


@click.command("leave", short_help="the way out: addresses stay, everything of ours goes")
@click.argument("zone_name", metavar="ZONE")
@reason_option
@yes_option
@click.option(
    "--wait", "patience", type=click.FloatRange(0, 3600), metavar="SECONDS",
    help="so long to see whether anybody puts a marker back (two looks and 3 s, if not given)",
)  # fmt: skip
@config_option
@json_option
@click.pass_context
def leave_command(
    ctx: click.Context, zone_name: str, reason: str, yes: bool, patience: float | None, file: str, as_json: bool
) -> None:
    """Take every marker and the floor out of ZONE by conditional changes; what users resolve stays as it is.

    Stop every process of Standfast that works on this zone first, on all machines: those seen here are refused, and
    one marker is taken away first to see whether anybody puts it back. An enactor that was missed takes the zone over
    again.

    Afterwards the records are printed as a zone file and as octoDNS's YAML. Exit code: 0 nothing of ours is left, 3
    refused or not agreed to, 2 something is at work there or was left, 1 the zone can't be read.
    """
    from standfast.runtime.commanding import known_names
    from standfast.runtime.place import Place
    from standfast.runtime.zoneorders import leave, paused

    config = loaded(file)
    place = Place(config)
    zone = _zone(zone_name, config)
    _nobody_runs(place)
    known = known_names(place, zone, whole=True)
    wait = 2 * zone.look_seconds + 3.0 if patience is None else patience
    if not as_json:
        as_text(_shown(zone, known, wait))
    agreed(zone.name, yes=yes, reason=reason, weighty=True)
    ended = leave(place, zone, known, reason, wait, paused)
    if ended.result == "refused":
        raise Refusal(f"{zone.name}: {ended.why}.", "Nothing was taken away by the last step.")
    if ended.result != "done":
        remedy = "Stop whatever still runs, on every machine; then give the same command again."
        click.echo(f"{zone.name}: {ended.why}. {remedy}", err=True)
        ctx.exit(EXIT_DIFFERS if ended.result in ("moved", "conflict") else 1)
    ctx.exit(_left(config, place, zone, known, ended.passed_over, reason, as_json))


def _zone(text: str, config: "Config") -> "ZoneConfig":
    plain = text.strip().lower().removesuffix(".")
    for zone in config.zones:
        if zone.name == plain:
            return zone
    names = [zone.name for zone in config.zones]
    raise StandfastError(f"{text} is no zone of {config.file}.", did_you_mean(plain, names))


def _nobody_runs(place: "Place") -> None:
    """Raises Refusal if anybody of ours is seen, or if this user may not see."""
    from standfast.runtime.observing import hidden, present

    if hidden(place):
        raise Refusal("This user may not see who is running.", "Run this as the user who runs Standfast.")
    some = [f"{one.role} {one.who} (pid {one.pid})" for one in present(place) if one.alive]
    if some:
        verb = "is" if len(some) == 1 else "are"
        raise Refusal(f"{', '.join(some)} {verb} running.", "Stop everything first, on every machine, for good.")


def _shown(zone: "ZoneConfig", known: "Known", wait: float) -> list[str]:
    lines = [
        f"{zone.name}: leave it?",
        f"   The markers of {counted(len(known.names), 'endpoint')} and the floor go (names from {known.source}).",
        "   Every address stays as it is: nothing fails over and nothing is repaired from then on.",
        f"   One marker goes first; {wait:g} s later it is looked whether anybody put it back.",
    ]
    if known.listed is None:
        lines.append(
            "   The server gives no transfer of the zone: a marker of an endpoint that nobody names would stay."
        )
    return lines


def _left(
    config: "Config",
    place: "Place",
    zone: "ZoneConfig",
    known: "Known",
    passed_over: tuple[tuple[str, str], ...],
    reason: str,
    as_json: bool,
) -> int:
    """What stands there now, and whether anything of ours does."""
    from standfast.runtime.operating import operator
    from standfast.runtime.zoneorders import answered, look_at, remaining
    from standfast.runtime.zonetext import octodns_lines, zone_lines

    left = remaining(zone, config.stream, known.names)
    sight = look_at(zone, config.stream, known.names)
    records: list[tuple[str, RRset]] = [(one.entry.name, rrset) for one in sight.endpoints for rrset in answered(one)]
    text, octodns = zone_lines(records), octodns_lines(zone.name, records)
    if as_json:
        others = dict(passed_over)
        dump({"ok": not left, "zone": zone.name, "left": list(left), "zone_text": text, "octodns": octodns} | {
            "passed_over": others})  # fmt: skip
        return EXIT_DIFFERS if left else EXIT_FINE
    say("operator", f"{operator()} leave {zone.name}" + (f': "{reason}"' if reason else ""))
    for line in ("", "; as lines of a zone file", *text, "", f"# octoDNS: {zone.name}.yaml", *octodns, ""):
        click.echo(line)
    for name, why in passed_over:
        click.echo(f"{name}: {why}: left as it is.")
    if left:
        click.echo(f"Still there, or not known: {', '.join(left)}. Give the same command again.", err=True)
        return EXIT_DIFFERS
    if zone.hosted is not None:
        click.echo(f"{_HOSTED}\nNo marker and no floor is left in {zone.name}. Next:  take the roles' policies away")
    else:
        click.echo(
            f"Nothing of ours is left in {zone.name}. Next:  take our key and its update-policy out of the server"
        )
    click.echo(f"       keep or delete {shlex.quote(str(place.root))} (plans, journals)")
    return EXIT_FINE
