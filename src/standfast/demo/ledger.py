"""What was done to the cast and what became of it: faults with their deadlines, for screen and report."""

import time
from typing import Final

from msgspec import Struct

from .setting import MARGIN_S, STATED_S

GIVE_UP_S: Final = 5.0
"""So long beyond its deadline a fault is watched, for the report to say how late the healing was."""

WORDS: Final[dict[str, str]] = {
    "load_balancer_killed": "load balancer killed",
    "load_balancer_back": "load balancer back",
    "addresses_deleted": "addresses deleted by hand",
    "marker_deleted": "marker deleted by hand",
    "floor_deleted": "floor deleted by hand",
    "name_deleted": "whole name deleted by hand",
    "garbage_marker": "garbage in the marker's place",
    "write_held": "write held",
    "rollback": "rollback by an operator",
    "resume": "end of the rollback's hold",
    "fleet_changed": "fleet file changed",
    "enactor_killed": "enactor killed (SIGKILL)",
    "enactor_stopped": "enactor asleep (SIGSTOP)",
}


class Fault(Struct):
    """One fault. Moments are monotonic seconds; `wall` is for people. `what` names whom it befell."""

    kind: str
    what: str
    injected: float
    wall: float
    healed: float | None = None
    over: bool = False
    note: str = ""

    @property
    def allowed_s(self) -> float:
        """The stated maximum and the margin."""
        return STATED_S[self.kind] + MARGIN_S

    @property
    def took_s(self) -> float | None:
        """From injection to healing."""
        return None if self.healed is None else max(0.0, self.healed - self.injected)

    @property
    def in_time(self) -> bool:
        """Whether it was healed within what is allowed."""
        return self.took_s is not None and self.took_s <= self.allowed_s

    def released(self, note: str = "") -> None:
        """What was prepared since the beginning takes effect now: from here on its healing is timed."""
        self.injected, self.note = time.monotonic(), note

    @property
    def last_moment(self) -> float:
        """When to stop waiting."""
        return self.injected + self.allowed_s + GIVE_UP_S


class Ledger:
    """All faults of a run, in order, and what the server said to held writes."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.refused: dict[str, int] = {}
        self.held_passed = 0
        self.rounds = 0

    def begin(self, kind: str, what: str, injected: float | None = None) -> Fault:
        """A fault is injected, now if no moment is given."""
        now = time.monotonic()
        at = now if injected is None else injected
        fault = Fault(kind, what, at, time.time() - (now - at))
        self.faults.append(fault)
        return fault

    def by_kind(self) -> dict[str, dict[str, float | int | None]]:
        """Counts and times of each kind there is."""
        found: dict[str, dict[str, float | int | None]] = {}
        for kind, stated in STATED_S.items():
            some = [fault for fault in self.faults if fault.kind == kind]
            times = [fault.took_s for fault in some if fault.took_s is not None]
            found[kind] = {
                "injected": len(some),
                "healed": sum(fault.in_time for fault in some),
                "max_s": round(max(times), 3) if times else None,
                "stated_s": round(stated, 3),
                "allowed_s": round(stated + MARGIN_S, 3),
            }
        return found
