"""What a journal's next file must repeat, so that it can be judged without the files before it.

A fold over a journal's lines. Of changes it keeps those whose markers or floors stand as far as this process knows, or
whose outcome is not known; of plans what each endpoint came to, what left lately, and the last plan itself. The
first lines of every file but the very first are these: `checkpoint`, in as many parts as it takes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

Key: TypeAlias = tuple[str, str, str]
"""(stream, zone, name)."""
_LANDED: Final = frozenset({"written", "refilled"})
_OPEN: Final = frozenset({"", "unknown"})
_KEPT: Final = ("name", "before", "over", "since", "act", "kind", "found", "puts", "contents")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
OPEN_MAX: Final = 4
"""So many changes of one endpoint without a known outcome are remembered, the newest."""
PART: Final = 1000
"""So many writes or entries stand in one line, under half a MiB."""
LISTS: Final = ("changes", "writes", "entries", "departures")
"""In this order: a write names its change."""


class Tally:
    """All that was heard so far."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.began, self.day, self.stream = "", "", "main"
        self.file, self._needed = 1, 0
        self._changes: dict[str, dict[str, Any]] = {}
        self._writes: dict[Key, dict[str, dict[str, Any]]] = {}
        self._standing: dict[Key, str] = {}
        self._floors: dict[tuple[str, str], str] = {}
        self._entries: dict[Key, dict[str, Any]] = {}
        self._departures: dict[Key, dict[str, Any]] = {}
        self._plan: dict[str, Any] | None = None
        self._collected: dict[str, Any] | None = None

    def heard(self, line: Mapping[str, Any]) -> None:
        """One line, in the order of the file. A damaged one is passed over, as one that is no JSON is: a process must
        not be kept from writing by what stands in its file."""
        try:
            self._heard(line)
        except (KeyError, TypeError, ValueError, AttributeError):
            return

    def _heard(self, line: Mapping[str, Any]) -> None:
        event, at = str(line.get("event")), str(line.get("at", ""))
        if event == "checkpoint":
            self._recalled(line)
            return
        self.counts[event] = self.counts.get(event, 0) + 1
        if _DAY.match(at):
            self.began, self.day = self.began or at, self.day or at[:10]
        match event:
            case "started":
                self.stream = str(line.get("stream") or self.stream)
            case "intent":
                self._intent(line)
            case "outcome":
                self._outcome(line)
            case "planned":
                self._planned(line)
            case "collected" if line.get("generations"):
                kept = ("lowest", "head")
                self._collected = {"generation": max(line["generations"]), **{key: line.get(key) for key in kept}}

    def _intent(self, line: Mapping[str, Any]) -> None:
        stream, zone, nonce = str(line.get("stream") or self.stream), str(line["zone"]), str(line["nonce"])
        floor = line.get("floor")
        change = {"nonce": nonce, "stream": stream, "zone": zone, "generation": line["generation"]}
        self._changes[nonce] = {**change, "plan": line["plan"], "floor": floor, "landed": False}
        if len(self._changes) > 2 * self._needed + PART:
            self._forget()
        for write in line["writes"]:
            kept = {name: write[name] for name in _KEPT if name in write}
            self._kept((stream, zone, str(write["name"])), nonce, {**kept, "nonce": nonce, "told": ""})

    def _kept(self, key: Key, nonce: str, write: dict[str, Any]) -> None:
        some = self._writes.setdefault(key, {})
        some[nonce] = write
        unknown = [one for one in some if one != self._standing.get(key)]
        for gone in unknown[:-OPEN_MAX]:
            del some[gone]

    def _outcome(self, line: Mapping[str, Any]) -> None:
        nonce, result = line.get("nonce"), str(line.get("result"))
        change = self._changes.get(str(nonce)) if nonce else None
        if change is None:
            return
        key = (change["stream"], change["zone"], str(line.get("name")))
        some = self._writes.get(key, {})
        if (write := some.get(str(nonce))) is None:
            return
        write["told"] = result
        if result in _LANDED:
            change["landed"] = True
            floor = change.get("floor") or {}
            if floor.get("sets") is not None:
                self._floors[key[:2]] = change["nonce"]
            elif floor.get("goes"):
                self._floors.pop(key[:2], None)
        if result in _LANDED and write.get("act") != "refill":
            self._standing[key] = change["nonce"]
            place = list(some).index(change["nonce"])
            for older in list(some)[:place]:
                del some[older]  # it stood under this one, or never will
        elif result not in _OPEN:
            del some[str(nonce)]  # nothing stands by it: it failed, or it put addresses without a marker

    def _planned(self, line: Mapping[str, Any]) -> None:
        stream = str(line.get("stream") or self.stream)
        kept = ("generation", "digest", "planned_at", "sources")
        plan = {"stream": stream, **{key: line.get(key) for key in kept}, "generation": line["generation"]}
        now = float(line.get("planned_at") or 0.0)
        for change in line.get("changes") or ():
            key = (stream, str(change.get("zone", "")), str(change.get("name")))
            named = {"stream": stream, "zone": key[1], "name": key[2]}
            if change.get("since") is not None:
                self._entries[key] = {**named, "since": change["since"], "contents": change.get("contents", "")}
            window = float((change.get("limits") or {}).get("window_s", 0.0))
            gone = [one for one in change.get("departures") or () if now - window < float(one[2]) <= now]
            if gone:
                self._departures[key] = {**named, "window_s": window, "departures": gone}
            else:
                self._departures.pop(key, None)
        stale = [
            key
            for key, one in self._departures.items()
            if all(float(gone[2]) <= now - one["window_s"] for gone in one["departures"])
        ]
        for key in stale:
            del self._departures[key]
        self._plan = plan

    def _recalled(self, line: Mapping[str, Any]) -> None:
        """A checkpoint, or a part of one: what the journal was when its file began."""
        if line.get("part") == 1:
            self.__init__()  # type: ignore[misc]  # nothing before it counts
        self.stream, self.file = str(line["stream"]), int(line["file"])
        self.began = str(line["began"])
        if _DAY.match(at := str(line.get("at", ""))):
            self.day = self.day or at[:10]
        self.counts.update(line["counts"])
        self._plan, self._collected = line.get("plan") or self._plan, line.get("collected") or self._collected
        for change in line["changes"]:
            self._changes[change["nonce"]] = dict(change)
            if change["landed"] and (change.get("floor") or {}).get("sets") is not None:
                self._floors[change["stream"], change["zone"]] = change["nonce"]
        for write in line["writes"]:
            change = self._changes.get(write["nonce"])
            if change is not None:
                key = (change["stream"], change["zone"], write["name"])
                if write["told"] in _LANDED:
                    self._standing[key] = write["nonce"]
                self._kept(key, write["nonce"], dict(write))
        for name, kept in (("entries", self._entries), ("departures", self._departures)):
            for one in line[name]:
                kept[one["stream"], one["zone"], one["name"]] = dict(one)

    def checkpoint(self, file: int, after: str) -> list[dict[str, Any]]:
        """The facts of the lines with which file number `file` begins; `after` is the file before it."""
        self._forget()
        common = {"stream": self.stream, "file": file, "after": after, "began": self.began}
        lists: dict[str, Sequence[Any]] = {
            "changes": list(self._changes.values()),
            "writes": [write for some in self._writes.values() for write in some.values()],
            "entries": list(self._entries.values()),
            "departures": list(self._departures.values()),
        }
        parts: list[dict[str, Any]] = [{"counts": dict(self.counts), "plan": self._plan, "collected": self._collected}]
        room = PART
        for name in LISTS:
            for start in range(0, len(lists[name]), PART):
                some = lists[name][start : start + PART]
                if len(some) > room:
                    parts.append({})
                    room = PART
                parts[-1][name] = some
                room -= len(some)
        blank: dict[str, Any] = {"counts": {}, "plan": None, "collected": None, **{name: [] for name in LISTS}}
        return [
            {**common, "part": number, "of": len(parts), **blank, **part} for number, part in enumerate(parts, start=1)
        ]

    def _forget(self) -> None:
        """Changes of which no write and no floor is remembered."""
        used = {nonce for some in self._writes.values() for nonce in some} | set(self._floors.values())
        self._changes = {nonce: change for nonce, change in self._changes.items() if nonce in used}
        self._needed = len(self._changes)
