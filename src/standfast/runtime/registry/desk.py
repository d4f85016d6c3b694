"""The registry's desk: who asks, whether they may, what they say, and what becomes of it. In the event loop's thread.

A renewal that says nothing new is answered at once. One that does is answered when it is in the plan store: who was
told "held" is held, whatever happens to this process.
"""

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Callable
from typing import Final

import msgspec

from standfast.adapters.sources.vetting import problems_of
from standfast.config import RegistryConfig
from standfast.errors import StandfastError
from standfast.model.lease import Report
from standfast.recovery.admission import Intake, Pace
from standfast.recovery.lease import paced

from ..admitting import Admission
from .keeping import Keeping
from .wire import Held, Listed, Page, Said, Standing, balancer_of, report_of, said_of

RATE_FIRST: Final = 500.0
"""Renewals a second, before it was ever measured: too low is learned quickly, and costs a few early appointments."""
PAGE_LISTED: Final = 500
WHY_MAX: Final = 200
DONE_LEAST: Final = 32
REFUSED_AS: Final = 0.2
"""So many grants are as much work as one refusal at the door."""
REFUSED_MOST: Final = 3
LEAST_FALL: Final = 0.2
NEWS_MAX: Final = 20_000
HELD_BACK: Final = 1.4
"""A refusal is said after so many times `answer_within`, from when it may have come: whoever asks waits for twice that,
and the loop may come to it a round later."""
HELD_MOST_S: Final = 4.0
"""An agent waits for 5 s unless told otherwise: a refusal that it does not hear is none."""
PATIENCE_S: Final = 75.0
"""So long a connection at rest is kept, and a request may take to come."""
CONFIRMED_S: Final = 10.0
"""Who could not reach the store for so long, or was not told that it still is this registry, renews nothing."""
Event = tuple[str, dict[str, object]]


class Denied(StandfastError):
    """An HTTP status with its reason and remedy."""

    def __init__(self, status: int, message: str, remedy: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy)
        self.status, self.retry_after_s = status, retry_after_s


class Desk:
    """What a registry does when asked. `prefixes`: networks outside which no address is taken; empty: none such."""

    def __init__(
        self,
        registry: str,
        config: RegistryConfig,
        prefixes: tuple[str, ...],
        tick_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry, self.config = registry, config
        self.keeping = Keeping(config.term_s, tick_s, config.limit)
        self.pace = Pace(RATE_FIRST)
        self.held_back_s = min(HELD_BACK * config.answer_within_s, HELD_MOST_S)
        """So long a refusal at the door is held back at most."""
        intake = Intake[int](self.pace, workers=1, measuring=False, soonest_s=self.held_back_s)
        self.admission = Admission(intake, clock)
        self.arriving = 0
        """Requests between door and desk: parsed, and not yet read. There is the queue of an event loop."""
        self.waited_s: Callable[[], float] = lambda: 0.0
        """For how long who is at the door has waited for the event loop to come to it."""
        self.came_at: Callable[[], float] = clock
        """When who is at the door came at the earliest."""
        self.joined_at: Callable[[], float] = clock
        """When whose connection was just accepted came at the earliest."""
        self.patience_s = PATIENCE_S
        """For so long a connection waits for its client to say something whole."""
        self.turning_away: Callable[[], bool] = lambda: False
        """Whether who is at the door now is more than can be granted in time."""
        self.connections = config.connections
        """So many may be open at once."""
        self.crowded = 0
        """How many found no room among them."""
        self.closed = "it has just started"
        """Why nothing can be granted or renewed at present, as far as the plan store said; empty: it can."""
        self.confirmed_at = float("-inf")
        """When the plan store was last told that this still is this registry, by the same clock."""
        self.wake = asyncio.Event()
        """Set when there is something to be written."""
        self.news: list[Event] = []
        self._worked = (0, 0)
        self._clock = clock
        self._networks = [ipaddress.ip_network(text) for text in prefixes]
        self._waiting: list[asyncio.Future[None]] = []
        self._decoder = msgspec.json.Decoder(Said)
        self._renew_s = config.term_s / 4

    def repaced(self) -> None:
        """How often everybody shall renew, by how many there are."""
        pause, term = paced(len(self.keeping.book), self.pace.rate, self.config.term_s)
        self._renew_s, self.keeping.book.term_s = pause, term

    def may_enter(self) -> bool:
        """Whether somebody at the door may come in; counted as arriving then.

        What it has waited since the loop looked is spent. It may have waited as long before, unseen: so an answer takes
        up to twice `answer_within`, and agents wait for more than that.
        """
        if self.turning_away() or self.admission.full(self.config.answer_within_s - self.waited_s(), self.arriving):
            return False
        self.arriving += 1
        return True

    def room(self) -> int:
        """How many who are at the door now can be granted in time."""
        left = self.config.answer_within_s - self.admission.intake.least_s
        return max(1, int(left * self.pace.rate) - self.admission.intake.waiting)

    def arrived(self) -> None:
        """One of those has come to the desk."""
        self.arriving = max(0, self.arriving - 1)

    def turned_away(self) -> None:
        """One more connection than there is room for was hung up on."""
        self.crowded += 1

    def worked(self, busy_s: float) -> None:
        """The event loop was busy for so long since this was last told. Where many were turned away meanwhile it says
        little of what granting takes."""
        admission = self.admission
        done, refused = admission.admitted - self._worked[0], admission.refused - self._worked[1]
        if done >= DONE_LEAST:
            if refused <= REFUSED_MOST * done:
                self.pace.observed(done + round(REFUSED_AS * refused), busy_s, self._clock())
            self._worked = admission.admitted, admission.refused

    def batch_took(self, seconds: float) -> None:
        """So long somebody waited until what he said was written: who comes now has to wait as long as well."""
        intake = self.admission.intake
        before = intake.least_s
        intake.least_s = min(self.config.answer_within_s / 4, max(seconds, before + LEAST_FALL * (seconds - before)))

    def key_of(self, token: str, holder: str) -> str:
        """The name of the key that this is, good for that load balancer. Raises Denied."""
        if not token:
            raise Denied(401, "No key was shown.", "Send Authorization: Bearer KEY.")
        same = [one for one in self.config.keys if one.same(holder, token)]
        good = [one.name for one in same if one.is_for(holder)]
        if good:
            return good[0]
        if same:
            raise Denied(403, f"This key is not good for {holder}.", "Add its id to the key's load_balancers.")
        raise Denied(401, "This key opens nothing here.", "Give the agent a key of `registry: keys`.")

    def operates(self, token: str) -> bool:
        """Whether that is the operator's key."""
        own = self.config.operator
        return own is not None and hmac.compare_digest(token.encode(), own.encode())

    def may_look(self, token: str) -> bool:
        """Whether that is anybody's key: how the registry stands is no secret among them."""
        return self.operates(token) or any(one.same("", token) for one in self.config.keys)

    def read(self, holder: str, body: bytes) -> Report:
        """What it says of itself. Raises Denied."""
        try:
            said = self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Denied(400, f"The body is not what it should be: {error}.", "See /openapi.json: Said.") from None
        report = report_of(said)
        known = self.keeping.book.get(holder)
        if known is not None and known.what == report:
            return report
        if problems := problems_of(balancer_of(holder, report)):
            raise Denied(422, "; ".join(problems[:5]) + ".", "Mend the agent's file.")
        if len(said.why) > WHY_MAX or not (said.why.isprintable() or not said.why):
            raise Denied(422, f"`why` is not a line of at most {WHY_MAX} characters.", "Say it shorter.")
        self._judge_addresses(holder, report)
        return report

    def _judge_addresses(self, holder: str, report: Report) -> None:
        for text in (*report.ipv4, *report.ipv6):
            if self._networks and not any(ipaddress.ip_address(text) in network for network in self._networks):
                message = f"{text} is outside the prefixes of every zone: it is never published."
                raise Denied(422, message, "Mend the address, or add its network to prefixes.")
        if rival := self.keeping.rival(holder, report):
            raise Denied(409, f"{rival[0]} belongs to {rival[1]}.", f"Mend the address, or let {rival[1]} sign off.")

    def renew(self, holder: str, report: Report, key: str) -> tuple[Held, "asyncio.Future[None] | None"]:
        """The lease, and what has to be waited for before it may be told. Raises Denied."""
        self._open()
        if self.keeping.full(holder):
            raise Denied(503, f"There are {self.config.limit} leases already.", "Raise registry.limit.", self._renew_s)
        done = self.keeping.renew(holder, report, self._clock())
        held = Held(holder, self.registry, done.lease.number, done.granted, self._renew_s, self.keeping.book.term_s)
        if not done.changed:  # who asks again meanwhile is held no sooner than the first time
            return held, self._written() if self.keeping.unwritten(holder) else None
        what = "lease_granted" if done.granted else "lease_changed"
        said = msgspec.to_builtins(said_of(report))
        self.tell(what, load_balancer=holder, number=done.lease.number, key=key, said=said)
        return held, self._written()

    def leave(self, holder: str, by: str) -> "asyncio.Future[None] | None":
        """It signs off, or an operator ends it (`by`). None: it held nothing, and that is written."""
        self._open()
        why = "an operator ended its lease" if by == "operator" else "its agent signed off"
        if not self.keeping.leave(holder, why):
            return self._written() if self.keeping.unwritten(holder) else None
        self.tell("lease_ended", load_balancer=holder, why=why)
        return self._written()

    @property
    def shut(self) -> str:
        """Why nothing can be granted or renewed at present, a plan store that does not even answer included."""
        if not self.closed and self._clock() - self.confirmed_at > CONFIRMED_S:
            return f"nothing was heard of the plan store for {CONFIRMED_S:g} s"
        return self.closed

    def _open(self) -> None:
        """Raises Denied while nothing can be kept."""
        if why := self.shut:
            self.wake.set()
            raise Denied(503, f"Leases can't be kept now: {why}.", "Come again.", self._renew_s / 4)

    @property
    def backlog(self) -> int:
        """How many of those turned away have not come again yet, as far as known."""
        return self.admission.intake.appointed(self._clock())

    def listed(self, after: str) -> Page:
        """Some leases by rising id."""
        some = [one for one in self.keeping.everybody() if one.holder > after][: PAGE_LISTED + 1]
        page, more = some[:PAGE_LISTED], some[PAGE_LISTED:]
        leases = [Listed(one.holder, one.number, one.left, said_of(one.report)) for one in page]
        return Page(leases, page[-1].holder if more else "")

    def standing(self) -> Standing:
        """For people and programs."""
        book, admission = self.keeping.book, self.admission
        return Standing(
            self.registry, len(book), book.heard, self.shut or book.reach.why, round(self.pace.rate, 1),
            admission.admitted, admission.refused, book.term_s, self._renew_s,
        )  # fmt: skip

    def tell(self, event: str, **facts: object) -> None:
        """For the journal, with the next batch."""
        if len(self.news) < NEWS_MAX:
            self.news.append((event, facts))

    def _written(self) -> "asyncio.Future[None]":
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.wake.set()
        return waiting

    def waiting(self) -> "list[asyncio.Future[None]]":
        """Who waits for what is in the batch that is taken now."""
        waiting, self._waiting = self._waiting, []
        return waiting
