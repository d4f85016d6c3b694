"""What a registry knows: the book of leases, which page each stands on, who signed off, whose addresses they are.

In the thread of the event loop only. What changed is taken as a batch (`batch`), written elsewhere, and then counts as
kept (`kept`): a renewal that says nothing new is no change.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from standfast.model.lease import PAGE_LEASES, Page, Report, StoredLease, written
from standfast.recovery.holding import UNHEARD_MOST_S
from standfast.recovery.lease import Book, Lease, Renewed

LEFT_S: Final = 600.0
"""So long who signed off is still named, drained: as long as a source remembers who left."""
SIGNED_OFF: Final = "its agent signed off"


class Batch(Struct, frozen=True):
    """Pages to be written, and the number of the batch."""

    number: int
    pages: Mapping[int, bytes]


class Keeping:
    """The leases of one registry."""

    def __init__(self, term_s: float, tick_s: float, limit: int) -> None:
        self.book: Book[Report] = Book(term_s, tick_s, UNHEARD_MOST_S)
        self.limit = limit
        self.moved = 0
        self.batches = 0
        self._pages: list[dict[str, StoredLease]] = []
        self._page_of: dict[str, int] = {}
        self._roomy: set[int] = set()
        self._dirty: set[int] = set()
        self._unwritten: dict[str, int] = {}
        self._left: dict[str, float] = {}
        self._addresses: dict[str, str] = {}

    @property
    def pages(self) -> int:
        """How many there are."""
        return len(self._pages)

    @property
    def dirty(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self._dirty)

    def restore(self, pages: tuple[tuple[StoredLease, ...], ...]) -> None:
        """What was stored. Each lease has a whole term from now on."""
        for number, leases in enumerate(pages):
            self._pages.append({one.holder: one for one in leases})
            self._page_of.update(dict.fromkeys(self._pages[number], number))
            if len(leases) < PAGE_LEASES:
                self._roomy.add(number)
        everybody = [one for page in self._pages for one in page.values()]
        for one in everybody:
            if one.left:
                self._left[one.holder] = self.book.reach.counted
            self._claim(one)
        self.book.restore(Lease(one.holder, one.number, one.report) for one in everybody if not one.left)
        self.book.highest = max([self.book.highest, *(one.number for one in everybody)])

    def stored(self, holder: str) -> StoredLease | None:
        """As it stands on its page."""
        number = self._page_of.get(holder)
        return None if number is None else self._pages[number].get(holder)

    def everybody(self) -> list[StoredLease]:
        """All, those who signed off included, by id."""
        return sorted((one for page in self._pages for one in page.values()), key=lambda one: one.holder)

    def rival(self, holder: str, report: Report) -> tuple[str, str] | None:
        """(address, who has it), if another holds one of these addresses."""
        for address in (*report.ipv4, *report.ipv6):
            if (owner := self._addresses.get(address, holder)) != holder:
                return address, owner
        return None

    def full(self, holder: str) -> bool:
        """Whether there is no lease left for that one."""
        return holder not in self.book and len(self.book) >= self.limit

    def renew(self, holder: str, report: Report, now: float) -> Renewed[Report]:
        """Heard from it. What changed stands on a page that has to be written."""
        done = self.book.renew(holder, report, now)
        if done.changed:
            self._left.pop(holder, None)
            self._put(StoredLease(holder, done.lease.number, report))
            self._unwritten[holder] = self.batches
        return done

    def leave(self, holder: str, why: str = SIGNED_OFF) -> bool:
        """It signed off: named as drained for a while, then no more. False if it holds nothing."""
        lease = self.book.forget(holder)
        if lease is None:
            return False
        said = lease.what
        report = Report(
            said.az, said.pool, said.ipv4, said.ipv6, said.capacity, "drain", said.health, said.port, why
        )  # fmt: skip
        self._left[holder] = self.book.reach.counted
        self._put(StoredLease(holder, lease.number, report, left=True))
        self._unwritten[holder] = self.batches
        return True

    def tick(self, now: float, why: str) -> tuple[Lease[Report], ...]:
        """The leases that end now. `why` the registry could not be reached since the last tick, if so."""
        ended = self.book.tick(now, why)
        for lease in ended:
            self._drop(lease.holder)
        for holder in [one for one, at in self._left.items() if self.book.reach.counted - at >= LEFT_S]:
            self._drop(holder)
        return ended

    def yielded(self, others: Mapping[str, Mapping[str, int]], registry: str) -> list[tuple[str, str]]:
        """Let go of what other registries hold under a higher number; (holder, registry) of each."""
        gone = []
        for other, numbers in others.items():
            self.book.highest = max([self.book.highest, *numbers.values()])
            for holder, number in numbers.items():
                own = self.stored(holder)
                if own is not None and (own.number, registry) < (number, other):
                    self.book.forget(holder)
                    self._drop(holder)
                    gone.append((holder, other))
        self.moved += len(gone)
        return gone

    def unwritten(self, holder: str) -> bool:
        """Whether what was told of it last is in the plan store only when a batch more is kept."""
        return holder in self._unwritten

    def batch(self) -> Batch:
        """What has to be written."""
        self.batches += 1
        dirty, self._dirty = self._dirty, set()
        pages = {number: written(Page(tuple(self._pages[number].values()))) for number in sorted(dirty)}
        return Batch(self.batches, pages)

    def kept(self, batch: Batch) -> None:
        """It is in the plan store."""
        self._unwritten = {holder: number for holder, number in self._unwritten.items() if number >= batch.number}

    def unkept(self, batch: Batch) -> None:
        """It could not be written: again with the next."""
        self._dirty |= batch.pages.keys()

    def _put(self, lease: StoredLease) -> None:
        number = self._page_of.get(lease.holder)
        if number is None:
            if not self._roomy:
                self._pages.append({})
                self._roomy.add(len(self._pages) - 1)
            number = self._page_of[lease.holder] = min(self._roomy)
        before = self._pages[number].get(lease.holder)
        if before is not None:
            self._disclaim(before)
        self._pages[number][lease.holder] = lease
        if len(self._pages[number]) >= PAGE_LEASES:
            self._roomy.discard(number)
        self._claim(lease)
        self._dirty.add(number)

    def _drop(self, holder: str) -> None:
        self._left.pop(holder, None)
        number = self._page_of.pop(holder, None)
        if number is None:
            return
        self._disclaim(self._pages[number].pop(holder))
        self._roomy.add(number)
        self._dirty.add(number)

    def _claim(self, lease: StoredLease) -> None:
        for address in (*lease.report.ipv4, *lease.report.ipv6):
            self._addresses.setdefault(address, lease.holder)

    def _disclaim(self, lease: StoredLease) -> None:
        for address in (*lease.report.ipv4, *lease.report.ipv6):
            if self._addresses.get(address) == lease.holder:
                del self._addresses[address]
