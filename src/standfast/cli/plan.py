"""`standfast plan`: what would change, and why. Writes nothing, publishes nothing.

Exit 0: in sync. 2: something would change. 3: a guard refuses or holds something back, or consent is missing (3 wins
over 2). 1: something could not be read, or the command was used wrongly.

`--json` prints one object whose keys stay:
    head          generation in force, or null             generation   of the plan that would be published, or null
    in_sync       whether nothing would change             health_from  planner, probes or none
    endpoints     `name`, `zone`, `differs` (null: unread), `marker` (`before`, `state`, `after`), `types` by type
                  (`stay`, `added`, `removed`, `ttl_before`, `ttl_after`), `alias`, `reasons` (`address`,
                  `load_balancer`, `reason`), `action`, `why`, `panic`, `budget` and `adding` (of who left, of who
                  joined: `used`, `of`, `until`), `held_back` (`load_balancer`, `rule`, `reason`, `until`), `held`,
                  `note`, `layout` (`before`, `after`), `damage` (how its tree differs, or null)
    consent       names that exist in DNS and need --take NAME
    refusals      `name`, `zone`, `rule`, `reason`, `remedy`
    held_back     removals that a guard keeps back: `name`, `load_balancer`, `reason`
    loads         what load balancers would carry of what endpoints need: `load_balancer`, `load`, `capacity`,
                  `reserve`, `within`
    shares        averages over endpoints: `load_balancer`, `answers`, `capacity`, `deviation`
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
    from standfast.ports.provider import Unknown, ZoneProvider


@click.command("plan", short_help="what would change, and why")
@click.option("--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True)
@click.option("--take", multiple=True, metavar="NAME", help="as with `run`: consent to take over NAME")
@click.option("--json", "as_json", is_flag=True, help="one JSON object for machines")
@click.option(
    "--output",
    type=click.Choice(("text", "markdown")),
    default="text",
    show_default=True,
    help="markdown: for the comment under a merge request",
)
@click.option("--format", "form", type=click.Choice(("nsupdate", "aws", "octodns")), help="for hand work without us")
@click.option("--zone", default="", metavar="ZONE", help="with --format: this zone alone")
@click.pass_context
def plan_command(
    ctx: click.Context, file: str, take: tuple[str, ...], as_json: bool, output: str, form: str | None, zone: str
) -> None:  # fmt: skip
    """Show what would change in DNS, and why: addresses, TTLs, markers, reasons, guards. Writes nothing.

    \b
    --format nsupdate   a script for nsupdate, each name with prerequisites for what was seen there
    --format aws        a change batch for `aws route53 change-resource-record-sets`
    --format octodns    what shall stand at each endpoint, as octoDNS has it in YAML"""
    from standfast import config as configuration
    from standfast.cli.previewing.byhand import by_hand
    from standfast.cli.previewing.markdown import preview_markdown
    from standfast.cli.previewing.showing import preview_json, preview_lines

    try:
        config = configuration.load(file)
        previewed = preview(config, take)
        text = by_hand(previewed, config, form, zone.lower().rstrip(".")) if form else ""
    except StandfastError as error:
        if as_json:
            click.echo(json.dumps(_failed(error), indent=2, ensure_ascii=False))
        else:
            say(str(error), err=True)
        ctx.exit(error.exit_code)
    if form:
        click.echo(text, nl=False)
    elif output == "markdown":
        click.echo(preview_markdown(previewed), nl=False)
    elif as_json:
        click.echo(json.dumps(preview_json(previewed), indent=2, ensure_ascii=False))
    else:
        for line in fitted(preview_lines(previewed)):
            say(line)
    ctx.exit(previewed.exit_code)


def _failed(error: StandfastError) -> dict[str, Any]:
    return {"error": error.message, "remedy": error.remedy, "written": False, "exit": error.exit_code}


def preview(config: Config, take: tuple[str, ...] = ()) -> "Preview":
    """Draw the next plan and hold it to the zones. Raises StandfastError where nothing can be said at all."""
    from standfast.cli.previewing.differences import differences
    from standfast.cli.previewing.drawing import draw, readers
    from standfast.cli.previewing.showing import Preview
    from standfast.ports.provider import Unknown
    from standfast.runtime.place import policy_of

    providers = readers(config)
    try:
        drawn = draw(config, providers, [in_full(name, config) for name in take])
        wanted, decisions = drawn.wanted, drawn.draft.decisions if drawn.draft else ()
        changes = differences(wanted, decisions, providers) if wanted else ()
        hosted = tuple((zone, one) for zone, provider in providers.items() if (one := _hosted_id(provider)))
    finally:
        for provider in providers.values():
            if not isinstance(provider, Unknown):
                provider.close()
    return Preview(drawn, changes, tuple(policy_of(one) for one in config.endpoints), _others(config, changes), hosted)


def _hosted_id(provider: "ZoneProvider | Unknown") -> str:
    """The hosted zone's id, known since its first reading; empty elsewhere."""
    from standfast.adapters.providers.route53 import Route53Provider
    from standfast.adapters.providers.route53.calls import CallFailed

    try:
        return provider.zone_id() if isinstance(provider, Route53Provider) else ""
    except CallFailed:
        return ""


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
        if zone.by_api:
            found.append((zone.name, None))  # only a listing of the whole zone would tell: many requests
            continue
        addresses = asking.resolved(zone.host) if zone.tsig is not None else ()
        if not addresses or zone.tsig is None:
            continue
        names = asking.owner_names(asking.Server(addresses[0], zone.port), zone.name, zone.tsig)
        others = None if names is None else {one for one in names - ours if not is_below(one, subtree(zone.name))}
        found.append((zone.name, None if others is None else len(others)))
    return tuple(found)
