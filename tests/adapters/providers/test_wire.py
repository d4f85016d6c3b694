"""The encoder and decoder of DNS messages, held to dnspython; and what malformed octets do to them: nothing."""

import random
import struct
from collections import Counter

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.adapters.providers import answers, transfer, wire
from standfast.adapters.providers.tsig import find_tsig
from standfast.model.name import marker_owner, name_to_wire
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Content, Prerequisite, Unknown

ZONE = "lb.example.com"
TYPE = dns.rdatatype.RdataType.make
Fact = tuple[str, int, int, int, bytes]

LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=20)
INNER = st.lists(LABELS, min_size=0, max_size=4).map(".".join)
OWNERS = st.one_of(
    INNER.map(lambda inner: f"{inner}.{ZONE}" if inner else ZONE),
    st.integers(0, 30).map(lambda number: marker_owner(f"e{number}.{ZONE}", ZONE)),
    st.just(f"*.{ZONE}"),
    INNER.map(lambda inner: f"{inner}.example.net" if inner else "example.net"),
)
STRINGS = st.lists(st.binary(max_size=255), min_size=1, max_size=3).map(
    lambda parts: b"".join(bytes((len(part),)) + part for part in parts)
)
RDATA = {
    1: st.binary(min_size=4, max_size=4),
    28: st.binary(min_size=16, max_size=16),
    16: STRINGS,
    5: OWNERS.map(name_to_wire),
}
DATA = st.sampled_from((1, 5, 16, 28)).flatmap(
    lambda rtype: st.tuples(st.just(rtype), st.lists(RDATA[rtype], max_size=5, unique=True).map(tuple))
)
PREREQUISITES = st.lists(
    st.builds(lambda owner, data: Prerequisite(owner, data[0], data[1]), OWNERS, DATA),
    max_size=12,
    unique_by=lambda one: (one.owner, one.rtype),
)
CONTENTS = st.lists(
    st.builds(lambda owner, ttl, data: Content(owner, data[0], ttl, data[1]), OWNERS, st.integers(0, 2**31 - 1), DATA),
    max_size=12,
    unique_by=lambda one: (one.owner, one.rtype),
)


def theirs(prerequisites: list[Prerequisite], contents: list[Content]) -> dns.update.UpdateMessage:
    """The same UPDATE as dnspython builds it."""
    message = dns.update.UpdateMessage(dns.name.from_text(ZONE), id=4711)
    for one in prerequisites:
        owner = dns.name.from_text(one.owner)
        if one.rdata:
            for octets in one.rdata:
                message.present(owner, dns.rdata.from_wire("IN", TYPE(one.rtype), octets, 0, len(octets)))
        else:
            message.absent(owner, TYPE(one.rtype))
    absent = {(one.owner, one.rtype) for one in prerequisites if not one.rdata}
    for content in contents:
        if (content.owner, content.rtype) in absent:
            continue  # asserted to be absent: there is nothing to delete
        message.delete(dns.name.from_text(content.owner), TYPE(content.rtype))
    for content in contents:
        for octets in content.rdata:
            rdata = dns.rdata.from_wire("IN", TYPE(content.rtype), octets, 0, len(octets))
            message.add(dns.name.from_text(content.owner), content.ttl, rdata)
    return message


def facts(message: dns.message.Message, section: int) -> Counter[Fact]:
    """Every record of a section, with the class that was on the wire."""
    found: Counter[Fact] = Counter()
    for rrset in message.sections[section]:
        rclass = int(rrset.rdclass if rrset.deleting is None else rrset.deleting)
        name = rrset.name.to_text().lower()
        for rdata in list(rrset) or [None]:
            octets = rdata.to_wire() if rdata is not None else b""
            found[name, rclass, int(rrset.rdtype), rrset.ttl, octets or b""] += 1
    return found


def parsed(octets: bytes) -> dns.message.Message:
    return dns.message.from_wire(octets, one_rr_per_rrset=True)


@given(PREREQUISITES, CONTENTS)
def test_updates_are_those_of_dnspython(prerequisites: list[Prerequisite], contents: list[Content]) -> None:
    ours = parsed(wire.encode_update(4711, ZONE, prerequisites, contents))
    expected = parsed(theirs(prerequisites, contents).to_wire(max_size=65535))
    assert ours.id == 4711
    assert ours.opcode() == 5
    assert ours.question == expected.question
    for section in (1, 2, 3):
        assert facts(ours, section) == facts(expected, section)


def test_order_is_prerequisites_deletions_additions() -> None:
    contents = [Content(f"a.{ZONE}", 1, 60, (b"\1\2\3\4",)), Content(f"a.{ZONE}", 5, 60, ())]
    message = wire.encode_update(1, ZONE, [Prerequisite(f"b.{ZONE}", 16, ())], contents)
    at = wire.skip_questions(message, 1)
    classes = [record.rclass for record in wire.read_records(message, at, 4)]
    assert classes == [wire.CLASS_NONE, wire.CLASS_ANY, wire.CLASS_ANY, wire.CLASS_IN]


def test_names_beyond_the_reach_of_pointers() -> None:
    """A pointer has 14 bits: what first stands behind octet 16,383 can't be pointed at."""
    contents = [Content(f"e{number}.deep.{ZONE}", 16, 60, (b"\xff" + b"x" * 255,)) for number in range(150)]
    contents += [Content(f"f{number}.late.{ZONE}", 1, 60, (b"\1\2\3\4", b"\5\6\7\x08")) for number in range(150)]
    ours = parsed(wire.encode_update(4711, ZONE, [], contents))
    assert facts(ours, 2) == facts(theirs([], contents), 2)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".com", ".".join(["abcdefg"] * 40), ""])
def test_what_is_no_name_is_not_encoded(name: str) -> None:
    with pytest.raises(wire.WireError):
        wire.encode_update(1, ZONE, [], [Content(name, 1, 60, (b"\1\2\3\4",))])


@pytest.mark.parametrize("ttl", [-1, 2**31])
def test_what_is_no_ttl_is_not_encoded(ttl: int) -> None:
    with pytest.raises(wire.WireError, match="TTL"):
        wire.encode_update(1, ZONE, [], [Content(ZONE, 1, ttl, (b"\1\2\3\4",))])


def test_an_rrset_asked_twice_with_different_data_is_not_encoded() -> None:
    """On the wire {x} and {y} would merge to {x, y}, and could hold."""
    with pytest.raises(wire.WireError, match="twice"):
        wire.encode_update(1, ZONE, [Prerequisite(ZONE, 16, (b"\1x",)), Prerequisite(ZONE, 16, (b"\1y",))], [])
    once = wire.encode_update(1, ZONE, [Prerequisite(ZONE, 16, (b"\1x",))], [])
    assert wire.encode_update(1, ZONE, [Prerequisite(ZONE, 16, (b"\1x",))] * 2, []) == once


def answer(owner: str, rtype: int, rrsets: list[dns.rrset.RRset], rcode: int = 0, flags: int = dns.flags.AA) -> bytes:
    question = dns.message.make_query(dns.name.from_text(owner), TYPE(rtype), id=1)
    reply = dns.message.make_response(question)
    reply.flags |= flags
    reply.set_rcode(dns.rcode.Rcode.make(rcode))
    reply.answer = rrsets
    return reply.to_wire(max_size=65535)


def rrset_of(owner: str, rtype: int, ttl: int, rdata: tuple[bytes, ...]) -> dns.rrset.RRset:
    values = [dns.rdata.from_wire("IN", TYPE(rtype), octets, 0, len(octets)) for octets in rdata]
    return dns.rrset.from_rdata_list(dns.name.from_text(owner), ttl, values)


@given(OWNERS, DATA.filter(lambda data: bool(data[1])), st.integers(0, 2**31 - 1))
def test_answers_of_dnspython_are_read(owner: str, data: tuple[int, tuple[bytes, ...]], ttl: int) -> None:
    rtype, rdata = data
    if rtype == 5:
        rdata = rdata[:1]
    reply = answer(owner, rtype, [rrset_of(owner, rtype, ttl, rdata)])
    value, _ = answers.read_answer(reply, wire.encode_question(owner, rtype), rtype)
    assert value == RRset.of(rtype, ttl, rdata)


def read(reply: bytes, owner: str, rtype: int) -> object:
    return answers.read_answer(reply, wire.encode_question(owner, rtype), rtype)


def test_only_the_records_at_the_name_are_its_reading() -> None:
    """A CNAME chain that ends in NXDOMAIN (RFC 6604) is a CNAME at the name, and no proof of absence."""
    here, there = f"a.{ZONE}", f"b.{ZONE}"
    chain = [rrset_of(here, 5, 60, (name_to_wire(there),)), rrset_of(there, 5, 60, (name_to_wire(f"c.{ZONE}"),))]
    expected = RRset.of(RRType.CNAME, 60, (name_to_wire(there),))
    assert read(answer(here, 1, chain, rcode=3), here, 1) == (expected, False)
    assert read(answer(here, 1, [*chain, rrset_of(f"c.{ZONE}", 1, 5, (b"\1\1\1\1",))]), here, 1) == (expected, False)


def test_a_chain_whose_end_failed_is_still_a_cname() -> None:
    """BIND answers SERVFAIL, with the alias, where a wildcard alias points below itself."""
    here = f"a.{ZONE}"
    alias = rrset_of(here, 5, 60, (name_to_wire(f"b.{ZONE}"),))
    expected = RRset.of(RRType.CNAME, 60, (name_to_wire(f"b.{ZONE}"),))
    assert read(answer(here, 1, [alias], rcode=2), here, 1) == (expected, False)
    value, _ = answers.read_answer(
        answer(here, 1, [rrset_of(here, 1, 5, (b"\1\1\1\1",))], rcode=2), wire.encode_question(here, 1), 1
    )
    assert isinstance(value, Unknown)


def test_what_absence_is() -> None:
    here = f"a.{ZONE}"
    assert read(answer(here, 1, []), here, 1) == (None, False)
    assert read(answer(here, 1, [], rcode=3), here, 1) == (None, True)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer(f"a.{ZONE}", 1, [], flags=0), "not authoritative"),
        (answer(f"a.{ZONE}", 1, [], flags=dns.flags.AA | dns.flags.TC), "truncated"),
        (answer(f"a.{ZONE}", 1, [], rcode=2), "SERVFAIL"),
        (answer(f"a.{ZONE}", 1, [], rcode=5), "REFUSED"),
        (answer(f"a.{ZONE}", 1, [], rcode=11), "rcode 11"),
        (answer(f"b.{ZONE}", 1, []), "another question"),
        (b"", "malformed"),
        (answer(f"a.{ZONE}", 1, [rrset_of(f"a.{ZONE}", 1, 5, (b"\1\1\1\1",))])[:-1], "malformed"),
    ],
)
def test_what_is_unknown(reply: bytes, why: str) -> None:
    value, absent = answers.read_answer(reply, wire.encode_question(f"a.{ZONE}", 1), 1)
    assert isinstance(value, Unknown)
    assert why in value.why
    assert not absent


def test_a_ttl_with_the_top_bit_is_zero() -> None:
    """RFC 2181 §8."""
    reply = bytearray(answer(ZONE, 1, [rrset_of(ZONE, 1, 5, (b"\1\1\1\1",))]))
    at = reply.rindex(struct.pack("!IH", 5, 4))
    reply[at] = 0x80
    assert read(bytes(reply), ZONE, 1) == (RRset.of(1, 0, (b"\1\1\1\1",)), False)


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # at itself
        b"\xc0\x0e\xc0\x0c",  # forwards
        b"\1a\xc0\x0c",  # a loop through a label
        b"\x40abc\0",  # an unknown kind of label
        b"\x3fabc",
        b"\xc0",
        b"",
    ],
)
def test_names_that_never_end(name: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_name(bytes(12) + name, 12)


def test_a_name_grows_no_longer_than_255_octets() -> None:
    """Pointers that each go backwards, through a message made of labels."""
    message = bytearray(bytes(12) + b"\x3f" + b"a" * 63 + b"\0")
    place = 12
    for _ in range(4):
        at = len(message)
        message += b"\x3f" + b"b" * 63 + struct.pack("!H", 0xC000 | place)
        place = at
    with pytest.raises(wire.WireError, match="too long"):
        wire.read_name(bytes(message), place)


def test_malformed_messages_are_wire_errors() -> None:
    """Ten thousand damaged answers (seed 20): nothing but WireError comes out, and nothing loops."""
    dice = random.Random(20)
    here = f"a.{ZONE}"
    originals = [
        answer(here, 16, [rrset_of(here, 16, 60, (b"\3abc", b"\3def"))]),
        answer(here, 1, [rrset_of(here, 1, 60, tuple(struct.pack("!I", one) for one in range(8)))]),
        answer(here, 1, [rrset_of(here, 5, 60, (name_to_wire(f"b.{ZONE}"),))]),
        answer(ZONE, 6, [dns.rrset.from_text(ZONE + ".", 60, "IN", "SOA", "ns. host. 1 2 3 4 5")]),
        wire.encode_update(1, ZONE, [Prerequisite(here, 16, (b"\1x",))], [Content(here, 1, 60, (b"\1\2\3\4",))]),
    ]
    outcomes: Counter[str] = Counter()
    for _ in range(10_000):
        octets = bytearray(dice.choice(originals))
        for _ in range(dice.randint(1, 4)):
            octets[dice.randrange(len(octets))] = dice.choice((0, 0xC0, 0xC0, 0xFF, dice.randrange(256)))
        damaged = bytes(octets[: dice.randint(0, len(octets))] if dice.random() < 0.3 else octets)
        for rtype in (1, 16, 5):
            answers.read_answer(damaged, wire.encode_question(here, rtype), rtype)
        for one in (find_tsig, transfer.Differences(ZONE, 1, None).take, _read_all):
            try:
                one(damaged)
                outcomes["read"] += 1
            except (wire.WireError, transfer.NoDifferences) as problem:
                outcomes[type(problem).__name__] += 1
    assert min(outcomes["read"], outcomes["WireError"], outcomes["NoDifferences"]) > 1000, outcomes


def _read_all(message: bytes) -> None:
    counts = wire.read_header(message).counts
    for record in wire.read_records(message, wire.skip_questions(message, counts[0]), sum(counts[1:])):
        wire.read_rdata(message, record)
        if record.rtype == 6:
            wire.read_serial(message, record)
