"""What is said of a tug-of-war: what they write, who they look like, what the verdict makes of it."""

from __future__ import annotations

import pytest

from harness.dnsservers import EmbeddedServer
from harness.zonetools import nsupdate
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.model.entry import Entry
from standfast.model.name import name_to_wire
from standfast.model.rrset import RRset, RRType, address_rdata
from standfast.runtime.presence import Present
from standfast.runtime.tugging import looks_like, quarrels, written_by_others

ZONE, NAME = "lb.example.com", "www.lb.example.com"


def a(*numbers: int, ttl: int = 60) -> RRset:
    return RRset.of(RRType.A, ttl, [address_rdata(f"192.0.2.{number}") for number in numbers])


ENTRY = Entry(name=NAME, zone=ZONE, since=1, rrsets=(a(1, 2),))


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (a(1, 2, 9), "writes 192.0.2.9"),
        (a(1), "takes 192.0.2.2 out"),
        (a(1, 2, ttl=300), "sets its TTL to 300"),
        (a(1, 9, ttl=300), "writes 192.0.2.9, takes 192.0.2.2 out and sets its TTL to 300"),
        (a(1, 2, *range(11, 16)), "writes 192.0.2.11, 192.0.2.12, 192.0.2.13 and 2 more"),
        (RRset.of(RRType.CNAME, 60, [name_to_wire("x.example.net")]), "makes it a CNAME to x.example.net"),
        (None, "takes 192.0.2.1, 192.0.2.2 out"),
    ],
)
def test_what_they_write(theirs: RRset | None, said: str) -> None:
    assert written_by_others(ENTRY, (theirs, None)) == said


@pytest.mark.parametrize(
    ("owner", "text", "tool"),
    [
        (NAME, "heritage=external-dns,external-dns/owner=default", "external-dns"),
        (f"a-{NAME}", "heritage=external-dns,external-dns/owner=default", "external-dns"),
        (f"octodns-meta.{ZONE}", "time=2026-11-28T12:00:00", "octoDNS"),
        (NAME, "v=spf1 -all", ""),
    ],
)
def test_who_they_look_like(embedded: EmbeddedServer, owner: str, text: str, tool: str) -> None:
    assert nsupdate(embedded, [f'update add {owner} 60 TXT "{text}"']).rcode == "NOERROR"
    provider = Rfc2136Provider(ZONE, embedded.host, embedded.port, None)
    try:
        assert looks_like(provider.perform, ZONE, NAME) == tool
    finally:
        provider.close()


def test_the_verdict_says_each_once_and_both_ways_out() -> None:
    tug = {"name": NAME, "zone": ZONE, "writes": "writes 192.0.2.9", "after_s": 61.0, "tool": "octoDNS"}
    troubles = [f"{NAME}: left: its A rrset was changed", "api.lb.example.com: refused: REFUSED"]
    facts = {"tugs": [tug], "put_back": {NAME: 3, "old.lb.example.com": 4}, "troubles": troubles}
    enactors = [Present("enactor", who, 1, 0.0, True, facts) for who in ("a", "b")]
    found = list(quarrels(enactors))
    assert found[0][0] == (
        "www: somebody writes 192.0.2.9, again 1 min after it was put back; it looks like octoDNS. It is left so. "
        "To let it win: `standfast freeze www`. To stop it: take www out of that tool (docs/beside-octodns.md)."
    )
    assert [(command, code) for _, command, code in found] == [
        ("standfast freeze www", 3),
        ("standfast explain old.lb.example.com", 2),
        ("standfast check", 3),
    ]
    assert "was put back 8 times" in found[1][0]
