"""What `standfast audit` shows of zone, plan and journals against each other."""

from typing import TYPE_CHECKING

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE

from .texts import counted, paint, say, say_all
from .wording import dump, loaded

if TYPE_CHECKING:
    from standfast.audit.judge import Report
    from standfast.runtime.auditing import Compared

_SHOWN = 40
"""So many differences are shown; `--json` has all."""


def everything(file: str, as_json: bool) -> int:
    """Compare, judge, show. Gives the exit code."""
    from standfast.errors import JournalError
    from standfast.runtime.auditing import compared, json_of
    from standfast.runtime.place import Place

    from .audit import judged, report_json, show_report, unread

    config = loaded(file)
    found = compared(config)
    report: Report | None = None
    trouble = ""
    try:
        report = judged([Place(config).journal], found.ends, quiet=as_json)
    except JournalError as error:
        trouble = str(error)
    differs = bool(found.deviations) or (report is not None and report.violated)
    blind = bool(found.unread) or (report is not None and unread(report)) or bool(trouble)
    if as_json:
        said = json_of(found) | {"journal": report_json(report) if report else None, "journal_unread": trouble or None}
        dump({"ok": not differs and not blind, **said})
    else:
        _show(found)
        if report is not None:
            say()
            show_report(report)
        else:
            say_all("", f"No journal was judged: {trouble}")
        say_all("", _conclusion(differs, blind))
    return EXIT_DIFFERS if differs else EXIT_ERROR if blind else EXIT_FINE


def _show(found: "Compared") -> None:
    head = f"g{found.head.generation}" if found.head else "no plan"
    zones = ", ".join(found.zones)
    say_all(f"{zones}: {counted(found.endpoints, 'endpoint')} against {head} and the journals of this machine.", "")
    for one in found.deviations[:_SHOWN]:
        name = one.name or one.zone
        say_all(f"{paint('■', 'bad')} {name}: {one.what}")
        told = "  ".join(part for part in (one.since, one.who) if part) or "since when and by whom is not known here"
        say_all(f"  {one.between}: {told}", f"  {one.remedy}")
    if len(found.deviations) > _SHOWN:
        say_all(f"  and {len(found.deviations) - _SHOWN} more: see --json")
    if not found.deviations:
        say_all(f"{paint('✓', 'good')} Zone, markers, plan and journals agree, as far as they could be read.")
    for text in found.unread:
        say_all(f"{paint('?', 'watch')} {text}")
    for text in found.notes:
        say_all(f"  {text}")


def _conclusion(differs: bool, blind: bool) -> str:
    if differs:
        return paint("■ Something differs: each says above what to do.", "bad") + " Next:  standfast status"
    if blind:
        return paint("▲ Nothing differs in what could be read.", "watch") + " Next:  standfast check"
    return paint("✓ Nothing differs and nothing is violated.", "good")
