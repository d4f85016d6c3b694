"""`standfast plan`: what would change, and why. Writes nothing, publishes nothing.

Exit 0: in sync. 2: something would change. 3: a guard refuses or holds something back, or consent is missing (3 wins
over 2). 1: something could not be read, or the command was used wrongly.

`--json` prints one object whose keys stay:
    head          generation in force, or null             generation   of the plan that would be published, or null
    in_sync       whether nothing would change             health_from  planner, probes or none
    endpoints     `name`, `zone`, `differs` (null: unread), `marker` (`before`, `state`, `after`), `types` by type
                  (`stay`, `added`, `removed`, `ttl_before`, `ttl_after`), `alias`, `reasons` (`address`,
                  `load_balancer`, `reason`), `action`, `why`, `panic`, `held`, `note`
    consent       names that exist in DNS and need --take NAME
    refusals      `name`, `zone`, `rule`, `reason`, `remedy`
    held_back     removals that a guard keeps back: `name`, `load_balancer`, `reason`
    unread, refused, notes, not_touched (`zone`, `names`; null: not known), written (always false), exit
"""

import json
from typing import TYPE_CHECKING, Any

import click

from standfast.cli.texts import fitted, say
from standfast.config import Config
from standfast.errors import StandfastError

if TYPE_CHECKING:
    from standfast.cli.previewing.differences import EndpointChange
    from standfast.cli.previewing.showing import Preview


@click.command("plan", short_help="what would change, and why")
@click.option("--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True)
@click.option("--take", multiple=True, metavar="NAME", help="as with `run`: consent to take over NAME")
@click.option("--json", "as_json", is_flag=True, help="one JSON object for machines")
@click.pass_context
def plan_command(ctx: click.Context, file: str, take: tuple[str, ...], as_json: bool) -> None:
    """Show what would change in DNS, and why: addresses, TTLs, markers, reasons, guards. Writes nothing."""
    from standfast import config as configuration
    from standfast.cli.previewing.showing import preview_json, preview_lines

    try:
        previewed = preview(configuration.load(file), take)
    except StandfastError as error:
        if as_json:
            click.echo(json.dumps(_failed(error), indent=2, ensure_ascii=False))
        else:
            say(str(error), err=True)
        ctx.exit(error.exit_code)
    if as_json:
        click.echo(json.dumps(preview_json(previewed), indent=2, ensure_ascii=False))
    else:
        for line in fitted(preview_lines(previewed)):
            say(line)
    ctx.exit(previewed.exit_code)


def _failed(error: StandfastError) -> dict[str, Any]:
    return {"error": error.message, "remedy": error.remedy, "written": False, "exit": error.exit_code}


def preview(config: Config, take: tuple[str, ...] = ()) -> "Preview":
    """Draw the next plan and hold it to the zones. Raises StandfastError where nothing can be said at all."""
    from standfast.adapters.providers.rfc2136 import Rfc2136Provider
    from standfast.cli.previewing.differences import differences
    from standfast.cli.previewing.drawing import draw, readers
    from standfast.cli.previewing.showing import Preview
    from standfast.runtime.place import policy_of

    providers = readers(config)
    try:
        drawn = draw(config, providers, [in_full(name, config) for name in take])
        wanted, decisions = drawn.wanted, drawn.draft.decisions if drawn.draft else ()
        changes = differences(wanted, decisions, providers) if wanted else ()
    finally:
        for provider in providers.values():
            if isinstance(provider, Rfc2136Provider):
                provider.close()
    return Preview(drawn, changes, tuple(policy_of(one) for one in config.endpoints), _others(config, changes))


def in_full(name: str, config: Config) -> str:
    """The endpoint that `name` means: in full, or relative to its zone. Raises StandfastError."""
    text = name.lower().removesuffix(".")
    for endpoint in config.endpoints:
        if text in (endpoint.name, endpoint.name.removesuffix(f".{endpoint.zone}")):
            return endpoint.name
    raise StandfastError(f"--take {name}: no endpoint has that name.", "Name one of the configuration.")


def _others(config: Config, changes: "tuple[EndpointChange, ...]") -> tuple[tuple[str, int | None], ...]:
    """How many names each zone has that are none of ours, where a transfer tells."""
    from standfast.cli.checking import asking
    from standfast.model.name import is_below, subtree

    ours = {one.name for one in config.endpoints} | {change.entry.name for change in changes}
    found: list[tuple[str, int | None]] = []
    for zone in config.zones:
        addresses = asking.resolved(zone.host) if zone.tsig is not None else ()
        if not addresses or zone.tsig is None:
            continue
        names = asking.owner_names(asking.Server(addresses[0], zone.port), zone.name, zone.tsig)
        others = None if names is None else {one for one in names - ours if not is_below(one, subtree(zone.name))}
        found.append((zone.name, None if others is None else len(others)))
    return tuple(found)
