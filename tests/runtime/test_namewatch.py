"""Names asked by DNS: who is suspect, how often, and that silence makes nobody so."""

from __future__ import annotations

import pytest

from standfast.model.entry import Entry, Member
from standfast.model.name import name_to_wire
from standfast.model.rrset import RRset, RRType, addresses
from standfast.runtime.namewatch import LOOKS, RATE_MAX, complaint, round_s

ZONE = "lb.example.com"
A, AAAA = int(RRType.A), int(RRType.AAAA)


def entry(*texts: str, alias: str = "") -> Entry:
    members = (Member("lb-1", texts, 1, True, "", alias=alias),)
    return Entry(ZONE, f"www.{ZONE}", 7, "live", addresses(60, texts), (), members=members)


def answer(*texts: str) -> RRset:
    return addresses(60, texts)[0]


@pytest.mark.parametrize(
    ("reading", "settled", "said"),
    [
        (answer("192.0.2.1", "192.0.2.2"), True, ""),
        (answer("192.0.2.1"), True, ""),
        (None, True, "no A record"),
        (None, False, "no A record"),
        (answer("192.0.2.1", "192.0.2.9"), True, "an A record that no plan has"),
        (answer("192.0.2.9"), False, ""),
        (RRset.of(RRType.CNAME, 60, [name_to_wire("elsewhere.example")]), False, "a CNAME in place of an A record"),
    ],
)
def test_an_answer_beside_the_plan(reading: RRset | None, settled: bool, said: str) -> None:
    assert complaint(entry("192.0.2.1", "192.0.2.2"), A, reading, settled=settled) == said


def test_a_family_that_is_not_served_may_be_missing() -> None:
    assert complaint(entry("192.0.2.1"), AAAA, None, settled=True) == ""
    assert complaint(entry("192.0.2.1", "2001:db8::1"), AAAA, None, settled=True) == "no AAAA record"


def test_what_a_name_answers_is_not_ours_to_know_but_it_answers_something() -> None:
    named = entry("192.0.2.1", alias="edge.example.")
    assert complaint(named, A, answer("198.51.100.1"), settled=True) == ""
    assert complaint(named, A, None, settled=True) == "no A record"


def test_a_round_is_within_a_minute_up_to_25_000_names_in_both_families() -> None:
    assert round_s(5.0, 50) == LOOKS * 5.0 == 45.0
    assert round_s(5.0, 25_000) == 2 * 25_000 / RATE_MAX == 50.0
