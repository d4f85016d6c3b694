"""The enactor as a process: drives `core.enactor` against store, providers, disk copy and journal.

The loop decides nothing: it wakes the core when the store has changed, when it is time to look for damage, and when a
full audit is due; it performs what the core asks, and writes down what the core says.
"""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, Protocol

from standfast.core.enactor import Enactor, EnactorRequest, Occasion
from standfast.core.suspicion import doubted
from standfast.core.task import Outcome
from standfast.ports.local import (
    Admit,
    Admitted,
    DrawNonce,
    KeepCopy,
    LocalReply,
    LocalRequest,
    Nonce,
    RecallCopy,
    Recorded,
    RecordIntent,
    RecordReply,
    Unrecorded,
)
from standfast.ports.provider import (
    Confirm,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    Readings,
    ReadReply,
    Refused,
    Replace,
    Room,
    Unknown,
    Written,
)
from standfast.ports.store import ReadHead, ReadPlan, StoreReply, StoreRequest

from .economy import Economy, Perform
from .following import Follower
from .journal import Journal
from .lining import AHEAD, Answer, Line, insisted, uncollected
from .nameturns import ALONE
from .noticing import PutBack, Troubles
from .presence import Presence
from .recording import intent_facts, outcome_facts, serial_facts
from .setbacks import SetBacks
from .signing import Signers
from .tugging import TugWatch
from .turns import Turns

POLL_S: Final = 0.005
"""How often the store is asked whether anybody wrote: about 10 µs each on SQLite."""
AUDIT_S: Final = 600.0
BEAT_S: Final = 1.0
_WRITTEN: Final = frozenset({"written", "refilled"})
_QUIET: Final = frozenset({"in_step", "superseded", "look", "deferred"})


class Store(Protocol):
    """A plan store as an adapter answers for it."""

    def perform(self, request: StoreRequest) -> StoreReply: ...
    def changed(self) -> bool: ...


class Provider(Protocol):
    """One zone's provider."""

    def prepare(self, request: Replace) -> None: ...
    def post(self, request: Replace) -> bool: ...
    def perform(self, request: ProviderRequest) -> ProviderReply: ...


class Copy(Protocol):
    """The plan kept on this machine."""

    def perform(self, request: KeepCopy | RecallCopy) -> LocalReply: ...


class EnactorProcess:
    """One enactor. `run` returns when `stop` is set, never in the middle of a change."""

    def __init__(
        self,
        writer: str,
        stream: str,
        store: Store,
        providers: Mapping[str, Provider],
        copy: Copy,
        journal: Journal,
        *,
        presence: Presence | None = None,
        look_s: float = 2.0,
        audit_s: float = AUDIT_S,
        poll_s: float = POLL_S,
        observe: bool = False,
        signers: Signers | None = None,
        prefixes: tuple[tuple[str, tuple[str, ...]], ...] = (),
        follower: Follower | None = None,
        rooms: tuple[tuple[str, Room], ...] = (),
        blind: tuple[str, ...] = (),
        weaker: tuple[tuple[str, str], ...] = (),
        economy: Callable[[Perform], Economy] | None = None,
    ) -> None:
        self._economy = economy(self._read) if economy is not None else None
        paced = self._economy.zones if self._economy is not None else ()
        self.core = Enactor(writer, stream, prefixes=prefixes, rooms=rooms, blind=blind, paced=paced, admission=True)
        self._store, self._providers, self._copy = store, providers, copy
        self._journal, self._presence = journal, presence
        self._look_s, self._audit_s, self._poll_s, self._observe = look_s, audit_s, poll_s, observe
        self._signers, self._follower = signers or Signers(), follower or Follower((), stream)
        self._tugs, self._set_backs = TugWatch(), SetBacks(stream)
        self._weaker = weaker
        self._last: dict[tuple[str, str], tuple[str, str]] = {}
        self._sent_at = self._again_at = self._looked = self._beaten = 0.0
        self._turns = Turns(look_s, observe=observe)
        self._troubles, self._put_back = Troubles(journal), PutBack()
        self._would: list[dict[str, Any]] = []
        self._line = Line(self._post, self._change, self._settled)

    def run(self, stop: threading.Event) -> None:
        """Start, then wake on news, looks and audits until told to stop."""
        self._journal.write("started", stream=self.core.stream, observe=self._observe)
        for zone, why in self._weaker:
            self._journal.write("notice", kind="weaker", why=f"{zone}: {why}")
        self._follower.start()
        self._pass("start", stop)
        self._looked = audited = time.monotonic()
        while not stop.is_set():
            now = time.monotonic()
            changed = self._store.changed()
            if now - audited >= self._audit_s:
                audited = self._looked = now
                self._pass("audit", stop)
            elif now - self._looked >= self._look_s and not self._gives_way(now):
                self._looked = now
                self._pass("look", stop)
            elif changed or (not self.core.agenda.empty and now >= self._again_at):
                self._pass("news", stop)
            else:
                self._look_after(now, stop)
            for event, facts in self._follower.news():
                self._journal.write(event, **facts)
            if not self._observe:
                self._signers.prove(now, self._provider, self.core.closed)
            if now - self._beaten >= BEAT_S:
                self._beat()
            stop.wait(self._poll_s)
        if self._economy is not None:
            self._economy.leave()
        self._follower.stop()
        self._line.close()
        self._journal.write("stopped")
        self._journal.close()

    def _pass(self, occasion: Occasion, stop: threading.Event) -> None:
        self.core = self.core.wake(occasion, time.monotonic(), self._turns.begin())
        self._report(self.core)
        while (request := self.core.request) is not None:
            if isinstance(request, ReadHead):  # between two changes
                if stop.is_set():
                    return
                if self._turns.over:
                    break
                self.core = self._turns.between(self.core)
            if isinstance(request, Replace) and self.core.agenda.bulk:
                with uncollected():
                    self._bulk(request, stop)
            else:
                self.core = self.core.heard(self._perform(request))
                self._report(self.core)
        self._again_at = self._turns.next_at(self.core)
        for why in self._signers.news():
            self._journal.write("notice", kind="key", why=why)
        if not self.core.closed:  # of a zone that was not asked nobody knows whether it answers again
            self._troubles.relieved()

    def _look_after(self, now: float, stop: threading.Event) -> None:
        """Who is suspect; then a step of what waits, or of what is patrolled: however many are suspect, both go on."""
        agenda, company = self.core.agenda, self._economy
        share = company.share(now) if company is not None else ALONE
        if suspects := self._follower.suspects(self.core.plan, agenda.held + agenda.due + agenda.queued, share):
            self.core = doubted(self.core, suspects)
            self._pass("news", stop)
        if self._economy is not None:
            self.core, work = self._economy.step(self.core, now)
            if work:
                self._pass("news", stop)

    def _bulk(self, request: Replace, stop: threading.Event) -> None:
        """Send one change of many, and the next ones ahead of its answer, as if those before were written.

        Cores are values: what was prepared is thrown away if an answer is another. Then what was sent ahead is in vain,
        as if from an enactor that has crashed. A server without work loses more than the time until it has some (Knot,
        past a full second, the rest of the next one). (Compare ADR 6.)
        """
        first = self._line.begin(request)
        if first is None:
            self.core = self.core.heard(self._perform(request))
            self._report(self.core)
            return
        waiting = deque([([self.core], first)])
        rest: list[Enactor] | None = None
        while waiting:
            while rest is None and len(waiting) <= AHEAD:
                ahead = self._prepared(waiting[-1][0][-1], stop)
                if isinstance(following := ahead[-1].request, Replace) and not insisted(ahead):
                    waiting.append((ahead, self._line.join(following)))
                else:
                    rest = ahead
            cores, future = waiting.popleft()
            answer = future.result()
            if answer.reply == Written():
                written = waiting[0][0] if waiting else rest or [cores[-1].heard(answer.reply)]
            else:
                asked = cores[-1] if not isinstance(answer.reply, Unrecorded) else _recording(cores)
                written = [asked.heard(answer.reply)]
            self.core = written[-1]
            for core in written:
                self._report(core, answer.took_s)
            while waiting and answer.reply != Written():
                self._in_vain(*waiting.popleft())

    def _in_vain(self, cores: list[Enactor], future: "Future[Answer]") -> None:
        """The outcome of a change that was sent ahead, and did not follow what it was meant to follow (G10)."""
        answer = future.result()
        if answer.reply is not None and not isinstance(answer.reply, Unknown | Unrecorded):
            self._report(cores[-1].heard(answer.reply), answer.took_s)

    def _prepared(self, core: Enactor, stop: threading.Event) -> list[Enactor]:
        """This core and what follows, if its change is written, up to what must wait for that."""
        ahead = [core.heard(Written())]
        while isinstance(following := ahead[-1].request, ReadHead | Admit | DrawNonce | RecordIntent):
            if isinstance(following, ReadHead) and (stop.is_set() or self._turns.over):
                break
            reply = self._intent(following, durable=False) if isinstance(following, RecordIntent) else None
            ahead.append(ahead[-1].heard(reply or self._perform(following)))
        if isinstance(following, Replace) and (provider := self._providers.get(following.zone)) is not None:
            provider.prepare(following)
        return ahead

    def _gives_way(self, now: float) -> bool:
        """Whether it waits for somebody else's bulk write. What is due comes before a look anyway."""
        return bool(self.core.contention.conflicts and self.core.agenda.bulk) and now < self._again_at

    def _perform(self, request: EnactorRequest) -> ProviderReply | StoreReply | LocalReply | Admitted:
        match request:
            case ReadHead() | ReadPlan():
                return self._store.perform(request)
            case Replace():
                return self._change(request)
            case Read() | Confirm() | ReadChanges():
                return self._provider(request.zone, request)
            case Admit():
                return self._turns.admit(request)
            case DrawNonce() | RecordIntent() | KeepCopy() | RecallCopy():
                return self._local(request)

    def _post(self, request: Replace) -> bool:
        provider = self._providers.get(request.zone)
        return not self._observe and provider is not None and provider.post(request)

    def _change(self, request: Replace) -> ProviderReply:
        if self._observe:
            return Refused("observing: nothing is written")
        self._sent_at = time.monotonic()
        return self._provider(request.zone, request)

    def _provider(self, zone: str, request: ProviderRequest) -> ProviderReply:
        provider = self._providers.get(zone)
        if provider is None:
            return Unknown(f"this enactor has no access to zone {zone}; add it under `zones:`")
        reply = provider.perform(request)
        if isinstance(request, Replace) and isinstance(reply, Written):
            self._set_backs.wrote(request)
        elif isinstance(request, Read):
            for facts in self._set_backs.read(request, reply, self.core.plan):
                self._journal.write("set_back", **facts)
        return reply

    def _read(self, zone: str, request: Read) -> ReadReply:
        reply = self._provider(zone, request)
        return reply if isinstance(reply, Readings | Unknown) else Unknown("that is no reading")

    def _local(self, request: LocalRequest) -> LocalReply:
        match request:
            case DrawNonce():
                return Nonce(secrets.token_hex(8))
            case RecordIntent():
                return self._intent(request)
            case KeepCopy() | RecallCopy():
                return self._copy.perform(request)

    def _intent(self, request: RecordIntent, *, durable: bool = True) -> RecordReply:
        facts = intent_facts(request)
        if self._observe:
            if facts["writes"] != self._would:
                self._would = facts["writes"]
                self._journal.write("would_write", **facts)
            return Unrecorded("observing: nothing is written")
        if self._journal.write("intent", durable=durable, **facts):
            return Recorded()
        return Unrecorded(self._journal.broken)

    def _settled(self) -> str:
        """Bring the intents written so far to disk; why not, if it can't be done."""
        return "" if self._journal.settle() else self._journal.broken

    def _report(self, core: Enactor, took: float | None = None) -> None:
        """Write down the news of one step. A pass may be long: who is in one shows signs of life too."""
        if self._beaten and time.monotonic() - self._beaten >= BEAT_S:
            self._beat()
        for notice in core.notices:
            self._troubles.noted(notice.kind, notice.why)
        if not core.outcomes:
            return
        self._turns.heard(core.outcomes)
        if self._economy is not None:
            self._economy.heard(core, core.outcomes, time.monotonic())
        for outcome in core.outcomes:
            if outcome.result == "written":
                self._follower.written(outcome.zone, outcome.name, outcome.since)
        took = time.monotonic() - self._sent_at if took is None else took
        stood: dict[str, list[str]] = {}
        for one in core.outcomes:
            if one.result == "in_step" and self._last.get((one.zone, one.name), ("",))[0] in _WRITTEN:
                stood.setdefault(one.zone, []).append(one.name)
        worth = [outcome_facts(outcome, took) for outcome in core.outcomes if self._worth_telling(outcome)]
        if worth:
            self._journal.write_all("outcome", worth)
        for outcome in core.outcomes:
            ask = partial(self._provider, outcome.zone)
            if told := self._tugs.heard(outcome, core.plan, core.tug, time.monotonic(), ask):
                self._journal.write("notice", kind="tug", why=told)
        for zone, names in stood.items():
            self._journal.write("stands", zone=zone, names=names, **serial_facts(self._providers.get(zone)))

    def _worth_telling(self, outcome: Outcome) -> bool:
        key, news = (outcome.zone, outcome.name), (outcome.result, outcome.why)
        known = self._last.get(key)
        self._last[key] = news
        if outcome.result in ("written", "refilled") and known and outcome.before in (None, outcome.since):
            self._put_back.add(outcome.name)
        if outcome.result in _QUIET or (self._observe and outcome.result in ("unrecorded", "refused")):
            return False
        return known != news or bool(outcome.nonce)  # an outcome for each intent (G10), however often it repeats

    def _beat(self) -> None:
        self._beaten = time.monotonic()
        if self._presence is None:
            return
        plan = self.core.plan
        troubles = sorted(
            f"{name}: {result}: {why}" for (_, name), (result, why) in self._last.items() if result not in _FINE
        )
        self._presence.beat(
            generation=plan.generation if plan else 0,
            plan=plan.digest if plan else "",
            policy=plan.record.policy if plan else "",
            waiting=self.core.agenda.waiting,
            looked_ago_s=round(self._beaten - self._looked, 3),
            observe=self._observe,
            troubles=troubles[:20],
            put_back=self._put_back.often,
            keys=self._signers.standing,
            locked=self._signers.locked,
            secondaries=self._follower.standing,
            tugs=self._tugs.standing,
            set_back=self._set_backs.standing,
            **self._turns.standing(self.core),
            **({"economy": self._economy.standing} if self._economy is not None else {}),
        )


def _recording(cores: list[Enactor]) -> Enactor:
    """The one that asked for its intent to be recorded."""
    return next(core for core in cores if isinstance(core.request, RecordIntent))


_FINE: Final = _QUIET | {"written", "refilled", "built", "conflict"}
