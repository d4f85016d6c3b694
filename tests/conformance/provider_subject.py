"""A zone under test, a client with shorthands, and what tests put into zones."""

import random
from abc import ABC, abstractmethod
from typing import Protocol

from standfast.model.name import name_to_wire
from standfast.model.rrset import RRset, RRType, address_rdata, txt_rdata
from standfast.ports.provider import (
    Changes,
    ChangesReply,
    Confirm,
    ConfirmReply,
    Content,
    Key,
    Prerequisite,
    Read,
    ReadChanges,
    Readings,
    ReadReply,
    Replace,
    ReplaceReply,
    Unknown,
    Write,
    Written,
)
from standfast.ports.provider_spec import ZoneState

ZONE = "lb.example.com"
A, AAAA, CNAME, TXT = RRType.A, RRType.AAAA, RRType.CNAME, RRType.TXT
Contents = dict[Key, RRset]


class Provider(Protocol):
    """What a provider's `perform` takes and gives; overloads say which reply belongs to which request."""

    def perform(self, request: Read | Confirm | Replace | ReadChanges) -> object: ...

    def close(self) -> None: ...


class Subject(ABC):
    """A zone under test, and ways to it that do not go through the adapter."""

    zone = ZONE

    @abstractmethod
    def connect(self) -> Provider:
        """Another provider onto the same zone."""

    @abstractmethod
    def contents(self) -> Contents:
        """Everything but the SOA."""


class Client:
    """A provider with typed shorthands."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def read(self, *keys: Key) -> tuple[RRset | Unknown | None, ...]:
        reply = self.provider.perform(Read(ZONE, keys))
        assert isinstance(reply, ReadReply)
        assert isinstance(reply, Readings), reply
        return reply.values

    def value(self, owner: str, rtype: int) -> RRset | None:
        (value,) = self.read((owner, rtype))
        assert not isinstance(value, Unknown), value
        return value

    def confirm(self, *prerequisites: Prerequisite) -> ConfirmReply:
        reply = self.provider.perform(Confirm(ZONE, prerequisites))
        assert isinstance(reply, ConfirmReply)
        return reply

    def replace(self, prerequisites: list[Prerequisite], contents: list[Content]) -> ReplaceReply:
        reply = self.provider.perform(Replace(ZONE, Write("", tuple(prerequisites), tuple(contents)), ()))
        assert isinstance(reply, ReplaceReply)
        return reply

    def put(self, *contents: Content) -> None:
        reply = self.replace([], list(contents))
        assert reply == Written(), reply

    def changes(self, serial: int | None) -> Changes:
        reply: ChangesReply | object = self.provider.perform(ReadChanges(ZONE, serial))
        assert isinstance(reply, Changes), reply
        return reply

    def serial(self) -> int:
        return self.changes(None).serial


def below(inner: str) -> str:
    return f"{inner}.{ZONE}"


def a(owner: str, *numbers: int, ttl: int = 60) -> Content:
    """Content of A records 192.0.2.N; none deletes."""
    return Content(owner, A, ttl, tuple(address_rdata(f"192.0.2.{number}") for number in numbers))


def txt(owner: str, *texts: str, ttl: int = 60) -> Content:
    return Content(owner, TXT, ttl, tuple(txt_rdata(text) for text in texts))


def cname(owner: str, target: str | None) -> Content:
    return Content(owner, CNAME, 60, (name_to_wire(target),) if target else ())


def rrset(content: Content) -> RRset:
    return RRset.of(content.rtype, content.ttl, content.rdata)


def exactly(content: Content) -> Prerequisite:
    return Prerequisite(content.owner, content.rtype, content.rdata)


OWNERS = [
    below(inner) for inner in ("a", "b", "*", "x.a", "d.e.f", "e.f", "*.b", "y.b", "z", "m._standfast", "_standfast")
]
TYPES = [int(rtype) for rtype in (A, AAAA, TXT, CNAME)]
VALUES = {
    int(A): [address_rdata(f"192.0.2.{number}") for number in range(4)],
    int(AAAA): [address_rdata(f"2001:db8::{number}") for number in range(3)],
    int(TXT): [txt_rdata("g1"), txt_rdata("g2"), b"\1\xff", b"\0\1x"],
    int(CNAME): [name_to_wire("elsewhere.example.net"), name_to_wire(below("a")), name_to_wire(below("no.where"))],
}


def random_rdata(dice: random.Random, rtype: int) -> tuple[bytes, ...]:
    values = VALUES[rtype]
    most = 1 if rtype == CNAME else len(values)
    return tuple(dice.sample(values, dice.randint(0, most)))


def random_contents(dice: random.Random) -> tuple[Content, ...]:
    drawn = [(dice.choice(OWNERS), dice.choice(TYPES)) for _ in range(dice.randint(1, 5))]
    # BIND refuses addresses at names with an underscore (check-names)
    keys = {(owner, rtype if "_" not in owner else int(TXT)): None for owner, rtype in drawn}
    return tuple(Content(*key, dice.choice((5, 60, 300)), random_rdata(dice, key[1])) for key in keys)


def random_prerequisites(dice: random.Random, state: ZoneState) -> tuple[Prerequisite, ...]:
    wanted = []
    for owner, rtype in {(dice.choice(OWNERS), dice.choice(TYPES)): None for _ in range(dice.randint(0, 4))}:
        held = state.rrsets.get((owner, rtype))
        truth = tuple(dice.sample(held.rdata, len(held.rdata))) if held else ()
        wanted.append(Prerequisite(owner, rtype, truth if dice.random() < 0.9 else random_rdata(dice, rtype)))
    return tuple(wanted)
