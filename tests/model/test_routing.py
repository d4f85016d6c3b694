"""Routed rrsets: one form for one variant, how many addresses they answer with, and what could not be one."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from standfast.core.guard import entry_violations
from standfast.model.entry import Entry
from standfast.model.routing import Variant, effective, read_variant, variant_problem
from standfast.model.rrset import RRset, RRType, address_rdata, answer_count, answers_type, type_name

fixed = settings(derandomize=True, deadline=None, max_examples=200, database=None)
VARIANTS = st.builds(
    Variant,
    identifier=st.text(max_size=8),
    policy=st.sampled_from(["alias", "weighted", "multivalue"]),
    weight=st.integers(0, 255),
    target=st.sampled_from(["", "a.example.com", "b.example.com"]),
    address=st.sampled_from([b"", b"\x0a\0\0\1", bytes(16)]),
    health_check=st.sampled_from(["", "11111111-2222"]),
    ttl=st.integers(0, 600),
    target_zone=st.sampled_from(["", "Z1"]),
    evaluates=st.booleans(),
)


def multivalue(*addresses: str, ttl: int = 60) -> RRset:
    variants = [Variant(f"lb-{n}", "multivalue", address=address_rdata(a), ttl=ttl) for n, a in enumerate(addresses)]
    return RRset.of(RRType.ROUTED_A, ttl, [one.encode() for one in variants])


@fixed
@given(VARIANTS, VARIANTS)
def test_equal_variants_have_equal_bytes_and_come_back(one: Variant, other: Variant) -> None:
    assert read_variant(one.encode()) == one
    assert (one.encode() == other.encode()) is (one == other)


@fixed
@given(st.binary(max_size=40))
def test_other_bytes_are_refused_and_never_break(octets: bytes) -> None:
    with suppress(ValueError):
        assert read_variant(octets).encode() == octets
    assert answer_count(RRType.ROUTED_A, (octets,)) <= 1


def test_what_is_not_canonical_is_refused() -> None:
    longer = msgpack.encode([*msgpack.decode(Variant("a", "multivalue").encode()), "more"])
    with pytest.raises(ValueError, match="canonical"):
        read_variant(longer)


def test_addresses_are_counted_once_and_weight_nothing_not_at_all() -> None:
    some = [("a", 3, "192.0.2.1"), ("b", 0, "192.0.2.2"), ("c", 5, "192.0.2.1")]
    variants = [Variant(who, "weighted", weight, address=address_rdata(a), ttl=60) for who, weight, a in some]
    rrset = RRset.of(RRType.ROUTED_A, 60, [one.encode() for one in variants])
    assert rrset.count == 1
    assert rrset.texts() == ("192.0.2.1",)
    idle = [Variant(one.identifier, "weighted", 0, address=one.address, ttl=60) for one in variants]
    assert RRset.of(RRType.ROUTED_A, 60, [one.encode() for one in idle]).count == 2
    assert effective(rrset.rdata) == tuple(one for one in map(read_variant, rrset.rdata) if one.weight)


def test_a_target_counts_as_one_and_is_no_address() -> None:
    rrset = RRset.of(RRType.ROUTED_AAAA, 0, [Variant("", "alias", target="tree.example.com").encode()])
    assert (rrset.count, rrset.octets(), rrset.texts()) == (1, (), ("tree.example.com.",))
    assert (rrset.answers, type_name(rrset.rtype)) == (RRType.AAAA, "AAAA")
    assert answers_type(RRType.TXT) == RRType.TXT


@pytest.mark.parametrize(
    ("variant", "why"),
    [
        (Variant("a", "multivalue"), "either an address or a target"),
        (Variant("a", "multivalue", address=b"\1\2", ttl=60), "2 octets"),
        (Variant("a", "alias", target="x.example.com"), "no identifier"),
        (Variant("", "weighted", 1, address=b"\1\2\3\4"), "identifier"),
        (Variant("i" * 129, "weighted", 1, address=b"\1\2\3\4"), "129 characters"),
        (Variant("a", "multivalue", target="x.example.com"), "multivalue"),
        (Variant("a", "weighted", 256, address=b"\1\2\3\4"), "256"),
        (Variant("a", "weighted", 1, target="x.example.com", ttl=60), "no TTL"),
        (Variant("a", "weighted", 1, address=b"\1\2\3\4", target_zone="Z1"), "only an alias"),
    ],
)
def test_what_route53_would_refuse_is_said(variant: Variant, why: str) -> None:
    assert why in variant_problem(variant, 4)
    assert not variant_problem(Variant("a", "weighted", 255, address=b"\1\2\3\4", ttl=60), 4)


def entry_of(rrset: RRset, least: int = 1, **more: object) -> Entry:
    return Entry("example.com", "www.example.com", 1, rrsets=(rrset,), min_answers=((RRType.A, least),), **more)  # type: ignore[arg-type]


def test_the_guard_counts_what_is_answered() -> None:
    fine = multivalue("192.0.2.1", "192.0.2.2")
    assert not entry_violations(entry_of(fine, 2, layout="multivalue"))
    assert entry_of(fine).rrset(RRType.A) == fine
    assert [one.rule for one in entry_violations(entry_of(fine, 3, layout="multivalue"))] == ["min_answers"]
    assert [one.rule for one in entry_violations(entry_of(fine, 2))] == ["layout"]
    twice = [Variant("lb", "multivalue", address=address_rdata(f"192.0.2.{n}"), ttl=60).encode() for n in (1, 2)]
    found = entry_violations(entry_of(RRset.of(RRType.ROUTED_A, 60, twice), layout="multivalue"))
    assert "one identifier" in found[0].text
    odd = multivalue("224.0.0.1", ttl=60)
    assert "multicast" in entry_violations(entry_of(odd, layout="multivalue"))[0].text


def test_the_layout_is_part_of_what_is_asked_for() -> None:
    rrset = multivalue("192.0.2.1")
    assert not entry_of(rrset, layout="multivalue").same_contents(entry_of(rrset, layout="tree"))
