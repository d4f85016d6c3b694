"""Journal events as lines that people read: who, what, from → to, proof, duration. Clock times, never epochs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_RESULTS: Mapping[str, str] = {
    "written": "written",
    "refilled": "given its addresses back",
    "conflict": "refused by the server: something newer is there; nothing changed",
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


def narrated(event: Mapping[str, Any]) -> str | None:
    """One line, or None for what only the journal needs."""
    text = _text(event)
    if text is None:
        return None
    who = str(event.get("role", ""))
    if event.get("who") and event.get("role") == "enactor":
        who = f"enactor {event['who']}"
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
            return f"{event.get('load_balancer')}  {event.get('reason', '')}"
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
        case "operator":
            return f"{event.get('what', '')}  {event.get('why', '')}".rstrip()
    return None


def _outcome(event: Mapping[str, Any]) -> str:
    result = str(event.get("result"))
    before = event.get("before")
    step = f"{'–' if before is None else f'g{before}'} → g{event.get('since')}"
    line = f"{event.get('name')}  {step}  {_RESULTS.get(result, result)}"
    if result in ("written", "refilled"):
        why = str(event.get("why", ""))
        return f"{line}, {event.get('took_ms')} ms" + ("" if "→" in why else f"  ({why})")
    return f"{line}  ({event.get('why')})" if event.get("why") else line


def _change(change: Mapping[str, Any]) -> str:
    parts = [f"+ {name}" for name in change.get("added") or []] + [f"− {name}" for name in change.get("removed") or []]
    return " ".join([str(change.get("name")), *parts])


def _clock(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"
