"""A lease as registry, plan store and fleet source know it: what a load balancer says of itself, and how it is stored.

A registry keeps its leases in pages, a head that says how many pages there are, and its name in an index, each a
source of the plan store (`PutSource`). A renewal that says nothing new writes nothing.
"""

from typing import Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from .fleet import AdminState

LocalHealth: TypeAlias = Literal["up", "down", "unknown"]
INDEX: Final = "leases"
ON_ITS_MACHINE: Final = "drained on its machine"
"""What an agent says while its drain file is there, before the words in it."""
PAGE_LEASES: Final = 512
"""A page is what one grant writes: about 80 kB, which every store takes."""
PAGES_MAX: Final = 4096
S = TypeVar("S", bound=Struct)


class Report(Struct, frozen=True, array_like=True, gc=False):
    """What a load balancer says of itself. `why` belongs to `admin` and `health`, in words for people."""

    az: str
    pool: str
    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    capacity: int = 100
    admin: AdminState = "up"
    health: LocalHealth = "unknown"
    port: int | None = None
    why: str = ""


class StoredLease(Struct, frozen=True, array_like=True, gc=False):
    """A lease as stored. `left`: it signed off; it is named for a while still, so that it is not missed."""

    holder: str
    number: int
    report: Report
    left: bool = False


class Page(Struct, frozen=True):
    """Some leases of one registry."""

    leases: tuple[StoredLease, ...] = ()


class RegisterHead(Struct, frozen=True):
    """One registry's own page. `instance` tells two processes of one name apart; `version` rises with each batch and
    each beat, `moved` whenever leases were let go that another registry holds now. `rate` is what it was last measured
    to do in a second. The rest is for people: leases held and heard, when that was (its own clock, epoch seconds) and
    why their age does not count, if so; how many requests a second were admitted lately, and the `backlog` of holders
    that were turned away and have not come again."""

    registry: str
    instance: str
    pages: int
    version: int
    moved: int = 0
    rate: float = 0.0
    held: int = 0
    heard: int = 0
    at: float = 0.0
    why: str = ""
    listen: str = ""
    admitted: float = 0.0
    backlog: int = 0


class Register(Struct, frozen=True):
    """The names of all registries that ever kept leases here."""

    registries: tuple[str, ...] = ()


def head_of(registry: str) -> str:
    """Where its head is stored."""
    return f"{INDEX}.{registry}"


def page_of(registry: str, number: int) -> str:
    """Where one of its pages is stored."""
    return f"{INDEX}.{registry}.{number}"


def read_register(body: bytes) -> Register | None:
    """The index; an empty one if there never was one. None: it can't be understood."""
    return _read(body, Register) if body else Register()


def read_head(body: bytes) -> RegisterHead | None:
    """None: there is none, or it can't be understood."""
    return _read(body, RegisterHead)


def read_page(body: bytes) -> Page | None:
    """None: there is none, or it can't be understood."""
    return _read(body, Page)


def written(stored: Register | RegisterHead | Page) -> bytes:
    """As JSON, which people can read too."""
    return msgspec.json.encode(stored)


def _read(body: bytes, kind: type[S]) -> S | None:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
