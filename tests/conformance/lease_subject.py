"""Leases with the world behind them, for the source kit: two registries' pages in a plan store that misbehaves."""

from pathlib import Path

from standfast.adapters.sources import FleetSource
from standfast.adapters.sources.opening import opened
from standfast.adapters.stores.memory import MemoryStore
from standfast.config import LeasesSource, SourceConfig
from standfast.model.lease import INDEX, Report, head_of, page_of
from standfast.ports.provider import Unknown
from standfast.ports.store import ReadSource, SourceRead, StoreReply, StoreRequest
from standfast.runtime.registry.keeping import Keeping
from standfast.runtime.registry.pages import Pages


class OfLeases:
    """Odd numbers hold theirs of registry `one`, even ones of `two`."""

    faults = ("away", "index", "head", "page", "page gone")

    def __init__(self, folder: Path) -> None:
        self.config = LeasesSource("leases", every_s=0.2)
        self.store = MemoryStore()
        self._fault = ""
        self.keeping = {}
        for name in ("one", "two"):
            keeping, pages = Keeping(60.0, 1.0, 1000), Pages(self.store, name, f"instance of {name}")
            keeping.restore(pages.open().pages)
            self.keeping[name] = (keeping, pages)

    def identity(self, number: int) -> str:
        return f"lb-{number}"

    def put(self, *numbers: int) -> None:
        for name, (keeping, pages) in self.keeping.items():
            own = {f"lb-{n}": n for n in numbers if n % 2 == (name == "one")}
            for lease in keeping.everybody():
                if lease.holder not in own:
                    keeping.book.forget(lease.holder)
                    keeping._drop(lease.holder)
            for holder, number in own.items():
                keeping.renew(holder, Report("a", "default", (f"192.0.2.{number}",), (), health="up"), 0.0)
            head = pages.head(keeping.pages, keeping.moved)
            pages.write(keeping.batch().pages, head)

    def fault(self, fault: str) -> None:
        self._fault = fault

    def perform(self, request: StoreRequest) -> StoreReply:
        reply = self.store.perform(request)
        spoilt = {"index": INDEX, "head": head_of("one"), "page": page_of("two", 0), "page gone": page_of("one", 0)}
        if self._fault == "away":
            return Unknown("disk I/O error")
        if isinstance(request, ReadSource) and spoilt.get(self._fault) == request.source:
            return SourceRead(10_000 if self._fault != "page gone" else 0, b"" if self._fault == "page gone" else b"[1")
        return reply

    def close(self) -> None:
        """Nothing is open."""

    def open(self, source: SourceConfig) -> FleetSource:
        return opened(source, lambda: self)

    def end(self) -> None:
        """Nothing runs."""
