"""Journal events as lines that people read: who, what, from → to, proof, duration. Clock times, never epochs."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from .calling import short_name
from .phrases import capital
from .setbacks import set_back_text

AGAIN_S: Final = 60.0
Twins: TypeAlias = frozenset[str]
TOLD_MAX: Final = 1000
_RESOLVED: Final = frozenset({"written", "refilled", "conflict"})
_DONE: Final = frozenset({"written", "refilled"})
_NAMES_MAX: Final = 6

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

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        observe: bool = False,
        reloads: bool = True,
        twins: Twins = frozenset(),
    ) -> None:
        self._say, self._observe, self._reloads, self._twins = say, observe, reloads, twins
        self._told: dict[tuple[str, str, str], float] = {}
        self._pending: dict[tuple[Any, Any], Mapping[str, Any]] = {}

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Tell it, or keep quiet. What was written is told once it has been read back, or when nobody will."""
        if event.get("event") == "reloaded" and not self._reloads:
            return  # another process on this terminal tells it
        for told in self._written(event):
            self._say(told)
        if event.get("event") == "outcome" and event.get("result") in _DONE:
            return
        line = narrated(event, self._twins)
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

    def _written(self, event: Mapping[str, Any]) -> list[str]:
        """Lines about writes whose end this event tells."""
        which, zone = event.get("event"), event.get("zone")
        if which == "stands":
            pairs = [(zone, name) for name in event.get("names") or ()]
            told = {"read_back": True, "serial": event.get("serial")}
            return [self._line(pair, **told) for pair in pairs if pair in self._pending]
        if which == "stopped":
            return [self._line(pair) for pair in list(self._pending)]
        if which != "outcome" or narrated(event) is None:
            return []
        pair, lines = (zone, event.get("name")), []
        if pair in self._pending:
            lines.append(self._line(pair))
        if event.get("result") in _DONE:
            self._repeatable(event)
            if len(self._pending) >= TOLD_MAX:
                lines.append(self._line(next(iter(self._pending))))
            self._pending[pair] = event
        return lines

    def _line(self, pair: tuple[Any, Any], **proof: Any) -> str:
        return narrated({**self._pending.pop(pair), **proof}, self._twins) or ""

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


def narrated(event: Mapping[str, Any], twins: Twins = frozenset()) -> str | None:
    """One line, or None for what only the journal needs. `twins`: see `calling`."""
    text = worded(event, twins)
    if text is None:
        return None
    who = "health" if event.get("event") in ("verdict", "probe") else str(event.get("role", ""))
    if event.get("who") and who in ("enactor", "prober"):
        who = f"{who} {event['who']}"
    if event.get("event") == "secondaries":
        who = ", ".join(str(one) for one in event.get("servers") or [])
    if event.get("event") == "uncached":
        who = "caches"
    if event.get("event") == "secondary_behind":
        who = str(event.get("server"))
    return f"{_clock(str(event.get('at', '')))}  {who:<11} {text}"


def worded(event: Mapping[str, Any], twins: Twins = frozenset()) -> str | None:
    """The line without its time and who says it."""
    match event.get("event"):
        case "outcome":
            return _outcome(event, twins)
        case "planned":
            return _planned(event, twins)
        case "verdict":
            return f"{event.get('load_balancer')}  {str(event.get('state', '')).upper()}  {event.get('reason', '')}"
        case "probe":
            return f"{event.get('load_balancer')}  {event.get('reason', '')}"
        case "refused":
            return (
                f"{_short(event, event, twins)}: {event.get('why')}. {capital(str(event.get('remedy', '')))}".rstrip()
            )
        case "notice":
            return None if event.get("kind") == "plan" else f"{event.get('kind')}: {event.get('why')}"
        case "set_back":
            return set_back_text(event)
        case "collected":
            generations = event.get("generations") or []
            return f"collected {len(generations)} plans that nothing needs" if generations else None
        case "health_checks":
            return _checks(event)
        case "would_write":
            names = ", ".join(_short(write, event, twins) for write in (event.get("writes") or [])[:_NAMES_MAX])
            return f"would write g{event.get('generation')}: {names} (observing: nothing is written)"
        case "answer":
            was, why = event.get("was"), event.get("why")
            after = f" (was {was})" if was and not why else f" ({why})" if why else ""
            return f"{_short(event, event, twins)}  {event.get('server')} answers {event.get('state')}{after}"
        case "uncached":
            names = ", ".join(str(one) for one in event.get("load_balancers") or [])
            return f"resolvers that keep to the TTL no longer hand out {names} for {_short(event, event, twins)}"
        case "standing":
            return f"{event.get('kind')}  {event.get('sentence')}  Next: {event.get('command')}"
        case "settled":
            return f"{_short(event, event, twins)}: {event.get('why')}"
        case "started":
            return "started, observing: nothing is written" if event.get("observe") else "started"
        case "stopped":
            return "stopped; DNS stays as it is"
        case "reloaded":
            return _reloaded(event)
        case "override":
            end = f"until {_until(event.get('until'))}" if event.get("stage") == "in force" else event.get("stage")
            return f"{event.get('target')} {event.get('state')} {end} by {event.get('by')}: {event.get('reason')}"
        case "lease_ended":
            return f"lease of {event.get('load_balancer')} ended: {event.get('why')}"
        case "secondaries":
            verb = "serves" if len(event.get("servers") or []) == 1 else "serve"
            return f"{verb} g{event.get('generation')}{_lag(event.get('lag_s'))}"
        case "secondary_behind":
            return f"BEHIND for {float(event.get('behind_s', 0)):.0f} s: {event.get('why')}"
        case "operator":
            return f"{event.get('what', '')}  {event.get('why', '')}".rstrip()
    return None


def _checks(event: Mapping[str, Any]) -> str | None:
    """What was done about Route 53's own health checks."""
    counts = {"made": event.get("made") or 0, **{key: len(event.get(key) or ()) for key in ("mended", "deleted")}}
    words = {
        "made": "made or found",
        "mended": "edited by somebody and set back",
        "deleted": "deleted, named by nothing",
    }
    told = [f"{count} {words[key]}" for key, count in counts.items() if count]
    return f"Route 53 health checks of {event.get('zone')}: {', '.join(told)}" if told else None


def _outcome(event: Mapping[str, Any], twins: Twins) -> str | None:
    result = str(event.get("result"))
    if result in _RESOLVED and "._first." in str(event.get("name")):
        return None  # our own entry, which every plan has in every zone
    name, before, why = _short(event, event, twins), event.get("before"), str(event.get("why", ""))
    step = f"{'–' if before is None else f'g{before}'} → g{event.get('since')}"
    line = f"{name}  {step}  {_RESULTS.get(result, result)}"
    if result in _DONE:
        proof = " and read back" if event.get("read_back") else ""
        proof += f", serial {event['serial']}" if event.get("serial") is not None else ""
        if result == "written" and before == event.get("since"):
            line = f"{name}  put back as in g{before}"
        elif before is None and result == "written":
            why = ""
        return f"{line}{proof}, {event.get('took_ms')} ms" + ("" if "→" in why or not why else f"  ({why})")
    if result == "conflict":
        return line
    return f"{line}  ({why})" if why else line


def _planned(event: Mapping[str, Any], twins: Twins) -> str:
    """What is published, of each endpoint what joins and leaves; of one alone also how much of it that is."""
    changes = event.get("changes") or []
    published = f"g{event.get('generation')} published"
    if not changes:
        return published
    names = "; ".join(_change(change, twins) for change in changes[:_NAMES_MAX])
    more = f"; and {len(changes) - _NAMES_MAX} more" if len(changes) > _NAMES_MAX else ""
    budget = _budget(changes[0], event) if len(changes) == 1 else ""
    return f"{published}: {names}{more}{budget}"


def _budget(change: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """`(5 of 6; 83 % of capacity; 17 of 34 % used until 14:13)`."""
    parts = [f"{change.get('served')} of {change.get('of')}"] if change.get("of") else []
    leaving, limits = change.get("leaving") or [], change.get("limits") or {}
    if leaving and leaving[0].get("installed"):
        gone = sum(one.get("weight", 0) for one in leaving) / leaving[0]["installed"]
        parts.append(f"{1 - gone:.0%} of capacity".replace("%", " %"))
    window, share = change.get("window") or [0, 0], limits.get("share")
    if leaving and share and window[1]:
        until = float(event.get("planned_at") or 0) + float(limits.get("window_s") or 0)
        used = round(100 * share * window[0] / window[1])
        parts.append(f"{used} of {round(100 * share)} % used until {datetime.fromtimestamp(until):%H:%M}")
    return f"   ({'; '.join(parts)})" if parts else ""


def _short(named: Mapping[str, Any], event: Mapping[str, Any], twins: Twins) -> str:
    """What the endpoint that is named is called."""
    text, zone = str(named.get("name")), str(event.get("zone") or "")
    return short_name(text, zone, twins) if zone else text


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


def _change(change: Mapping[str, Any], twins: Twins) -> str:
    parts = [f"+ {name}" for name in change.get("added") or []] + [f"− {name}" for name in change.get("removed") or []]
    return " ".join([_short(change, change, twins), *parts])


def _clock(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return "--:--:--"
