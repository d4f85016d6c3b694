"""An enactor at zones whose requests are counted: when it begins what is due, and what it looks after meanwhile.

First what is due, as far as it is for us to begin (company.py); then what was suspected; last the patrol, one page at a
time, of requests that nobody else needed. The enactor's loop asks for one step whenever it has nothing to do.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeAlias

from msgspec import Struct, structs

from standfast.core.enactor import Enactor
from standfast.core.patrol import Patrol, in_order
from standfast.core.standing_by import learning, mustered, released, suspecting, unread
from standfast.core.task import Outcome
from standfast.model.entry import Entry
from standfast.ports.provider import Read, ReadReply

from .company import BUSY_S, Company, Member
from .nameturns import ALONE, Share

TURN_PART: Final = 1 / 6
"""By this part of the pause between rounds each enactor is later than the one before it in order, if it has heard of no
other's beginning."""
IDLE_S: Final = 5.0
GATHERING_S: Final = 1.5
"""After the start: so long others may take to say that they are there."""
TROUBLED_S: Final = 60.0
_TROUBLE: Final = frozenset({"refused", "unknown", "blind", "unrecorded"})
Perform: TypeAlias = Callable[[str, Read], ReadReply]


class Pace(Protocol):
    """How often one account may be asked."""

    def allot(self, part: float, background: float) -> None: ...
    def spare(self) -> bool: ...


class Account(Struct, frozen=True):
    """How a zone's requests are paced, how many were sent so far, by action; and so many seconds at least lie between
    two rounds of the patrol, whoever begins them."""

    pace: Pace
    sent: Counter[str]
    round_s: float = 60.0


class Economy:
    """For one enactor. `company` None: it knows of no others and does not tell of itself. `now` is monotonic
    seconds."""

    def __init__(self, accounts: Mapping[str, Account], company: Company | None, perform: Perform) -> None:
        self._accounts, self._company, self._perform = accounts, company, perform
        self._patrols = {zone: Patrol(zone) for zone in accounts}
        self._began = dict.fromkeys(accounts, -float("inf"))
        self._begun: Counter[str] = Counter()
        self._orders: dict[str, tuple[str, tuple[Entry, ...]]] = {}
        self._turn_at = self._troubled_until = -float("inf")
        self._started_at: float | None = None
        self._progress = 0
        self._patrolled = 0

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that it is about."""
        return tuple(self._accounts)

    def heard(self, core: Enactor, outcomes: tuple[Outcome, ...], now: float) -> None:
        """What became of changes; others are told how far we are."""
        mine = [one.result for one in outcomes if one.zone in self._accounts]
        self._progress += "written" in mine
        if _TROUBLE.intersection(mine):
            self._troubled_until = now + TROUBLED_S
        self.turn(core, now)

    def turn(self, core: Enactor, now: float) -> None:
        """Look who else is there, tell how far we are, and keep to our part; as often as there is need."""
        if self._company is None:
            return
        if self._started_at is None:
            self._started_at = now
        busy = bool(core.agenda.held or core.agenda.bulk)
        told = self._told(self._company.own, core, now)
        gathering = now - self._started_at < GATHERING_S
        soon = busy or gathering or told != self._company.own or self._company.unsaid
        if now - self._turn_at < (BUSY_S / 2 if soon else IDLE_S):
            return
        self._turn_at = now
        self._company.turn(now, told, busy=busy)
        count = len(self._company.line(now))
        for account in self._accounts.values():
            account.pace.allot(self._company.part(now), 1 / count)

    def step(self, core: Enactor, now: float) -> tuple[Enactor, bool]:
        """The enactor after one step, and whether it has something to do now."""
        self.turn(core, now)
        if core.agenda.held:
            return self._held(core, now)
        if core.plan is None or not core.agenda.empty or core.forked:
            return core, False
        for zone in self._accounts:
            if self._due(zone, now) and self._accounts[zone].pace.spare():
                return self._patrol(core, zone, now)
        return core, False

    def share(self, now: float) -> Share:
        """Who asks the name servers for which names."""
        return ALONE if self._company is None else self._company.share(now)

    def leave(self) -> None:
        """Good-bye."""
        if self._company is not None:
            self._company.leave()

    @property
    def standing(self) -> dict[str, object]:
        """For people: requests so far, and of these the patrol's; whole rounds of each zone; who is first in line."""
        sent = sum((account.sent for account in self._distinct()), Counter[str]())
        rounds = {zone: patrol.rounds for zone, patrol in self._patrols.items()}
        return {"requests": dict(sent), "patrol": self._patrolled, "rounds": rounds}

    def _distinct(self) -> list[Account]:
        return list({id(account.sent): account for account in self._accounts.values()}.values())

    def _told(self, own: Member, core: Enactor, now: float) -> Member:
        if core.plan is not None and not core.forked and not self._open(core):
            own = structs.replace(own, settled=core.plan.generation, plan=core.plan.digest)
        troubled = now < self._troubled_until
        return structs.replace(own, progress=self._progress, troubled=troubled, rounds=dict(self._begun))

    def _open(self, core: Enactor) -> bool:
        """Whether anything of the plan is left to do in zones of ours."""
        agenda, refused = core.agenda, tuple(key for key, _ in core.quarantine)
        lists = (agenda.held, agenda.due, agenda.queued, agenda.aside, refused, *agenda.groups)
        return any(zone in self._accounts for keys in lists for zone, _ in keys)

    # -- what is due ---------------------------------------------------------------------------------------------

    def _held(self, core: Enactor, now: float) -> tuple[Enactor, bool]:
        plan, company = core.plan, self._company
        if plan is None:
            return core, False
        if company is not None:
            if self._started_at is None or now - self._started_at < GATHERING_S:
                return core, False
            word = company.word(now, plan.generation, plan.digest)
            if word == "wait":
                return core, False
            if word == "done":
                return released(core, done=True), False
        if (request := unread(core)) is not None:
            learnt = mustered(core, request, self._perform(request.zone, request))
            if learnt is not None:  # else each change reads what it needs; or fails, and says so
                self._progress += 1
                return learnt, False
        return released(core, done=False), True

    # -- what is looked after ------------------------------------------------------------------------------------

    def _due(self, zone: str, now: float) -> bool:
        patrol = self._patrols[zone]
        if patrol.at or patrol.ahead:
            return True
        began, wait = self._began[zone], self._accounts[zone].round_s
        if self._company is not None:
            began = max(began, self._company.patrolled_at(zone))
            wait *= 1 + TURN_PART * self._company.turn_of(now)
        return now - began >= wait

    def _patrol(self, core: Enactor, zone: str, now: float) -> tuple[Enactor, bool]:
        plan = core.plan
        assert plan is not None
        entries, patrol = self._entries(core, zone), self._patrols[zone]
        if not patrol.at and not patrol.ahead:
            self._began[zone] = now
            self._begun[zone] += 1
            offset = 0.0 if self._company is None else self._company.place(now)
            patrol = structs.replace(patrol, offset=offset)
        patrol, request = patrol.begun(entries)
        if request is None:
            return core, False
        sent = self._accounts[zone].sent
        before = sum(sent.values())
        reply = self._perform(zone, request)
        self._patrolled += sum(sent.values()) - before
        self._patrols[zone], seen = patrol.heard(reply, plan, len(entries))
        core = learning(core, zone, seen.markers) if seen.markers else core
        return suspecting(core, seen.suspects), bool(seen.suspects)

    def _entries(self, core: Enactor, zone: str) -> tuple[Entry, ...]:
        """In the zone's order, sorted once for a plan."""
        plan = core.plan
        assert plan is not None
        known = self._orders.get(zone)
        if known is None or known[0] != plan.digest:
            known = self._orders[zone] = plan.digest, in_order(plan.by_zone.get(zone, ()))
        return known[1]
