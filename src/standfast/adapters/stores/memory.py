"""The specification itself as a plan store: in memory, for tests and for trying things out."""

from standfast.ports.provider import Unknown
from standfast.ports.store import StoreReply, StoreRequest
from standfast.ports.store_spec import StoreState, apply

from .plan_store import PlanStore


class MemoryStore(PlanStore):
    """Holds one `StoreState` and applies requests to it."""

    def __init__(self, state: StoreState | None = None) -> None:
        self.state = state or StoreState()
        self._seen: StoreState | None = None
        self._closed = False

    def _answer(self, request: StoreRequest) -> StoreReply:
        if self._closed:
            return Unknown("The plan store was closed. Open it again.")
        self.state, reply = apply(self.state, request)
        return reply

    def changed(self) -> bool:
        """Whether anything, own requests included, changed it since the last call."""
        changed, self._seen = self.state is not self._seen, self.state
        return changed

    def close(self) -> None:
        """Answer nothing from now on."""
        self._closed = True
