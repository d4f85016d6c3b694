"""Which journal events are worth telling people, how loudly, and which of them end others. Pure.

A *problem* is open until something resolves it, and is told once however often it repeats; *news* just happened.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from standfast.config import LEVELS, Level
from standfast.runtime.setbacks import set_back_text

Action: TypeAlias = Literal["trigger", "resolve", "news"]
OPEN_MAX: Final = 500
"""So many problems are remembered as open; more are told and not remembered."""
_LOUD_RULES: Final = frozenset({"panic", "az_loss", "guard"})
_STUCK: Final[Mapping[str, Level]] = {
    "refused": "warning",
    "blind": "warning",
    "unsafe": "critical",
    "foreign": "warning",
    "forked": "critical",
    "left": "critical",
    "unrecorded": "critical",
}
_WORDS: Final[Mapping[str, str]] = {
    "refused": "the DNS server refuses the write",
    "blind": "it can't be read",
    "unsafe": "the guard refuses the write",
    "foreign": "it belongs to another stream",
    "forked": "two plans have one number",
    "left": "somebody else keeps changing it, and it is left to them",
    "unrecorded": "nothing is written, for want of a journal",
}
_NOTICES: Final[Mapping[str, Level]] = {
    "fork": "critical",
    "journal": "critical",
    "store": "warning",
    "provider": "warning",
    "fleet": "warning",
    "sharing": "warning",
    "policy": "critical",
    "planner": "warning",
    "foreign_plan": "warning",
    "key": "info",
}
_ANSWERS: Final[Mapping[str, Level]] = {
    "empty": "critical",
    "mixed": "critical",
    "foreign": "critical",
    "silent": "warning",
}
_STANDING: Final[Mapping[str, Level]] = {
    "NEEDS YOU": "critical",
    "BLIND": "warning",
    "HELD": "warning",
    "FROZEN": "warning",
}
_ENDED: Final = ("no longer: ", "answers again")


class Notification(Struct, frozen=True):
    """What is sent. `key` is the same for all that is told of one problem; `command` what to type."""

    action: Action
    level: Level
    key: str
    summary: str
    command: str = ""
    name: str = ""
    event: str = ""
    at: str = ""
    role: str = ""
    who: str = ""


def told(line: Mapping[str, Any], stream: str) -> Iterator[Notification]:
    """What an event of the journal is to people."""
    try:
        several = tuple(_told(line))
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # damaged, or not written by us: whoever reads the next lines must not stop at it
    base = {"event": str(line.get("event")), "at": str(line.get("at", ""))}
    base |= {"role": str(line.get("role", "")), "who": str(line.get("who", ""))}
    for action, level, key, summary, command, name in several:
        yield Notification(action, level, f"standfast/{stream}/{key}", summary, command, name, **base)


_Told: TypeAlias = tuple[Action, Level, str, str, str, str]


def _told(line: Mapping[str, Any]) -> Iterator[_Told]:
    name, why = str(line.get("name", "")), str(line.get("why", ""))
    explain = f"standfast explain {name}"
    match line.get("event"):
        case "refused":
            level: Level = "critical" if line.get("rule") in _LOUD_RULES else "warning"
            remedy = str(line.get("remedy", ""))
            yield "trigger", level, f"refused/{name}", f"{name}: {why}: {remedy}", explain, name
        case "settled":
            yield "resolve", "info", f"refused/{name}", f"{name}: {why}", explain, name
        case "outcome":
            yield from _outcome(line, name, why, explain)
        case "notice":
            yield from _notice(line, why)
        case "set_back":
            zone = line.get("zone")
            yield "news", "warning", f"set_back/{zone}", set_back_text(line), "standfast audit", ""
        case "answer":
            yield from _answer(line, name, why, explain)
        case "standing":
            yield from _standing(line)
        case "planned":
            yield from _planned(line)
        case "operator" if line.get("stage") not in ("asked", "refused"):
            yield "news", "warning", f"operator/{line.get('action')}", _operator(line), "standfast history", ""
        case "override":
            scope, state = f"{line.get('scope')} {line.get('target')}", line.get("state")
            text = f"{scope} {state}: {line.get('stage')} ({line.get('by')}: {line.get('reason')})"
            yield "news", "info", f"override/{scope}", text, "standfast status", ""


def _outcome(line: Mapping[str, Any], name: str, why: str, explain: str) -> Iterator[_Told]:
    result = str(line.get("result"))
    if result in _STUCK:
        text = f"{name}: {_WORDS[result]} ({why})" if why else f"{name}: {_WORDS[result]}"
        yield "trigger", _STUCK[result], f"write/{name}", text, explain, name
    elif result in ("written", "refilled"):
        yield "resolve", "info", f"write/{name}", f"{name}: written", explain, name
        if result == "refilled":
            yield "news", "warning", f"repaired/{name}", f"{name} was given its addresses back ({why})", explain, name
        elif line.get("before") == line.get("since") and "._first." not in name:
            text = f"{name} was put back as in g{line.get('since')} ({why})"
            yield "news", "warning", f"repaired/{name}", text, explain, name


def _notice(line: Mapping[str, Any], why: str) -> Iterator[_Told]:
    kind = str(line.get("kind"))
    level: Level | None = "warning" if kind.startswith("servers of ") else _NOTICES.get(kind)
    if level is None:
        return
    action: Action = "resolve" if why.startswith(_ENDED) else "trigger"
    where = f"{line.get('role')} {line.get('who')}"
    yield action, level, f"notice/{where}/{kind}", f"{where}: {kind}: {why}", "standfast check", ""


def _answer(line: Mapping[str, Any], name: str, why: str, explain: str) -> Iterator[_Told]:
    state, server = str(line.get("state")), str(line.get("server"))
    if state in _ANSWERS:
        text = f"{name}: {server} answers it {state} ({why})" if state != "silent" else f"{server} is silent ({why})"
        # A server that is silent is so for every name: one problem.
        key = f"answer/{server}" if state == "silent" else f"answer/{server}/{name}"
        yield "trigger", _ANSWERS[state], key, text, explain, name
    else:
        yield "resolve", "info", f"answer/{server}/{name}", f"{name}: {server} answers it {state}", explain, name
        yield "resolve", "info", f"answer/{server}", f"{server} answers again", explain, name


def _standing(line: Mapping[str, Any]) -> Iterator[_Told]:
    kind, sentence = str(line.get("kind")), str(line.get("sentence"))
    command = str(line.get("command", ""))
    if (level := _STANDING.get(kind)) is not None:
        yield "trigger", level, "standing", f"{kind}: {sentence}", command, ""
        return
    yield "resolve", "info", "standing", f"{kind}: {sentence}", command, ""
    yield "resolve", "info", "write/*", f"{kind}: {sentence}", command, ""


def _planned(line: Mapping[str, Any]) -> Iterator[_Told]:
    azs: dict[str, list[str]] = {}
    for change in line.get("changes") or ():
        for one in change.get("leaving") or ():
            if one.get("az"):
                azs.setdefault(str(one["az"]), []).append(str(change.get("name")))
    for az, names in azs.items():
        text = f"AZ {az} is lost: its load balancers leave {', '.join(sorted(set(names))[:5])} (g{line['generation']})"
        yield "news", "critical", f"az/{az}", text, "standfast status", ""


def _operator(line: Mapping[str, Any]) -> str:
    return f"{line.get('what')}: {line.get('why') or line.get('stage')}" + (
        f' ("{line.get("reason")}")' if line.get("reason") else ""
    )


class Ledger:
    """What is open, so that each problem is told once and its end only if its beginning was."""

    def __init__(self, least: Level, known: Mapping[str, tuple[Level, str]] | None = None) -> None:
        self._least = LEVELS.index(least)
        self._open: dict[str, tuple[Level, str]] = dict(known or {})

    @property
    def open(self) -> dict[str, tuple[Level, str]]:
        """Level and summary of each open problem, by its key."""
        return dict(self._open)

    def passed(self, one: Notification) -> list[Notification]:
        """What of it is to be sent."""
        if one.action == "resolve":
            prefix = one.key.removesuffix("*") if one.key.endswith("/*") else ""
            keys = [key for key in self._open if key.startswith(prefix)] if prefix else [one.key]
            ended = [(key, was) for key in keys if (was := self._open.pop(key, None)) is not None]
            return [_ended(one, key, level) for key, (level, _) in ended]
        if LEVELS.index(one.level) < self._least:
            return []
        if one.action == "trigger":
            if self._open.get(one.key) == (one.level, one.summary):
                return []
            if len(self._open) < OPEN_MAX:
                self._open[one.key] = (one.level, one.summary)
        return [one]


def _ended(one: Notification, key: str, level: Level) -> Notification:
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return Notification(**{**fields, "key": key, "level": level})
