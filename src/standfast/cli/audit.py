"""`standfast audit`: zone, plan and journals against each other; or what journals alone prove of the guarantees."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE
from standfast.runtime.phrases import listed

from .texts import Tone, counted, paint, say, say_all
from .wording import config_option, dump, json_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from standfast.audit.findings import Judged, Violation
    from standfast.audit.judge import Report

_SHAPES: Final[dict[str, tuple[str, Tone]]] = {
    "holds": ("✓ holds", "good"),
    "cannot tell": ("▲ cannot tell", "watch"),
    "violated": ("■ VIOLATED", "bad"),
}
_WIDTH: Final = 15
_SHOWN: Final = 20
"""So many violations and spoilt lines are shown; `--json` has more."""


@click.command("audit", short_help="zone, plan and journals against each other; every write judged again")
@click.option("--journal", "paths", multiple=True, metavar="FILE_OR_DIR", help="the same; may be repeated")
@click.argument("more", nargs=-1, metavar="[FILE_OR_DIR]...")
@click.option("--ends", "ends", metavar="FILE", help="the markers as they stand: what `dig AXFR` prints")
@config_option
@json_option
@click.pass_context
def audit_command(
    ctx: click.Context, paths: tuple[str, ...], more: tuple[str, ...], ends: str | None, file: str, as_json: bool
) -> None:
    """Hold zone, markers, plan and journals against each other: what is wrong, since when, whose doing. Then judge
    every write, plan and collection again, from the journals.

    With journals named (files, state directories, folders of any machines) only they are judged, and nothing else is
    asked. Clocks are not believed: each marker names the change that wrote it, so the writes of an endpoint form a
    chain. Give the journals of all machines together; what a missing one would have told is told as "cannot tell".

    Exit code: 0 nothing differs or was violated, 2 something does, 1 something can't be read, or is no journal.
    """
    from standfast.audit.ends import read_ends

    if not paths and not more:
        if ends:
            raise click.UsageError("--ends is for journals: name them too. Without them the zone itself is read.")
        from .auditing import everything

        ctx.exit(everything(file, as_json))
    markers = read_ends(Path(ends)) if ends else None
    report = judged([Path(one) for one in (*paths, *more)], markers, quiet=as_json)
    if as_json:
        dump(report_json(report))
    else:
        show_report(report)
    ctx.exit(EXIT_DIFFERS if report.violated else EXIT_ERROR if unread(report) else EXIT_FINE)


def unread(report: "Report") -> bool:
    """Whether a whole file could not be read, or nothing in any was a line of a journal."""
    return report.unread or report.lines == len(report.spoilt)


def judged(paths: "Iterable[Path]", markers: "Mapping[tuple[str, str], str] | None", *, quiet: bool) -> "Report":
    """The audit, with a line on the terminal that says what is being read."""
    from standfast.audit.judge import audit

    if quiet or not sys.stderr.isatty():
        return audit(paths, markers)
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        return audit(paths, markers, lambda name: status.update(f"reading {name}"))


def show_report(report: "Report") -> None:
    from standfast.audit.findings import PROMISES
    from standfast.audit.judge import NOT_JUDGED

    read = f"{counted(len(report.journals), 'journal')}, {counted(report.lines, 'line')}"
    wrote = f"{counted(report.changes, 'change')} ({report.landed:,} known to have landed)"
    ordered = f"{counted(report.writes, 'write')} of {counted(report.endpoints, 'endpoint')}"
    say_all(f"{read}: {wrote}, {ordered} in {counted(report.chains, 'chain')} of markers.", "")
    for begin in report.begins:
        say(f"  {begin}; what stood then is taken from its checkpoint.")
    for one in report.judged:
        word, tone = _SHAPES[one.verdict]
        promise, what = PROMISES[one.guarantee]
        broken = f"; {counted(one.violations, 'violation')}" if one.violations else ""
        say(f"  {paint(word.ljust(_WIDTH), tone)}{one.guarantee:<5}{promise:<27}{one.checked:,} {what}{broken}")
        _show_doubts(one)
    say_all("", f"  {NOT_JUDGED}")
    for damage in report.damages[:_SHOWN]:
        say_all("", f"{paint('▲', 'watch')} {damage.text}: no violation, and repaired like other damage.")
        say_all(f"  {listed([str(place) for place in damage.places])}")
    for violation in report.violations[:_SHOWN]:
        _show_violation(violation)
    if len(report.violations) > _SHOWN:
        say_all("", f"  and {len(report.violations) - _SHOWN} more: see --json")
    if report.spoilt:
        say_all("", "Lines that could not be read, so that nothing is concluded from them:")
        say_all(*(f"  {one.place}: {one.why}" for one in report.spoilt[:_SHOWN]))
    if len(report.spoilt) > _SHOWN:
        say_all(f"  and {len(report.spoilt) - _SHOWN} more: see --json")
    say_all("", *_conclusion(report))


def _conclusion(report: "Report") -> "Iterable[str]":
    """What whoever reads only the last line must know."""
    if report.violated:
        count = sum(one.violations for one in report.judged)
        yield paint(f"■ {counted(count, 'violation')}: each says above what to do.", "bad")
    elif report.lines == len(report.spoilt):
        yield paint("▲ There is not one line of a journal in this: nothing was judged.", "watch")
        yield "  Give the folder `journal` of each state directory."
    elif report.unread:
        yield paint("▲ Not everything could be read; nothing is violated in what could.", "watch")
    elif untold := [one.guarantee for one in report.judged if one.verdict == "cannot tell"]:
        yield paint(f"▲ Nothing is violated; these journals can't tell all of {listed(untold, 9)}.", "watch")
    else:
        yield paint("✓ Nothing is violated.", "good")


def _show_doubts(one: "Judged") -> None:
    for doubt in one.doubts:
        first = f", first at {doubt.place}" if doubt.place else ""
        times = f" ({doubt.count:,} times{first})" if doubt.count > 1 else f" ({doubt.place})" if doubt.place else ""
        say_all(" " * (2 + _WIDTH + 5) + f"{doubt.why}{times}")


def _show_violation(violation: "Violation") -> None:
    say()
    say(f"{paint('■', 'bad')} {violation.guarantee}: {violation.text}")
    say_all(f"  {listed([str(place) for place in violation.places])}", f"  {violation.remedy}")


def report_json(report: "Report") -> dict[str, Any]:
    return {
        "ok": not report.violated and not unread(report),
        "journals": list(report.journals),
        "begins": list(report.begins),
        "lines": report.lines,
        "streams": list(report.streams),
        "endpoints": report.endpoints,
        "changes": report.changes,
        "landed": report.landed,
        "writes": report.writes,
        "chains": report.chains,
        "guarantees": {
            one.guarantee: {
                "verdict": one.verdict,
                "checked": one.checked,
                "violations": one.violations,
                "cannot_tell": [
                    {"why": doubt.why, "count": doubt.count, "first": str(doubt.place) if doubt.place else None}
                    for doubt in one.doubts
                ],
            }
            for one in report.judged
        },
        "violations": [
            {
                "guarantee": one.guarantee,
                "text": one.text,
                "places": [str(place) for place in one.places],
                "remedy": one.remedy,
            }
            for one in report.violations
        ],
        "damages": [{"text": one.text, "places": [str(place) for place in one.places]} for one in report.damages],
        "spoilt": [{"place": str(one.place), "why": one.why} for one in report.spoilt],
    }
