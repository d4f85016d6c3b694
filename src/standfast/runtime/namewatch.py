"""Asks a hosted zone's name servers for every endpoint by turns: whoever answers wrongly is suspect.

Route 53 does not tell what changed in a zone, and reading all of it costs requests that an account is short of. Its
name servers may be asked as often as anybody likes. Nothing is written on their word: the enactor verifies a suspect
by a reading of its own (`core/suspicion.py`), at once. A server that does not answer makes nobody suspect.

A name that is about to be written is not suspect, nor one that a plan has just begun with: it is not there yet.

The enactors of a stream share the names (nameturns.py). What can't be seen this way (a marker, a weight, a rollback
alias) is left to the patrol.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import ZoneConfig
from standfast.config.hosted import FOUND_WITHIN_S
from standfast.model.entry import Entry, Key
from standfast.model.fleet import alias_of
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown

from .nameturns import ALONE, RATE_MAX, Share, Turns
from .zonesight import NameServer

STEP_S: Final = 0.25
SETTLES_S: Final = 60.0
"""Within this Route 53 brings a change to its servers. So long an empty answer makes suspect, an old one does not."""
AGAIN_S: Final = (10.0, 600.0)
"""Whoever stays suspect is verified again after so long, ever later: somebody may mean it, or a server be behind."""
ASK_S: Final = 1.0
SILENCE_S: Final = 10.0
"""While no server answers anything, the pauses between two questions grow to so much."""
_SUSPECTS_MAX: Final = 10_000

Asks: TypeAlias = Callable[[NameServer, str, tuple[tuple[str, int], ...]], Readings | Unknown]
Answers: TypeAlias = Mapping[int, RRset | Unknown | None]
"""What one server said of one name, by type."""
Servers: TypeAlias = Callable[[], Mapping[str, NameServer | Unknown]]


def questions_of(entry: Entry) -> tuple[RRType, ...]:
    """The families in which it answers, and is asked for."""
    return tuple(rtype for rtype in ADDRESS_TYPES if entry.rrset(rtype) is not None)


def asked_at(where: NameServer, zone: str, keys: tuple[tuple[str, int], ...]) -> Readings | Unknown:
    """What one server answers for these, each by itself; what it does not answer is Unknown."""
    provider = Rfc2136Provider(zone, where.address, where.port, None, timeout_s=ASK_S)
    try:
        return provider.perform(Read(zone, keys))
    finally:
        provider.close()


def complaint(entry: Entry, rtype: int, reading: RRset | None, *, settled: bool) -> str:
    """What is wrong with this answer; empty if nothing, or if nobody can tell. `settled`: no older one may be about."""
    wanted = entry.rrset(rtype)
    family = RRType(rtype).name
    if wanted is None:
        return ""
    if reading is None or not reading.rdata:
        return f"no {family} record"
    if reading.rtype == RRType.CNAME:
        return f"a CNAME in place of an {family} record"
    named = any(alias_of(text) for member in entry.members for text in member.addresses)
    if settled and not named and not set(reading.rdata) <= set(wanted.octets()):
        return f"an {family} record that no plan has"
    return ""


class Suspect(Struct, frozen=True):
    """An endpoint whose answer at one server is not what the plan has; `why` says that for people."""

    key: Key
    why: str


class _Doubt(Struct, frozen=True):
    """Of one suspect: when it may be suspected again, and how long after that."""

    at: float
    pause_s: float


class NameWatch:
    """One zone. `step` asks the next names, and is the thread's; `plan` and `suspects` may be called from another.
    `asks` asks one server, `clock` gives monotonic seconds."""

    def __init__(
        self,
        zone: ZoneConfig,
        servers: Servers,
        *,
        asks: Asks = asked_at,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.zone, self._servers, self._asks, self._clock = zone, servers, asks, clock
        self._turns = Turns(zone.hosted.found_seconds if zone.hosted is not None else FOUND_WITHIN_S)
        self._share = Share()
        self._plan: Plan | None = None
        self._entries: dict[str, Entry] = {}
        self._questions: dict[str, int] = {}
        self._ordered: Plan | None = None
        self._since: dict[str, tuple[int, float]] = {}
        self._entered: dict[str, float] = {}
        self._waiting: tuple[Key, ...] = ()
        self._counted: tuple[tuple[Key, ...], frozenset[str]] = ((), frozenset())
        self._stepped = False
        self._doubts: dict[str, _Doubt] = {}
        self._found: deque[Suspect] = deque(maxlen=_SUSPECTS_MAX)
        self._turn = self._silent = 0
        self.step_at = 0.0

    def plan(self, plan: Plan | None, waiting: tuple[Key, ...] = (), share: Share = ALONE) -> None:
        """What should stand, and who asks for it. What is `waiting` to be written is read then, and nobody's suspicion
        hastens it."""
        self._plan, self._waiting, self._share = plan, waiting, share

    def suspects(self) -> list[Suspect]:
        """Who has become suspect since the last time."""
        found = []
        while self._found:
            found.append(self._found.popleft())
        return found

    def step(self) -> None:
        """Ask the next names; `step_at` says when the ones after them are due (monotonic seconds)."""
        now = self._clock()
        self._take(self._plan, now)
        self._turns.take(self._questions, self._share, now)
        self._stepped = True
        servers = [one for one in self._servers().values() if isinstance(one, NameServer)]
        self.step_at = now + STEP_S * 4
        if not servers:
            return
        if some := self._turns.due(now, int(RATE_MAX * STEP_S)):
            self._turn += 1
            self._ask(servers[self._turn % len(servers)], some)
        pause = min(SILENCE_S, STEP_S * 2 ** min(self._silent, 10))
        self.step_at = now + max(pause, min(STEP_S * 4, self._turns.next_at(now) - now))

    def _take(self, plan: Plan | None, now: float) -> None:
        """The zone's endpoints by this plan, and since when each is as it is."""
        if plan is None or plan is self._ordered:
            return
        self._ordered = plan
        self._entries = {one.name: one for one in plan.by_zone.get(self.zone.name, ()) if one.kind == "live"}
        self._questions = {name: some for name, one in self._entries.items() if (some := len(questions_of(one)))}
        before = self._since
        self._since = {}
        for one in self._entries.values():
            known = before.get(one.name)
            self._since[one.name] = known if known and known[0] == one.since else (one.since, now)
            if known is None and self._stepped and one.since == plan.generation:
                self._entered[one.name] = now
        self._entered = {name: at for name, at in self._entered.items() if name in self._since}

    def _ask(self, where: NameServer, names: list[str]) -> None:
        """One server, in one go. What it does not answer is unknown, and asked again soon, of another."""
        keys = tuple((name, int(rtype)) for name in names for rtype in questions_of(self._entries[name]))
        reply = self._asks(where, self.zone.name, keys)
        values = reply.values if isinstance(reply, Readings) else (reply,) * len(keys)
        answers: dict[str, dict[int, RRset | Unknown | None]] = {}
        for (name, rtype), value in zip(keys, values, strict=True):
            answers.setdefault(name, {})[rtype] = value
        silent = [name for name in names if any(isinstance(one, Unknown) for one in answers[name].values())]
        now = self._clock()
        self._silent = self._silent + 1 if len(silent) == len(names) else 0
        self._turns.asked(silent, now, answered=False)
        self._turns.asked((name for name in names if name not in frozenset(silent)), now, answered=True)
        if self._counted[0] is not self._waiting:
            waiting = self._waiting
            self._counted = waiting, frozenset(name for zone, name in waiting if zone == self.zone.name)
        for name in names:
            self._judge(self._entries[name], answers[name], where, now)

    def _judge(self, entry: Entry, answers: Answers, where: NameServer, now: float) -> None:
        if entry.name in self._counted[1] or self._coming(entry.name, answers, now):
            return
        settled = now - self._since[entry.name][1] > SETTLES_S
        wrong = [
            said
            for rtype, answer in answers.items()
            if not isinstance(answer, Unknown) and (said := complaint(entry, rtype, answer, settled=settled))
        ]
        if not wrong:
            if not any(isinstance(one, Unknown) for one in answers.values()):
                self._doubts.pop(entry.name, None)
            return
        doubt = self._doubts.get(entry.name)
        if doubt is not None and now < doubt.at:
            return
        pause = AGAIN_S[0] if doubt is None else min(AGAIN_S[1], 2 * doubt.pause_s)
        self._doubts[entry.name] = _Doubt(now + pause, pause)
        self._found.append(Suspect(entry.key, f"{where.address} answers {' and '.join(wrong)} for {entry.name}"))

    def _coming(self, name: str, answers: Answers, now: float) -> bool:
        """Whether it entered a plan under our eyes and has not been seen yet: servers may be without it for a while."""
        entered = self._entered.get(name)
        if entered is None:
            return False
        if now - entered > SETTLES_S or any(isinstance(one, RRset) for one in answers.values()):
            del self._entered[name]
            return False
        return True


class Watching:
    """All hosted zones of an enactor, in a thread of its own that nobody waits for."""

    def __init__(self, watches: Iterable[NameWatch]) -> None:
        self._watches = tuple(watches)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="names", daemon=True)

    def start(self) -> None:
        """Begin; without a hosted zone there is nothing to do."""
        if self._watches:
            self._thread.start()

    def stop(self) -> None:
        """End, without waiting for answers that are due."""
        self._stop.set()

    def suspects(self, plan: Plan | None, waiting: tuple[Key, ...], share: Share) -> list[Suspect]:
        """Who has become suspect, beside this plan and what is waiting to be written, of our share; never waits."""
        found = []
        for one in self._watches:
            one.plan(plan, waiting, share)
            found += one.suspects()
        return found

    def _run(self) -> None:
        while not self._stop.is_set():
            for one in self._watches:
                if time.monotonic() >= one.step_at and not self._stop.is_set():
                    one.step()
            soonest = min(one.step_at for one in self._watches)
            self._stop.wait(max(0.01, soonest - time.monotonic()))
