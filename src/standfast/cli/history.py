"""`standfast history`: what changed, when, by whom and why, newest first; read off the stored plans."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from standfast.errors import StandfastError

from .wording import (
    as_text,
    config_option,
    dump,
    endpoint_named,
    entry_json,
    json_option,
    live_keys,
    loaded,
    table,
)

if TYPE_CHECKING:
    from standfast.model.entry import Key
    from standfast.ports.store import PlanSummary
    from standfast.runtime.archive import Archive
    from standfast.runtime.chronicle import Step
    from standfast.runtime.place import Place


@click.command("history", short_help="what changed, when, by whom and why")
@click.argument("name", required=False)
@config_option
@json_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="so many changes")
@click.option("--show", "generation", type=click.IntRange(1), metavar="G", help="the contents in that generation")
@click.option("--turns", is_flag=True, help="also those in which load balancers only took turns in a rotation")
def history_command(
    name: str | None, file: str, as_json: bool, limit: int, generation: int | None, turns: bool
) -> None:
    """What changed, when, by whom and why, newest first; of one endpoint or of all."""
    import time

    from standfast.runtime.archive import Archive
    from standfast.runtime.chronicle import steps
    from standfast.runtime.observed import viewed
    from standfast.runtime.place import Place

    from .wording import store_and_plan

    place = Place(viewed(loaded(file)))
    store, sight, plan = store_and_plan(place)
    try:
        key = endpoint_named(name, live_keys(plan)) if name else None
        archive = Archive(store)
        if generation is not None:
            _show(place, archive, sight.plans, generation, key, as_json)
            return
        found = list(islice(steps(sight.plans, archive.load, key, turns=turns), limit))
    finally:
        store.close()
    collected = collected_generations(place)
    if as_json:
        dump(_json(found, key, collected, sight.plans))
        return
    as_text(_lines(found, key, sight.plans, collected, time.time()))


def collected_generations(place: "Place") -> set[int]:
    """Generations that a cleaner on this machine has journalled as collected."""
    from standfast.runtime.journal_files import read_journal

    found: set[int] = set()
    for event in read_journal(place.journal, events=("collected",), roles=("cleaner",)):
        some = event.get("generations")
        found |= {one for one in some if isinstance(one, int)} if isinstance(some, list) else set()
    return found


def _lines(
    found: "list[Step]", key: "Key | None", plans: "tuple[PlanSummary, ...]", collected: set[int], now: float
) -> list[str]:
    from standfast.runtime.times import clock, span
    from standfast.runtime.verdict import by

    rows = [("g", "when", "", "by", "change", "why")]
    for step in found:
        one = step.summary
        when, age = clock(one.at, now), span(now - one.at)
        rows.append((str(one.generation), when, age, by(one.author), change_text(step, key), why_text(step, key)))
    lines = table(rows)
    if not found:
        lines.append("  nothing changed in any plan that is stored")
    return lines + _gaps(plans, collected)


def change_text(step: "Step", key: "Key | None") -> str:
    """`− lb-b2`, or with names in front if it is about all of them."""
    if not step.changes:
        return "the same contents" + (f" [pinned: {step.summary.pinned}]" if step.summary.pinned else "")
    some = [_change(one.key, one.changes, key) for one in step.changes[:3]]
    more = f"; and {len(step.changes) - 3} more" if len(step.changes) > 3 else ""
    pinned = f" [pinned: {step.summary.pinned}]" if step.summary.pinned else ""
    return "; ".join(some) + more + pinned + ("" if step.complete else " (against nothing: what was before is gone)")


def _change(of: "Key", changes: Iterable[str], key: "Key | None") -> str:
    from standfast.runtime.verdict import short_name

    some = list(changes)
    texts = ", ".join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")
    return texts if key is not None else f"{short_name(of[1], of[0])} {texts}"


def why_text(step: "Step", key: "Key | None") -> str:
    """The reasons of those that moved; without any, what the plan says of itself."""
    whys = list(dict.fromkeys(why for one in step.changes for why in one.whys))
    if step.summary.reason.startswith(("rollback", "hold", "resume")):
        return step.summary.reason.rstrip(": ")
    if whys:
        return "; ".join(whys[:2]) + (f"; and {len(whys) - 2} more" if len(whys) > 2 else "")
    parts = step.summary.reason.split("; ")
    mine = [one for one in parts if key is not None and one.startswith(f"{key[1]} ")]
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


def entry_lines(entry: "Any") -> list[str]:
    """One endpoint's contents: records as in a zone file, then who is in and who is out."""
    from standfast.model.rrset import RRType

    held = f"   HELD: {entry.held}" if entry.held else ""
    lines = [f"{entry.name}   since g{entry.since}{held}" + (f"   {entry.kind}" if entry.kind != "live" else "")]
    for rrset in entry.rrsets:
        lines += [f"   {RRType(rrset.rtype).name:<5} {rrset.ttl:>6}  {text}" for text in rrset.texts()]
    rows = [
        ("in" if one.served else "out", one.load_balancer, " ".join(one.addresses), one.reason) for one in entry.members
    ]
    return lines + table(rows, "   ")


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
                    {"name": one.key[1], "zone": one.key[0], "changes": list(one.changes), "why": list(one.whys)}
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
