"""The plan store in virtual time: its executable specification, and what befalls stores.

A process to which it is *away* hears nothing of it. A reply may be lost after the effect. People may put an old copy of
it back, or lose it whole; then even a plan that every enactor has enacted is unknown to it.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from standfast.ports import store_spec
from standfast.ports.provider import Unknown
from standfast.ports.store import CollectPlans, Publish, PutSource, PutSources, StoreReply, StoreRequest
from standfast.ports.store_spec import StoreState

from .mishaps import Mishaps

COPIES: Final = 24
"""Old copies that people may put back, one per publication."""
_WRITES: Final = (Publish, CollectPlans, PutSource, PutSources)


class Depot:
    """The one store. `changed` is called when head or sources are others than before."""

    def __init__(
        self, mishaps: Mishaps, judged: Callable[[StoreState, StoreState], None], changed: Callable[[str], None]
    ) -> None:
        self.state = StoreState()
        self.copies: deque[StoreState] = deque(maxlen=COPIES)
        self._mishaps, self._judged, self._changed = mishaps, judged, changed

    def perform(self, who: str, request: StoreRequest) -> StoreReply:
        """What `who` hears."""
        if self._mishaps.on("store away", who):
            self._mishaps.fire("store away")
            return Unknown("the store is away")
        before = self.state
        after, reply = store_spec.apply(before, request)
        if after is not before:
            self.state = after
            self._judged(before, after)
            if after.head != before.head:
                self.copies.append(before)
                self._changed("head")
            elif isinstance(request, PutSource):
                self._changed(request.source)
            elif isinstance(request, PutSources):
                for one in request.puts:
                    self._changed(one.source)
        if isinstance(request, _WRITES) and self._mishaps.hits("store's reply lost", who):
            self._mishaps.fire("store's reply lost")
            return Unknown("the store's reply was lost")
        return reply

    def replace(self, state: StoreState) -> None:
        """People put another store in its place."""
        self.state = state
        self._changed("head")
        self._changed("all")
