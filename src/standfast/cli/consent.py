"""Consent to take over names that exist in DNS already: asked once, when a name first enters a plan.

On a terminal `run` asks for the name to be typed. Elsewhere a first start without consent ends with exit code 3 and
names `--take NAME`; a stream that is already running is not stopped for one new name: its planner refuses that name
alone, and says so.
"""

import sys

import click

from standfast.config import Config
from standfast.errors import Refusal, StandfastError


def consented(config: Config, take: tuple[str, ...], *, quiet: bool) -> tuple[str, ...]:
    """The full names that may be taken over. Raises Refusal (exit 3) where consent is missing."""
    from standfast.cli.plan import in_full
    from standfast.cli.previewing.drawing import draw, readers

    given = tuple(in_full(name, config) for name in take)
    if all(zone.provider == "embedded" for zone in config.zones):
        return given  # its zone begins empty, and holds what we put there
    providers = readers(config)
    try:
        drawn = draw(config, providers, given)
    except StandfastError:
        return given  # nothing can be read yet; the planner finds out, and refuses what is not consented to
    finally:
        for provider in providers.values():
            if close := getattr(provider, "close", None):
                close()
    missing = sorted({refusal.key[1] for refusal in drawn.consent})
    if not missing:
        return given
    if sys.stdin.isatty() and not quiet:
        return (*given, *(name for name in missing if _typed(name)))
    if drawn.head is None:
        options = " ".join(f"--take {name}" for name in missing)
        exist = "exists in DNS and has" if len(missing) == 1 else "exist in DNS and have"
        remedy = f"`standfast plan` shows what would change. To agree to the take-over: standfast run {options}"
        raise Refusal(f"Nothing was started: {', '.join(missing)} {exist} no marker of ours.", remedy)
    return given


def _typed(name: str) -> bool:
    """Ask for the name itself: an Enter out of habit takes nothing over."""
    click.echo(f"{name} exists in DNS and was not made by Standfast. `standfast plan` shows what would change.")
    short = name.partition(".")[0]
    answer: str = click.prompt(f"Take it over? Type {short}, or Enter to leave it", default="", show_default=False)
    if answer.strip().lower().removesuffix(".") in (name, short):
        return True
    click.echo(f"{name} is left as it is.")
    return False
