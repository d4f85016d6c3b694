"""One zone in memory, and how a question is answered from it (RFC 1034 §4.3.2, RFC 4592, RFC 2308).

A Zone is a value: a change makes a new one that shares what did not change, so a transfer or a query under way keeps
the zone it began with. Names that exist only because something exists below them (empty non-terminals, RFC 4592
§2.2.2) have nodes like all others; a node goes when it has neither data nor children.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import dns.rdata
import dns.rdataclass
import dns.rdatatype

A: Final = 1
NS: Final = 2
CNAME: Final = 5
SOA: Final = 6
AAAA: Final = 28
DS: Final = 43
ANY: Final = 255
NOERROR: Final = 0
NXDOMAIN: Final = 3

MAX_CHAIN: Final = 16
"""CNAMEs followed in one answer; a longer chain, or a loop, is answered as far as it went."""

_BUCKETS: Final = 256
_WILDCARD: Final = b"\x01*"
_NAMELESS: Final = frozenset({A, AAAA, 16, 99, 257})
"""Types whose rdata holds no domain name (A, AAAA, TXT, SPF, CAA): their bytes are their canonical form."""


@dataclass(frozen=True, slots=True)
class RRset:
    """Records of one name and type. `owner` and each rdata are uncompressed wire bytes; TTL in seconds."""

    owner: bytes
    rdtype: int
    ttl: int
    rdatas: tuple[bytes, ...]

    @property
    def key(self) -> bytes:
        """The owner in lower case: names compare without case (RFC 4343)."""
        return self.owner.lower()

    def same_data(self, other: "RRset | None") -> bool:
        """Do both hold the same set of rdata, whatever order and TTL (RFC 2136 §2.4.2)?"""
        return other is not None and self.canonical() == other.canonical()

    def canonical(self) -> frozenset[bytes]:
        """The set of rdata in the form in which they compare."""
        return frozenset(canonical_rdata(self.rdtype, rdata) for rdata in self.rdatas)


def canonical_rdata(rdtype: int, rdata: bytes) -> bytes:
    """Rdata as it compares: names inside it in lower case (RFC 2136 §1.1.1, RFC 4034 §6.2)."""
    if rdtype in _NAMELESS:
        return rdata
    parsed = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RdataType.make(rdtype), rdata, 0, len(rdata))
    return parsed.to_digestable()


def soa_serial(soa: RRset) -> int:
    """SERIAL of a SOA: the first of the five 32-bit fields that end its rdata (RFC 1035 §3.3.13)."""
    return int.from_bytes(soa.rdatas[0][-20:-16], "big")


def with_serial(soa: RRset, serial: int) -> RRset:
    """The same SOA with another SERIAL."""
    rdata = soa.rdatas[0]
    return replace(soa, rdatas=(rdata[:-20] + serial.to_bytes(4, "big") + rdata[-16:],))


def serial_is_newer(new: int, old: int) -> bool:
    """Serial number arithmetic (RFC 1982 §3.2); false where the RFC leaves it undefined."""
    return new != old and (new - old) % 2**32 < 2**31


def parent(key: bytes) -> bytes:
    """The name without its first label."""
    return key[1 + key[0] :]


def is_within(key: bytes, apex: bytes) -> bool:
    """Is the name the apex or below it? Compared label by label, not by text."""
    while len(key) > len(apex):
        key = parent(key)
    return key == apex


@dataclass(frozen=True, slots=True)
class Node:
    """What one name holds, and how many nodes stand directly below it."""

    rrsets: Mapping[int, RRset]
    children: int


class _Nodes:
    """A persistent map: a change copies the buckets it touches (1/256 of the names each), not the whole."""

    __slots__ = ("_buckets",)

    def __init__(self, buckets: tuple[dict[bytes, Node], ...] = tuple({} for _ in range(_BUCKETS))) -> None:
        self._buckets = buckets

    def get(self, key: bytes) -> Node | None:
        return self._buckets[hash(key) % _BUCKETS].get(key)

    def replaced(self, changes: Mapping[bytes, Node | None]) -> "_Nodes":
        buckets = list(self._buckets)
        copied: set[int] = set()
        for key, node in changes.items():
            at = hash(key) % _BUCKETS
            if at not in copied:
                buckets[at] = dict(buckets[at])
                copied.add(at)
            if node is None:
                buckets[at].pop(key, None)
            else:
                buckets[at][key] = node
        return _Nodes(tuple(buckets))

    def __iter__(self) -> Iterator[tuple[bytes, Node]]:
        for bucket in self._buckets:
            yield from bucket.items()


@dataclass(slots=True)
class Answer:
    """What a question yields. `authoritative` is false only for a referral (RFC 1034 §6.2.6)."""

    rcode: int = NOERROR
    authoritative: bool = True
    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)


class Zone:
    """The contents of one zone at one serial. `apex` is a key."""

    __slots__ = ("_nodes", "apex")

    def __init__(self, apex: bytes, nodes: _Nodes | None = None) -> None:
        self.apex = apex
        self._nodes = nodes if nodes is not None else _Nodes()

    # -- reading ---------------------------------------------------------------------------------------------------

    def rrset(self, key: bytes, rdtype: int) -> RRset | None:
        """Exactly this name and type; wildcards do not count (RFC 2136 prerequisites are literal)."""
        node = self._nodes.get(key)
        return node.rrsets.get(rdtype) if node else None

    def rrsets_at(self, key: bytes) -> Mapping[int, RRset]:
        """All rrsets of exactly this name, by type."""
        node = self._nodes.get(key)
        return node.rrsets if node else {}

    @property
    def soa(self) -> RRset:
        """The zone's SOA. A zone that is served always has one; LookupError otherwise."""
        found = self.rrset(self.apex, SOA)
        if found is None:
            raise LookupError("the zone has no SOA")
        return found

    @property
    def serial(self) -> int:
        return soa_serial(self.soa)

    def __iter__(self) -> Iterator[RRset]:
        """All rrsets: SOA first, the rest by name from the apex down, then by type."""
        yield self.soa
        for _, node in sorted(self._nodes, key=lambda item: _labels(item[0])):
            for rdtype in sorted(node.rrsets):
                if rdtype != SOA:
                    yield node.rrsets[rdtype]

    # -- changing --------------------------------------------------------------------------------------------------

    def with_rrsets(self, changes: Mapping[tuple[bytes, int], RRset | None]) -> "Zone":
        """A zone in which these rrsets are replaced, or removed where None."""
        staged: dict[bytes, Node | None] = {}
        by_name: dict[bytes, dict[int, RRset | None]] = {}
        for (key, rdtype), rrset in changes.items():
            by_name.setdefault(key, {})[rdtype] = rrset
        for key, types in by_name.items():
            old = staged[key] if key in staged else self._nodes.get(key)
            merged = {**(old.rrsets if old else {}), **types}
            rrsets = {rdtype: rrset for rdtype, rrset in merged.items() if rrset is not None}
            self._put(staged, key, Node(rrsets, old.children if old else 0))
        return Zone(self.apex, self._nodes.replaced(staged))

    def _put(self, staged: dict[bytes, Node | None], key: bytes, node: Node) -> None:
        """Stage a node and keep its ancestors' counts of children true."""
        while True:
            existed = (staged[key] if key in staged else self._nodes.get(key)) is not None
            exists = bool(node.rrsets or node.children)
            staged[key] = node if exists else None
            if exists == existed or key == self.apex:
                return
            key = parent(key)
            above = (staged[key] if key in staged else self._nodes.get(key)) or Node({}, 0)
            node = Node(above.rrsets, above.children + (1 if exists else -1))

    # -- answering -------------------------------------------------------------------------------------------------

    def answer(self, qname: bytes, qtype: int) -> Answer:
        """Answer a question whose name is in this zone (RFC 1034 §4.3.2, step 3 on)."""
        result = Answer()
        seen: set[bytes] = set()
        while qname.lower() not in seen and len(seen) <= MAX_CHAIN:
            seen.add(qname.lower())
            target = self._answer_once(result, qname, qtype)
            if target is None or not is_within(target.lower(), self.apex):
                break
            qname = target
        return result

    def _answer_once(self, result: Answer, qname: bytes, qtype: int) -> bytes | None:
        """One step of a chain: fills `result`, or returns the target of the CNAME it added."""
        key = qname.lower()
        encloser = self.apex
        for name in _path(key, self.apex):
            node = self._nodes.get(name)
            if node is None:
                break
            encloser = name
            if name != self.apex and NS in node.rrsets and not (name == key and qtype == DS):
                self._refer(result, node.rrsets[NS])
                return None
        wildcard = encloser != key
        if wildcard:
            node = self._nodes.get(_WILDCARD + encloser)
            if node is None:
                result.rcode = NXDOMAIN
                self._deny(result)
                return None
        else:
            node = self._nodes.get(key)
        return self._take(result, node.rrsets if node else {}, qtype, qname if wildcard else None)

    def _take(self, result: Answer, at: Mapping[int, RRset], qtype: int, synthesised: bytes | None) -> bytes | None:
        """Put what a node has into the answer; `synthesised` is the owner a wildcard takes on (RFC 4592 §3.3.1)."""
        found = at.get(CNAME) or (at[min(at)] if qtype == ANY and at else at.get(qtype))
        if found is None:
            self._deny(result)
            return None
        result.answer.append(replace(found, owner=synthesised) if synthesised else found)
        if found.rdtype == CNAME and qtype not in (CNAME, ANY):
            return found.rdatas[0]
        if found.rdtype == NS:
            result.additional.extend(self._addresses(found))
        return None

    def _deny(self, result: Answer) -> None:
        """NODATA and NXDOMAIN carry the SOA, its TTL the time to remember the "no" (RFC 2308 §3)."""
        soa = self.soa
        minimum = int.from_bytes(soa.rdatas[0][-4:], "big")
        result.authority.append(replace(soa, ttl=min(soa.ttl, minimum)))

    def _refer(self, result: Answer, cut: RRset) -> None:
        """A delegation: whoever asks is sent on; we do not speak for what is below (RFC 1034 §4.3.2 step 3b)."""
        result.authoritative = bool(result.answer)
        result.authority.append(cut)
        result.additional.extend(self._addresses(cut))

    def _addresses(self, servers: RRset) -> Iterator[RRset]:
        for target in servers.rdatas:
            if is_within(target.lower(), self.apex):
                at = self.rrsets_at(target.lower())
                yield from (at[rdtype] for rdtype in (A, AAAA) if rdtype in at)


def _path(key: bytes, apex: bytes) -> list[bytes]:
    """The names from the apex down to `key`, both included."""
    names = [key]
    while names[-1] != apex:
        names.append(parent(names[-1]))
    names.reverse()
    return names


def _labels(key: bytes) -> list[bytes]:
    """The labels from the root down: the canonical order of names (RFC 4034 §6.1)."""
    labels = []
    while key[0]:
        labels.append(key[1 : 1 + key[0]])
        key = parent(key)
    labels.reverse()
    return labels
