"""A plan store that may not be readable yet, or that is replaced while we work: nobody has to start us again for it."""

import time
from collections.abc import Callable
from typing import Final

from standfast.adapters.stores.plan_store import PlanStore
from standfast.errors import StoreError
from standfast.ports.provider import Unknown
from standfast.ports.store import StoreReply, StoreRequest

AGAIN_S: Final = 1.0
"""So long a store that could not be opened is left alone."""


class LateStore:
    """What `perform` asks is answered Unknown until the store can be opened; that is tried again each second.

    `opened` opens it, and makes one if told to. A store that was replaced or set back while it was open is opened
    anew; one that was removed is waited for, not made. With `leave` either raises StoreError, for a process that must
    begin from nothing then: whoever supervises it starts it again. `where` names it in words.
    """

    def __init__(self, where: str, opened: Callable[[bool], PlanStore], *, leave: bool = False) -> None:
        self._where, self._open, self._leave = where, opened, leave
        self._store: PlanStore | None = None
        self._why = ""
        self._lost = False
        self._due = 0.0

    def perform(self, request: StoreRequest) -> StoreReply:
        """As the store answers, or Unknown with the reason why there is none to be asked."""
        store = self._there()
        if store is None:
            return Unknown(self._why)
        reply = store.perform(request)
        if isinstance(reply, Unknown) and store.replaced():
            store.close()
            self._store, self._lost, self._due = None, True, 0.0
            if self._leave:
                raise StoreError(f"{self._where} was removed or replaced.", "This process ends, and must begin anew.")
        return reply

    def changed(self) -> bool:
        """Whether anything may be new there."""
        store = self._there()
        return store is not None and store.changed()

    def close(self) -> None:
        """Let it go."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _there(self) -> PlanStore | None:
        if self._store is None and time.monotonic() >= self._due:
            try:
                self._store = self._open(not self._lost)
            except StoreError as error:
                self._why = str(error)
            self._due = time.monotonic() + AGAIN_S
        return self._store
