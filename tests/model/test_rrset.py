"""Rrsets: one form for one set of data, and text for people whatever the octets."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.model.rrset import RRset, RRType, address_rdata, address_type, addresses, rdata_text, txt_rdata

fixed = settings(derandomize=True, deadline=None, max_examples=200, database=None)


@fixed
@given(st.lists(st.binary(max_size=8), max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_leave_no_trace(rdata: list[bytes], generator: object) -> None:
    assert hasattr(generator, "shuffle")
    shuffled = rdata + rdata[:2]
    generator.shuffle(shuffled)
    assert RRset.of(1, 60, shuffled) == RRset.of(1, 60, rdata)
    assert hash(RRset.of(1, 60, shuffled)) == hash(RRset.of(1, 60, rdata))


def test_data_is_compared_without_ttl() -> None:
    rrset = RRset.of(1, 60, (b"\1\2\3\4",))
    assert rrset.same_data(RRset.of(1, 5, (b"\1\2\3\4",)))
    assert not rrset.same_data(RRset.of(1, 60, (b"\1\2\3\5",)))
    assert not rrset.same_data(RRset.of(28, 60, (b"\1\2\3\4",)))
    assert not rrset.same_data(None)
    assert rrset != RRset.of(1, 5, (b"\1\2\3\4",))


@fixed
@given(st.lists(st.ip_addresses().map(str), max_size=12))
def test_addresses_make_one_rrset_a_family_and_come_back_as_text(texts: list[str]) -> None:
    rrsets = addresses(60, texts)
    assert [rrset.rtype for rrset in rrsets] == sorted({address_type(text) for text in texts})
    assert {text for rrset in rrsets for text in rrset.texts()} == set(texts)
    for rrset in rrsets:
        assert {len(rdata) for rdata in rrset.rdata} == {4 if rrset.rtype == RRType.A else 16}


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.256", "010.0.0.1", "2001:db8::g", "www.example.com", "10.0.0.1/8", "fe80::1%eth0"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    for read in (address_type, address_rdata):
        with pytest.raises(ValueError, match=r"is not an address|does not appear"):
            read(text)


def test_address_rdata_is_in_wire_form() -> None:
    assert address_rdata("192.0.2.1") == b"\xc0\0\2\1"
    assert address_rdata("2001:db8::1") == ipaddress.IPv6Address("2001:db8::1").packed


def test_a_txt_string_holds_255_octets() -> None:
    assert txt_rdata("a" * 255) == b"\xff" + b"a" * 255
    assert txt_rdata("") == b"\0"
    with pytest.raises(ValueError, match="256 octets"):
        txt_rdata("a" * 256)
    with pytest.raises(ValueError, match="ascii"):
        txt_rdata("ä")


@pytest.mark.parametrize(
    ("rtype", "rdata", "text"),
    [
        (RRType.A, b"\xc0\0\2\1", "192.0.2.1"),
        (RRType.AAAA, ipaddress.IPv6Address("2001:db8::1").packed, "2001:db8::1"),
        (RRType.A, b"\xc0\0\2", "\\# 3 c00002"),
        (RRType.A, bytes(16), "\\# 16 " + "00" * 16),
        (RRType.AAAA, b"\xc0\0\2\1", "\\# 4 c0000201"),
        (RRType.CNAME, b"\3www\7example\0", "www.example."),
        (RRType.NS, b"\3ns1", "\\# 4 036e7331"),
        (RRType.TXT, b"\5hello\5world", '"hello" "world"'),
        (RRType.TXT, b'\3a"\\', '"a\\"\\\\"'),
        (RRType.TXT, b"\2\0\xff", '"\\000\\255"'),
        (RRType.TXT, b"\5hell", "\\# 5 0568656c6c"),
        (65280, b"\1\2", "\\# 2 0102"),
    ],
)
def test_rdata_as_people_read_it(rtype: int, rdata: bytes, text: str) -> None:
    assert rdata_text(rtype, rdata) == text


@fixed
@given(st.sampled_from([1, 2, 5, 6, 16, 28, 99]), st.binary(max_size=40))
def test_no_rdata_raises_or_leaves_ascii(rtype: int, rdata: bytes) -> None:
    text = rdata_text(rtype, rdata)
    assert text.isascii()
    assert text.isprintable()
