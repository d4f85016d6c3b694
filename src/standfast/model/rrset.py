"""DNS data as Standfast handles it: whole rrsets whose rdata is kept in wire form.

Wire form makes equality exact (RFC 2136 §2.4.2 compares rdata, not text) and encoding a matter of joining bytes.
"""

import ipaddress
from enum import IntEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from .name import name_from_wire
from .routing import effective, read_variant


class RRType(IntEnum):
    """The types Standfast reads or writes, by their assigned numbers.

    The routed ones are of private use (RFC 6895 §3.1): 0xFF00 and the type that they answer; see `routing`.
    """

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    TXT = 16
    AAAA = 28
    ROUTED_A = 0xFF01
    ROUTED_AAAA = 0xFF1C


ADDRESS_TYPES: Final = (RRType.A, RRType.AAAA)
ROUTED_TYPES: Final = (RRType.ROUTED_A, RRType.ROUTED_AAAA)
FLAT_TYPES: Final = (RRType.A, RRType.AAAA, RRType.CNAME)
"""What a flat write replaces at the endpoint's name; the types of a family that is not served are deleted."""
BESIDE: Final[dict[int, RRType]] = {
    RRType.A: RRType.ROUTED_A,
    RRType.AAAA: RRType.ROUTED_AAAA,
    RRType.ROUTED_A: RRType.A,
    RRType.ROUTED_AAAA: RRType.AAAA,
}
"""Plain and routed: which other type answers the same question, and so can't stand at the same owner name."""
TTL_MAX: Final = 2**31 - 1
"""RFC 2181 §8."""


class RRset(Struct, frozen=True, array_like=True, gc=False):
    """All data of one type at one owner name (RFC 2181 §5): one TTL, rdata sorted and without repetition."""

    rtype: int
    ttl: int
    rdata: tuple[bytes, ...]

    @classmethod
    def of(cls, rtype: int, ttl: int, rdata: "tuple[bytes, ...] | list[bytes]") -> "RRset":
        """Normalised from rdata in any order."""
        return cls(int(rtype), ttl, tuple(sorted(set(rdata))))

    def same_data(self, other: "RRset | None") -> bool:
        """Equal as RFC 2136 §2.4.2 compares: TTLs do not count."""
        return other is not None and self.rtype == other.rtype and self.rdata == other.rdata

    def texts(self) -> tuple[str, ...]:
        """The rdata as people read it; of a routed rrset, what its variants answer with."""
        if self.rtype in ROUTED_TYPES:
            return tuple(dict.fromkeys(one.answer for one in effective(self.rdata)))
        return tuple(rdata_text(self.rtype, rdata) for rdata in self.rdata)

    @property
    def answers(self) -> int:
        """The type of query that it answers: A where variants of A stand (its own type, for a plain one)."""
        return answers_type(self.rtype)

    @property
    def count(self) -> int:
        """With how many addresses it can answer: see `answer_count`."""
        return answer_count(self.rtype, self.rdata)

    def octets(self) -> tuple[bytes, ...]:
        """The addresses themselves in wire form; names that variants lead to are not among them."""
        if self.rtype in ROUTED_TYPES:
            return tuple(sorted({one.address for one in effective(self.rdata) if one.address}))
        return self.rdata if self.rtype in ADDRESS_TYPES else ()


def answer_count(rtype: int, rdata: tuple[bytes, ...]) -> int:
    """With how many addresses an rrset can answer. A target that is a name counts as one, whatever it answers."""
    return len({one.answer for one in effective(rdata)}) if rtype in ROUTED_TYPES else len(rdata)


def answers_type(rtype: int) -> int:
    """The type of query that an rrset of this type answers."""
    return BESIDE[rtype] if rtype in ROUTED_TYPES else rtype


def type_name(rtype: int) -> str:
    """As people call it: A for addresses, however they stand."""
    return RRType(answers_type(rtype)).name


def address_type(address: str) -> RRType:
    """A or AAAA. Raises ValueError if `address` is neither."""
    return RRType.A if _address(address).version == 4 else RRType.AAAA


def address_rdata(address: str) -> bytes:
    """The rdata of an address (RFC 1035 §3.4.1, RFC 3596 §2.2). Raises ValueError."""
    return _address(address).packed


@lru_cache(maxsize=65_536)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if "%" in text:
        raise ValueError(f"{text!r} is not an address for DNS: a record has no room for its scope")
    return ipaddress.ip_address(text)


def addresses(ttl: int, texts: "tuple[str, ...] | list[str]") -> tuple[RRset, ...]:
    """The A and AAAA rrsets of these addresses, A first; a family without address has no rrset."""
    families: dict[RRType, list[bytes]] = {}
    for text in texts:
        families.setdefault(address_type(text), []).append(address_rdata(text))
    return tuple(RRset.of(rtype, ttl, families[rtype]) for rtype in sorted(families))


def txt_rdata(text: str) -> bytes:
    """One TXT character-string (RFC 1035 §3.3.14). Raises ValueError beyond 255 octets."""
    octets = text.encode("ascii")
    if len(octets) > 255:
        raise ValueError(f"{len(octets)} octets do not fit one character-string of 255")
    return bytes((len(octets),)) + octets


def rdata_text(rtype: int, rdata: bytes) -> str:
    """Rdata in presentation form; data that does not parse in RFC 3597 §5 form. Never raises."""
    try:
        if rtype == RRType.A:
            return str(ipaddress.IPv4Address(rdata))
        if rtype == RRType.AAAA:
            return str(ipaddress.IPv6Address(rdata))
        if rtype in (RRType.CNAME, RRType.NS):
            return name_from_wire(rdata) + "."
        if rtype in ROUTED_TYPES:
            return read_variant(rdata).answer
        if rtype == RRType.TXT:
            return " ".join(f'"{_printable(part)}"' for part in _character_strings(rdata))
    except ValueError:
        pass
    return f"\\# {len(rdata)} {rdata.hex()}"


def _character_strings(rdata: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        if end > len(rdata):
            raise ValueError("a character-string is cut off")
        parts.append(rdata[at + 1 : end])
        at = end
    return parts


def _printable(octets: bytes) -> str:
    return "".join("\\" + chr(o) if o in b'"\\' else chr(o) if 32 <= o <= 126 else f"\\{o:03d}" for o in octets)
