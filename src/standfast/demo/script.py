"""The order of the faults: round after round, each round with other names, until the time is over.

The first round is always finished. After it a fault is begun only if there is time left for it and its healing.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from .faults import Faults, Stopped
from .ledger import Ledger
from .setting import KILLED, NAMES, full
from .watch import Watch

ROUND_S: Final = 15.0
"""What a round takes on an idle machine, without pauses."""
PAUSE_MAX_S: Final = 4.0
BREATH_MAX_S: Final = 0.1
"""Times the generations that pass while a write is held, less than its sender's patience of 5 s."""
_PAUSE_MIN_S: Final = 0.1
_CALM_S: Final = 5.0
Act = tuple[str, float, Callable[[], None]]
"""What people are told is coming, how long it may take in seconds, and the doing."""


def acts(faults: Faults, number: int) -> list[Act]:
    """One round; each takes the names from another place."""

    def name(offset: int) -> str:
        return full(NAMES[(number + offset) % len(NAMES)])

    broad = full(("www", "api")[number % 2])
    killed = KILLED[number % len(KILLED)]
    free = ("b", "a")[number % 2]
    return [
        ("a load balancer is killed", 4.0, lambda: faults.load_balancer_killed(killed)),
        ("addresses are deleted", 2.0, lambda: faults.addresses_deleted(name(0))),
        ("a marker is deleted", 2.0, lambda: faults.marker_deleted(name(1))),
        ("an enactor is killed", 5.0, lambda: faults.enactor_killed(free)),
        ("a whole name is deleted", 2.0, lambda: faults.name_deleted(name(2))),
        ("an enactor is held in mid-write", 7.0, lambda: faults.write_held(broad)),
        ("the floor is deleted", 2.0, lambda: faults.floor_deleted()),
        ("an operator rolls back", 6.0, lambda: faults.rollback(broad)),
        ("a marker becomes garbage", 2.0, lambda: faults.garbage_marker(name(3))),
        ("an enactor falls asleep", 5.0, lambda: faults.enactor_stopped("ab"[number % 2])),
    ]


class Script:
    """Runs the acts. `now` says what is on; a defect ends the run and is in `error`."""

    def __init__(self, faults: Faults, watch: Watch, ledger: Ledger, stop: threading.Event, seconds: float) -> None:
        self._faults, self._watch, self._ledger, self._stop = faults, watch, ledger, stop
        self.seconds = seconds
        self.began = time.monotonic()
        self.now = ""
        self.error: BaseException | None = None
        self.over = threading.Event()
        count = len(acts(faults, 0))
        self._pause = min(PAUSE_MAX_S, max(_PAUSE_MIN_S, (seconds - ROUND_S) / count))
        faults.breath_s = BREATH_MAX_S * self._pause / PAUSE_MAX_S if self._pause > 1.0 else 0.0

    @property
    def left_s(self) -> float:
        """Seconds of the time that was asked for."""
        return self.began + self.seconds - time.monotonic()

    def start(self) -> None:
        """Begin, in a thread."""
        threading.Thread(target=self._run, name="script", daemon=True).start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._round(self._ledger.rounds):
                    break
                self._ledger.rounds += 1
            self.now = "all is calm"
            self._stop.wait(max(0.0, self.left_s))
        except Stopped:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.over.set()

    def _round(self, number: int) -> bool:
        """Whether the round was played to its end."""
        for text, at_most, act in acts(self._faults, number):
            if self._stop.is_set() or (number > 0 and self.left_s < at_most):
                return False
            self._watch.until(self._watch.in_step, time.monotonic() + _CALM_S, self._stop)
            self.now = text
            act()
            self.now = "all is calm"
            self._stop.wait(self._pause if number == 0 else min(self._pause, max(0.0, self.left_s)))
        return True
