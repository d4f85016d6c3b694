"""The rules of RFC 2136 §3 as tables: prerequisites, prescan, updates, and what they come to."""

import struct
from typing import TypeAlias

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from standfast.adapters.nameserver import ZoneStore
from standfast.adapters.nameserver.update import UpdateResult, apply_update, zone_section
from standfast.adapters.nameserver.wire import name_to_wire, read_message
from standfast.adapters.nameserver.zone import RRset, Zone

APEX = dns.name.from_text("example.")
SEED = """
$TTL 60
www A 192.0.2.1
www A 192.0.2.2
www TXT "One"
alias CNAME www
deep.below TXT "x"
* TXT "wild"
mx MX 10 Www
single A 192.0.2.3
"""
IN, CH, NONE, ANY = 1, 3, 254, 255
NOERROR, FORMERR, NXDOMAIN, REFUSED, YXDOMAIN, YXRRSET, NXRRSET, NOTZONE = 0, 1, 3, 5, 6, 7, 8, 10

RR: TypeAlias = tuple[str, str, int, int, str]
"""Owner relative to the apex, type, class, TTL, rdata as text (empty: no rdata)."""


@pytest.fixture(scope="module")
def zone() -> Zone:
    store = ZoneStore.open(":memory:", "example.", seed=SEED)
    store.close()
    return store.zone


def encode(rr: RR) -> bytes:
    owner, rdtype, rdclass, ttl, value = rr
    kind = dns.rdatatype.from_text(rdtype)
    rdata = b""
    if value:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, kind, value, APEX, relativize=False).to_wire() or b""
    name = name_to_wire(dns.name.from_text(owner, APEX))
    return name + struct.pack("!HHIH", kind, rdclass, ttl, len(rdata)) + rdata


def message(prerequisites: list[RR], updates: list[RR], question: bytes | None = None) -> bytes:
    head = struct.pack("!HHHHHH", 7, 5 << 11, 1, len(prerequisites), len(updates), 0)
    asked = name_to_wire("example.") + struct.pack("!HH", 6, IN) if question is None else question
    return head + asked + b"".join(encode(rr) for rr in [*prerequisites, *updates])


def run(zone: Zone, prerequisites: list[RR], updates: list[RR]) -> UpdateResult:
    return apply_update(zone, read_message(message(prerequisites, updates)))


def lines(zone: Zone) -> set[str]:
    """Every record but the SOA, as `name ttl TYPE rdata`."""
    return {line for rrset in zone if rrset.rdtype != 6 for line in render(rrset)}


def render(rrset: RRset) -> list[str]:
    kind = dns.rdatatype.RdataType.make(rrset.rdtype)
    owner = dns.name.from_wire(rrset.owner, 0)[0].relativize(APEX)
    values = [dns.rdata.from_wire(dns.rdataclass.IN, kind, rdata, 0, len(rdata)) for rdata in rrset.rdatas]
    return [f"{owner} {rrset.ttl} {kind.name} {value.to_text(origin=APEX)}" for value in values]


PREREQUISITES: list[tuple[str, list[RR], int]] = [
    ("§2.4.1 rrset exists", [("WWW", "A", ANY, 0, "")], NOERROR),
    ("§2.4.1 rrset missing", [("www", "AAAA", ANY, 0, "")], NXRRSET),
    ("§2.4.1 wildcards are literal", [("new", "TXT", ANY, 0, "")], NXRRSET),
    ("§2.4.2 equal, any order", [("www", "A", IN, 0, "192.0.2.2"), ("www", "A", IN, 0, "192.0.2.1")], NOERROR),
    ("§2.4.2 subset", [("www", "A", IN, 0, "192.0.2.2")], NXRRSET),
    ("§2.4.2 superset", [("single", "A", IN, 0, "192.0.2.3"), ("single", "A", IN, 0, "192.0.2.4")], NXRRSET),
    ("§2.4.2 missing", [("nope", "A", IN, 0, "192.0.2.2")], NXRRSET),
    ("§2.4.2 text keeps its case", [("www", "TXT", IN, 0, '"one"')], NXRRSET),
    ("§2.4.2 names in rdata do not", [("mx", "MX", IN, 0, "10 wWW")], NOERROR),
    ("§2.4.2 SOA as token", [("@", "SOA", IN, 0, "ns1 hostmaster 1 3600 600 86400 5")], NOERROR),
    ("§2.4.3 rrset absent", [("www", "AAAA", NONE, 0, "")], NOERROR),
    ("§2.4.3 rrset present", [("www", "TXT", NONE, 0, "")], YXRRSET),
    ("§2.4.4 name in use", [("www", "ANY", ANY, 0, "")], NOERROR),
    ("§2.4.4 name not in use", [("nope", "ANY", ANY, 0, "")], NXDOMAIN),
    ("§2.4.4 empty non-terminal is not in use", [("below", "ANY", ANY, 0, "")], NXDOMAIN),
    ("§2.4.5 name not in use", [("nope", "ANY", NONE, 0, "")], NOERROR),
    ("§2.4.5 empty non-terminal", [("below", "ANY", NONE, 0, "")], NOERROR),
    ("§2.4.5 name in use", [("alias", "ANY", NONE, 0, "")], YXDOMAIN),
    ("§3.2 TTL must be 0", [("www", "A", ANY, 1, "")], FORMERR),
    ("§3.2 TTL must be 0, by value", [("single", "A", IN, 60, "192.0.2.3")], FORMERR),
    ("§3.2 rdata with class ANY", [("www", "A", ANY, 0, "192.0.2.1")], FORMERR),
    ("§3.2 rdata with class NONE", [("www", "A", NONE, 0, "192.0.2.1")], FORMERR),
    ("§3.2 other class", [("www", "A", CH, 0, "")], FORMERR),
    ("§3.2 by value without rdata", [("www", "A", IN, 0, "")], FORMERR),
    ("§3.2 outside the zone", [("www.example.com.", "A", ANY, 0, "")], NOTZONE),
    ("§3.2.5 first failure counts", [("nope", "ANY", ANY, 0, ""), ("www", "TXT", NONE, 0, "")], NXDOMAIN),
    ("§3.2.5 all must hold", [("www", "A", ANY, 0, ""), ("www", "TXT", NONE, 0, "")], YXRRSET),
]


@pytest.mark.parametrize(("prerequisites", "rcode"), [c[1:] for c in PREREQUISITES], ids=[c[0] for c in PREREQUISITES])
def test_prerequisite(zone: Zone, prerequisites: list[RR], rcode: int) -> None:
    result = run(zone, prerequisites, [("added", "A", IN, 5, "192.0.2.77")])
    assert result.rcode == rcode
    if rcode == NOERROR:
        assert lines(result.zone) - lines(zone) == {"added 5 A 192.0.2.77"}
    else:
        assert result.zone is zone
        assert result.changes == ()


PRESCAN: list[tuple[str, RR, int]] = [
    ("§3.4.1.3 outside", ("www.example.com.", "A", IN, 60, "192.0.2.1"), NOTZONE),
    ("§3.4.1.3 add of type ANY", ("www", "ANY", IN, 60, ""), FORMERR),
    ("§3.4.1.3 add of type AXFR", ("www", "AXFR", IN, 60, ""), FORMERR),
    ("§3.4.1.3 add without rdata", ("www", "A", IN, 60, ""), FORMERR),
    ("§3.4.1.3 delete rrset, TTL", ("www", "A", ANY, 1, ""), FORMERR),
    ("§3.4.1.3 delete rrset, rdata", ("www", "A", ANY, 0, "192.0.2.1"), FORMERR),
    ("§3.4.1.3 delete rrset, MAILB", ("www", "MAILB", ANY, 0, ""), FORMERR),
    ("§3.4.1.3 delete record, TTL", ("www", "A", NONE, 1, "192.0.2.1"), FORMERR),
    ("§3.4.1.3 delete record, type ANY", ("www", "ANY", NONE, 0, ""), FORMERR),
    ("§3.4.1.3 other class", ("www", "A", CH, 60, "192.0.2.1"), FORMERR),
]


@pytest.mark.parametrize(("update", "rcode"), [c[1:] for c in PRESCAN], ids=[c[0] for c in PRESCAN])
def test_prescan_rejects_the_whole_message(zone: Zone, update: RR, rcode: int) -> None:
    good: RR = ("added", "A", IN, 5, "192.0.2.77")
    for updates in ([good, update], [update, good]):
        result = run(zone, [], updates)
        assert result.rcode == rcode
        assert result.zone is zone


NS1 = "@ 60 NS ns1"
UPDATES: list[tuple[str, list[RR], set[str], set[str], int]] = [  # updates, added, removed, serial steps
    ("add", [("n", "A", IN, 9, "192.0.2.9")], {"n 9 A 192.0.2.9"}, set(), 1),
    ("add, whole message one step", [(f"n{i}", "A", IN, 9, "192.0.2.9") for i in range(3)],
     {f"n{i} 9 A 192.0.2.9" for i in range(3)}, set(), 1),
    ("§3.4.2.2 duplicate", [("single", "A", IN, 60, "192.0.2.3")], set(), set(), 0),
    ("§3.4.2.2 duplicate by case", [("MX", "MX", IN, 60, "10 wwW")], set(), set(), 0),
    ("2181 §5.2 TTL alone", [("www", "A", IN, 7, "192.0.2.1")],
     {"www 7 A 192.0.2.1", "www 7 A 192.0.2.2"}, {"www 60 A 192.0.2.1", "www 60 A 192.0.2.2"}, 1),
    ("2181 §5.2 added with another TTL", [("single", "A", IN, 7, "192.0.2.4")],
     {"single 7 A 192.0.2.3", "single 7 A 192.0.2.4"}, {"single 60 A 192.0.2.3"}, 1),
    ("2181 §8 TTL with the top bit", [("n", "A", IN, 2**31, "192.0.2.9")], {"n 0 A 192.0.2.9"}, set(), 1),
    ("§3.4.2.2 CNAME beside data", [("www", "CNAME", IN, 60, "x"), ("n", "A", IN, 9, "192.0.2.9")],
     {"n 9 A 192.0.2.9"}, set(), 1),
    ("§3.4.2.2 data beside CNAME", [("alias", "A", IN, 60, "192.0.2.9")], set(), set(), 0),
    ("§3.4.2.2 CNAME replaced", [("alias", "CNAME", IN, 60, "x")], {"alias 60 CNAME x"}, {"alias 60 CNAME www"}, 1),
    ("typed delete, then CNAME", [("single", "A", ANY, 0, ""), ("single", "CNAME", IN, 60, "www")],
     {"single 60 CNAME www"}, {"single 60 A 192.0.2.3"}, 1),
    ("in order: CNAME, then the delete", [("single", "CNAME", IN, 60, "www"), ("single", "A", ANY, 0, "")],
     set(), {"single 60 A 192.0.2.3"}, 1),
    ("§3.4.2.3 rrset", [("www", "A", ANY, 0, "")], set(), {"www 60 A 192.0.2.1", "www 60 A 192.0.2.2"}, 1),
    ("§3.4.2.3 name", [("www", "ANY", ANY, 0, "")], set(),
     {"www 60 A 192.0.2.1", "www 60 A 192.0.2.2", 'www 60 TXT "One"'}, 1),
    ("§3.4.2.3 apex keeps SOA and NS", [("@", "ANY", ANY, 0, ""), ("@", "NS", ANY, 0, ""), ("@", "SOA", ANY, 0, "")],
     set(), set(), 0),
    ("§3.4.2.4 record", [("www", "A", NONE, 0, "192.0.2.1")], set(), {"www 60 A 192.0.2.1"}, 1),
    ("§3.4.2.4 no such record", [("www", "A", NONE, 0, "192.0.2.9")], set(), set(), 0),
    ("§3.4.2.4 last NS of the apex stays", [("@", "NS", NONE, 0, "ns1")], set(), set(), 0),
    ("§3.4.2.4 NS exchanged", [("@", "NS", IN, 60, "ns2"), ("@", "NS", NONE, 0, "ns1")], {"@ 60 NS ns2"}, {NS1}, 1),
    ("§3.4.2.4 SOA stays", [("@", "SOA", NONE, 0, "ns1 hostmaster 1 3600 600 86400 5")], set(), set(), 0),
    ("same-value replace", [("single", "A", ANY, 0, ""), ("single", "A", IN, 60, "192.0.2.3")], set(), set(), 0),
    ("§3.4.2.2 SOA newer", [("@", "SOA", IN, 60, "ns1 hostmaster 9 3600 600 86400 5")], set(), set(), 8),
    ("§3.4.2.2 SOA equal", [("@", "SOA", IN, 60, "ns1 hostmaster 1 9 9 9 9")], set(), set(), 0),
    ("§3.4.2.2 SOA older (1982)", [("@", "SOA", IN, 60, "ns1 hostmaster 4294967295 9 9 9 9")], set(), set(), 0),
    ("§3.4.2.2 SOA elsewhere", [("n", "SOA", IN, 60, "ns1 hostmaster 9 9 9 9 9")], set(), set(), 0),
    ("nothing asked", [], set(), set(), 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("updates", "added", "removed", "steps"), [c[1:] for c in UPDATES], ids=[c[0] for c in UPDATES]
)
def test_update(zone: Zone, updates: list[RR], added: set[str], removed: set[str], steps: int) -> None:
    before = lines(zone)
    result = run(zone, [], updates)
    assert result.rcode == NOERROR
    assert lines(result.zone) - before == added
    assert before - lines(result.zone) == removed
    assert result.zone.serial - zone.serial == steps
    assert (result.zone is zone) == (steps == 0) == (result.changes == ())
    assert lines(zone) == before, "the old zone is a value"


def test_serial_wraps() -> None:
    """RFC 1982 §3.1."""
    store = ZoneStore.open(":memory:", "example.", seed="@ SOA ns1 hostmaster 4294967295 1 1 1 1")
    store.close()
    assert run(store.zone, [], [("n", "A", IN, 9, "192.0.2.9")]).zone.serial == 0


def test_an_rrset_that_no_message_can_carry_is_refused(zone: Zone) -> None:
    """It would be stored and never answered. Two messages are needed to get there."""
    values = [f"10.0.{n // 250}.{n % 250}" for n in range(4000)]
    first = run(zone, [], [("big", "A", IN, 60, value) for value in values[:2000]])
    assert first.rcode == NOERROR
    assert run(first.zone, [], [("big", "A", IN, 60, "10.1." + value[5:]) for value in values[2000:]]).rcode == NOERROR
    texts = [("txt", "TXT", IN, 60, f'"{n:03}{"x" * 250}"') for n in range(400)]
    half = run(zone, [], [*texts[:200]])
    assert run(half.zone, [], [*texts[200:]]).rcode == REFUSED


def test_zone_section() -> None:
    """RFC 2136 §3.1.1."""

    def rcode(question: bytes) -> int:
        return zone_section(read_message(message([], [], question)))[0]

    assert zone_section(read_message(message([], []))) == (NOERROR, name_to_wire("example."))
    assert rcode(name_to_wire("example.") + struct.pack("!HH", 1, IN)) == FORMERR
    assert rcode(name_to_wire("example.") + struct.pack("!HH", 6, CH)) == 9
