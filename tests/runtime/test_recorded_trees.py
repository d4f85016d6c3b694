"""What a journal says of a flip to a tree that no change has room for, and what an audit makes of that."""

from __future__ import annotations

import pytest
from msgspec import convert
from msgspec.structs import replace

from standfast.audit.findings import Findings
from standfast.audit.format import IntentLine
from standfast.audit.lines import Place
from standfast.audit.payloads import judge_intent
from standfast.core.raising import ELEMENTS, flipped
from standfast.model.entry import Entry, Member
from standfast.model.marker import Marker, marker_rdata
from standfast.model.name import floor_owner, marker_owner
from standfast.model.rrset import RRType, addresses
from standfast.model.tree import records
from standfast.ports.local import IntendedWrite, RecordIntent
from standfast.ports.provider import Content, Prerequisite, Replace, Write
from standfast.runtime.recording import intent_facts

ZONE, NAME = "example", "www.example"


def entry(count: int, least: int = 2) -> Entry:
    """A tree of dual-stack load balancers."""
    members = tuple(
        Member(f"lb-{n}", (f"10.{n // 256}.{n % 256}.1", f"2001:db8::{n:x}"), 10, True, "") for n in range(1, count + 1)
    )
    rrsets = addresses(60, [text for member in members for text in member.addresses])
    wanted = tuple((rrset.rtype, least) for rrset in rrsets)
    return Entry(ZONE, NAME, 7, rrsets=rrsets, min_answers=wanted, members=members, layout="tree")


def audited(one: Entry) -> tuple[str, str]:
    """The first flip to it, as it is told and then judged: the verdict on G1, and the doubt, or what is violated."""
    known = {(owner, rrset.answers): rrset for owner, rrset in records(one)}
    asserted, puts = flipped(one, (None, None), known, ELEMENTS)
    owner, floor = marker_owner(NAME, ZONE), floor_owner("main", ZONE)
    marker = marker_rdata(Marker("main", 7, 7, "d" * 16, "live", "e1", "0" * 16), ZONE, owner)
    write = Write(
        NAME, (Prerequisite(owner, RRType.TXT, ()), *asserted), (Content(owner, RRType.TXT, 60, (marker,)), *puts)
    )
    change = Replace(ZONE, Write(floor, (), ()), (write,))
    intended = IntendedWrite(NAME, None, 7, "test", kind="live", least=one.min_answers)
    facts = intent_facts(RecordIntent(ZONE, 7, "d" * 16, "0" * 16, (intended,), "main", change))
    findings = Findings()
    judge_intent(convert(facts, IntentLine), Place("enactor-e1.jsonl", 1), findings)
    told = next(one for one in findings.judged() if one.guarantee == "G1")
    broken = (one.text for one in findings.violations if one.guarantee == "G1")
    return told.verdict, " ".join([*broken, *(doubt.why for doubt in told.doubts)])


@pytest.mark.parametrize("count", [3, 100, 101, 130, 400])
def test_a_flip_asserts_whole_branches_of_a_large_tree(count: int) -> None:
    assert audited(entry(count)) == ("holds", "")


def test_where_less_than_min_answers_is_asserted_an_audit_cannot_tell() -> None:
    verdict, why = audited(entry(400, least=90))
    assert verdict == "cannot tell"
    assert "too large for one change" in why
    verdict, why = audited(replace(entry(3), min_answers=((int(RRType.A), 9),)))
    assert verdict == "violated", "a whole tree that has too few"
    assert "3 A where min_answers is 9" in why
