"""Asks every name server of a zone for every endpoint, at a bounded rate, for ever: one thread a name server.

It reads what anybody may read, without key, over TCP; a name server that does not answer is asked again at the next
round.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import ZoneConfig
from standfast.model.entry import Entry
from standfast.model.name import marker_owner
from standfast.model.rrset import ADDRESS_TYPES, RRType
from standfast.ports.provider import Read, Readings

from ..zonesight import marker_of
from .answers import Answer, Past, answered

QUERIES: Final = 1 + len(ADDRESS_TYPES)
TIMEOUT_S: Final = 1.5
AT_ONCE: Final = 100
"""So many endpoints are asked for in one go."""

Heard = Callable[[str, Entry, Answer], None]


class Looker:
    """One name server. `heard` gets (server, entry, answer) for each endpoint of each round, from its thread."""

    def __init__(self, zone: ZoneConfig, server: str, address: str, port: int, past: Past) -> None:
        self.zone, self.server, self.address, self.port = zone, server, address, port
        self.asked = self.unanswered = 0
        self.round_at = time.monotonic()
        self._past = past
        self._seen: set[tuple[str, str]] = set()
        self._provider = Rfc2136Provider(zone.name, address, port, None, timeout_s=TIMEOUT_S)

    def round(self, entries: Sequence[Entry], rate: float, heard: Heard, stop: threading.Event) -> None:
        """Every endpoint once, at most `rate` queries a second; what is not whole once more at once."""
        size = max(1, min(AT_ONCE, int(rate // QUERIES)))
        for start in range(0, len(entries), size):
            some = entries[start : start + size]
            if stop.is_set():
                return
            wrong = [entry for entry, answer in self._asked(some) if self._tell(heard, entry, answer)]
            stop.wait(QUERIES * len(some) / rate)
            if wrong and not stop.is_set():
                for entry, answer in self._asked(wrong):
                    self._tell(heard, entry, answer)
                stop.wait(QUERIES * len(wrong) / rate)
        self.round_at = time.monotonic()

    def _tell(self, heard: Heard, entry: Entry, answer: Answer) -> bool:
        heard(self.server, entry, answer)
        return answer.state not in ("whole", "silent")

    def _asked(self, entries: Sequence[Entry]) -> list[tuple[Entry, Answer]]:
        keys = []
        for entry in entries:
            keys.append((marker_owner(entry.name, entry.zone), int(RRType.TXT)))
            keys.extend((entry.name, int(rtype)) for rtype in ADDRESS_TYPES)
        reply = self._provider.perform(Read(self.zone.name, tuple(keys)))
        values = reply.values if isinstance(reply, Readings) else (reply,) * len(keys)
        found, now = [], time.monotonic()
        for place, entry in enumerate(entries):
            marker, *sets = values[place * QUERIES : (place + 1) * QUERIES]
            past, coming = self._past.of(entry), self._past.coming(entry, now) and entry.key not in self._seen
            answer = answered(entry, past, marker_of(marker, entry), tuple(sets), coming=coming)
            if answer.state == "whole":
                self._seen.add(entry.key)
            self.asked += QUERIES
            self.unanswered += QUERIES * (answer.state == "silent")
            found.append((entry, answer))
        return found

    def close(self) -> None:
        """Its connection."""
        self._provider.close()
