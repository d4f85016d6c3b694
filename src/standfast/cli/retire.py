"""`standfast retire`: a name goes out of DNS for ever. Its entry and a tombstone stay, so that nothing revives it."""

from typing import TYPE_CHECKING

import click

from standfast.errors import Refusal

from .agreeing import agreed, reason_option, yes_option
from .operate import Case, operate, wait_option
from .wording import as_text, config_option, json_option, loaded

if TYPE_CHECKING:
    from standfast.core.holding import Command
    from standfast.model.entry import Key
    from standfast.runtime.archive import Archive
    from standfast.runtime.observing import StoreSight


@click.command("retire", short_help="take a name out of DNS for ever")
@click.argument("name")
@reason_option
@yes_option
@wait_option
@config_option
@json_option
@click.pass_context
def retire_command(
    ctx: click.Context, name: str, reason: str, yes: bool, patience: float, file: str, as_json: bool
) -> None:
    """Take an endpoint out of DNS: an enactor removes its addresses and leaves a tombstone, which is never removed.

    Users of the name get NXDOMAIN or an empty answer. It cannot be taken back: the name can never be published by this
    stream again. To move a name, publish the new one first and retire the old one then.

    Exit code: 0 its addresses are gone from DNS, 2 published but not in DNS yet, 3 refused or not agreed to.
    """
    from standfast.core.holding import Retire

    def command(key: "Key", archive: "Archive", sight: "StoreSight") -> "Command":
        _unfollowed(file, key)
        return Retire((key,), reason)

    def ask(case: Case) -> None:
        as_text(_shown(case))
        agreed(case.short, yes=yes, reason=reason, weighty=True)

    def epilogue(short: str) -> str:
        return f"Next:  take {short} out of {file}  →  standfast plan"

    ctx.exit(operate(file, name, command, ask, epilogue, patience, as_json=as_json))


def _unfollowed(file: str, key: "Key") -> None:
    """Raises Refusal if the configuration lets another endpoint follow this one, though no plan does yet."""
    followers = [one.name for one in loaded(file).endpoints if (one.zone, one.follows) == key]
    if followers:
        names = ", ".join(followers)
        raise Refusal(f"{key[1]} is followed by {names} in {file}.", f"Take {names} out first, and retire it.")


def _shown(case: Case) -> list[str]:
    """What goes, and what that means to users."""
    entry = case.plan.entry(case.key)
    assert entry is not None
    texts = [text for rrset in entry.rrsets for text in rrset.texts()]
    lines = [f"{case.short}: retire it as g{case.plan.generation + 1}?"]
    lines.append(f"   − {'  '.join(texts)}   it will answer nothing any more, and stay so for ever")
    if any((one.zone, one.name) == case.key for one in case.config.endpoints):
        lines.append(f"   {case.short} is still in the configuration: take it out, or the planner keeps refusing it.")
    return lines
