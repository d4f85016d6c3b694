"""DNS data as Standfast handles it: whole rrsets whose rdata is kept in wire form.

Wire form makes equality exact (RFC 2136 §2.4.2 compares rdata, not text) and encoding a matter of joining bytes.
"""

import ipaddress
from enum import IntEnum
from typing import Final

from msgspec import Struct

from .name import name_from_wire


class RRType(IntEnum):
    """The types Standfast reads or writes, by their assigned numbers."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    TXT = 16
    AAAA = 28


ADDRESS_TYPES: Final = (RRType.A, RRType.AAAA)
FLAT_TYPES: Final = (RRType.A, RRType.AAAA, RRType.CNAME)
"""What a flat write replaces at the endpoint's name; the types of a family that is not served are deleted."""
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
        """The rdata as people read it."""
        return tuple(rdata_text(self.rtype, rdata) for rdata in self.rdata)


def address_type(address: str) -> RRType:
    """A or AAAA. Raises ValueError if `address` is neither."""
    return RRType.A if _address(address).version == 4 else RRType.AAAA


def address_rdata(address: str) -> bytes:
    """The rdata of an address (RFC 1035 §3.4.1, RFC 3596 §2.2). Raises ValueError."""
    return _address(address).packed


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
