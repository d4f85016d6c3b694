"""Lookup in one zone: RFC 1034 §4.3.2, RFC 4592 (its own example zone), RFC 2308, RFC 8482."""

import random
from collections.abc import Iterable

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from standfast.adapters.nameserver import ZoneStore
from standfast.adapters.nameserver.wire import name_to_wire
from standfast.adapters.nameserver.zone import Answer, RRset, Zone, is_within, serial_is_newer

RFC_4592 = """
$TTL 3600
@ SOA ns1 hostmaster 7 3600 600 86400 300
* TXT "this is a wildcard"
* MX 10 host1
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host2
subdel NS ns.example.com.
subdel NS ns.inside.subdel
ns.inside.subdel A 192.0.2.53
"""
PLAIN = """
$TTL 60
www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
alias CNAME Www
far CNAME www.elsewhere.test.
chain CNAME alias
broken CNAME gone
loop1 CNAME loop2
loop2 CNAME loop1
cut CNAME host.below
below NS ns.below
below DS 1 8 2 e2d3c916f6deeac73294e8268fb5885044a833fc5459588f4a9184cfc41a5766
ns.below A 192.0.2.9
*.any CNAME www
a.very.deep A 192.0.2.7
"""


def zone_of(seed: str, apex: str = "example.") -> Zone:
    store = ZoneStore.open(":memory:", apex, seed=seed)
    store.close()
    return store.zone


def text(rrsets: Iterable[RRset]) -> list[str]:
    """Records as `name TYPE rdata`, names relative to nothing, in order of appearance."""
    lines = []
    for rrset in rrsets:
        owner = dns.name.from_wire(rrset.owner, 0)[0].to_text(omit_final_dot=True)
        rdtype = dns.rdatatype.RdataType.make(rrset.rdtype)
        for rdata in rrset.rdatas:
            parsed = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, rdata, 0, len(rdata))
            lines.append(f"{owner} {rdtype.name} {parsed}")
    return lines


def ask(zone: Zone, qname: str, qtype: str) -> Answer:
    return zone.answer(name_to_wire(qname), dns.rdatatype.from_text(qtype))


LOOKUPS = [  # zone, name, type, rcode, types in answer with owner, types in authority
    ("4592 §2.2.1 synthesised", RFC_4592, "host3.example.", "MX", 0, ["host3.example MX 10 host1.example."], []),
    ("4592 §2.2.1 no such type", RFC_4592, "host3.example.", "A", 0, [], ["SOA"]),
    ("4592 §2.2.1 deeper", RFC_4592, "foo.bar.example.", "TXT", 0, ['foo.bar.example TXT "this is a wildcard"'], []),
    ("4592 §2.2.1 name exists", RFC_4592, "host1.example.", "MX", 0, [], ["SOA"]),
    ("4592 §2.2.1 not a wildcard", RFC_4592, "sub.*.example.", "MX", 0, [], ["SOA"]),
    ("4592 §2.2.1 encloser exists", RFC_4592, "_telnet._tcp.host1.example.", "SRV", 3, [], ["SOA"]),
    ("4592 §2.2.1 below the asterisk", RFC_4592, "ghost.*.example.", "MX", 3, [], ["SOA"]),
    ("4592 §2.2.2 empty non-terminal", RFC_4592, "_tcp.host1.example.", "A", 0, [], ["SOA"]),
    ("4592 §2.2.3 non-terminal stops wildcard", RFC_4592, "host2.example.", "TXT", 0, [], ["SOA"]),
    ("4592 §2.1.1 the wildcard itself", RFC_4592, "*.example.", "MX", 0, ["*.example MX 10 host1.example."], []),
    ("1034 §4.3.2 3b referral", RFC_4592, "host.subdel.example.", "A", 0, [], ["NS", "NS"]),
    ("1034 §4.3.2 3b cut itself", RFC_4592, "subdel.example.", "NS", 0, [], ["NS", "NS"]),
    ("1034 §4.3.2 3b glue is not ours", RFC_4592, "ns.inside.subdel.example.", "A", 0, [], ["NS", "NS"]),
    ("exact, case kept as stored", PLAIN, "WWW.example.", "AAAA", 0, ["www.example AAAA 2001:db8::1"], []),
    ("no data", PLAIN, "www.example.", "TXT", 0, [], ["SOA"]),
    ("no name", PLAIN, "nope.example.", "A", 3, [], ["SOA"]),
    ("deep non-terminal", PLAIN, "very.deep.example.", "A", 0, [], ["SOA"]),
    ("CNAME asked for", PLAIN, "alias.example.", "CNAME", 0, ["alias.example CNAME Www.example."], []),
    ("CNAME to nothing (6604 §3)", PLAIN, "broken.example.", "A", 3, ["broken.example CNAME gone.example."], ["SOA"]),
    ("CNAME, no data", PLAIN, "alias.example.", "MX", 0, ["alias.example CNAME Www.example."], ["SOA"]),
    ("CNAME out of the zone", PLAIN, "far.example.", "A", 0, ["far.example CNAME www.elsewhere.test."], []),
    ("CNAME below a cut", PLAIN, "cut.example.", "A", 0, ["cut.example CNAME host.below.example."], ["NS"]),
    ("3658 §2.2 DS is the parent's", PLAIN, "below.example.", "DS", 0, ["DS"], []),
    ("8482 §4.1 one rrset", PLAIN, "www.example.", "ANY", 0, ["192.0.2.1", "192.0.2.2"], []),
    ("8482 ANY of nothing", PLAIN, "nope.example.", "ANY", 3, [], ["SOA"]),
]


@pytest.mark.parametrize(
    ("seed", "qname", "qtype", "rcode", "answer", "authority"),
    [case[1:] for case in LOOKUPS],
    ids=[c[0] for c in LOOKUPS],
)
def test_lookup(seed: str, qname: str, qtype: str, rcode: int, answer: list[str], authority: list[str]) -> None:
    got = ask(zone_of(seed), qname, qtype)
    assert got.rcode == rcode
    lines = text(got.answer)
    assert len(lines) == len(answer)
    assert all(part in line for part, line in zip(answer, lines, strict=True))
    assert [line.split()[1] for line in text(got.authority)] == authority


def test_chain_inside_the_zone_is_followed_with_the_owner_of_each_step() -> None:
    got = ask(zone_of(PLAIN), "x.y.any.example.", "A")
    assert text(got.answer) == [
        "x.y.any.example CNAME www.example.",
        "www.example A 192.0.2.1",
        "www.example A 192.0.2.2",
    ]
    assert len(text(ask(zone_of(PLAIN), "chain.example.", "A").answer)) == 4


def test_loops_and_long_chains_end() -> None:
    assert len(ask(zone_of(PLAIN), "loop1.example.", "A").answer) == 2
    long = zone_of("\n".join(f"c{n} 60 CNAME c{n + 1}" for n in range(40)))
    assert len(ask(long, "c0.example.", "A").answer) == 17


def test_referral_is_not_authoritative_and_brings_glue() -> None:
    got = ask(zone_of(RFC_4592), "host.subdel.example.", "A")
    assert not got.authoritative
    assert text(got.additional) == ["ns.inside.subdel.example A 192.0.2.53"]
    assert ask(zone_of(PLAIN), "cut.example.", "A").authoritative  # the first owner is ours: RFC 1034 §6.2.7


def test_negative_ttl_is_the_smaller_of_soa_ttl_and_minimum() -> None:
    assert ask(zone_of(PLAIN), "nope.example.", "A").authority[0].ttl == 5
    short = zone_of("@ 2 SOA ns1 hostmaster 7 3600 600 86400 300")
    assert ask(short, "nope.example.", "A").authority[0].ttl == 2


@pytest.mark.parametrize(
    ("new", "old", "newer"),
    [(1, 0, True), (0, 0, False), (0, 1, False), (0, 2**32 - 1, True), (2**31, 0, False), (2**31 - 1, 0, True)],
)
def test_serial_arithmetic(new: int, old: int, newer: bool) -> None:
    """RFC 1982 §3.2."""
    assert serial_is_newer(new, old) is newer


def test_within_compares_labels_not_text() -> None:
    apex = name_to_wire("example.")
    assert is_within(name_to_wire("a.example."), apex)
    assert not is_within(name_to_wire("anexample."), apex)
    assert not is_within(name_to_wire("example.com."), apex)


def test_a_zone_changed_step_by_step_answers_like_one_made_at_once() -> None:
    """Non-terminals come and go with what is below them, and older zones do not change."""
    rng = random.Random(20260101)
    labels = ["a", "b", "*"]
    names = [".".join(rng.choices(labels, k=rng.randint(1, 4))) + ".example." for _ in range(40)]
    questions = names + ["z." + name for name in names] + [name.partition(".")[2] for name in names]
    base = zone = zone_of("")
    held: dict[tuple[bytes, int], RRset | None] = {}
    for step in range(300):
        change: dict[tuple[bytes, int], RRset | None] = {}
        for name in rng.sample(names, 2):
            owner = name_to_wire(name)
            rrset = RRset(owner, 16, 60, (b"\x01x",)) if rng.random() < 0.5 else None
            change[owner, 16] = rrset
        older, zone = zone, zone.with_rrsets(change)
        before = {name: ask(older, name, "TXT").rcode for name in questions} if step % 50 == 0 else {}
        held.update(change)
        if step % 10 == 0:
            fresh = base.with_rrsets(held)
            assert list(fresh) == list(zone)
            assert [ask(fresh, n, "TXT") for n in questions] == [ask(zone, n, "TXT") for n in questions]
        assert before == {name: ask(older, name, "TXT").rcode for name in before}
