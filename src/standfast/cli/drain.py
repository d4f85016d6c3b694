"""`standfast drain` and `standfast evacuate`: take load balancers out of every answer, and say when nobody has them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec import Struct

from standfast.errors import EXIT_ERROR, EXIT_FINE, EXIT_REFUSED, StandfastError

from .agreeing import reason_option, say
from .orders import (
    Duration,
    Opened,
    consented_to,
    ended,
    for_option,
    lines,
    new_override,
    recorded,
    shown,
    target_named,
    yes_option,
)
from .override import end, order_json
from .reporting import Facts, reported
from .wording import config_option, json_option, loaded

if TYPE_CHECKING:
    from standfast.config import Config
    from standfast.model.override import Override
    from standfast.runtime.departing import Held

PATIENCE_S: Final = 900.0
_OPTIONS: Final = (
    click.option("--wait", is_flag=True, help="return when the last answer that held it has passed"),
    click.option(
        "--timeout", "patience_s", default=PATIENCE_S, type=Duration(1.0, 86_400.0), metavar="TIME",
        help="with --wait: so long at most  [default: 15m]",
    ),
    for_option,
    reason_option,
    yes_option,
    click.option("--end", "ending", is_flag=True, help="end it: health and the file decide again"),
    config_option,
    json_option,
)  # fmt: skip


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What both commands take."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Asked(Struct, frozen=True):
    """What was typed with the target."""

    wait: bool
    patience_s: float
    lasts_s: float
    reason: str
    yes: bool
    ending: bool


@click.command("drain", short_help="take one out for an upgrade; --wait: until nobody hands it out any more")
@click.argument("words", nargs=-1, required=True, metavar="[az|pool] TARGET")
@_options
@click.pass_context
def drain_command(ctx: click.Context, /, words: tuple[str, ...], file: str, as_json: bool, **asked: Any) -> None:
    """Take a load balancer (a pool, an AZ) out of every answer. It returns by itself after --for, or with --end.

    With --wait it returns when every name server has changed and the TTL has passed since the last answer that held
    it: then no resolver that keeps to the TTL hands it out any more.

    Exit code: 0 done (with --wait: really gone), 1 not gone within --timeout, 2 no planner is running, 3 a guard keeps
    it, or consent is missing."""
    with reported(as_json) as facts:
        code = _ordered(loaded(file), "drain", words, Asked(**asked), facts)
        facts["ok"] = code == EXIT_FINE
    ctx.exit(code)


@click.command("evacuate", short_help="take a whole AZ out, if the others can carry it")
@click.argument("words", nargs=2, metavar="az NAME")
@_options
@click.pass_context
def evacuate_command(ctx: click.Context, /, words: tuple[str, ...], file: str, as_json: bool, **asked: Any) -> None:
    """Take all load balancers of an AZ out of every answer, after a look at what the others can carry.

    Exit code: as `drain`."""
    if words[0] != "az":
        raise StandfastError("Only an AZ is evacuated.", f"standfast evacuate az {words[-1]}")
    with reported(as_json) as facts:
        code = _ordered(loaded(file), "evacuate", words, Asked(**asked), facts)
        facts["ok"] = code == EXIT_FINE
    ctx.exit(code)


def _ordered(config: "Config", action: str, words: tuple[str, ...], asked: Asked, facts: Facts) -> int:
    """The order, given or ended. Gives the exit code; raises Refusal and StandfastError."""
    from standfast.runtime.departing import held_by
    from standfast.runtime.ordering import carry_out, concerned_in, rehearsed
    from standfast.runtime.overridden import ending as ends_with
    from standfast.runtime.overriding import Change
    from standfast.runtime.place import Place
    from standfast.runtime.times import clock

    with Opened(config) as opened:
        scope, target = target_named(words, opened.sight, config)
        if asked.ending:
            Place(config).prepare()
            return end(config, opened, scope, target, asked.reason, action, facts)
        plain = new_override(scope, target, "drain", asked.reason or "maintenance", asked.lasts_s, consented=False)
        rehearsal = rehearsed(config, opened.sight, plain, plain.at)
        lines(shown(rehearsal))
        again = f"standfast {action} {' '.join(words)}{' --wait' if asked.wait else ''}"
        beyond = consented_to(plain.subject, rehearsal, asked.yes, asked.reason, again)
        order = new_override(scope, target, "drain", plain.reason, asked.lasts_s, consented=beyond)
        names = frozenset(concerned_in(opened.sight.fleet, order)) or frozenset({target})
        held = held_by(config, opened.sight, names)
        Place(config).prepare()
        change = Change(scope, target, order)
        done = recorded(carry_out(config, opened.store, change, action, order.reason), order.subject)
    facts |= {"action": action, **order_json(order, done.before)}
    say("operator", f'{order.by} {action} {order.subject} until {clock(order.until, order.at)}: "{order.reason}"')
    if asked.wait:
        known = opened.sight.plan.generation if opened.sight.plan else 0
        return _awaited(config, order, held, known, asked.patience_s, facts)
    code = ended(config, rehearsal, facts)
    click.echo(f"Next:  standfast {action} {' '.join(words)} --wait   …   {ends_with(order)}")
    return code


def _awaited(config: "Config", order: "Override", held: "Held", known: int, patience_s: float, facts: Facts) -> int:
    from standfast.runtime.departing import Departure
    from standfast.runtime.overridden import ending
    from standfast.runtime.times import clock

    from .orders import nobody_acts

    if nobody := nobody_acts(config):
        click.echo(f"{nobody}. Waiting for one all the same.")
    ended = Departure(config, order, held, say, known).follow(patience_s)
    facts |= {"waited": ended.kind, "why": ended.why or None, "ttl": held.ttl}
    match ended.kind:
        case "gone":
            say("caches", f"no resolver that keeps to the TTL hands out {order.subject} any more")
            until = clock(order.until, order.at)
            click.echo(f"{order.subject} is drained until {until}. To end it before: {ending(order)}")
            return EXIT_FINE
        case "kept":
            click.echo(f"A guard keeps it: {ended.why}.", err=True)
            click.echo(f"The drain stays recorded, and is obeyed as soon as that allows. To end it: {ending(order)}")
            return EXIT_REFUSED
        case "late":
            click.echo(f"Not gone after {patience_s:g} s: {ended.why}.", err=True)
            click.echo(f"The drain stays recorded. Wait on: run this again. To end it: {ending(order)}")
            return EXIT_ERROR
