"""`standfast pin`, `unpin`: generations that no cleaner may collect, however old; journalled with who and why."""

from typing import TYPE_CHECKING

import click

from standfast.errors import StandfastError

from .agreeing import nothing_asked, one_line, say
from .history import gone_text
from .orders import Opened
from .reporting import reported
from .wording import config_option, json_option, loaded

if TYPE_CHECKING:
    from standfast.config import Config

_generation = click.argument("generation", type=click.IntRange(1), metavar="G")


@click.command("pin", short_help="keep a generation from being collected")
@_generation
@click.option("--reason", required=True, metavar="TEXT", callback=one_line, help="why, for those who come after you")
@nothing_asked
@config_option
@json_option
def pin_command(generation: int, reason: str, file: str, as_json: bool) -> None:
    """Keep generation G, however old it becomes: to roll back to it, or for a post-mortem. `history` shows pins."""
    if not reason:
        raise StandfastError("The reason is empty.", 'Say why: --reason "post-mortem of 3 March".')
    with reported(as_json) as facts:
        _pin(loaded(file), generation, reason, "pin")
        click.echo(f"g{generation} is kept until `standfast unpin {generation}`.")
        click.echo(f"Next:  standfast history --show {generation}")
        facts |= {"ok": True, "action": "pin", "generation": generation, "pinned": True, "reason": reason}


@click.command("unpin", short_help="let a pinned generation go again")
@_generation
@click.option("--reason", default="", metavar="TEXT", callback=one_line, help="why, for those who come after you")
@nothing_asked
@config_option
@json_option
def unpin_command(generation: int, reason: str, file: str, as_json: bool) -> None:
    """Take the pin off generation G: the cleaner may collect it again when nothing needs it."""
    with reported(as_json) as facts:
        _pin(loaded(file), generation, reason, "unpin")
        click.echo(f"g{generation} is collected as any other, when nothing needs it and it is old enough.")
        click.echo("Next:  standfast history")
        facts |= {"ok": True, "action": "unpin", "generation": generation, "pinned": False, "reason": reason or None}


def _pin(config: "Config", generation: int, reason: str, action: str) -> None:
    """Raises StandfastError if there is no such plan, or nothing to take away."""
    from standfast.runtime.operating import operator
    from standfast.runtime.pinning import Pinning, pinned
    from standfast.runtime.place import Place

    place = Place(config)
    with Opened(config) as opened:
        plans = opened.sight.plans
        summary = next((one for one in plans if one.generation == generation), None)
        if summary is None:
            some = ", ".join(f"g{one.generation}" for one in plans[:8])
            raise StandfastError(gone_text(place, plans, generation), f"Stored are {some}." if some else "")
        if action == "unpin" and not summary.pinned:
            raise StandfastError(f"g{generation} is not pinned.", "`standfast history` shows which are.")
        place.prepare()
        done = pinned(config, opened.store, generation, reason if action == "pin" else "", reason)
    if done != Pinning():
        raise StandfastError(f"g{generation}: {done.why}.", "`standfast history` says how it stands.")
    why = f': "{reason}"' if reason else ""
    say("operator", f"{operator()} {action} g{generation}{why}")
