"""`standfast history`: what changed, when, by whom and why, newest first; read off the stored plans."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from standfast.errors import StandfastError

from .contents import before_standfast, entry_json, entry_lines, show_before, stood_json
from .wording import (
    as_text,
    config_option,
    dump,
    endpoint_named,
    json_option,
    live_keys,
    loaded,
    table,
)

if TYPE_CHECKING:
    from standfast.model.entry import Key, Stood
    from standfast.ports.store import PlanSummary
    from standfast.runtime.archive import Archive
    from standfast.runtime.chronicle import Step
    from standfast.runtime.place import Place


@click.command("history", short_help="what changed, when, by whom and why")
@click.argument("name", required=False)
@config_option
@json_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="so many changes")
@click.option(
    "--show", "generation", type=click.IntRange(0), metavar="G", help="the contents in that generation; 0: before"
)
@click.option("--leases", is_flag=True, help="of leases instead: granted, changed, ended, as registries here tell it")
@click.option("--turns", is_flag=True, help="also those in which load balancers only took turns in a rotation")
def history_command(
    name: str | None, file: str, as_json: bool, limit: int, generation: int | None, leases: bool, turns: bool
) -> None:
    """What changed, when, by whom and why, newest first; of one endpoint or of all. With --leases NAME is the id of a
    load balancer."""
    import time

    from standfast.runtime.archive import Archive
    from standfast.runtime.calling import called_alike
    from standfast.runtime.chronicle import steps
    from standfast.runtime.observed import viewed
    from standfast.runtime.place import Place

    from .wording import store_and_plan

    place = Place(viewed(loaded(file)))
    if leases:
        _leases(place, name or "", limit, as_json)
        return
    store, sight, plan = store_and_plan(place)
    try:
        key = endpoint_named(name, live_keys(plan)) if name else None
        archive = Archive(store)
        if generation == 0:
            show_before(plan, key, as_json)
            return
        if generation is not None:
            _show(place, archive, sight.plans, generation, key, as_json)
            return
        found = list(islice(steps(sight.plans, archive.load, key, turns=turns), limit))
    finally:
        store.close()
    collected = collected_generations(place)
    stood = before_standfast(plan, key)
    if as_json:
        dump({**_json(found, key, collected, sight.plans), "before_standfast": stood_json(stood) if stood else None})
        return
    alike = called_alike(place.config, plan)
    as_text(_lines(found, key, sight.plans, collected, time.time(), stood, alike))


def _leases(place: "Place", holder: str, limit: int, as_json: bool) -> None:
    from standfast.runtime.leasehistory import lease_events, lease_text

    found = lease_events(place.journal, holder, limit)
    if as_json:
        dump({"leases": [dict(one) for one in found]})
        return
    if not found:
        of = f" of {holder}" if holder else ""
        as_text([f"No journal of a registry on this machine tells of leases{of}. Who holds one: standfast lease list"])
        return
    rows = [("when (UTC)", "registry", "load balancer", "what")]
    for one in found:
        when = str(one.get("at", ""))[:19].replace("T", " ")
        rows.append((when, str(one.get("who")), str(one.get("load_balancer")), lease_text(one)))
    as_text(table(rows))


def collected_generations(place: "Place") -> set[int]:
    """Generations that a cleaner on this machine has journalled as collected."""
    from standfast.runtime.journal_files import read_journal

    found: set[int] = set()
    for event in read_journal(place.journal, events=("collected",), roles=("cleaner",)):
        some = event.get("generations")
        found |= {one for one in some if isinstance(one, int)} if isinstance(some, list) else set()
    return found


def _lines(
    found: "list[Step]",
    key: "Key | None",
    plans: "tuple[PlanSummary, ...]",
    collected: set[int],
    now: float,
    stood: "Stood | None" = None,
    alike: frozenset[str] = frozenset(),
) -> list[str]:
    from standfast.runtime.calling import short_name
    from standfast.runtime.chronicle import stood_text
    from standfast.runtime.times import clock, span
    from standfast.runtime.verdict import by

    rows = [("g", "when", "", "by", "change", "why")]
    for step in found:
        one = step.summary
        when, age = clock(one.at, now), span(now - one.at)
        who = next((f"{of.adopted_by} (adopted)" for of in step.changes if key and of.adopted_by), by(one.author))
        rows.append((str(one.generation), when, age, who, change_text(step, key, alike), why_text(step, key)))
    if stood is not None and key is not None:
        show = f"saved; standfast history {short_name(key[1], key[0], alike)} --show 0"
        rows.append(("0", "before Standfast", "", "", stood_text(stood), show))
    lines = table(rows)
    if not found:
        lines.append("  nothing changed in any plan that is stored")
    return lines + _gaps(plans, collected)


def change_text(step: "Step", key: "Key | None", alike: frozenset[str]) -> str:
    """`− lb-b2`, or with names in front if it is about all of them."""
    if not step.changes:
        return "the same contents" + (f" [pinned: {step.summary.pinned}]" if step.summary.pinned else "")
    some = [_change(one.key, one.changes, key, alike) for one in step.changes[:3]]
    more = f"; and {len(step.changes) - 3} more" if len(step.changes) > 3 else ""
    pinned = f" [pinned: {step.summary.pinned}]" if step.summary.pinned else ""
    return "; ".join(some) + more + pinned + ("" if step.complete else " (against nothing: what was before is gone)")


def _change(of: "Key", changes: Iterable[str], key: "Key | None", alike: frozenset[str]) -> str:
    from standfast.runtime.calling import short_name

    some = list(changes)
    texts = ", ".join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")
    return texts if key is not None else f"{short_name(of[1], of[0], alike)} {texts}"


def why_text(step: "Step", key: "Key | None") -> str:
    """The reasons of those that moved; without any, what the plan says of itself."""
    from standfast.runtime.calling import said_of

    whys = list(dict.fromkeys(why for one in step.changes for why in one.whys))
    if step.summary.reason.startswith(("rollback", "hold", "resume")):
        return step.summary.reason.rstrip(": ")
    if whys:
        return "; ".join(whys[:2]) + (f"; and {len(whys) - 2} more" if len(whys) > 2 else "")
    mine = said_of(key[1], step.summary.reason) if key is not None else []
    return "; ".join(mine) or step.summary.reason


def _gaps(plans: "tuple[PlanSummary, ...]", collected: set[int]) -> list[str]:
    from standfast.runtime.chronicle import missing

    lines = []
    for first, last in reversed(missing(one.generation for one in plans)):
        span = f"g{first}" if first == last else f"g{first}–g{last}"
        some = [one for one in range(max(first, last - 10_000), last + 1) if one in collected]
        if some:
            lines.append(f"  {span}: collected; their contents are gone")
        else:
            lines.append(f"  {span}: not in the store (collected, or never used)")
    return lines


def _show(
    place: "Place",
    archive: "Archive",
    plans: "tuple[PlanSummary, ...]",
    generation: int,
    key: "Key | None",
    as_json: bool,
) -> None:
    import time

    from standfast.runtime.times import clock, span
    from standfast.runtime.verdict import by

    plan = archive.generation(plans, generation)
    if plan is None:
        raise StandfastError(gone_text(place, plans, generation), _stored(plans))
    entries = [entry for entry in plan.shards if entry.kind != "first" and key in (None, entry.key)]
    if key is not None and not entries:
        raise StandfastError(f"{key[1]} was not in the plan of g{generation}.", f"`standfast history {key[1]}`")
    entries.sort(key=lambda entry: entry.key)
    record = plan.record
    if as_json:
        head = {"generation": generation, "at": record.at, "author": record.author, "reason": record.reason}
        dump({**head, "endpoints": [entry_json(entry) for entry in entries]})
        return
    now = time.time()
    why = f": {record.reason}" if record.reason else ""
    click.echo(f"g{generation}  {clock(record.at, now)}  {span(now - record.at)} ago  by {by(record.author)}{why}")
    for entry in entries:
        as_text(entry_lines(entry))


def gone_text(place: "Place", plans: "tuple[PlanSummary, ...]", generation: int) -> str:
    """Why a generation cannot be shown."""
    newest = max((one.generation for one in plans), default=0)
    if generation > newest:
        return f"g{generation} was not published yet."
    if generation in collected_generations(place):
        return f"g{generation} was collected; its contents are gone."
    return f"g{generation} is not in the store: collected, or never used."


def _stored(plans: "tuple[PlanSummary, ...]") -> str:
    some = sorted(one.generation for one in plans)
    return f"Stored are {len(some)} plans, g{some[0]} to g{some[-1]}." if some else "Nothing is stored."


def _json(
    found: "list[Step]", key: "Key | None", collected: set[int], plans: "tuple[PlanSummary, ...]"
) -> dict[str, Any]:
    from standfast.runtime.chronicle import missing

    return {
        "name": key[1] if key else None,
        "changes": [
            {
                "generation": step.summary.generation,
                "at": step.summary.at,
                "by": step.summary.author,
                "reason": step.summary.reason or None,
                "pinned": step.summary.pinned or None,
                "endpoints": [
                    {
                        "name": one.key[1],
                        "zone": one.key[0],
                        "changes": list(one.changes),
                        "why": list(one.whys),
                        "adopted_by": one.adopted_by or None,
                    }
                    for one in step.changes
                ],
            }
            for step in found
        ],
        "missing": [
            {
                "from": first,
                "to": last,
                "collected": any(one in collected for one in range(first, min(last, first + 10_000) + 1)),
            }
            for first, last in missing(one.generation for one in plans)
        ],
    }
