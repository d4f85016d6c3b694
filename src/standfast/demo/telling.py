"""Journal events as lines for a narrow screen: what was written in one change is one line. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from standfast.runtime.narration import narrated

from .setting import ZONE, short

_RACE_MS: Final = 500.0
"""A refusal quicker than this is an ordinary race between enactors; a slower one was held."""
_QUIET: Final = frozenset({"intent", "probe"})


def told(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines, oldest first."""
    lines: list[str] = []
    change: list[Mapping[str, Any]] = []
    for event in events:
        if event.get("event") == "outcome" and event.get("nonce"):
            if change and change[0].get("nonce") != event.get("nonce"):
                lines += _change(change)
                change = []
            change.append(event)
            continue
        lines += _change(change)
        change = []
        race = event.get("event") == "outcome" and event.get("result") == "conflict"
        if event.get("event") not in _QUIET and not race and not _first(event) and (line := narrated(event)):
            lines.append(line.replace(f".{ZONE}", ""))
    return lines + _change(change)


def _change(change: list[Mapping[str, Any]]) -> list[str]:
    """The outcomes of one write."""
    some = [event for event in change if not _first(event)]
    if not some:
        return []
    first = some[0]
    names = ", ".join(short(str(event.get("name"))) for event in some)
    took = float(first.get("took_ms") or 0.0)
    match first.get("result"):
        case "written" | "refilled":
            since = max(int(event.get("since") or 0) for event in some)
            text = f"{names}  {_step(some, since)}, {took:.0f} ms" + (
                "" if "→" in str(first.get("why")) else _why(first)
            )
        case "conflict" if took < _RACE_MS:
            return []
        case "conflict":
            text = f"{names}  REFUSED by the server after {took / 1000:.1f} s: something newer is there"
        case "unknown":
            text = f"{names}  no answer to its write; it reads before it does anything else"
        case result:
            text = f"{names}  {result}: {first.get('why')}"
    return [f"{_clock(str(first.get('at', '')))}  {'enactor ' + str(first.get('who')):<11} {text}"]


def _step(some: list[Mapping[str, Any]], since: int) -> str:
    before = {event.get("before") for event in some}
    if before == {since}:
        return f"g{since} put back"
    return f"g{before.pop()} → g{since} written" if len(before) == 1 and None not in before else f"→ g{since} written"


def _why(event: Mapping[str, Any]) -> str:
    return f": {event.get('why')}"


def _first(event: Mapping[str, Any]) -> bool:
    return "._first." in str(event.get("name", ""))


def _clock(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"
