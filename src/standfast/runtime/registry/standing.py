"""How every registry stands, as it says in the plan store: for `status`, `lease list` and the page."""

import time
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from standfast.config import Config, LeasesSource
from standfast.model.lease import INDEX, head_of, read_head, read_register

from ..place import Place
from ..sharing import Board
from ..times import span

if TYPE_CHECKING:
    from ..enacting import Store

SILENT_S: Final = 30.0


class RegistryStanding(Struct, frozen=True):
    """One registry. `age_s` is seconds since it last wrote, by the clocks of two machines: told, never decided by.

    `rate` is how many leases a second it can grant, `admitted` how many requests it admits in a second now; `backlog`
    holders were turned away and have not come again.
    """

    name: str
    held: int
    heard: int
    rate: float
    age_s: float
    why: str
    admitted: float = 0.0
    backlog: int = 0

    @property
    def silent(self) -> bool:
        """Whether it has not written for a while."""
        return self.age_s > SILENT_S

    @property
    def state(self) -> str:
        """What is wrong with it, or what it is doing, as the end of a line."""
        if self.silent:
            away = f"AWAY for {span(self.age_s)}: its leases stay as they are until a registry of its name runs again"
            return f"{away} (standfast run --role registry --name {self.name})"
        doing = f"{self.admitted:g} requests a second of {self.rate:.0f} it can do"
        if self.backlog:
            doing += f", {self.backlog} turned away and still to come"
        return f"{doing}; leases don't age: {self.why}" if self.why else doing

    @property
    def line(self) -> str:
        """All of it in a line."""
        unheard = f", {self.held - self.heard} not heard within a term" if self.held > self.heard else ""
        return f"registry {self.name}: {self.held} leases held{unheard if not self.silent else ''}; {self.state}"

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "registry": self.name, "held": self.held, "heard": self.heard, "rate": self.rate,
            "admitted": self.admitted, "backlog": self.backlog,
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
        return registries_in(store, time.time())
    finally:
        store.close()


def registries_in(store: "Store", wall: float) -> tuple[RegistryStanding, ...]:
    """All that ever kept leases in this store."""
    index = Board(store, INDEX)
    register = read_register(index.body) if index.read() else None
    found = []
    for name in register.registries if register else ():
        board = Board(store, head_of(name))
        head = read_head(board.body) if board.read() else None
        if head is not None:
            age = max(0.0, wall - head.at)
            found.append(
                RegistryStanding(name, head.held, head.heard, head.rate, age, head.why, head.admitted, head.backlog)
            )
    return tuple(found)
