"""Who is running here: one small file a process, replaced at each beat. For people; nothing is decided by it."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec import Struct

_GONE: Final = frozenset({"", "Z", "X"})
"""One that ended and whose parent has not asked for its end yet does nothing any more."""
_STOPPED: Final = frozenset({"T", "t"})
Beaten: TypeAlias = Callable[[Mapping[str, Any]], None]


class Present(Struct, frozen=True):
    """A process that has been seen. `age_s` is seconds since its last beat, by this machine's clock, `at` when that was
    by the process's own; `alive` whether its process exists, `stopped` whether it was stopped by a signal."""

    role: str
    who: str
    pid: int
    age_s: float
    alive: bool
    facts: Mapping[str, Any]
    at: float = 0.0
    stopped: bool = False


class Presence:
    """This process's own file. `beaten` is told of each beat, with its facts: who beats is at work."""

    def __init__(self, folder: Path, role: str, who: str, beaten: Beaten = lambda facts: None) -> None:
        self.role, self.who = role, who
        self.path = folder / f"{role}-{who}.json"
        self._beaten = beaten
        self.always: dict[str, Any] = {}
        """Facts of every beat."""

    def beat(self, **facts: Any) -> None:
        """Tell that we are here. Failure to tell is not worth stopping for."""
        self._beaten(facts)
        line = {"role": self.role, "who": self.who, "pid": os.getpid(), "at": time.time(), **self.always, **facts}
        draft = self.path.with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(json.dumps(line, default=str), encoding="utf-8")
            os.replace(draft, self.path)
        except OSError:
            return

    def leave(self) -> None:
        """A clean end."""
        self.path.unlink(missing_ok=True)


def read_presence(folder: Path) -> list[Present]:
    """Everybody seen on this machine, by role and name."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            line = json.loads(path.read_text(encoding="utf-8"))
            pid, at = int(line.pop("pid")), float(line.pop("at"))
            state = _state(pid)
            role, who = str(line.pop("role")), str(line.pop("who"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
        age = max(0.0, time.time() - at)
        found.append(Present(role, who, pid, age, state not in _GONE, line, at, state in _STOPPED))
    return found


def _state(pid: int) -> str:
    """The process's state by the kernel's letter; empty: there is none, `?`: it is there, and more is not known."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "?"
