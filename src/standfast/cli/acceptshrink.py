"""`standfast accept-shrink`: who a source no longer names may go, nobody else, and no faster than the guards allow."""

import click

from standfast.errors import StandfastError

from .agreeing import agreed, one_line, say, yes_option
from .orders import Opened
from .wording import config_option, did_you_mean, loaded

_SHOWN = 20


@click.command("accept-shrink", short_help="what a source lost at once is meant")
@click.argument("source")
@click.option("--reason", required=True, metavar="TEXT", callback=one_line, help="why, for those who come after you")
@yes_option
@config_option
def accept_shrink_command(source: str, reason: str, yes: bool, file: str) -> None:
    """Accept that SOURCE no longer names load balancers that it named before: they may leave the fleet.

    They leave answers within the usual guards (min_answers, panic, removal). Exit code: 0 recorded, 3 not agreed to,
    1 nothing is held."""
    from standfast.runtime.accepting import accepted, held_in
    from standfast.runtime.operating import operator
    from standfast.runtime.place import Place

    if not reason:
        raise StandfastError("The reason is empty.", 'Say why: --reason "the old site was closed".')
    config = loaded(file)
    with Opened(config) as opened:
        held = held_in(opened.store)
        standing = held.get(source)
        if standing is None:
            if not held:
                raise StandfastError(f"Nothing of {source} is held: no source shrank.", "`standfast status` says more.")
            raise StandfastError(f"Nothing of {source} is held.", did_you_mean(source, sorted(held)))
        click.echo(f"{source} {standing.why}. It no longer names:")
        for name in standing.lost[:_SHOWN]:
            click.echo(f"   {name}")
        if len(standing.lost) > _SHOWN:
            click.echo(f"   and {len(standing.lost) - _SHOWN} more")
        agreed(source.lower(), yes=yes)
        Place(config).prepare()
        if why := accepted(config, opened.store, source, standing, reason):
            raise StandfastError(f"{source}: {why}.", "Try again; `standfast status` says how it stands.")
    say("operator", f'{operator()} accept-shrink {source}: "{reason}"')
    click.echo("They leave the fleet, and answers as fast as the guards allow.")
    click.echo("Next:  standfast status")
