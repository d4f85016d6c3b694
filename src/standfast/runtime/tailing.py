"""Following the journals of this machine as they grow, and keeping what people look at: the newest events by lane.

    health   verdicts and failed checks        writes   what came of each change of a zone
    plans    what was published                people   what operators asked for
    guards   what was refused, what is stuck   deploys  what others told us they changed (POST /events)

Each file is read from where the last look ended, whatever it is called by then; of a large one that is there at the
first look, only the end, and of each process the file that was closed last besides. Bounded.
"""

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import zstandard
from msgspec import Struct

from .journal_files import LINE_OCTETS_MAX, closed_files, closed_of, open_lines
from .narration import worded

Lane: TypeAlias = Literal["health", "plans", "writes", "guards", "people", "deploys"]
Tone: TypeAlias = Literal["good", "watch", "bad", "plain"]
LANES: Final[tuple[Lane, ...]] = get_args(Lane)
KEPT: Final = 20_000
"""So many events are kept of each lane."""
TAIL_OCTETS: Final = 8 << 20
"""Of a journal that is new to us, so much of its end is read."""
LOOK_OCTETS: Final = 16 << 20
"""At most so much of a file is read in one look."""
FILES_MAX: Final = 1000
"""So many files are known by where they were read to."""
_SETTLED: Final = frozenset({"written", "refilled"})
_HARMLESS: Final = frozenset({"conflict", "unknown", "blind"})
_GUARDED: Final = frozenset({"refused", "unsafe", "left", "foreign", "forked", "unrecorded"})


class Event(Struct, frozen=True):
    """One line of a journal. `at` is seconds since the epoch by its writer's clock, `facts` the line as it stands."""

    at: float
    lane: Lane | None
    tone: Tone
    role: str
    who: str
    text: str
    facts: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What the journal calls it."""
        return str(self.facts.get("event", ""))


class Follower:
    """Keeps the newest events of all journals in a folder. For one thread; what it gives is not changed later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[int, int], int] = {}
        self._first = True
        self._lanes: dict[Lane | None, deque[Event]] = {lane: deque(maxlen=KEPT) for lane in (*LANES, None)}
        self._kept: tuple[Event, ...] = ()

    def look(self) -> tuple[Event, ...]:
        """All that is kept, by their writers' clocks; the same tuple as before if nothing is new."""
        packed = self._packed() if self._first else []
        fresh = [event for lines in (*packed, *map(self._new_in, self._files())) for event in _events(lines)]
        self._first = False
        if fresh:
            for event in fresh:
                self._lanes[event.lane].append(event)
            self._kept = tuple(sorted((e for lane in self._lanes.values() for e in lane), key=lambda e: e.at))
        return self._kept

    def _files(self) -> list[Path]:
        """Those that are not compressed, closed ones first."""
        try:
            some = [path for path in self._folder.glob("*.jsonl") if self._first or path.stat().st_size]
        except OSError:
            return []
        newest = {one.base: one.path for one in closed_files(self._folder) if not one.packed}
        closed = [path for path in some if closed_of(path) is not None]
        if self._first:
            closed = [path for path in closed if path in newest.values()]
        return [*sorted(closed), *sorted(path for path in some if closed_of(path) is None)]

    def _packed(self) -> list[list[bytes]]:
        """The ends of those that were compressed, of each process the last."""
        newest = {one.base: one for one in closed_files(self._folder)}
        return [_end(one.path) for one in newest.values() if one.packed]

    def _new_in(self, path: Path) -> list[bytes]:
        try:
            with open(path, "rb") as file:
                stat = os.fstat(file.fileno())
                identity = (stat.st_dev, stat.st_ino)
                begin = max(0, stat.st_size - TAIL_OCTETS) if self._first else 0
                offset = self._read.get(identity, begin)
                if offset > stat.st_size:
                    offset = 0  # cut off: what is there now is new
                file.seek(offset)
                octets = file.read(LOOK_OCTETS)
        except OSError:
            return []
        whole = octets.rfind(b"\n") + 1
        if whole == 0 and len(octets) == LOOK_OCTETS:
            whole = len(octets)  # no journal of ours has such a line
        self._read.pop(identity, None)
        self._read = dict([*self._read.items(), (identity, offset + whole)][-FILES_MAX:])
        return octets[:whole].splitlines()


def _end(path: Path) -> list[bytes]:
    """The last lines of a file, compressed or not."""
    lines: deque[bytes] = deque()
    octets = 0
    try:
        with open_lines(path) as file:
            while line := file.readline(LINE_OCTETS_MAX):
                lines.append(line)
                octets += len(line)
                while octets > TAIL_OCTETS:
                    octets -= len(lines.popleft())
    except (OSError, zstandard.ZstdError):
        pass  # what could be read of it
    return list(lines)


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        if event := read_event(line):
            yield event


def read_event(line: bytes) -> Event | None:
    """A line of a journal; None if it cannot be understood, or is an intent, whose outcome says more."""
    try:
        facts = json.loads(line)
    except ValueError:
        return None
    if not isinstance(facts, dict) or facts.get("event") in (None, "intent"):
        return None
    try:
        at = datetime.fromisoformat(str(facts.get("at"))).timestamp()
    except (ValueError, OverflowError):
        return None
    lane, tone = _placed(facts)
    text = str(facts.get("what", "")) if lane == "deploys" else worded(facts) or ""
    return Event(at, lane, tone, str(facts.get("role", "")), str(facts.get("who", "")), text, facts)


def _placed(facts: Mapping[str, Any]) -> tuple[Lane | None, Tone]:
    result = facts.get("result")
    match facts["event"]:
        case "verdict":
            tones: dict[object, Tone] = {"up": "good", "down": "bad"}
            return "health", tones.get(facts.get("state"), "watch")
        case "probe":
            return "health", "watch"
        case "lease_ended":
            return "health", "watch"
        case "planned":
            return "plans", "plain"
        case "outcome" if "._first." in str(facts.get("name")):
            return None, "plain"
        case "outcome" if result in _SETTLED:
            return "writes", "good"
        case "outcome" if result in _HARMLESS:
            return "writes", "plain" if result == "conflict" else "watch"
        case "outcome" if result in _GUARDED:
            return "guards", "bad"
        case "refused":
            return "guards", "bad"
        case "notice" if facts.get("kind") not in ("plan", "probe"):
            ended = str(facts.get("why", "")).startswith("no longer: ")
            return "guards", "good" if ended else "watch"
        case "set_back":
            return "guards", "watch"
        case "operator" | "override" | "reloaded":
            return "people", "plain"
        case "answer":
            ends: dict[object, Tone] = {"whole": "good", "empty": "bad"}
            return "guards", ends.get(facts.get("state"), "watch")
        case "deploy":
            return "deploys", "plain"
    if facts.get("role") == "operator":
        return "people", "plain"
    return None, "plain"


def utc_clock(at: float) -> str:
    """HH:MM:SS in UTC."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "--:--:--"
