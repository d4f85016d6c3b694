"""What `standfast verify` tells: a table of runs, bounds, what was not covered, and counterexamples."""

import json
from typing import Any, Final

from standfast.cli.texts import counted, paint, say, say_all
from standfast.sim.search.product import Bounds
from standfast.sim.story.story import Story
from standfast.sim.world.bounds import Run
from standfast.sim.world.damaged import Healed, ill_text
from standfast.sim.world.running import Searched
from standfast.sim.world.scopes import NOT_COVERED, Scope

from .searching import Verified

_HEADS: Final = ("run", "states", "transitions", "depth", "seconds", "states/s", "MiB", "seen")
_MIB: Final = 1 << 20


def show_list(scope: Scope, runs: tuple[Run, ...], *, as_json: bool) -> None:
    """The runs and their bounds."""
    if as_json:
        described = [{"run": run.name, "about": run.about, "bounds": run.bounds} for run in runs]
        say(json.dumps({"scope": scope.name, "runs": described}))
        return
    for run in runs:
        say_all(f"{paint(run.name, 'strong')}: {run.about}", f"    {run.bounds}")
    for family in scope.families:
        say_all(
            f"{paint('damaged zones', 'strong')}: {family.about}: {family.size:,} zones, each healed by one enactor"
        )


def show(verified: Verified) -> None:
    """Table, bounds, counterexamples, verdict."""
    _show_table(verified.searched)
    for healed in verified.healed:
        _show_healed(healed)
    say_all("", paint("Within these bounds", "strong"))
    for one in verified.searched:
        say_all(f"  {one.run.name}: {one.run.bounds}")
    say_all("", paint("Not covered", "strong"), *(f"  {text}" for text in NOT_COVERED))
    saved = iter(verified.saved)
    for one in verified.searched:
        for _, story in one.stories:
            _show_story(story, str(next(saved)))
    say()
    say_all(_verdict(verified))


def _show_table(searched: tuple[Searched, ...]) -> None:
    rows = [_HEADS, *(_row(one) for one in searched)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        say(paint("  ".join(cells), "faint" if number == 0 else "plain"))


def _row(one: Searched) -> tuple[str, ...]:
    bounds = one.bounds
    seen = "BROKEN" if one.stories else "all" if bounds.complete else "NOT ALL"
    return (
        one.run.name,
        f"{bounds.states:,}",
        f"{bounds.transitions:,}",
        str(bounds.depth),
        f"{bounds.seconds:.1f}",
        f"{_rate(bounds):,.0f}",
        f"{bounds.memory_octets / _MIB:,.0f}",
        seen,
    )


def _rate(bounds: Bounds) -> float:
    return bounds.states / bounds.seconds if bounds.seconds > 0 else 0.0


def _show_healed(healed: Healed) -> None:
    verdict = "each healed by one lone enactor" if not healed.ill else f"{counted(len(healed.ill), 'zone')} NOT healed"
    all_seen = "" if healed.complete else " (not all were tried)"
    say_all("", f"{healed.zones:,} damaged zones ({healed.about}): {verdict} in {healed.seconds:.1f} s{all_seen}.")
    for damage, why, before, after in healed.ill:
        say_all(f"  {paint('■ G4', 'bad')} {damage or 'a healthy zone'}: {why}")
        say_all(*(f"      before: {line}" for line in ill_text(before)))
        say_all(*(f"      after:  {line}" for line in ill_text(after)))


def _show_story(story: Story, path: str) -> None:
    say()
    say_all(f"{paint('■ ' + story.title, 'bad')}: {story.outcome}")
    lane = max((len(moment.actor) for moment in story.moments), default=0)
    for number, moment in enumerate(story.moments, start=1):
        say_all(f"  {number:>3}  {moment.actor.ljust(lane)}  {moment.text}")
        if moment.refused:
            say_all(f"       {' ' * lane}    {moment.refused}")
    say_all(f"  Step through it: standfast replay {path}")


def _verdict(verified: Verified) -> str:
    states = sum(one.bounds.states for one in verified.searched)
    total = f"{counted(states, 'state')} in {counted(len(verified.searched), 'run')}"
    if verified.broken:
        return paint(f"■ A guarantee is broken ({total}).", "bad")
    if not verified.complete:
        left = f"; not begun: {', '.join(verified.unbegun)}" if verified.unbegun else ""
        return paint(f"▲ Not finished: {total} seen, nothing broken in them{left}.", "watch")
    risk = sum(one.bounds.omission for one in verified.searched)
    doubt = f" The chance that a state was overlooked is below {risk:.1e}." if risk else ""
    return paint(f"✓ {total}, all seen: no guarantee is broken within these bounds.", "good") + doubt


def as_json_object(verified: Verified) -> dict[str, Any]:
    """The same for programs."""
    saved = iter(verified.saved)
    return {
        "ok": verified.complete and not verified.broken,
        "scope": verified.scope.name,
        "engine": verified.engine,
        "complete": verified.complete,
        "not_begun": list(verified.unbegun),
        "runs": [_json_run(one, [str(next(saved)) for _ in one.stories]) for one in verified.searched],
        "damaged": [
            {
                "family": one.about,
                "zones": one.zones,
                "seconds": round(one.seconds, 3),
                "complete": one.complete,
                "not_healed": [{"damage": damage, "why": why} for damage, why, _, _ in one.ill],
            }
            for one in verified.healed
        ],
        "not_covered": list(NOT_COVERED),
    }


def _json_run(one: Searched, files: list[str]) -> dict[str, Any]:
    bounds = one.bounds
    return {
        "run": one.run.name,
        "about": one.run.about,
        "bounds": one.run.bounds,
        "states": bounds.states,
        "transitions": bounds.transitions,
        "depth": bounds.depth,
        "seconds": round(bounds.seconds, 3),
        "states_per_second": round(_rate(bounds)),
        "memory_octets": bounds.memory_octets,
        "complete": bounds.complete,
        "omission": bounds.omission,
        "fired": dict(bounds.fired),
        "broken": [
            {"property": name, "what": story.outcome, "steps": len(story.moments), "story": file}
            for (name, story), file in zip(one.stories, files, strict=True)
        ],
    }
