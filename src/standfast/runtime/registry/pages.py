"""A registry's leases in the plan store: pages, a head and an index, each a source. Blocking; in one thread.

What one batch of grants changed is one transaction of the store: pages and head, asserted to be the ones known here. So
a batch costs one commit, and nothing of a process that was replaced comes after its successor.

A store that can't be read or written is no reason to lose or to end anything: each method says so, and is called again.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.lease import (
    INDEX,
    PAGES_MAX,
    Register,
    RegisterHead,
    StoredLease,
    head_of,
    page_of,
    read_head,
    read_page,
    read_register,
    written,
)
from standfast.ports.provider import Unknown
from standfast.ports.store import PutSource, PutSources, SourceMoved

from ..enacting import Store
from ..sharing import Board

REGISTRIES_MAX: Final = 32
TOGETHER_MAX: Final = 64
"""Pages in a transaction: 5 MB. More than that change at once only when a store comes back."""


class Trouble(Exception):
    """What keeps leases from being read or kept, in words."""


class Replaced(Exception):
    """Another process is this registry now: `who` is its instance. This one has to end."""


class Opened(Struct, frozen=True):
    """What was stored: leases by page; and of the head the version now, `moved`, and the pace measured last."""

    pages: tuple[tuple[StoredLease, ...], ...]
    version: int = 1
    moved: int = 0
    rate: float = 0.0


class Pages:
    """What one registry, as one process (`instance`), keeps; and what the others keep, as far as it matters here."""

    def __init__(self, store: Store, registry: str, instance: str) -> None:
        self.registry, self.instance = registry, instance
        self._store = store
        self._head = Board(store, head_of(registry))
        self._revisions: dict[int, int] = {}
        self._version = 0
        self._known: dict[str, tuple[int, dict[str, int]]] = {}

    def open(self) -> Opened:
        """Read what this registry held, and say in the head that it is this process now. Raises Trouble."""
        self._enter()
        self._look(self._head)
        before = read_head(self._head.body)
        if before is None and self._head.body:
            raise Trouble(f"the head of registry {self.registry} in the plan store can't be understood")
        pages = [self._page(number) for number in range(before.pages if before else 0)]
        was = before or RegisterHead(self.registry, "", 0, 0)
        head = replace(was, instance=self.instance, version=was.version + 1)
        self._put(self._head, written(head))
        self._version = head.version
        return Opened(tuple(pages), head.version, was.moved, was.rate)

    def head(self, pages: int, moved: int = 0) -> RegisterHead:
        """The head as it is to be written next; what is for people is added by who knows it."""
        self._version += 1
        return RegisterHead(self.registry, self.instance, pages, self._version, moved)

    def write(self, pages: Mapping[int, bytes], head: RegisterHead) -> None:
        """Keep these pages and the head, together. Raises Trouble: of more than `TOGETHER_MAX` some may be kept;
        Replaced."""
        self._look(self._head)
        numbers = sorted(pages)
        while len(numbers) > TOGETHER_MAX:
            some, numbers = numbers[:TOGETHER_MAX], numbers[TOGETHER_MAX:]
            self._keep({number: pages[number] for number in some}, self._head.body)
        self._keep({number: pages[number] for number in numbers}, written(head))

    def _keep(self, pages: Mapping[int, bytes], head: bytes) -> None:
        """All of it or nothing; nothing where another process is this registry."""
        for _ in range(2):  # who was here before us may have written a page last
            there = read_head(self._head.body)
            if there is not None and there.instance != self.instance:
                raise Replaced(there.instance)
            puts = list(self._puts(pages))
            puts.append(PutSource(self._head.source, self._head.revision + 1, head))
            reply = self._store.perform(PutSources(tuple(puts)))
            if isinstance(reply, SourceMoved):
                self._revisions = {}
                self._look(self._head)
                continue
            if isinstance(reply, Unknown):
                before = self._head.body
                self._look(self._head)
                if head == before or self._head.body != head:
                    raise Trouble("the plan store can't be written")
            self._head.revision, self._head.body = puts[-1].revision, head
            self._revisions.update(zip(pages, (one.revision for one in puts), strict=False))
            return
        raise Trouble("another process writes what is ours")

    def _puts(self, pages: Mapping[int, bytes]) -> Iterator[PutSource]:
        for number, body in pages.items():
            if number not in self._revisions:
                board = Board(self._store, page_of(self.registry, number))
                self._look(board)
                self._revisions[number] = board.revision
            yield PutSource(page_of(self.registry, number), self._revisions[number] + 1, body)

    def others(self) -> dict[str, dict[str, int]]:
        """By registry, the numbers of the leases that others hold. Raises Trouble."""
        found = {}
        for name in self._names():
            if name != self.registry:
                found[name] = self._numbers(name)
        return found

    def _numbers(self, name: str) -> dict[str, int]:
        board = Board(self._store, head_of(name))
        self._look(board)
        head = read_head(board.body)
        if head is None:
            return {}
        known = self._known.get(name)
        if known is None or known[0] != head.version:
            leases: dict[str, int] = {}
            for number in range(min(head.pages, PAGES_MAX)):
                page = Board(self._store, page_of(name, number))
                self._look(page)
                stored = read_page(page.body)
                leases.update({one.holder: one.number for one in stored.leases if not one.left} if stored else {})
            known = self._known[name] = (head.version, leases)
        return known[1]

    def _names(self) -> tuple[str, ...]:
        index = Board(self._store, INDEX)
        self._look(index)
        register = read_register(index.body)
        if register is None:
            raise Trouble("the index of registries in the plan store can't be understood")
        return register.registries

    def _enter(self) -> None:
        """Into the index; whoever else enters at the same time is not lost."""
        for _ in range(10):
            index = Board(self._store, INDEX)
            self._look(index)
            register = read_register(index.body)
            if register is None:
                raise Trouble("the index of registries in the plan store can't be understood")
            if self.registry in register.registries:
                return
            if len(register.registries) >= REGISTRIES_MAX:
                raise Trouble(f"there are {len(register.registries)} registries already: take one of their names")
            index.put(written(Register(tuple(sorted({*register.registries, self.registry})))))
        raise Trouble("the plan store does not take this registry's name")

    def _page(self, number: int) -> tuple[StoredLease, ...]:
        board = Board(self._store, page_of(self.registry, number))
        self._look(board)
        self._revisions[number] = board.revision
        page = read_page(board.body)
        if page is None:
            raise Trouble(f"page {number} of registry {self.registry} in the plan store can't be understood")
        return page.leases

    @staticmethod
    def _look(board: Board) -> None:
        if not board.read():
            raise Trouble("the plan store can't be read")

    def _put(self, board: Board, body: bytes) -> None:
        if board.revision == 0:
            self._look(board)
        for _ in range(2):  # who was here before us may have written this page last
            outcome = board.put(body)
            if outcome == "put":
                return
            if outcome == "unknown":
                raise Trouble("the plan store can't be written")
        raise Trouble("another process writes what is ours")
