"""Markers and floors: what was written is read, and whatever was not is damage, never an exception."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.model.marker import (
    ABSENT,
    GENERATION_MAX,
    Damaged,
    Floor,
    FloorState,
    Marker,
    MarkerState,
    floor_rdata,
    marker_rdata,
    read_floor,
    read_marker,
)
from standfast.model.rrset import RRset, RRType, txt_rdata

fixed = settings(derandomize=True, deadline=None, max_examples=200, database=None)
ZONE, OWNER = "example.com", "www._standfast.example.com"
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)
hexadecimal = st.text("0123456789abcdef", min_size=16, max_size=16)
generations = st.integers(0, GENERATION_MAX)
marker_states: list[MarkerState] = ["live", "frozen", "placeholder", "retired"]
floor_states: list[FloorState] = ["live", "frozen"]
markers = st.builds(
    lambda stream, numbers, plan, state, writer, nonce: Marker(
        stream, min(numbers), max(numbers), plan, state, writer, nonce
    ),
    names,
    st.tuples(generations, generations),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.sampled_from(marker_states),
    names,
    hexadecimal,
)
floors = st.builds(Floor, names, generations, st.sampled_from(floor_states), hexadecimal)
SAMPLE = Marker("main", 41, 57, "ab" * 16, "live", "enactor-2", "0123456789abcdef")


def txt(*rdata: bytes) -> RRset:
    return RRset.of(RRType.TXT, 60, rdata)


@fixed
@given(markers)
def test_a_marker_is_read_as_it_was_written(marker: Marker) -> None:
    assert read_marker(txt(marker_rdata(marker, ZONE, OWNER)), ZONE, OWNER) == marker


@fixed
@given(floors)
def test_a_floor_is_read_as_it_was_written(floor: Floor) -> None:
    assert read_floor(txt(floor_rdata(floor, ZONE, OWNER)), ZONE, OWNER) == floor


@fixed
@given(markers, floors)
def test_one_string_of_at_most_255_octets_in_lower_case(marker: Marker, floor: Floor) -> None:
    for rdata in (marker_rdata(marker, ZONE, OWNER), floor_rdata(floor, ZONE, OWNER)):
        assert rdata[0] + 1 == len(rdata) <= 256
        assert rdata[1:] == rdata[1:].lower()


def test_the_longest_permitted_fields_fit() -> None:
    longest = Marker("s" * 32, GENERATION_MAX, GENERATION_MAX, "f" * 32, "placeholder", "w" * 32, "0" * 16)
    rdata = marker_rdata(longest, ZONE, OWNER)
    assert len(rdata) <= 256
    assert read_marker(txt(rdata), ZONE, OWNER) == longest
    floor = Floor("s" * 32, GENERATION_MAX, "frozen", "0" * 16)
    assert read_floor(txt(floor_rdata(floor, ZONE, OWNER)), ZONE, OWNER) == floor


def test_any_single_octet_changed_is_damage() -> None:
    rdata = marker_rdata(SAMPLE, ZONE, OWNER)
    for place in range(len(rdata)):
        for octet in range(256):
            if octet != rdata[place]:
                changed = rdata[:place] + bytes((octet,)) + rdata[place + 1 :]
                reading = read_marker(txt(changed), ZONE, OWNER)
                assert isinstance(reading, Damaged), f"octet {place} as {octet}: {reading}"
                assert reading.rdata == (changed,)


def test_any_octet_removed_repeated_or_exchanged_with_its_neighbour_is_damage() -> None:
    text = marker_rdata(SAMPLE, ZONE, OWNER)[1:].decode()
    for place in range(len(text)):
        for changed in (
            text[:place] + text[place + 1 :],
            text[:place] + text[place] + text[place:],
            text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :],
        ):
            if changed != text:
                assert isinstance(read_marker(txt(txt_rdata(changed)), ZONE, OWNER), Damaged), changed


def forged(fields: str) -> bytes:
    """These fields with the checksum that belongs to them: the forger knows the format."""
    from hashlib import sha256

    return txt_rdata(f"{fields} c={sha256(f'{ZONE}{chr(10)}{OWNER}{chr(10)}{fields}'.encode()).hexdigest()[:16]}")


def marker_fields(**changed: str) -> str:
    fields = {"s": "main", "n": "1", "g": "2", "p": "ab", "st": "live", "w": "w1", "x": "00"} | changed
    return "standfast1 k=marker " + " ".join(f"{key}={value}" for key, value in fields.items())


def test_the_forgery_below_is_otherwise_sound() -> None:
    assert read_marker(txt(forged(marker_fields())), ZONE, OWNER) == Marker("main", 1, 2, "ab", "live", "w1", "00")


good = marker_rdata(SAMPLE, ZONE, OWNER)


@pytest.mark.parametrize(
    ("rdata", "why"),
    [
        pytest.param((b"",), "not one character-string", id="no octets"),
        pytest.param((b"\0",), "not a marker", id="an empty string"),
        pytest.param((bytes(range(256)),), "not one character-string", id="binary"),
        pytest.param((b"\x04\xff\xfe\xfd\xfc",), "not ASCII", id="one binary string"),
        pytest.param((good + good,), "not one character-string", id="several strings"),
        pytest.param((good + b"\0",), "not one character-string", id="an empty string behind"),
        pytest.param((b"\xff" + b"a" * 255,), "not a marker", id="long"),
        pytest.param((b"\xff" + b"a" * 255 + b"\xff" + b"b" * 255,), "not one character-string", id="oversized"),
        pytest.param((b"\xff" + good[1:],), "not one character-string", id="cut off"),
        pytest.param((good, txt_rdata("v=spf1 -all")), "2 TXT records", id="several records"),
        pytest.param((txt_rdata("v=spf1 -all"),), "not a marker", id="somebody else's"),
        pytest.param((floor_rdata(Floor("main", 1, "live", "00"), ZONE, OWNER),), "not a marker", id="a floor"),
        pytest.param((marker_rdata(SAMPLE, ZONE, "ftp._standfast.example.com"),), "checksum", id="of another name"),
        pytest.param((marker_rdata(SAMPLE, "example.net", OWNER),), "checksum", id="of another zone"),
        pytest.param((good.upper(),), "not", id="in capitals"),
        pytest.param((forged(marker_fields(g=str(2**48 + 1))),), "out of range", id="far-future generation"),
        pytest.param((forged(marker_fields(g="9" * 80)),), "out of range", id="absurd generation"),
        pytest.param((forged(marker_fields(n="3")),), "out of range", id="since above generation"),
        pytest.param((forged(marker_fields(n="-1")),), "out of range", id="negative"),
        pytest.param((forged(marker_fields(n="")),), "out of range", id="empty number"),
        pytest.param((forged(marker_fields(st="thawed")),), "state 'thawed' is not known", id="unknown state"),
        pytest.param((forged(marker_fields(y="1")),), "fields are not those", id="a field too many"),
        pytest.param((forged(marker_fields(w="\x1b[2Jx")),), "control characters", id="for a terminal"),
        pytest.param((forged("standfast1 k=marker s=main n=1 g=2"),), "fields are not those", id="fields missing"),
        pytest.param((forged(marker_fields().replace("standfast1", "standfast2")),), "version", id="another version"),
    ],
)
def test_whatever_does_not_check_is_damage_with_its_octets(rdata: tuple[bytes, ...], why: str) -> None:
    reading = read_marker(txt(*rdata), ZONE, OWNER)
    assert isinstance(reading, Damaged)
    assert why in reading.why
    assert reading.rdata == tuple(sorted(rdata))
    assert isinstance(read_floor(txt(*rdata), ZONE, OWNER), Damaged | Floor)


@pytest.mark.parametrize(("generation", "state", "why"), [(2**48 + 1, "live", "out of range"), (1, "odd", "not known")])
def test_a_floor_beyond_its_limits_is_damage(generation: int, state: str, why: str) -> None:
    reading = read_floor(txt(forged(f"standfast1 k=floor s=main g={generation} st={state} x=00")), ZONE, OWNER)
    assert isinstance(reading, Damaged)
    assert why in reading.why


def test_a_record_of_another_type_is_damage_and_nothing_is_absent() -> None:
    cname = RRset.of(RRType.CNAME, 60, (b"\x03www\0",))
    for reading in (read_marker(cname, ZONE, OWNER), read_floor(cname, ZONE, OWNER)):
        assert isinstance(reading, Damaged)
    assert read_marker(None, ZONE, OWNER) == ABSENT == read_floor(None, ZONE, OWNER)


@fixed
@given(st.lists(st.binary(max_size=600), max_size=3))
def test_no_octets_raise(rdata: list[bytes]) -> None:
    for reading in (read_marker(txt(*rdata), ZONE, OWNER), read_floor(txt(*rdata), ZONE, OWNER)):
        assert isinstance(reading, Damaged) == bool(rdata)


@fixed
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120))
def test_no_fields_with_a_right_checksum_raise(fields: str) -> None:
    for kind in ("marker", "floor"):
        rdata = txt(forged(f"standfast1 k={kind} {fields}"))
        assert isinstance(read_marker(rdata, ZONE, OWNER), Damaged)
        assert isinstance(read_floor(rdata, ZONE, OWNER), Damaged)


@pytest.mark.parametrize(
    ("state", "frozen"), [("live", False), ("retired", False), ("frozen", True), ("placeholder", True)]
)
def test_nobody_writes_under_a_frozen_marker(state: MarkerState, frozen: bool) -> None:
    assert Marker("main", 0, 1, "ab", state, "w1", "00").frozen == frozen
