"""What `standfast audit` shows of zone, plan and journals against each other."""

import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE

from .texts import counted, paint, say, say_all
from .wording import dump, loaded

if TYPE_CHECKING:
    from standfast.audit.judge import Report
    from standfast.config import Config
    from standfast.runtime.auditing import Compared

_SHOWN = 40
"""So many differences are shown; `--json` has all."""
LOOKS_MAX: Final = 4
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
PAUSE_S: Final = 1.0
"""So often, and with such pauses, a system that is changing is looked at again."""


def everything(file: str, as_json: bool) -> int:
    """Compare, judge, show. Gives the exit code."""
    from standfast.runtime.auditing import json_of

    from .audit import report_json, show_report, unread

    found, report, trouble = _settled(loaded(file), as_json)
    differs = _differs(found, report)
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


def _settled(config: "Config", quiet: bool) -> "tuple[Compared, Report | None, str]":
    """Zone, store, copies and journals are read one after the other, and what changes meanwhile looks like damage: so
    what differs is believed if nothing moved. Where there is no end to it, journals are judged without the markers as
    they stand, and only what differed in two looks is told."""
    from standfast.runtime.auditing import compared

    found = compared(config)
    for _ in range(LOOKS_MAX):
        report, trouble = _judged(config, found.ends, quiet)
        if not _differs(found, report):
            return found, report, trouble
        before, found = found, compared(config)
        if (before.ends, before.head, before.deviations) == (found.ends, found.head, found.deviations):
            return found, report, trouble
        time.sleep(PAUSE_S)
    twice = tuple(one for one in found.deviations if one in before.deviations)
    return replace(found, deviations=twice), *_judged(config, None, quiet)


def _judged(config: "Config", ends: "Mapping[tuple[str, str], str] | None", quiet: bool) -> "tuple[Report | None, str]":
    """The journals of this machine judged, or why they can't be."""
    from standfast.errors import JournalError
    from standfast.runtime.place import Place

    from .audit import judged

    try:
        return judged([Place(config).journal], ends, quiet=quiet), ""
    except JournalError as error:
        return None, str(error)


def _differs(found: "Compared", report: "Report | None") -> bool:
    return bool(found.deviations) or (report is not None and report.violated)


def _show(found: "Compared") -> None:
    head = f"g{found.head.generation}" if found.head else "no plan"
    zones = ", ".join(found.zones)
    say_all(f"{zones}: {counted(found.endpoints, 'endpoint')} against {head} and the journals of this machine.", "")
    for one in found.deviations[:_SHOWN]:
        name = one.name or one.zone
        say_all(f"{paint('■', 'bad')} {name}: {_clocked(one.what)}")
        told = "  ".join(part for part in (one.since, one.who) if part) or "since when and by whom is not known here"
        say_all(f"  {one.between}: {_clocked(told)}", f"  {one.remedy}")
    if len(found.deviations) > _SHOWN:
        say_all(f"  and {len(found.deviations) - _SHOWN} more: see --json")
    if not found.deviations:
        say_all(f"{paint('✓', 'good')} Zone, markers, plan and journals agree, as far as they could be read.")
    for text in found.unread:
        say_all(f"{paint('?', 'watch')} {text}")
    for text in found.notes:
        say_all(f"  {text}")


def _clocked(text: str) -> str:
    """Moments of journals as this machine's clock shows them, as everywhere else. (`--json` has them as they are.)"""
    from standfast.runtime.times import clock

    now = time.time()
    return _MOMENT.sub(lambda found: clock(datetime.fromisoformat(found[0]).timestamp(), now), text)


def _conclusion(differs: bool, blind: bool) -> str:
    if differs:
        return paint("■ Something differs: each says above what to do.", "bad") + " Next:  standfast status"
    if blind:
        return paint("▲ Nothing differs in what could be read.", "watch") + " Next:  standfast check"
    return paint("✓ Nothing differs and nothing is violated.", "good")
