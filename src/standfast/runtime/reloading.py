"""SIGHUP: the configuration is read again while a role runs on. What is wrong with the new one leaves the old in force.

A role takes up another configuration by beginning anew within its process: its rules for starting are those that have
been searched and simulated, and what it knew is in the store, in the zone, or on its disk. DNS notices nothing.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from standfast import config as configuration
from standfast.config import Config
from standfast.config.comparing import differences, fixed
from standfast.errors import ConfigError, StandfastError

from .supervision import Signals

SHOWN_MAX: Final = 100
_LOOK_S: Final = 0.2
Run: TypeAlias = Callable[[Config, threading.Event], None]
Tell: TypeAlias = Callable[[Mapping[str, Any]], None]


class Reread(Struct, frozen=True):
    """What came of reading it again. `kept`: the former one stays in force, for these problems."""

    stage: Literal["in force", "kept", "unchanged"]
    config: Config
    changes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def reread(was: Config) -> Reread:
    """Read the file anew. Never raises: whatever is wrong is a reason to keep what is in force."""
    try:
        now = configuration.load(Path(was.file))
    except ConfigError as error:
        return Reread("kept", was, problems=tuple(str(one) for one in error.problems[:SHOWN_MAX]))
    except (StandfastError, OSError) as error:
        return Reread("kept", was, problems=(str(error),))
    if found := fixed(was, now):
        problems = tuple(f"{one}: this can't be changed by a reload; restart for it." for one in found)
        return Reread("kept", was, problems=problems)
    if now == was:
        return Reread("unchanged", was)
    return Reread("in force", now, differences(was, now)[:SHOWN_MAX])


def facts_of(was: Config, found: Reread) -> dict[str, Any]:
    """For the journal, and for people: `was` and `now` are the first digits of the digests."""
    return {
        "stage": found.stage,
        "file": Path(was.file).name,
        "was": was.digest[:4],
        "now": found.config.digest[:4],
        "changes": list(found.changes),
        "problems": list(found.problems),
    }


class Reloading:
    """Runs a role under the newest usable configuration until `signals.stop` is set."""

    def __init__(self, config: Config, signals: Signals, tell: Tell) -> None:
        self._config, self._signals, self._tell = config, signals, tell
        self._next: Config | None = None

    def run(self, role: Run) -> None:
        """`role` is given a configuration and an event that ends it. Raises what it raises under the first one; a
        later configuration under which it can't begin gives way to the one before it."""
        former: Config | None = None
        while True:
            turn = threading.Event()
            watcher = threading.Thread(target=self._watch, args=(turn,), name="reload", daemon=True)
            watcher.start()
            try:
                role(self._config, turn)
            except StandfastError as error:
                if former is None or self._signals.stop.is_set():
                    raise
                found = Reread("kept", former, problems=(str(error),))
                self._tell(facts_of(self._config, found))
                self._config, former, self._next = former, None, None
                continue
            finally:
                turn.set()
                watcher.join()
            if self._next is None or self._signals.stop.is_set():
                return
            former, self._config, self._next = self._config, self._next, None

    def _watch(self, turn: threading.Event) -> None:
        while not turn.is_set():
            if self._signals.stop.is_set():
                turn.set()
            elif self._signals.reload.wait(_LOOK_S if not turn.is_set() else 0):
                self._signals.reload.clear()
                found = reread(self._config)
                self._tell(facts_of(self._config, found))
                if found.stage == "in force":
                    self._next = found.config
                    turn.set()
