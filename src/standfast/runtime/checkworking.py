"""The thread that talks to Route 53 about health checks: passes of `core.checkkeeper`, and what the checkers say.

It has connections of its own and the process's pace, so that a planner never waits for AWS. Of the requests that a zone
may make, a tenth go to asking what the checkers say, one check after the other.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from standfast.core.checkkeeper import CheckTask, Kept, keep
from standfast.errors import ProviderError
from standfast.model.check import BalancerCheck, healthy
from standfast.ports.checks import CheckGone, CheckReply, CheckRequest, ReadStatus, StatusRead
from standfast.ports.provider import Unknown

AUDIT_S: Final = 600.0
"""How often all that stands is looked at, besides when the checkers of one say that it is gone."""
AGAIN_S: Final = 5.0
AGAIN_MAX_S: Final = 300.0
TUG_S: Final = 600.0
"""A check edited again so soon after it was set back is left: somebody means it."""
STATUS_SHARE: Final = 0.1
IDLE_S: Final = 0.2


class Desk(Protocol):
    """Who answers for one zone's checks."""

    def perform(self, request: CheckRequest) -> CheckReply: ...


class Unasked:
    """Who only observes makes no health check, and deletes none."""

    def perform(self, request: CheckRequest) -> CheckReply:
        """Nothing."""
        return Unknown("observing: Route 53's health checks are neither made nor deleted")


def unasked(zone: str) -> Desk:
    """In the place of AWS, for those who only observe."""
    return Unasked()


class Said(Struct, frozen=True):
    """What the checkers of a load balancer say: None is unknown. `why` is of the part that decides."""

    zone: str
    load_balancer: str
    healthy: bool | None
    why: str


class Finished(Struct, frozen=True):
    """A pass is over."""

    task: CheckTask
    kept: Kept


class ZoneWork:
    """One zone's checks: what is to be done, and when."""

    def __init__(self, rate: float) -> None:
        self.task: CheckTask | None = None
        self.done: CheckTask | None = None
        self.desk: Desk | None = None
        self.again_s, self.due = AGAIN_S, 0.0
        self.audited_at, self.asked_at = float("-inf"), float("-inf")
        self.gap_s = 1.0 / (STATUS_SHARE * rate)
        self.mended: dict[str, float] = {}
        self.parts: dict[str, Said] = {}
        self.turn = 0


class CheckWorker:
    """Works in a thread of its own. `give` says what is wanted, `heard` returns what came of it."""

    def __init__(
        self, rates: dict[str, float], opened: Callable[[str], Desk], wake: Callable[[], None], who: str = ""
    ) -> None:
        self._zones = {zone: ZoneWork(rate) for zone, rate in rates.items()}
        self._opened, self._wake = opened, wake
        self._news: deque[Finished | Said] = deque()
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"health checks {who}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a call that is under way is waited for a moment and then left."""
        self._stop.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def give(self, task: CheckTask | None, zone: str) -> None:
        """What is wanted in that zone from now on; None: nothing, another planner does it."""
        with self._lock:
            work = self._zones[zone]
            if work.task != task:
                work.task, work.due, work.again_s = task, 0.0, AGAIN_S
                self._woken.set()

    def heard(self) -> list[Finished | Said]:
        """What is new since this was asked last."""
        found = []
        while self._news:
            found.append(self._news.popleft())
        return found

    def _run(self) -> None:
        while not self._stop.is_set():
            busy = False
            for zone, work in self._zones.items():
                busy |= self.turn(zone, work, time.monotonic())
                if self._stop.is_set():
                    return
            if not busy:
                self._woken.wait(IDLE_S)
                self._woken.clear()

    def turn(self, zone: str, work: ZoneWork, now: float) -> bool:
        """One pass or one question; False if there was nothing to do."""
        with self._lock:
            task = work.task
        if task is None:
            return False
        audit = now - work.audited_at >= AUDIT_S and bool(task.known)
        if (task != work.done or audit or work.due > 0) and now >= work.due:
            self._pass(work, task, now, audit)
            return True
        if now - work.asked_at >= work.gap_s and (whole := tuple(one for one in task.known if one.id)):
            work.asked_at = now
            self._ask(zone, work, whole)
            return True
        return False

    def _pass(self, work: ZoneWork, task: CheckTask, now: float, audit: bool) -> None:
        leave = frozenset(one for one, at in work.mended.items() if now - at < TUG_S)
        phase = keep(replace(task, audit=audit, leave=leave))
        while not isinstance(phase, Kept):
            phase = phase.heard(self._perform(work, phase.request))  # type: ignore[arg-type]
        if audit and not phase.why:
            work.audited_at = now
        work.mended.update(dict.fromkeys((*phase.mended, *phase.left), now))
        work.done = task
        failed = bool(phase.why or phase.troubles)
        work.due = now + work.again_s if failed else 0.0
        work.again_s = min(2 * work.again_s, AGAIN_MAX_S) if failed else AGAIN_S
        self._news.append(Finished(task, phase))
        self._wake()

    def _ask(self, zone: str, work: ZoneWork, known: tuple[BalancerCheck, ...]) -> None:
        """The next check in turn; what counts others has no checkers of its own."""
        pairs = [(check, name, one) for check in known for name, one in check.parts if not _counts(check, one)]
        work.turn = (work.turn + 1) % len(pairs)
        check, name, identifier = pairs[work.turn]
        reply = self._perform(work, ReadStatus(zone, identifier))
        if isinstance(reply, CheckGone):
            work.audited_at = float("-inf")
        work.parts[identifier] = _said(zone, check, name, reply)
        work.parts = {one: work.parts[one] for _, _, one in pairs if one in work.parts}
        self._news.append(_together(zone, check, [work.parts.get(one) for of, _, one in pairs if of == check]))
        self._wake()

    def _perform(self, work: ZoneWork, request: CheckRequest) -> CheckReply:
        if work.desk is None:
            try:
                work.desk = self._opened(request.zone)
            except ProviderError as error:
                return Unknown(f"{error.message}: {error.remedy}")
        return work.desk.perform(request)


def _counts(check: BalancerCheck, one: str) -> bool:
    return len(check.parts) > 1 and one == check.id


def _said(zone: str, check: BalancerCheck, part: str, reply: CheckReply) -> Said:
    if not isinstance(reply, StatusRead):
        why = "the check is gone" if isinstance(reply, CheckGone) else getattr(reply, "why", "no status")
        return Said(zone, check.load_balancer, None, why)
    inverted = part == "switch"
    well = healthy((passed for passed, _ in reply.observations), inverted=inverted)
    failing = next((text for passed, text in reply.observations if passed == inverted), "")
    why = "its switch is thrown" if inverted and well is False else failing
    return Said(zone, check.load_balancer, well, "" if well else why or "no checker has looked yet")


def _together(zone: str, check: BalancerCheck, parts: list[Said | None]) -> Said:
    """Ill if one part is, well if all are."""
    ill = next((one for one in parts if one is not None and one.healthy is False), None)
    if ill is not None:
        return ill
    unsure = next((one for one in parts if one is None or one.healthy is None), Said(zone, "", True, ""))
    if unsure is None or unsure.healthy is None:
        return Said(zone, check.load_balancer, None, unsure.why if unsure else "not all of its checks were asked yet")
    return Said(zone, check.load_balancer, True, "")
