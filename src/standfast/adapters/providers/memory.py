"""The executable specification as a provider: one zone in memory, for tests and for looking without a server."""

import threading
from collections.abc import Mapping
from typing import overload

from standfast.model.rrset import RRset
from standfast.ports.provider import (
    ChangesReply,
    Confirm,
    ConfirmReply,
    Key,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    ReadReply,
    Replace,
    ReplaceReply,
    Room,
)
from standfast.ports.provider_spec import ZoneState, apply


class MemoryProvider:
    """One zone as a value that requests replace. Any number of threads."""

    def __init__(self, zone: str, rrsets: Mapping[Key, RRset] | None = None) -> None:
        self.zone = zone
        self.state = ZoneState(zone, rrsets or {})
        self._lock = threading.Lock()

    @overload
    def perform(self, request: Read) -> ReadReply: ...
    @overload
    def perform(self, request: Confirm) -> ConfirmReply: ...
    @overload
    def perform(self, request: Replace) -> ReplaceReply: ...
    @overload
    def perform(self, request: ReadChanges) -> ChangesReply: ...
    def perform(self, request: ProviderRequest) -> ProviderReply:
        """Do what is asked. Raises ValueError if it concerns another zone."""
        if request.zone != self.zone:
            raise ValueError(f"this provider keeps {self.zone}, not {request.zone}")
        with self._lock:
            self.state, reply = apply(self.state, request)
        return reply

    @property
    def room(self) -> Room:
        """As a message of RFC 2136."""
        return Room()

    def prepare(self, request: Replace) -> None:
        """Nothing to do."""

    def post(self, request: Replace) -> bool:
        """Nothing to do: what is performed in order is as good."""
        return True

    def close(self) -> None:
        """Nothing to do."""
