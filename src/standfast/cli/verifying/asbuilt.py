"""`standfast verify --as-built`: the system of October 2025 under the same search, with remedies switched on."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from standfast.cli.texts import counted, paint, say, say_all, width
from standfast.cli.verifying.progress import far, progress_line
from standfast.errors import EXIT_DIFFERS, EXIT_FINE
from standfast.sim.asbuilt.narrating import narrated
from standfast.sim.asbuilt.remedies import OURS, SWITCHES, Remedy, chosen
from standfast.sim.asbuilt.system import Scope
from standfast.sim.asbuilt.verdicts import FAILURES, Verdict, runs, stated, verdict
from standfast.sim.story.story import save

_MEANING: Final = (
    "backwards  an older plan replaced a newer one",
    "emptied    a name has no addresses: NOERROR without data",
    "dangling   the operators' way back leads nowhere",
    "unhealed   a fresh enactor, alone, cannot install the next plan",
    "wedged     no schedule ever leads to the latest plan again, and no later plan does",
)
_NOT_COVERED: Final = (
    "lost replies and requests that arrive late: here a batch is done or refused when it is sent",
    "hand edits, and IPv6, whose tree is a second one of the same shape",
    "what is not published and had to be inferred; comments in sim/asbuilt say which",
)


def verify_as_built(scope: str, names: Iterable[str], folder: str | None, *, as_json: bool) -> int:
    """Search, print, save stories; the exit code.

    Without names all of the table: 0 if each outcome is the stated one, which for the system as built is that it
    fails; 2 if one is not. With names, that set alone: 2 if anything fails. Raises StandfastError for an unknown name.
    """
    remedies = chosen(names)
    wanted = [(remedies, _scope(remedies, scope))] if remedies else [(one.remedies, at) for one, at in runs(scope)]
    found = []
    with progress_line(quiet=as_json) as tell:
        for some, at in wanted:
            name = named(some)
            found.append(verdict(some, at, lambda seen, name=name: tell(far(name, seen))))  # type: ignore[misc]
    saved = [path for one in found for path in _saved(one, Path(folder))] if folder else []
    differing = [one for one in found if not one.as_stated]
    broken = bool(differing) or (bool(remedies) and any(one.findings for one in found))
    if as_json:
        click.echo(
            json.dumps({"ok": not broken, "runs": [_as_json(one) for one in found], "saved": [*map(str, saved)]})
        )
    else:
        _show(found, differing, [*map(str, saved)], alone=bool(remedies))
    return EXIT_DIFFERS if broken else EXIT_FINE


def list_remedies(*, as_json: bool) -> None:
    """What --with understands."""
    if as_json:
        rows = [{"remedy": one.remedy, "origin": one.origin, "says": one.says} for one in SWITCHES]
        click.echo(json.dumps({"remedies": rows, "ours": sorted(OURS)}))
        return
    say_all(*(f"  {one.remedy:<18}{one.origin:<8}{one.says}" for one in SWITCHES))
    say_all(f"  {'ours':<18}{'':<8}{', '.join(sorted(OURS))}")


def named(remedies: Iterable[Remedy]) -> str:
    """A set's name in the table."""
    some = frozenset(remedies)
    if some == OURS:
        return "all of ours"
    return " + ".join(switch.remedy for switch in SWITCHES if switch.remedy in some) or "as built"


def _scope(remedies: frozenset[Remedy], scope: str) -> Scope:
    """That of the table; for a set that is not in it, two endpoints, which shows more than one."""
    known = {one.remedies: at for one, at in runs(scope)}
    return known.get(remedies, runs("wide")[0][1] if scope == "wide" else Scope(2, 3, 2))


def _show(found: list[Verdict], differing: list[Verdict], saved: list[str], *, alone: bool) -> None:
    _show_table(found)
    say_all("", paint("Steps of the shortest way to each; – is proof that there is none in this scope", "strong"))
    say_all(*(f"  {line}" for line in _MEANING))
    say_all("", paint("Remedies", "strong"))
    shown = {remedy for one in found for remedy in one.system.how.remedies}
    say_all(*(f"  {one.remedy:<18}{one.origin:<8}{one.says}" for one in SWITCHES if one.remedy in shown))
    say_all("", paint("Not covered", "strong"), *(f"  {line}" for line in _NOT_COVERED))
    if saved:
        say_all("", *(f"standfast replay {path}" for path in saved))
    say()
    for one in differing:
        known = stated(one.system.how.remedies, one.system.scope)
        expected = ", ".join(sorted(known.remain)) if known else ""
        say_all(
            f"{named(one.system.how.remedies)}: {expected or 'nothing'} should remain, and this is not what was found."
        )
    say_all(_conclusion(found, differing, alone=alone))


def _conclusion(found: list[Verdict], differing: list[Verdict], *, alone: bool) -> str:
    if differing:
        return paint("The outcome is not what is stated.", "bad")
    if not alone:
        return "Every outcome is the stated one: as built it fails, with all of ours nothing is left to find."
    remain = ", ".join(failure for failure in FAILURES if failure in found[0].remain)
    if remain:
        return paint(f"With {named(found[0].system.how.remedies)} these remain: {remain}.", "bad")
    return f"With {named(found[0].system.how.remedies)} nothing is left to find in this scope."


def _show_table(found: list[Verdict]) -> None:
    rows = [("remedies", "scope", "states", "transitions", *FAILURES)]
    for one in found:
        at = one.system.scope
        cells = [str(one.steps(f) or "–") if f in one.asked else "·" for f in FAILURES]
        bounds = (f"{one.bounds.states:,}", f"{one.bounds.transitions:,}")
        rows.append((named(one.system.how.remedies), f"{at.enactors}×{at.plans}×{at.endpoints}", *bounds, *cells))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if sum(widths) + 2 * (len(widths) - 1) > width():  # then a name stands above its numbers
        widths[0] = 0
    for number, row in enumerate(rows):
        if not widths[0]:
            say(row[0])
        cells = [
            row[0].ljust(widths[0]) if widths[0] else "",
            *(cell.rjust(wide) for cell, wide in zip(row[1:], widths[1:], strict=True)),
        ]
        say(paint("  ".join(cells), "faint" if number == 0 else "plain"))
    searches = counted(len(found), "complete search", "complete searches")
    say(f"scope: enactors × plans × endpoints, with crashes; {searches}")


def _saved(one: Verdict, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for finding in one.findings:
        words = re.sub("[^a-z-]+", "-", named(one.system.how.remedies))
        path = folder / f"as-built-{words}-{finding.property}.story.json".replace("as-built-as-built", "as-built")
        save(narrated(one.system, finding, f"standfast replay {path}"), path)
        paths.append(path)
    return paths


def _as_json(one: Verdict) -> dict[str, Any]:
    scope, bounds = one.system.scope, one.bounds
    return {
        "with": sorted(one.system.how.remedies),
        "scope": {"enactors": scope.enactors, "plans": scope.plans, "endpoints": scope.endpoints, "crashes": True},
        "states": bounds.states,
        "transitions": bounds.transitions,
        "depth": bounds.depth,
        "seconds": round(bounds.seconds, 3),
        "complete": bounds.complete,
        "steps": {failure: one.steps(failure) for failure in FAILURES if failure in one.remain},
        "asked": [failure for failure in FAILURES if failure in one.asked],
        "lost": one.lost,
        "as_stated": one.as_stated,
    }
