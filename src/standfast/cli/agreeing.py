"""What commands that change something share: the reason, the question, who said what, and how several ends make one."""

import sys
import time
from collections.abc import Iterable
from typing import Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, EXIT_REFUSED, Refusal, StandfastError

REASON_MAX: Final = 200


def one_line(ctx: click.Context, parameter: click.Parameter, reason: str) -> str:
    """The reason as it will be shown to others for years: one line without control characters."""
    if len(reason) > REASON_MAX or not reason.isprintable():
        message = f"The reason must be one line of at most {REASON_MAX} printable characters."
        raise StandfastError(message, "Nothing was done.")
    return reason.strip()


reason_option: Final = click.option(
    "--reason", default="", metavar="TEXT", callback=one_line, help="why, for those who come after you"
)
yes_option: Final = click.option("--yes", is_flag=True, help="do not ask; needed where there is no terminal")

nothing_asked: Final = click.option(
    "--yes", is_flag=True, expose_value=False, help="nothing is asked here; for scripts that give it everywhere"
)
"""For commands that no guard can refuse: the same line works for every one."""


def agreed(word: str, *, yes: bool, reason: str = "", weighty: bool = False) -> None:
    """Ask for `word` to be typed, unless --yes was given. `weighty`: --yes takes a --reason as well.

    Raises Refusal where there is nobody to be asked, or if something else is typed.
    """
    if yes and weighty and not reason:
        raise Refusal(f"Nothing was done to {word}: --yes needs a --reason here.", 'Say why: --reason "…".')
    if yes:
        return
    if not sys.stdin.isatty():
        remedy = "Add --yes --reason to agree beforehand." if weighty else "Add --yes to agree beforehand."
        raise Refusal(f"Nobody can be asked here, so {word} was left as it is.", remedy)
    typed: str = click.prompt("Type the name", default="", show_default=False)
    if typed.strip().lower().rstrip(".") != word:
        raise Refusal(f"That is not {word}; nothing was changed.")


def say(who: str, text: str) -> None:
    """One line of what happens: when, who, what."""
    click.echo(f"{time.strftime('%H:%M:%S')}  {who:<9} {text}")


def worst(codes: Iterable[int]) -> int:
    """The exit code of several ends: a refusal wins over an error, an error over a difference."""
    some = set(codes)
    return next((code for code in (EXIT_REFUSED, EXIT_ERROR, EXIT_DIFFERS) if code in some), EXIT_FINE)
