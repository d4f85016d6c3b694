"""Owner names: how they are written, and that no two endpoints share a marker's owner."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from standfast.model.name import (
    first_name,
    floor_owner,
    is_below,
    marker_owner,
    name_from_wire,
    name_to_wire,
    parse_name,
    parse_stream,
    relative,
    reserved_label,
)

fixed = settings(derandomize=True, deadline=None, max_examples=200, database=None)
APEX = "example.com"
label = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", fullmatch=True)
inner = st.one_of(
    st.just(""),
    st.lists(label, min_size=1, max_size=4).map(".".join),
    st.lists(label, max_size=3).map(lambda labels: ".".join(["*", *labels])),
)


def below(text: str, apex: str = APEX) -> str:
    return f"{text}.{apex}" if text else apex


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("www.example.com", "www.example.com"),
        ("WWW.Example.COM.", "www.example.com"),
        ("  www.example.com ", "www.example.com"),
        ("*.example.com", "*.example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("a" * 63 + ".com", "a" * 63 + ".com"),
        ("no", "no"),
        (".".join(["a" * 63] * 3 + ["a" * 61]), ".".join(["a" * 63] * 3 + ["a" * 61])),
    ],
)
def test_a_name_is_lower_case_without_the_dot_behind(text: str, name: str) -> None:
    assert parse_name(text) == name
    assert parse_name(name) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        (".", "is empty"),
        ("www..example.com", "two dots side by side"),
        (".example.com", "a dot in front"),
        ("bücher.example", "A-label"),
        ("a" * 64 + ".com", "at most 63"),
        ("www.*.com", "whole first label"),
        ("w*.example.com", "whole first label"),
        ("-www.example.com", "not first or last"),
        ("www-.example.com", "not first or last"),
        ("w w.example.com", "use letters"),
        ("www.example.com\n.org", "use letters"),
        (".".join(["a" * 63] * 3 + ["a" * 62]), "256 octets; a name has at most 255"),
    ],
)
def test_what_is_no_name_is_refused_with_how_to_write_it(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_name(text)


@pytest.mark.parametrize("text", ["main", "a", "eu-west-1", "a" * 32])
def test_a_stream_may_be_called(text: str) -> None:
    assert parse_stream(text) == text


@pytest.mark.parametrize("text", ["", "Main", "a" * 33, "-a", "a-", "a.b", "a_b", "a b", "main\n"])
def test_a_stream_may_not_be_called(text: str) -> None:
    with pytest.raises(ValueError, match="use 1 to 32"):
        parse_stream(text)


@fixed
@given(inner, inner)
def test_distinct_endpoints_have_distinct_marker_owners(one: str, other: str) -> None:
    for text in (one, other):
        assume(len(below(text)) <= 253 and reserved_label(below(text), APEX) is None)
    same = marker_owner(below(one), APEX) == marker_owner(below(other), APEX)
    assert same == (one == other)


@fixed
@given(inner)
def test_a_marker_s_owner_is_a_name_below_our_subtree_and_nobody_s_endpoint(text: str) -> None:
    name = below(text)
    assume(len(name) <= 253 and reserved_label(name, APEX) is None)
    owner = marker_owner(name, APEX)
    assert parse_name(owner) == owner
    assert owner.endswith("._standfast.example.com")
    assert "*" not in owner
    assert reserved_label(owner, APEX) is not None
    assert owner not in (floor_owner("main", APEX), marker_owner(first_name("main", APEX), APEX))


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("www.example.com", "www._standfast.example.com"),
        ("a.b.example.com", "a.b._standfast.example.com"),
        ("*.example.com", "_any._standfast.example.com"),
        ("*.b.example.com", "_any.b._standfast.example.com"),
        ("example.com", "_apex._standfast.example.com"),
    ],
)
def test_where_markers_live(name: str, owner: str) -> None:
    assert marker_owner(name, APEX) == owner


def test_an_owner_too_long_for_a_name_is_hashed() -> None:
    lengths = {}
    for last in range(30, 64):
        name = below(".".join(["a" * 63, "b" * 63, "c" * 63, "d" * last]))
        if len(name) <= 253:
            owner = marker_owner(name, APEX)
            assert parse_name(owner) == owner
            lengths[owner] = last
            assert owner.startswith("_h-") == (len(f"{relative(name, APEX)}._standfast.{APEX}") + 2 > 255)
    hashed = [owner for owner in lengths if owner.startswith("_h-")]
    assert len(hashed) > 5
    assert len(hashed) < len(lengths)


def test_floors_and_first_entries() -> None:
    assert floor_owner("main", APEX) == "main._floor._standfast.example.com"
    assert first_name("main", APEX) == "main._first.example.com"
    assert marker_owner(first_name("main", APEX), APEX) == "main._first._standfast.example.com"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("www.example.com", None),
        ("example.com", None),
        ("*.example.com", None),
        ("_standfast.example.com", "_standfast"),
        ("www._standfast.example.com", "_standfast"),
        ("main._floor.example.com", "_floor"),
        ("x._first.example.com", "_first"),
        ("_any.example.com", "_any"),
        ("_apex.example.com", "_apex"),
        ("_h-0123.example.com", "_h-"),
        ("_dmarc.example.com", None),
    ],
)
def test_our_own_labels_are_not_for_endpoints(name: str, found: str | None) -> None:
    label = reserved_label(name, APEX)
    assert (label is None) == (found is None)
    assert label is None or label.startswith(found or "?")


def test_a_name_outside_the_zone_is_refused() -> None:
    assert is_below("www.example.com", APEX)
    assert is_below(APEX, APEX)
    assert not is_below("wwwexample.com", APEX)
    assert not is_below("com", APEX)
    with pytest.raises(ValueError, match="is not in zone"):
        marker_owner("www.example.net", APEX)


@fixed
@given(inner)
def test_wire_form_is_read_back(text: str) -> None:
    name = below(text)
    assert name_from_wire(name_to_wire(name)) == name


@fixed
@given(st.binary(max_size=80))
def test_octets_that_are_no_name_are_refused_with_words(wire: bytes) -> None:
    try:
        text = name_from_wire(wire)
    except ValueError as error:
        text = str(error).partition("wire form")[0]
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("wire", [b"", b"\x03www", b"\x03ww", b"\xc0\x0c", b"\x03www\0\0", b"\x40" + b"a" * 64 + b"\0"])
def test_cut_off_compressed_or_continued_names_are_refused(wire: bytes) -> None:
    with pytest.raises(ValueError, match="wire form"):
        name_from_wire(wire)
