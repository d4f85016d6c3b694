"""Journal events as lines that people read: who, what, from → to, proof, duration. Clock times, never epochs."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

AGAIN_S: Final = 60.0
TOLD_MAX: Final = 1000
_RESOLVED: Final = frozenset({"written", "refilled", "conflict"})

_RESULTS: Mapping[str, str] = {
    "written": "written",
    "refilled": "given its addresses back",
    "conflict": "refused by the server, which is fine: something newer is there",
    "unknown": "no answer; settled by reading before anything else is done",
    "refused": "REFUSED by the server",
    "blind": "can't be read",
    "frozen": "frozen; nothing is written",
    "foreign": "belongs to another stream; nothing is written",
    "forked": "two plans share a generation; nothing is written until a newer one",
    "retired": "retired; nothing is written",
    "unsafe": "refused by the guard",
    "left": "left as somebody insists on it",
    "unrecorded": "not written: no journal",
}


class Narrator:
    """Tells events as they come, each line to `say`. What only repeats itself is told again after a while.

    A store or a server that is away is noticed many times a minute by each process; people need it once.
    """

    def __init__(self, say: Callable[[str], None], *, observe: bool = False, reloads: bool = True) -> None:
        self._say, self._observe, self._reloads = say, observe, reloads
        self._told: dict[tuple[str, str, str], float] = {}

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Tell it, or keep quiet."""
        if event.get("event") == "reloaded" and not self._reloads:
            return  # another process on this terminal tells it
        line = narrated(event)
        if line is None or (self._observe and event.get("result") in ("unrecorded", "refused")):
            return  # nothing was asked of anybody: `would_write` has told it
        if key := self._repeatable(event):
            now = time.monotonic()
            if now - self._told.get(key, -AGAIN_S) < AGAIN_S:
                return
            if len(self._told) >= TOLD_MAX:
                self._told.clear()
            self._told[key] = now
        self._say(line)

    def _repeatable(self, event: Mapping[str, Any]) -> tuple[str, str, str] | None:
        name, why = str(event.get("name")), str(event.get("why"))
        match event.get("event"):
            case "notice":
                return "notice", str(event.get("kind")), why
            case "outcome" if event.get("result") in _RESOLVED:
                self._told = {key: at for key, at in self._told.items() if key[1] != name}
            case "outcome":
                return str(event.get("result")), name, why
        return None


def narrated(event: Mapping[str, Any]) -> str | None:
    """One line, or None for what only the journal needs."""
    text = _text(event)
    if text is None:
        return None
    who = str(event.get("role", ""))
    if event.get("who") and who in ("enactor", "prober"):
        who = f"{who} {event['who']}"
    if event.get("event") == "secondaries":
        who = ", ".join(str(one) for one in event.get("servers") or [])
    if event.get("event") == "secondary_behind":
        who = str(event.get("server"))
    return f"{_clock(str(event.get('at', '')))}  {who:<11} {text}"


def _text(event: Mapping[str, Any]) -> str | None:
    match event.get("event"):
        case "outcome":
            return _outcome(event)
        case "planned":
            changes = event.get("changes") or []
            names = "; ".join(_change(change) for change in changes[:6])
            more = f"; and {len(changes) - 6} more" if len(changes) > 6 else ""
            return (
                f"g{event.get('generation')} published: {names}{more}"
                if names
                else f"g{event.get('generation')} published"
            )
        case "verdict":
            return f"{event.get('load_balancer')}  {str(event.get('state', '')).upper()}  {event.get('reason', '')}"
        case "probe":
            return f"{event.get('load_balancer')}  failed check {event.get('reason', '')}"
        case "refused":
            return f"{event.get('name')}: {event.get('why')}. {event.get('remedy', '')}".rstrip()
        case "notice":
            return None if event.get("kind") == "plan" else f"{event.get('kind')}: {event.get('why')}"
        case "collected":
            generations = event.get("generations") or []
            return f"collected {len(generations)} plans that nothing needs" if generations else None
        case "would_write":
            names = ", ".join(str(write.get("name")) for write in (event.get("writes") or [])[:6])
            return f"would write g{event.get('generation')}: {names} (observing: nothing is written)"
        case "started":
            return "started, observing: nothing is written" if event.get("observe") else "started"
        case "stopped":
            return "stopped; DNS stays as it is"
        case "reloaded":
            return _reloaded(event)
        case "override":
            end = f"until {_until(event.get('until'))}" if event.get("stage") == "in force" else event.get("stage")
            return f"{event.get('target')} {event.get('state')} {end} by {event.get('by')}: {event.get('reason')}"
        case "secondaries":
            verb = "serves" if len(event.get("servers") or []) == 1 else "serve"
            return f"{verb} g{event.get('generation')}{_lag(event.get('lag_s'))}"
        case "secondary_behind":
            return f"BEHIND for {float(event.get('behind_s', 0)):.0f} s: {event.get('why')}"
        case "operator":
            return f"{event.get('what', '')}  {event.get('why', '')}".rstrip()
    return None


def _outcome(event: Mapping[str, Any]) -> str | None:
    result = str(event.get("result"))
    if result in _RESOLVED and "._first." in str(event.get("name")):
        return None  # our own entry, which every plan has in every zone
    before = event.get("before")
    step = f"{'–' if before is None else f'g{before}'} → g{event.get('since')}"
    line = f"{event.get('name')}  {step}  {_RESULTS.get(result, result)}"
    if result in ("written", "refilled"):
        why = str(event.get("why", ""))
        if result == "written" and before == event.get("since"):
            line = f"{event.get('name')}  put back as in g{before}"
        elif before is None and result == "written":
            why = ""
        return f"{line}, {event.get('took_ms')} ms" + ("" if "→" in why or not why else f"  ({why})")
    if result == "conflict":
        return line
    return f"{line}  ({event.get('why')})" if event.get("why") else line


def _reloaded(event: Mapping[str, Any]) -> str:
    """Who reads it anew, and what of it."""
    if event.get("stage") == "unchanged":
        return f"{event.get('file')} says the same as before ({event.get('was')})"
    if event.get("stage") == "kept":
        problems = "\n".join(f"          {one}" for one in event.get("problems") or [])
        return f"{event.get('file')} can't be used; the former one ({event.get('was')}) stays in force\n{problems}"
    changes = "; ".join(str(one) for one in (event.get("changes") or [])[:6])
    return f"{event.get('file')} changed, was {event.get('was')}, is {event.get('now')}: {changes}"


def _until(at: object) -> str:
    return datetime.fromtimestamp(at).strftime("%H:%M:%S") if isinstance(at, int | float) else "–"


def _lag(lags: object) -> str:
    known = [lag for lag in lags.values() if lag is not None] if isinstance(lags, Mapping) else []
    return f", {max(known):.1f} s after the write" if known else ""


def _change(change: Mapping[str, Any]) -> str:
    parts = [f"+ {name}" for name in change.get("added") or []] + [f"− {name}" for name in change.get("removed") or []]
    return " ".join([str(change.get("name")), *parts])


def _clock(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"
