"""Asks a hosted zone's name servers for every endpoint by turns: whoever answers wrongly is suspect.

Route 53 does not tell what changed in a zone, and reading all of it costs requests that an account is short of. Its
name servers may be asked as often as anybody likes. Nothing is written on their word: the enactor verifies a suspect
by a reading of its own (`core/suspicion.py`), at once. A server that does not answer makes nobody suspect.

What can't be seen this way (a marker, a weight, a rollback alias) is left to the audit of everything.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import ZoneConfig
from standfast.model.entry import Entry, Key
from standfast.model.fleet import alias_of
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown

from .zonesight import NameServer

LOOKS: Final = 9
"""A round takes so many looks of the zone: 45 s where that is 5 s, Route 53's default."""
RATE_MAX: Final = 1000.0
"""Questions a second that one enactor asks at most: 25,000 names in both families take 50 s."""
STEP_S: Final = 0.25
SETTLES_S: Final = 60.0
"""Within this Route 53 brings a change to its servers. So long an empty answer makes suspect, an old one does not."""
AGAIN_S: Final = (10.0, 600.0)
"""Whoever stays suspect is verified again after so long, ever later: somebody may mean it, or a server be behind."""
ASK_S: Final = 1.0
_SUSPECTS_MAX: Final = 10_000

Servers: TypeAlias = Callable[[], Mapping[str, NameServer | Unknown]]


def round_s(look_s: float, names: int) -> float:
    """Seconds in which each of so many names is asked once, in both families."""
    return max(LOOKS * look_s, names * len(ADDRESS_TYPES) / RATE_MAX)


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
    named = any(member.alias or any(map(alias_of, member.addresses)) for member in entry.members)
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
    """One zone. `step` asks the next names, and is the thread's; `plan` and `suspects` may be called from another."""

    def __init__(self, zone: ZoneConfig, servers: Servers) -> None:
        self.zone, self._servers = zone, servers
        self._plan: Plan | None = None
        self._order: tuple[Entry, ...] = ()
        self._ordered: Plan | None = None
        self._since: dict[str, tuple[int, float]] = {}
        self._doubts: dict[str, _Doubt] = {}
        self._found: deque[Suspect] = deque(maxlen=_SUSPECTS_MAX)
        self._at = self._turn = 0
        self.step_at = 0.0

    def plan(self, plan: Plan | None) -> None:
        """What should stand."""
        self._plan = plan

    def suspects(self) -> list[Suspect]:
        """Who has become suspect since the last time."""
        found = []
        while self._found:
            found.append(self._found.popleft())
        return found

    def step(self) -> None:
        """Ask the next names; `step_at` says when the ones after them are due (monotonic seconds)."""
        now = time.monotonic()
        self._take(self._plan, now)
        servers = [one for one in self._servers().values() if isinstance(one, NameServer)]
        if not self._order or not servers:
            self.step_at = now + STEP_S * 4
            return
        whole = round_s(self.zone.look_seconds, len(self._order))
        pause = max(STEP_S, whole / len(self._order))
        size = max(1, round(len(self._order) * pause / whole))
        some = [self._order[(self._at + place) % len(self._order)] for place in range(min(size, len(self._order)))]
        self._at = (self._at + len(some)) % len(self._order)
        self._turn += 1
        self._ask(servers[self._turn % len(servers)], some)
        self.step_at = now + pause

    def _take(self, plan: Plan | None, now: float) -> None:
        """The zone's endpoints by this plan, and since when each is as it is."""
        if plan is None or plan is self._ordered:
            return
        self._ordered = plan
        self._order = tuple(one for one in plan.by_zone.get(self.zone.name, ()) if one.kind == "live")
        before = self._since
        self._since = {}
        for one in self._order:
            known = before.get(one.name)
            self._since[one.name] = known if known and known[0] == one.since else (one.since, now)

    def _ask(self, where: NameServer, some: list[Entry]) -> None:
        keys = tuple((one.name, int(rtype)) for one in some for rtype in ADDRESS_TYPES)
        provider = Rfc2136Provider(self.zone.name, where.address, where.port, None, timeout_s=ASK_S)
        try:
            reply = provider.perform(Read(self.zone.name, keys))
        finally:
            provider.close()
        if not isinstance(reply, Readings):
            return
        now, width = time.monotonic(), len(ADDRESS_TYPES)
        for place, entry in enumerate(some):
            self._judge(entry, reply.values[place * width : place * width + width], where, now)

    def _judge(self, entry: Entry, answers: tuple[RRset | Unknown | None, ...], where: NameServer, now: float) -> None:
        settled = now - self._since[entry.name][1] > SETTLES_S
        wrong = [
            said
            for rtype, answer in zip(ADDRESS_TYPES, answers, strict=True)
            if not isinstance(answer, Unknown) and (said := complaint(entry, rtype, answer, settled=settled))
        ]
        if not wrong:
            if not any(isinstance(one, Unknown) for one in answers):
                self._doubts.pop(entry.name, None)
            return
        doubt = self._doubts.get(entry.name)
        if doubt is not None and now < doubt.at:
            return
        pause = AGAIN_S[0] if doubt is None else min(AGAIN_S[1], 2 * doubt.pause_s)
        self._doubts[entry.name] = _Doubt(now + pause, pause)
        self._found.append(Suspect(entry.key, f"{where.address} answers {' and '.join(wrong)} for {entry.name}"))


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

    def suspects(self, plan: Plan | None) -> list[Suspect]:
        """Who has become suspect, beside this plan; never waits."""
        found = []
        for one in self._watches:
            one.plan(plan)
            found += one.suspects()
        return found

    def _run(self) -> None:
        while not self._stop.is_set():
            for one in self._watches:
                if time.monotonic() >= one.step_at and not self._stop.is_set():
                    one.step()
            soonest = min(one.step_at for one in self._watches)
            self._stop.wait(max(0.01, soonest - time.monotonic()))
