"""Stored plans, looked up by digest or generation, each read once."""

from collections.abc import Iterable
from typing import Protocol

from standfast.errors import StandfastError
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown
from standfast.ports.store import PlanRead, PlanSummary, ReadPlan, StoreReply, StoreRequest


class Store(Protocol):
    """A plan store as an adapter answers for it."""

    def perform(self, request: StoreRequest) -> StoreReply: ...


class Archive:
    """Stored plans, each read once. What cannot be read raises StandfastError; what is gone is None."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._plans: dict[str, Plan | None] = {}

    def load(self, digest: str) -> Plan | None:
        """The plan of that digest."""
        if digest not in self._plans:
            reply = self._store.perform(ReadPlan(digest))
            if isinstance(reply, Unknown):
                raise StandfastError(f"The plan store can't be read: {reply.why.rstrip('.')}.")
            self._plans[digest] = reply.plan if isinstance(reply, PlanRead) else None
        return self._plans[digest]

    def generation(self, plans: Iterable[PlanSummary], generation: int) -> Plan | None:
        """The plan of that number."""
        summary = next((one for one in plans if one.generation == generation), None)
        return self.load(summary.digest) if summary else None
