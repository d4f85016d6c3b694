"""`standfast override`: a load balancer, a pool or an AZ is up, down or to be drained for a while, whatever health and
file say; without arguments, what is in force."""

import time
from typing import TYPE_CHECKING, Final

import click

from standfast.errors import EXIT_FINE, Refusal, StandfastError

from .agreeing import reason_option, say
from .orders import (
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
from .reporting import Facts, reported
from .wording import as_text, config_option, dump, json_option, loaded, override_json, table

if TYPE_CHECKING:
    from standfast.config import Config
    from standfast.model.override import Override, Scope

STATES: Final = ("up", "down", "drain")


@click.command("override", short_help="put a load balancer, pool or AZ in or out for a while, whatever checks say")
@click.argument("words", nargs=-1, metavar="[[az|pool] TARGET up|down|drain]")
@for_option
@reason_option
@yes_option
@click.option("--clear", "--end", "clear", is_flag=True, help="end it; `all --clear` ends every one")
@config_option
@json_option
@click.pass_context
def override_command(
    ctx: click.Context,
    words: tuple[str, ...],
    lasts_s: float,
    reason: str,
    yes: bool,
    clear: bool,
    file: str,
    as_json: bool,
) -> None:
    """Put a load balancer, all of a pool or all of an AZ in (up) or out (down, drain) for a while, whatever health
    checks and the file say. It ends by itself. Guards go on to hold: none is taken below min_answers.

    \b
    standfast override                                      what is in force, by whom, until when
    standfast override lb-b2 up --for 1h --reason "false alarm"
    standfast override az b down --reason "smoke in the building"
    standfast override lb-b2 --clear

    Exit code: 0 recorded, 2 recorded but no planner is running, 3 a guard refuses or consent is missing."""
    config = loaded(file)
    if not words and not clear:
        _list(config, as_json)
        return
    if clear:
        with reported(as_json) as facts:
            code = _clear(config, words, yes, reason, facts)
            facts["ok"] = code == EXIT_FINE
        ctx.exit(code)
    if len(words) < 2 or words[-1] not in STATES:
        raise StandfastError("What shall it be?", "Give TARGET and one of up, down, drain; or TARGET --clear.")
    if not reason:
        raise StandfastError("An override needs a reason.", '--reason "kernel upgrade, ticket 4711"')
    with reported(as_json) as facts:
        code = _give(config, words, lasts_s, reason, yes, facts)
        facts["ok"] = code == EXIT_FINE
    ctx.exit(code)


def _list(config: "Config", as_json: bool) -> None:
    with Opened(config) as opened:
        sight = opened.sight
    now = time.time()
    if sight.overrides is None:
        raise StandfastError("The overrides in the store make no sense.", "`standfast override all --clear` ends them.")
    some = sight.in_force(now)
    if as_json:
        dump({"at": now, "overrides": [override_json(one) for one in some]})
        return
    as_text(table([_row(one, now) for one in some]) or ["No override is in force: health and the file decide."])


def _row(one: "Override", now: float) -> tuple[str, ...]:
    from standfast.runtime.overridden import ending
    from standfast.runtime.times import clock, span

    left = f"until {clock(one.until, now)} ({span(one.until - now)})"
    return one.subject, one.state, left, one.by, one.reason, f"ends it: {ending(one)}"


def _give(config: "Config", words: tuple[str, ...], lasts_s: float, reason: str, yes: bool, facts: Facts) -> int:
    from standfast.runtime.ordering import carry_out, rehearsed
    from standfast.runtime.overriding import Change
    from standfast.runtime.place import Place
    from standfast.runtime.times import clock

    with Opened(config) as opened:
        scope, target = target_named(words[:-1], opened.sight, config)
        asked = new_override(scope, target, words[-1], reason, lasts_s, consented=False)
        rehearsal = rehearsed(config, opened.sight, asked, asked.at)
        lines(shown(rehearsal))
        again = f"standfast override {' '.join(words)}"
        beyond = consented_to(asked.subject, rehearsal, yes, reason, again)
        order = new_override(scope, target, words[-1], reason, lasts_s, consented=beyond)
        Place(config).prepare()
        done = recorded(
            carry_out(config, opened.store, Change(scope, target, order), "override", reason), order.subject
        )
    until = clock(order.until, order.at)
    say("operator", f'{order.by} override {order.subject} {order.state} until {until}: "{reason}"')
    facts |= {"action": "override", **order_json(order, done.before)}
    if done.before is not None:
        click.echo(f"It replaces {done.before.state} by {done.before.by}: {done.before.reason}")
    code = ended(config, rehearsal, facts)
    click.echo(f"Next:  standfast status   …   standfast override {order.subject} --clear")
    return code


def order_json(order: "Override | None", before: "Override | None") -> Facts:
    """What is in force from now on, and what was before, each or null."""
    return {
        "override": override_json(order) if order else None,
        "replaced": override_json(before) if before else None,
    }


def _clear(config: "Config", words: tuple[str, ...], yes: bool, reason: str, facts: Facts) -> int:
    from standfast.runtime.ordering import carry_out_reset
    from standfast.runtime.place import Place

    if not words:
        raise StandfastError("Which one shall end?", "Give its target, or `all`; `standfast override` lists them.")
    with Opened(config) as opened:
        Place(config).prepare()
        if words == ("all",):
            if not (yes and reason):
                raise Refusal("This ends every override of everybody.", "To agree: --yes --reason TEXT")
            recorded(carry_out_reset(config, opened.store, reason), "all")
            say("operator", "every override is ended: health and the file decide again")
            facts |= {"action": "override", "scope": None, "target": "all", **order_json(None, None)}
            return EXIT_FINE
        scope, target = target_named(words, opened.sight, config)
        return end(config, opened, scope, target, reason, "override", facts)


def end(config: "Config", opened: Opened, scope: "Scope", target: str, reason: str, action: str, facts: Facts) -> int:
    """End what is said of a target."""
    from standfast.runtime.operating import operator
    from standfast.runtime.ordering import Rehearsal, carry_out
    from standfast.runtime.overriding import Change

    subject = target if scope == "load_balancer" else f"{scope} {target}"
    change = Change(scope, target)
    done = recorded(carry_out(config, opened.store, change, action, reason), subject)
    facts |= {"action": action, "scope": scope, "target": target, **order_json(None, done.before)}
    was = f" ({done.before.state} by {done.before.by}: {done.before.reason})" if done.before else ""
    say("operator", f"{operator()} ended the override of {subject}{was}")
    click.echo(f"{subject}: health and the file decide again; it returns within the guards.")
    code = ended(config, Rehearsal(), facts)
    click.echo("Next:  standfast status")
    return code
