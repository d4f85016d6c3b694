"""`standfast freeze` and `thaw`: nothing is written any more, and back. Both need only the DNS server."""

from typing import TYPE_CHECKING, Any, Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, EXIT_REFUSED, StandfastError

from .agreeing import nothing_asked, reason_option, say, worst
from .texts import counted
from .wording import config_option, dump, json_option, loaded, place_named

if TYPE_CHECKING:
    from standfast.config import ZoneConfig
    from standfast.core.direct import Ended
    from standfast.core.freezer import Verb
    from standfast.runtime.commanding import Known

_CODES: Final = {
    "sealed": EXIT_FINE,
    "frozen": EXIT_FINE,
    "thawed": EXIT_FINE,
    "refused": EXIT_REFUSED,
    "conflict": EXIT_DIFFERS,
    "incomplete": EXIT_DIFFERS,
    "blind": EXIT_ERROR,
    "unrecorded": EXIT_ERROR,
}
_all = click.option("--all", "every", is_flag=True, help="every zone of the configuration")


@click.command("freeze", short_help="write nothing any more, to a name, a zone or anywhere")
@click.argument("target", required=False, metavar="[NAME|ZONE]")
@_all
@reason_option
@nothing_asked
@config_option
@json_option
@click.pass_context
def freeze_command(ctx: click.Context, target: str | None, every: bool, reason: str, file: str, as_json: bool) -> None:
    """Order that nothing is written to an endpoint, to a zone, or (--all) to any zone, until `standfast thaw`.

    First requested (the floor), then sealed (every marker): from sealed on nothing lands, whatever was sent before.
    Failover and repairs are off. Needs only the DNS server: no planner, no store. May be repeated.

    Exit code: 0 frozen (a zone: sealed), 2 requested and not sealed, 3 refused, 1 the zone can't be read or written.
    """
    ctx.exit(_ordered("freeze", target, every, reason, file, as_json))


@click.command("thaw", short_help="end a freeze")
@click.argument("target", required=False, metavar="[NAME|ZONE]")
@_all
@reason_option
@nothing_asked
@config_option
@json_option
@click.pass_context
def thaw_command(ctx: click.Context, target: str | None, every: bool, reason: str, file: str, as_json: bool) -> None:
    """End the freeze of an endpoint, a zone, or (--all) of every zone: markers first, floor last. May be repeated.

    Exit code: 0 thawed, 2 not wholly, 3 refused, 1 the zone can't be read or written."""
    ctx.exit(_ordered("thaw", target, every, reason, file, as_json))


def _ordered(verb: "Verb", target: str | None, every: bool, reason: str, file: str, as_json: bool) -> int:
    """Carry it out in each zone concerned; the exit code of all."""
    from standfast.runtime.calling import called_alike
    from standfast.runtime.commanding import known_names
    from standfast.runtime.freezing import carry_out
    from standfast.runtime.place import Place

    if (target is None) != every:
        raise click.UsageError("Give a name or a zone, or --all for every zone; not both.")
    config = loaded(file)
    place = Place(config)
    codes, told = [], []
    some = (
        [place_named(target, config, place)]
        if target is not None
        else [(zone, "", known_names(place, zone)) for zone in config.zones]
    )
    for zone, name, known in some:
        try:
            ended = carry_out(place, zone, verb, known, reason, name)
        except StandfastError as error:
            if not every:
                raise
            click.echo(f"{zone.name}: {error}", err=True)
            codes.append(error.exit_code)
            continue
        codes.append(_CODES[ended.result])
        told.append(_json(verb, zone, name, known, ended))
        if not as_json:
            _show(verb, zone, name, known, ended, reason, called_alike(config, known.plan))
    if as_json:
        dump({"ok": worst(codes) == EXIT_FINE, "zones": told})
    elif worst(codes) == EXIT_FINE:
        word = "--all" if every else target
        back = "standfast history" if verb == "thaw" else f"standfast thaw {word}"
        click.echo(f"Next:  standfast status   …   {back}")
    return worst(codes)


def _show(
    verb: "Verb", zone: "ZoneConfig", name: str, known: "Known", ended: "Ended", reason: str, alike: frozenset[str]
) -> None:
    from standfast.runtime.calling import short_name
    from standfast.runtime.operating import operator

    what = short_name(name, zone.name, alike) if name else zone.name
    say("operator", f"{operator()} {verb} {what}" + (f': "{reason}"' if reason else ""))
    count = counted(len(known.names), "endpoint")
    match ended.result:
        case "sealed":
            click.echo(f"{what} is FROZEN: requested, and sealed ({count}; names from {known.source}).")
            click.echo("Nothing is written there any more, and nothing that was sent before lands.")
            click.echo(f"Failover is OFF for all of it, and repairs too, until `standfast thaw {what}`.")
        case "frozen":
            click.echo(f"{what} is FROZEN: its marker is, so nothing is written to it. Failover is OFF for it.")
        case "thawed":
            click.echo(f"{what} is thawed: enactors bring it to the newest plan.")
        case "refused":
            click.echo(f"{what}: refused: {ended.why}.", err=True)
        case "blind" | "unrecorded":
            click.echo(f"{what}: {ended.why}. Give the same command again.", err=True)
        case _:
            state = "requested, NOT sealed" if verb == "freeze" else "not wholly thawed"
            click.echo(f"{what}: {state}: {ended.why}. Give the same command again.", err=True)
    for other, why in (*ended.passed_over, *ended.kept_out):
        click.echo(f"  {short_name(other, zone.name, alike)}: {why}")


def _json(verb: "Verb", zone: "ZoneConfig", name: str, known: "Known", ended: "Ended") -> dict[str, Any]:
    return {
        "action": verb,
        "zone": zone.name,
        "endpoint": name or None,
        "result": ended.result,
        "why": ended.why or None,
        "endpoints": len(known.names),
        "names_from": known.source,
        "passed_over": dict(ended.passed_over),
        "refused": dict(ended.kept_out),
    }
