"""What every plan store looks like to its caller: one method, whose reply follows from the request."""

from abc import ABC, abstractmethod
from typing import overload

from standfast.ports.provider import Unknown
from standfast.ports.store import (
    Collected,
    CollectPlans,
    HeadMoved,
    HeadRead,
    ListPlans,
    Pin,
    Pinned,
    PlanList,
    PlanMissing,
    PlanRead,
    Publish,
    Published,
    PutSource,
    PutSources,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceMoved,
    SourceRead,
    SourcesStored,
    SourceStored,
    StoreReply,
    StoreRequest,
)


class PlanStore(ABC):
    """A plan store. Every request is one atomic act; a failure is the reply Unknown, never an exception."""

    @overload
    def perform(self, request: ReadHead) -> HeadRead | Unknown: ...
    @overload
    def perform(self, request: ReadPlan) -> PlanRead | PlanMissing | Unknown: ...
    @overload
    def perform(self, request: Publish) -> Published | HeadMoved | SourceMoved | Unknown: ...
    @overload
    def perform(self, request: ListPlans) -> PlanList | Unknown: ...
    @overload
    def perform(self, request: Pin) -> Pinned | Unknown: ...
    @overload
    def perform(self, request: CollectPlans) -> Collected | Unknown: ...
    @overload
    def perform(self, request: PutSource) -> SourceStored | Unknown: ...
    @overload
    def perform(self, request: PutSources) -> SourcesStored | SourceMoved | Unknown: ...
    @overload
    def perform(self, request: ReadSource) -> SourceRead | Unknown: ...
    @overload
    def perform(self, request: StoreRequest) -> StoreReply: ...
    def perform(self, request: StoreRequest) -> StoreReply:
        """Do what the request asks, as `ports/store_spec.py` defines it."""
        return self._answer(request)

    @abstractmethod
    def _answer(self, request: StoreRequest) -> StoreReply: ...

    @abstractmethod
    def changed(self) -> bool:
        """Whether somebody else may have changed the store since the last call; True at the first.

        A hint that saves looking, cheap enough to ask every few milliseconds.
        """

    def replaced(self) -> bool:
        """Whether what was opened is gone: removed, replaced, or set back to what it was earlier. It answers Unknown
        then; who must begin anew after a change of store does so (`runtime/latestore.py`)."""
        return False

    @abstractmethod
    def close(self) -> None:
        """Let go of it; asked anything afterwards, it answers Unknown."""
