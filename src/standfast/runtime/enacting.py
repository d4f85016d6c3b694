"""The enactor as a process: drives `core.enactor` against store, providers, disk copy and journal.

The loop decides nothing: it wakes the core when the store has changed, when it is time to look for damage, and when a
full audit is due; it performs what the core asks, and writes down what the core says.
"""

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

from standfast.core.enactor import Enactor, EnactorRequest, Occasion
from standfast.core.task import Outcome
from standfast.ports.local import (
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
    Refused,
    Replace,
    Unknown,
)
from standfast.ports.store import ReadHead, ReadPlan, StoreReply, StoreRequest

from .journal import Journal
from .presence import Presence

POLL_S: Final = 0.005
"""How often the store is asked whether anybody wrote: about 10 µs each on SQLite."""
AUDIT_S: Final = 600.0
RETRY_S: Final = 0.25
PAUSE_S: Final = 0.005
PAUSE_MAX_S: Final = 0.5
BEAT_S: Final = 1.0
_QUIET: Final = frozenset({"in_step", "superseded", "look", "deferred"})


class Store(Protocol):
    """A plan store as an adapter answers for it."""

    def perform(self, request: StoreRequest) -> StoreReply: ...
    def changed(self) -> bool: ...


class Provider(Protocol):
    """One zone's provider."""

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
    ) -> None:
        self.core = Enactor(writer, stream)
        self._store, self._providers, self._copy = store, providers, copy
        self._journal, self._presence = journal, presence
        self._look_s, self._audit_s, self._poll_s, self._observe = look_s, audit_s, poll_s, observe
        self._last: dict[tuple[str, str], tuple[str, str]] = {}
        self._sent_at = self._again_at = 0.0
        self._would: list[dict[str, Any]] = []

    def run(self, stop: threading.Event) -> None:
        """Start, then wake on news, looks and audits until told to stop."""
        self._journal.write("started", stream=self.core.stream, observe=self._observe)
        self._pass("start", stop)
        looked = audited = time.monotonic()
        beaten = 0.0
        while not stop.is_set():
            now = time.monotonic()
            changed = self._store.changed()
            if now - audited >= self._audit_s:
                audited = looked = now
                self._pass("audit", stop)
            elif now - looked >= self._look_s:
                looked = now
                self._pass("look", stop)
            elif changed or (not self.core.agenda.empty and now >= self._again_at):
                self._pass("news", stop)
            if now - beaten >= BEAT_S:
                beaten = now
                self._beat(time.monotonic() - looked)
            stop.wait(self._poll_s)
        self._journal.write("stopped")
        self._journal.close()

    def _pass(self, occasion: Occasion, stop: threading.Event) -> None:
        self.core = self.core.wake(occasion, time.monotonic())
        self._report()
        while (request := self.core.request) is not None:
            if stop.is_set() and isinstance(request, ReadHead):
                return  # between two changes
            reply = self._perform(request)
            self.core = self.core.heard(reply)
            self._report()
        self._again_at = time.monotonic() + self._pause()

    def _pause(self) -> float:
        """Seconds until what is left is tried again: soon after a conflict, doubling while others write; at random, so
        that two enactors don't stay in step."""
        if self.core.contention:
            most: float = min(PAUSE_MAX_S, PAUSE_S * 2.0 ** min(self.core.contention, 10))
            return most * (0.5 + secrets.randbelow(1000) / 2000)
        return RETRY_S

    def _perform(self, request: EnactorRequest) -> ProviderReply | StoreReply | LocalReply:
        match request:
            case ReadHead() | ReadPlan():
                return self._store.perform(request)
            case Replace():
                if self._observe:
                    return Refused("observing: nothing is written")
                self._sent_at = time.monotonic()
                return self._provider(request.zone, request)
            case Read() | Confirm() | ReadChanges():
                return self._provider(request.zone, request)
            case DrawNonce() | RecordIntent() | KeepCopy() | RecallCopy():
                return self._local(request)

    def _provider(self, zone: str, request: ProviderRequest) -> ProviderReply:
        provider = self._providers.get(zone)
        if provider is None:
            return Unknown(f"this enactor has no access to zone {zone}; add it under `zones:`")
        return provider.perform(request)

    def _local(self, request: LocalRequest) -> LocalReply:
        match request:
            case DrawNonce():
                return Nonce(secrets.token_hex(8))
            case RecordIntent():
                return self._intent(request)
            case KeepCopy() | RecallCopy():
                return self._copy.perform(request)

    def _intent(self, request: RecordIntent) -> RecordReply:
        facts = _intent_facts(request)
        if self._observe:
            if facts["writes"] != self._would:
                self._would = facts["writes"]
                self._journal.write("would_write", **facts)
            return Unrecorded("observing: nothing is written")
        if self._journal.write("intent", durable=True, **facts):
            return Recorded()
        return Unrecorded(self._journal.broken)

    def _report(self) -> None:
        for notice in self.core.notices:
            self._journal.write("notice", kind=notice.kind, why=notice.why)
        if not self.core.outcomes:
            return
        took = time.monotonic() - self._sent_at
        worth = [_outcome_facts(outcome, took) for outcome in self.core.outcomes if self._worth_telling(outcome)]
        if worth:
            self._journal.write_all("outcome", worth)

    def _worth_telling(self, outcome: Outcome) -> bool:
        key, news = (outcome.zone, outcome.name), (outcome.result, outcome.why)
        known = self._last.get(key)
        self._last[key] = news
        if outcome.result in _QUIET:
            return False
        return known != news or outcome.result in ("written", "refilled", "conflict")

    def _beat(self, looked_ago_s: float) -> None:
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
            waiting=len(self.core.agenda.due) + len(self.core.agenda.groups),
            looked_ago_s=round(looked_ago_s, 3),
            observe=self._observe,
            troubles=troubles[:20],
        )


_FINE: Final = _QUIET | {"written", "refilled", "conflict"}


def _intent_facts(request: RecordIntent) -> dict[str, Any]:
    return {
        "zone": request.zone,
        "generation": request.generation,
        "plan": request.plan,
        "nonce": request.nonce,
        "writes": [
            {"name": one.name, "before": one.since_before, "over": one.over, "since": one.since, "why": one.why}
            for one in request.writes
        ],
    }


def _outcome_facts(outcome: Outcome, took_s: float) -> dict[str, Any]:
    return {
        "zone": outcome.zone,
        "name": outcome.name,
        "result": outcome.result,
        "why": outcome.why,
        "before": outcome.before,
        "since": outcome.since,
        "nonce": outcome.nonce,
        "took_ms": round(took_s * 1000, 1) if outcome.nonce else None,
    }
