"""`standfast rollback`, `hold`, `resume`: what an operator decides, published as a new generation and journalled."""

import time
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from standfast.errors import EXIT_DIFFERS, EXIT_FINE, StandfastError
from standfast.runtime.phrases import capital

from .agreeing import agreed, nothing_asked, one_line, reason_option, say, yes_option
from .reporting import Facts, reported
from .wording import as_text, config_option, endpoint_named, json_option, live_keys, loaded, refused, store_and_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from standfast.adapters.stores.plan_store import PlanStore
    from standfast.config import Config
    from standfast.core.decisions import Draft
    from standfast.core.holding import Command
    from standfast.model.entry import Entry, Key
    from standfast.model.plan import Plan
    from standfast.runtime.archive import Archive
    from standfast.runtime.observing import StoreSight
    from standfast.runtime.operating import Known

wait_option = click.option(
    "--wait", "patience", default=10.0, show_default=True, type=click.FloatRange(0, 3600), metavar="SECONDS",
    help="so long to wait until DNS has it",
)  # fmt: skip


@click.command("rollback", short_help="put old contents back, and hold them")
@click.argument("name")
@click.option("--to", "generation", required=True, type=click.IntRange(1), metavar="G", help="see `standfast history`")
@reason_option
@yes_option
@wait_option
@config_option
@json_option
@click.pass_context
def rollback_command(
    ctx: click.Context, name: str, generation: int, reason: str, yes: bool, patience: float, file: str, as_json: bool
) -> None:
    """Put the contents of generation G back as a new generation, and hold them until `standfast resume`.

    What it would put back is checked now; load balancers that the fleet has no longer refuse it.

    Exit code: 0 DNS has it, 2 published but not in DNS yet, 3 refused or not agreed to."""
    from standfast.core.holding import Rollback

    def command(key: "Key", archive: "Archive", sight: "StoreSight") -> "Command":
        target = archive.generation(sight.plans, generation)
        if target is None:
            raise _gone(file, sight, generation)
        return Rollback(target, (key,), reason)

    def ask(case: "Case") -> None:
        from .rollingback import shown

        lines, weighty = shown(case)
        as_text(lines)
        agreed(case.short, yes=yes, reason=reason, weighty=weighty)

    def epilogue(short: str) -> str:
        return f"Next:  mend {file}  →  standfast plan  →  standfast resume {short}"

    ctx.exit(operate(file, name, command, ask, epilogue, patience, as_json=as_json))


@click.command("hold", short_help="keep a name as it is, whatever health and file say")
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", callback=one_line, help="why, for those who come after you")
@nothing_asked
@config_option
@json_option
@click.pass_context
def hold_command(ctx: click.Context, name: str, reason: str, file: str, as_json: bool) -> None:
    """Keep an endpoint as it is until `standfast resume`: failover is off for it. Repairs go on."""
    from standfast.core.holding import Hold

    if not reason.strip():
        raise StandfastError("The reason is empty.", 'Say why: --reason "load test until 15:00".')

    def epilogue(short: str) -> str:
        return f"Next:  standfast status   …   standfast resume {short}"

    ctx.exit(operate(file, name, lambda key, a, s: Hold((key,), reason), unasked, epilogue, as_json=as_json))


@click.command("resume", short_help="end a hold: health and file decide again")
@click.argument("name")
@reason_option
@nothing_asked
@config_option
@json_option
@click.pass_context
def resume_command(ctx: click.Context, name: str, reason: str, file: str, as_json: bool) -> None:
    """End the hold of an endpoint. The next plan follows health and configuration again, within the guards."""
    from standfast.core.holding import Resume

    def epilogue(short: str) -> str:
        return f"Next:  standfast status   standfast history {short}"

    ctx.exit(
        operate(
            file,
            name,
            lambda key, a, s: Resume((key,), reason or "the hold is over"),
            unasked,
            epilogue,
            as_json=as_json,
        )
    )


class Case(Struct, frozen=True):
    """One command on one endpoint, looked at before anybody is asked: what it would come to on the present plan."""

    config: "Config"
    key: "Key"
    short: str
    plan: "Plan"
    command: "Command"
    draft: "Draft"
    sight: "StoreSight"


def unasked(case: Case) -> None:
    """Nobody is asked."""


def operate(
    file: str,
    name: str,
    command_for: "Callable[[Key, Archive, StoreSight], Command]",
    ask: "Callable[[Case], None]",
    epilogue: "Callable[[str], str]",
    patience: float = 0.0,
    *,
    as_json: bool = False,
) -> int:
    """Show, ask, publish, wait. Gives the exit code; raises Refusal and StandfastError."""
    with reported(as_json) as facts:
        code = _operated(file, name, command_for, ask, epilogue, patience, facts)
        facts["ok"] = code == EXIT_FINE
    return code


def _operated(
    file: str,
    name: str,
    command_for: "Callable[[Key, Archive, StoreSight], Command]",
    ask: "Callable[[Case], None]",
    epilogue: "Callable[[str], str]",
    patience: float,
    facts: Facts,
) -> int:
    from standfast.runtime.archive import Archive
    from standfast.runtime.calling import called_alike, short_name
    from standfast.runtime.operating import operator, rehearsed
    from standfast.runtime.place import Place

    config = loaded(file)
    place = Place(config)
    store, sight, plan = store_and_plan(place)
    try:
        key = endpoint_named(name, live_keys(plan))
        short = short_name(key[1], key[0], called_alike(config, plan))
        command = command_for(key, Archive(store), sight)
        known = _known(config, sight)
        draft = rehearsed(command, plan, known, operator(), time.time())
        if draft.refusals:
            raise refused(f"{short}: {draft.refusals[0].reason}", draft.refusals[0].remedy)
        case = Case(config, key, short, plan, command, draft, sight)
        ask(case)
        place.prepare()
        return _done(case, store, known, patience, epilogue, facts)
    finally:
        store.close()


def _gone(file: str, sight: "StoreSight", generation: int) -> StandfastError:
    from standfast.runtime.place import Place

    from .history import gone_text

    some = ", ".join(f"g{one.generation}" for one in sight.plans[:8])
    return StandfastError(gone_text(Place(loaded(file)), sight.plans, generation), f"Stored are {some}.")


def _known(config: "Config", sight: "StoreSight") -> "Known":
    """The fleet by which load balancers are gone or not. Raises StandfastError if it is unknown: that is not empty."""
    from standfast.runtime.hostedsight import checks_known, doomed_revision
    from standfast.runtime.observing import declared_fleet
    from standfast.runtime.operating import Known
    from standfast.runtime.place import prefixes_of

    if sight.fleet is not None:
        checks = tuple(sorted(checks_known(sight, time.time()).items()))
        return Known(sight.fleet, sight.fleet_revision, prefixes_of(config), checks, doomed_revision(sight))
    declared = declared_fleet(config)
    if declared is None:
        raise StandfastError("Which load balancers there are is unknown now.", "Mend the fleet file, then try again.")
    return Known(declared, 0, prefixes_of(config))


def _done(
    case: Case, store: "PlanStore", known: "Known", patience: float, epilogue: "Callable[[str], str]", facts: Facts
) -> int:
    from standfast.core.holding import Resume, Retire, Rollback
    from standfast.runtime.operating import carry_out, operator

    command, short = case.command, case.short
    result = carry_out(command, case.config, store, case.plan, known)
    if result.kind == "refused":
        raise refused(f"{short}: {result.refusal}", result.remedy)
    if result.plan is None:
        raise refused_or_lost(short, result.refusal, result.remedy)
    entry = result.plan.entry(case.key)
    assert entry is not None
    verb = type(command).__name__.lower()
    facts |= {"action": verb, "zone": entry.zone, "endpoint": entry.name, "generation": result.plan.generation}
    facts |= {"reason": command.reason or None, "held": entry.held or None}
    step = f" to g{command.target.generation}" if isinstance(command, Rollback) else ""
    why = f': "{command.reason}"' if command.reason else ""
    say("operator", f"{operator()} {verb} {short}{step}{why}")
    say("store", f"g{result.plan.generation} published")
    code = EXIT_FINE
    match command:
        case Rollback():
            code = _awaited(case.config, entry, short, f"(contents of g{command.target.generation})", patience)
            click.echo(f"Failover is OFF for {short} until `standfast resume {short}`.")
        case Retire():
            code = _awaited(case.config, entry, short, "(a tombstone)", patience)
        case Resume():
            click.echo(f"{short} is no longer held: health and the file decide again.")
        case _:
            click.echo(f"{short} is HELD as it is. Failover is OFF for it; repairs go on.")
    if isinstance(command, Rollback | Retire):
        facts["in_dns"] = code == EXIT_FINE
    click.echo(epilogue(short))
    return code


def refused_or_lost(short: str, why: str, remedy: str) -> StandfastError:
    """Whether it was published is not known, or another was faster."""
    return StandfastError(f"{short}: {why}.", f"{capital(remedy)}.")


def _awaited(config: "Config", entry: "Entry", short: str, what: str, patience: float) -> int:
    from standfast.runtime.observing import at_work, present
    from standfast.runtime.operating import wait_for_marker
    from standfast.runtime.place import Place

    running = [one for one in present(Place(config)) if one.role == "enactor" and at_work(one)]
    began = time.monotonic()
    marker, why = wait_for_marker(config, entry, patience if running else 0.0)
    if marker is not None:
        took = time.monotonic() - began
        say(f"enactor {marker.writer}", f"{short}  → g{marker.since}  read in the zone after {took:.1f} s")
        click.echo(f"{short} serves g{marker.since} {what}.")
        return EXIT_FINE
    if not running:
        click.echo(f"No enactor is running here, so nobody writes it yet ({why}). Start one: standfast run")
    else:
        click.echo(f"Not in the zone after {patience:g} s ({why}). It goes on: standfast status")
    return EXIT_DIFFERS
