"""What there is to see: plans as they are published, answers as they come, journals as they grow. In a thread.

Each answer is judged half a second after it came, when every plan that it may be of has surely been read.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES
from standfast.ports.store import ListPlans, PlanList, PlanRead, ReadPlan

from .judge import Answer, Judge, Planned, RRsetKey
from .setting import short

JUDGED_AFTER_S: Final = 0.5
_POLL_S: Final = 0.02
_RECENT: Final = 4000
_EVENTS: Final = 500


class Tail:
    """A file that grows, line by line."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._rest = path, 0, b""

    def lines(self) -> list[bytes]:
        """Whole lines that came since."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                octets = file.read()
        except OSError:
            return []
        self._at += len(octets)
        *whole, self._rest = (self._rest + octets).split(b"\n")
        return whole


class Watch:
    """Sees and remembers. Other threads ask under `changed`, or by the methods, which take it."""

    def __init__(self, store: Path, answers: Path, journal: Path, asked: tuple[RRsetKey, ...]) -> None:
        self.judge = Judge()
        self.changed = threading.Condition()
        self.plans: dict[int, Plan] = {}
        self.stored: frozenset[int] = frozenset()
        self.missed = 0
        self.latest: dict[RRsetKey, Answer] = {}
        self.recent: dict[RRsetKey, deque[Answer]] = {key: deque(maxlen=_RECENT) for key in asked}
        self.events: deque[Mapping[str, Any]] = deque(maxlen=_EVENTS)
        self.heard_events = self.heard_answers = 0
        self.wrote: dict[str, tuple[str, int]] = {}
        self.verdicts: dict[str, str] = {}
        self.collected = 0
        self.first_sent = self.last_sent = 0.0
        self.longest_gap = 0.0
        self.trouble = ""
        self._asked = asked
        self._store_path, self._journal = store, journal
        self._answers = Tail(answers)
        self._tails: dict[Path, Tail] = {}
        self._pending: deque[Answer] = deque()
        self._monotonic_of_wall = time.monotonic() - time.time()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Judge what is left and end."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def head(self) -> Plan | None:
        """The newest plan."""
        with self.changed:
            return self.plans[max(self.plans)] if self.plans else None

    @property
    def generation(self) -> int:
        """Its number."""
        head = self.head
        return head.generation if head else 0

    def wanted(self, name: str, generation: int | None = None) -> dict[RRsetKey, frozenset[str]]:
        """What a plan, the newest if none is named, gives each rrset of a name that is asked for."""
        with self.changed:
            plan = self.plans.get(generation) if generation is not None else self.head
        contents = contents_of(plan) if plan else {}
        return {key: contents.get(key, frozenset()) for key in self._asked if key[0] == name}

    def answered(self, key: RRsetKey, after: float, fits: Callable[[frozenset[str]], bool]) -> float | None:
        """When the first answer that fits came, of those asked since `after`."""
        with self.changed:
            for one in self.recent[key]:
                if one.received is not None and one.sent >= after and one.rcode == 0 and fits(one.addresses):
                    return one.received
        return None

    def in_step(self) -> bool:
        """Whether every latest answer is what the newest plan says."""
        with self.changed:
            head = self.head
            contents = contents_of(head) if head else {}
            return bool(contents) and all(
                (answer := self.latest.get(key)) is not None and answer.addresses == contents.get(key)
                for key in self._asked
            )

    def until(self, true: Callable[[], bool], deadline: float, stop: threading.Event) -> bool:
        """Wait for something that is seen here, until a monotonic moment at most."""
        while not stop.is_set():
            if true():
                return True
            if time.monotonic() > deadline:
                return False
            with self.changed:
                self.changed.wait(_POLL_S)
        return False

    def at_of(self, plan: Plan) -> float:
        """The moment a plan was made, by the monotonic clock."""
        return plan.record.at + self._monotonic_of_wall

    def _run(self) -> None:
        store = SqliteStore(self._store_path)
        try:
            while not self._over.is_set():
                self._look(store, time.monotonic() - JUDGED_AFTER_S)
                self._over.wait(_POLL_S)
            self._look(store, float("inf"))
        except Exception as error:  # a defect here must end the demo, not silence its witness
            self.trouble = f"the watch failed: {error!r}"
            raise
        finally:
            store.close()

    def _look(self, store: SqliteStore, until: float) -> None:
        """The answers first: whatever plan they are of is then in the store."""
        answers = [_answer(line, self._asked) for line in self._answers.lines()]
        plans = self._new_plans(store) if store.changed() else []
        events = self._new_events()
        with self.changed:
            for plan in plans:
                self.plans[plan.generation] = plan
                self.judge.plan(Planned(plan.generation, self.at_of(plan), contents_of(plan)))
            for answer in answers:
                self._hear(answer)
            for event in events:
                self._read(event)
            while self._pending and (self._pending[0].received or self._pending[0].sent) <= until:
                self.judge.answer(self._pending.popleft())
            if plans or answers or events:
                self.changed.notify_all()

    def _hear(self, answer: Answer) -> None:
        self._pending.append(answer)
        self.heard_answers += 1
        self.first_sent = self.first_sent or answer.sent
        self.recent[answer.key].append(answer)
        if answer.received is not None:
            if self.last_sent and answer.sent > self.last_sent:
                self.longest_gap = max(self.longest_gap, answer.sent - self.last_sent)
            self.last_sent = max(self.last_sent, answer.sent)
            self.latest[answer.key] = answer

    def _new_plans(self, store: SqliteStore) -> list[Plan]:
        listed = store.perform(ListPlans())
        if not isinstance(listed, PlanList):
            return []
        self.stored = frozenset(one.generation for one in listed.plans)
        found = []
        for one in reversed(listed.plans):
            if one.generation not in self.plans:
                read = store.perform(ReadPlan(one.digest))
                if isinstance(read, PlanRead):
                    found.append(read.plan)
                else:
                    self.missed += 1
        return found

    def _new_events(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for path in self._journal.glob("*.jsonl"):
            for line in self._tails.setdefault(path, Tail(path)).lines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        found.sort(key=lambda event: str(event.get("at", "")))
        return found

    def _read(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)
        self.heard_events += 1
        if event.get("event") == "outcome" and event.get("result") in ("written", "refilled"):
            self.wrote[short(str(event.get("name")))] = str(event.get("who")), int(event.get("since") or 0)
        if event.get("event") == "verdict":
            self.verdicts[str(event.get("load_balancer"))] = str(event.get("state"))
        if event.get("event") == "collected":
            self.collected += len(event.get("generations") or ())


def contents_of(plan: Plan) -> dict[RRsetKey, frozenset[str]]:
    """The addresses that a plan gives each rrset."""
    return {
        (entry.name, int(rtype)): frozenset(rrset.texts())
        for entry in plan.shards
        for rtype in ADDRESS_TYPES
        if (rrset := entry.rrset(rtype)) is not None
    }


def _answer(line: bytes, asked: tuple[RRsetKey, ...]) -> Answer:
    sent, received, number, rcode, addresses = json.loads(line)
    return Answer(asked[number], sent, received, rcode, frozenset(addresses))
