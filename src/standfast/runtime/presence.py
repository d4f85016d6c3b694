"""Who is running here: one small file a process, replaced at each beat. For people; nothing is decided by it."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

Beaten: TypeAlias = Callable[[Mapping[str, Any]], None]


class Present(Struct, frozen=True):
    """A process that has been seen. `age_s` is seconds since its last beat, by this machine's clock, `at` when that was
    by the process's own; `alive` whether its process exists."""

    role: str
    who: str
    pid: int
    age_s: float
    alive: bool
    facts: Mapping[str, Any]
    at: float = 0.0


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
            alive = _exists(pid)
            role, who = str(line.pop("role")), str(line.pop("who"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
        found.append(Present(role, who, pid, max(0.0, time.time() - at), alive, line, at))
    return found


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
