"""How every registry stands, as it says in the plan store: for `status`, `lease list` and the page."""

import time
from typing import Any, Final

from msgspec import Struct

from standfast.config import Config, LeasesSource
from standfast.model.lease import INDEX, head_of, read_head, read_register

from ..place import Place
from ..sharing import Board

SILENT_S: Final = 30.0


class RegistryStanding(Struct, frozen=True):
    """One registry. `age_s` is seconds since it last wrote, by the clocks of two machines: told, never decided by."""

    name: str
    held: int
    heard: int
    rate: float
    age_s: float
    why: str

    @property
    def silent(self) -> bool:
        """Whether it has not written for a while."""
        return self.age_s > SILENT_S

    @property
    def doubt(self) -> str:
        """What is wrong with it, as the end of a line."""
        if self.silent:
            return ": SILENT; its leases stay as they are until a registry of its name runs again"
        return f": leases don't age ({self.why})" if self.why else ""

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "registry": self.name, "held": self.held, "heard": self.heard, "rate": self.rate,
            "written_s": round(self.age_s, 1), "silent": self.silent, "why": self.why or None,
        }  # fmt: skip


def concerned(config: Config) -> bool:
    """Whether leases are anything to this configuration."""
    return config.registry is not None or any(isinstance(one, LeasesSource) for one in config.sources)


def registries_of(config: Config, place: Place) -> tuple[RegistryStanding, ...]:
    """All that ever kept leases here; none if the store can't be read."""
    if not concerned(config) or not place.has_store:
        return ()
    store = place.late_store()
    try:
        index = Board(store, INDEX)
        register = read_register(index.body) if index.read() else None
        found = []
        for name in register.registries if register else ():
            board = Board(store, head_of(name))
            head = read_head(board.body) if board.read() else None
            if head is not None:
                age = max(0.0, time.time() - head.at)
                found.append(RegistryStanding(name, head.held, head.heard, head.rate, age, head.why))
        return tuple(found)
    finally:
        store.close()
