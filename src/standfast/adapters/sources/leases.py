"""The fleet as registries keep it in the plan store: who holds a lease is there.

Read from the store and not from a registry, so that a registry that is away takes nobody with it. All of it is read, or
nothing is known: an index, and of each registry its head and every page. Of what two registries hold the higher number
counts; while one lets go of what the other holds now, it is read again.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol

from standfast.config import LeasesSource, LoadBalancerConfig, asked_by
from standfast.errors import StoreError
from standfast.model.fleet import Verdict
from standfast.model.lease import (
    INDEX,
    ON_ITS_MACHINE,
    PAGES_MAX,
    RegisterHead,
    StoredLease,
    head_of,
    page_of,
    read_head,
    read_page,
    read_register,
)
from standfast.ports.store import ReadSource, SourceRead, StoreReply, StoreRequest

from . import FleetSeen, FleetUnknown, Sighting
from .pausing import Pausing

TRIES: Final = 5


class Readable(Protocol):
    """A plan store, as far as it is asked here."""

    def perform(self, request: StoreRequest) -> StoreReply: ...
    def close(self) -> None: ...


StoreOpener = Callable[[], Readable]


class _Unknown(Exception):
    pass


class LeasesFleet(Pausing):
    """All leases of all registries. The store is opened, asked and closed in the thread that looks."""

    def __init__(self, source: LeasesSource, store: StoreOpener) -> None:
        super().__init__()
        self._source, self._open = source, store
        self._store: Readable | None = None
        self._thread = 0
        self._pages: dict[str, tuple[int, tuple[StoredLease, ...]]] = {}

    def look(self) -> Sighting:
        """Who holds a lease now."""
        try:
            if self._store is None:
                self._store, self._thread = self._open(), threading.get_ident()
            for _ in range(TRIES):
                heads = self._heads()
                if not heads:
                    raise _Unknown("no registry has kept leases in the plan store yet: standfast run --role registry")
                leases = [(head.registry, one) for head in heads for one in self._leases(head)]
                if [head.moved for head in self._heads()] == [head.moved for head in heads]:
                    return self._seen(heads, leases)
            raise _Unknown("leases move from one registry to another faster than they can be read")
        except _Unknown as unknown:
            return FleetUnknown(str(unknown))
        except StoreError as error:
            return FleetUnknown(" ".join(str(error).split()))

    def close(self) -> None:
        """End a wait. The store is closed by the thread that opened it, which is told by the end of its wait."""
        super().close()
        if self._store is not None and threading.get_ident() == self._thread:
            self._store.close()
            self._store = None

    def _seen(self, heads: list[RegisterHead], leases: list[tuple[str, StoredLease]]) -> FleetSeen:
        best: dict[str, tuple[int, str, StoredLease]] = {}
        for registry, one in leases:
            if one.holder not in best or best[one.holder][:2] < (one.number, registry):
                best[one.holder] = (one.number, registry, one)
        some = [one for _, _, one in best.values() if not self._source.pools or one.report.pool in self._source.pools]
        owners: dict[str, StoredLease] = {}
        for one in sorted(some, key=lambda lease: lease.number):
            for address in (*one.report.ipv4, *one.report.ipv6):
                owners.setdefault(address, one)
        clear, unsure = [], []
        for one in sorted(some, key=lambda lease: lease.holder):
            rivals = {owners[text].holder for text in (*one.report.ipv4, *one.report.ipv6)} - {one.holder}
            if rivals:
                unsure.append((one.holder, f"{min(rivals)} has one of its addresses, by a lease of another registry"))
            else:
                clear.append(one)
        revision = ",".join(f"{head.registry}:{head.version}" for head in heads)
        told = tuple((one.holder, _verdict(one)) for one in clear if one.report.health != "unknown")
        return FleetSeen(tuple(_balancer(one) for one in clear), revision, tuple(unsure), told)

    def _heads(self) -> list[RegisterHead]:
        register = read_register(self._read(INDEX)[1])
        if register is None:
            raise _Unknown("the index of registries in the plan store can't be understood")
        heads = []
        for name in register.registries:
            revision, body = self._read(head_of(name))
            head = read_head(body)
            if head is None and revision:
                raise _Unknown(f"the head of registry {name} in the plan store can't be understood")
            if head is not None:
                heads.append(head)
        return heads

    def _leases(self, head: RegisterHead) -> list[StoredLease]:
        if head.pages > PAGES_MAX:
            raise _Unknown(f"registry {head.registry} has {head.pages} pages, at most {PAGES_MAX} are believed")
        found: list[StoredLease] = []
        for number in range(head.pages):
            place = page_of(head.registry, number)
            revision, body = self._read(place)
            known = self._pages.get(place)
            if known is None or known[0] != revision:
                page = read_page(body)
                if page is None:
                    raise _Unknown(f"page {number} of registry {head.registry} is missing, or can't be understood")
                known = self._pages[place] = (revision, page.leases)
            found.extend(known[1])
        return found

    def _read(self, place: str) -> tuple[int, bytes]:
        assert self._store is not None
        reply = self._store.perform(ReadSource(place))
        if not isinstance(reply, SourceRead):
            raise _Unknown(f"the plan store can't be read ({getattr(reply, 'why', 'no answer')})")
        return reply.revision, reply.body


def _balancer(lease: StoredLease) -> LoadBalancerConfig:
    said = lease.report
    return LoadBalancerConfig(
        lease.holder, said.az, said.pool, said.ipv4, said.ipv6, said.capacity, said.admin, said.port, _asked(lease)
    )  # fmt: skip


def _asked(lease: StoredLease) -> str:
    """Who drained it, and in what words."""
    said = lease.report
    words = said.why.removeprefix(ON_ITS_MACHINE).removeprefix(":").strip()
    return f"drained: {words}" if lease.left else asked_by(said.admin, "its agent", words)


def _verdict(lease: StoredLease) -> Verdict:
    said = lease.report.why if lease.report.admin == "up" else ""  # else it is about that
    why = said or ("it passes its own check" if lease.report.health == "up" else "it fails its own check")
    return Verdict("up" if lease.report.health == "up" else "down", f"{why} (its agent)")
