"""What the stand-in's DNS servers answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from harness.route53 import Route53, running
from laboratory.zone53 import Zone53


def ask(route53: Route53, name: str, kind: str = "A", server: int = 0, tcp: bool = False) -> dns.message.Message:
    host, port = route53.dns[server]
    query = dns.message.make_query(name, kind)
    if tcp:
        return dns.query.tcp(query, host, timeout=60, port=port)
    return dns.query.udp(query, host, timeout=60, port=port)


def data(reply: dns.message.Message) -> list[str]:
    return sorted(f"{one.name} {one.ttl} {record}" for one in reply.answer for record in one)


def soa_owner(reply: dns.message.Message) -> str:
    assert len(reply.authority) == 1
    assert reply.authority[0].rdtype == dns.rdatatype.SOA
    assert reply.authority[0].ttl == 900
    return str(reply.authority[0].name)


@pytest.mark.parametrize("tcp", [False, True])
def test_plain_sets(route53: Route53, zone: Zone53, tcp: bool) -> None:
    zone.create_set(zone.a("www", "192.0.2.1", "192.0.2.2", ttl=5))
    zone.create_set(zone.rr("www", "TXT", '"one" "two"'))
    reply = ask(route53, zone.name("WWW"), tcp=tcp)
    assert data(reply) == [f"{zone.name('WWW')} 5 192.0.2.{n}" for n in (1, 2)]
    assert reply.flags & dns.flags.AA
    assert data(ask(route53, zone.name("www"), "TXT", tcp=tcp)) == [f'{zone.name("www")} 60 "one" "two"']


def test_no_name_and_no_data_are_two_things(route53: Route53, zone: Zone53) -> None:
    zone.create_set(zone.a("deep.below", "192.0.2.1"))
    for name, rcode in (
        ("absent", dns.rcode.NXDOMAIN),
        ("below", dns.rcode.NOERROR),
        ("deep.below", dns.rcode.NOERROR),
    ):
        reply = ask(route53, zone.name(name), "AAAA")
        assert (reply.rcode(), reply.answer) == (rcode, [])
        assert soa_owner(reply) == zone.apex
    zone.change(("DELETE", zone.a("deep.below", "192.0.2.1")))
    assert ask(route53, zone.name("below"), "AAAA").rcode() == dns.rcode.NXDOMAIN


def test_the_apex_has_soa_and_ns(route53: Route53, zone: Zone53) -> None:
    assert len(data(ask(route53, zone.apex, "NS"))) == 4
    assert "awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400" in data(ask(route53, zone.apex, "SOA"))[0]


def test_other_zones_are_refused(route53: Route53) -> None:
    assert ask(route53, "www.nobody.example.").rcode() == dns.rcode.REFUSED


def test_wildcards(route53: Route53, zone: Zone53) -> None:
    zone.create_set(zone.a("*", "192.0.2.1"))
    zone.create_set(zone.a("a.b", "192.0.2.2"))
    assert data(ask(route53, zone.name("any.name"))) == [f"{zone.name('any.name')} 60 192.0.2.1"]
    assert ask(route53, zone.name("x.b")).rcode() == dns.rcode.NXDOMAIN, "b exists, and has no wildcard"
    assert data(ask(route53, zone.name("b"))) == []
    assert soa_owner(ask(route53, zone.name("any"), "TXT")) == zone.apex


def test_an_alias_answers_as_its_target(route53: Route53, zone: Zone53) -> None:
    zone.change(
        ("CREATE", zone.a("a", "192.0.2.1", ttl=17)),
        ("CREATE", zone.alias("b", "a")),
        ("CREATE", zone.alias("@", "b")),
    )
    assert data(ask(route53, zone.apex)) == [f"{zone.apex} 17 192.0.2.1"]
    assert data(ask(route53, zone.apex, "AAAA")) == []


def test_a_dangling_alias_has_no_data(route53: Route53, zone: Zone53) -> None:
    zone.change(("CREATE", zone.a("a", "192.0.2.1")), ("CREATE", zone.alias("www", "a")))
    zone.change(("DELETE", zone.a("a", "192.0.2.1")))
    reply = ask(route53, zone.name("www"))
    assert (reply.rcode(), reply.answer, soa_owner(reply)) == (dns.rcode.NOERROR, [], zone.apex)


def test_a_cname_is_given_for_any_type(route53: Route53, zone: Zone53) -> None:
    zone.create_set(zone.rr("www", "CNAME", "elsewhere.example"))
    assert data(ask(route53, zone.name("www"))) == [f"{zone.name('www')} 60 elsewhere.example."]


def test_a_delegation_is_referred(route53: Route53, zone: Zone53) -> None:
    zone.create_set(zone.rr("sub", "NS", "ns.other.example."))
    reply = ask(route53, zone.name("www.sub"))
    assert (reply.answer, str(reply.authority[0].name)) == ([], zone.name("sub"))
    assert not reply.flags & dns.flags.AA


def test_weights_are_honoured(route53: Route53, zone: Zone53) -> None:
    weights = {1: 30, 2: 10, 3: 0}
    zone.change(*(("CREATE", zone.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=w)) for n, w in weights.items()))
    seen = Counter(data(ask(route53, zone.name("w")))[0].rpartition(".")[2] for _ in range(400))
    assert set(seen) == {"1", "2"}
    assert 2.0 < seen["1"] / seen["2"] < 4.5


def test_weights_all_zero_are_equal_chances(route53: Route53, zone: Zone53) -> None:
    zone.change(*(("CREATE", zone.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=0)) for n in (1, 2)))
    seen = Counter(data(ask(route53, zone.name("w")))[0] for _ in range(100))
    assert min(seen.values()) > 25
    assert len(seen) == 2


def test_weighted_aliases_lead_to_groups(route53: Route53, zone: Zone53) -> None:
    zone.change(
        *(("CREATE", zone.a(f"leaf{n}", f"192.0.2.{n}", ttl=n, SetIdentifier="x", Weight=1)) for n in (1, 2)),
        *(("CREATE", zone.alias("root", f"leaf{n}", SetIdentifier=str(n), Weight=1)) for n in (1, 2)),
        ("CREATE", zone.alias("www", "root")),
    )
    seen = {data(ask(route53, zone.name("www")))[0] for _ in range(60)}
    assert seen == {f"{zone.name('www')} {n} 192.0.2.{n}" for n in (1, 2)}


def test_multivalue_answers_eight_of_many(route53: Route53, zone: Zone53) -> None:
    zone.change(
        *(("CREATE", zone.a("m", f"192.0.2.{n}", SetIdentifier=str(n), MultiValueAnswer=True)) for n in range(12))
    )
    replies = [data(ask(route53, zone.name("m"))) for _ in range(40)]
    assert {len(set(one)) for one in replies} == {8}
    assert len({record for one in replies for record in one}) == 12
    zone.change(
        *(("DELETE", zone.a("m", f"192.0.2.{n}", SetIdentifier=str(n), MultiValueAnswer=True)) for n in range(9))
    )
    assert len(data(ask(route53, zone.name("m")))) == 3


def test_a_long_answer_is_cut_over_udp(route53: Route53, zone: Zone53) -> None:
    zone.create_set(zone.rr("t", "TXT", *(f'"{n:03}{"x" * 100}"' for n in range(9))))
    assert ask(route53, zone.name("t"), "TXT").flags & dns.flags.TC
    assert len(data(ask(route53, zone.name("t"), "TXT", tcp=True))) == 9


def test_names_of_aws_services_can_be_targets(route53: Route53, zone: Zone53) -> None:
    name = "lb-1.us-east-1.elb.amazonaws.com."
    there = {"A": {"ttl": 60, "values": ["192.0.2.77"]}}
    route53.order(
        "services", zones={"Z35SXDOTRQ7X7K": {"suffix": "us-east-1.elb.amazonaws.com.", "names": {name: there}}}
    )
    alias = zone.alias("www", "x")
    alias["AliasTarget"] |= {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": name}
    zone.create_set(alias)
    assert data(ask(route53, zone.name("www"))) == [f"{zone.name('www')} 60 192.0.2.77"]


def test_test_dns_answer_tells_the_same(zone: Zone53) -> None:
    zone.create_set(zone.a("www", "192.0.2.1"))
    told = zone.client.test_dns_answer(HostedZoneId=zone.id, RecordName=zone.name("www"), RecordType="A")
    assert (told["ResponseCode"], told["RecordData"]) == ("NOERROR", ["192.0.2.1"])
    told = zone.client.test_dns_answer(HostedZoneId=zone.id, RecordName=zone.name("no"), RecordType="A")
    assert (told["ResponseCode"], told["RecordData"]) == ("NXDOMAIN", [])


def test_what_is_no_query_is_answered_as_such(route53: Route53, zone: Zone53) -> None:
    query = dns.message.make_query(zone.apex, "A")
    query.set_opcode(dns.opcode.STATUS)
    host, port = route53.dns[0]
    assert dns.query.udp(query, host, timeout=60, port=port).rcode() == dns.rcode.NOTIMP
    chaos = dns.message.make_query("version.bind.", "TXT", "CH")
    assert dns.query.udp(chaos, host, timeout=60, port=port).rcode() == dns.rcode.REFUSED


@pytest.fixture(scope="module")
def slow() -> Iterator[Route53]:
    """Two DNS servers: the first sees a change at once, the second when told to."""
    with running("--propagation", "0,3600", servers=2) as one:
        yield one


def test_each_server_sees_a_change_in_its_own_time(slow: Route53) -> None:
    slow.order("propagation", seconds=[0, 0])
    zone = Zone53.create(slow, "slow.example.com.")
    slow.order("propagation", seconds=[0, 2.0])
    changed = zone.change(("CREATE", zone.a("www", "192.0.2.1")))
    assert changed["Status"] == "PENDING"
    assert ask(slow, zone.name("www"), server=0).rcode() == dns.rcode.NOERROR
    assert ask(slow, zone.name("www"), server=1).rcode() == dns.rcode.NXDOMAIN
    assert zone.listed() == [zone.a("www", "192.0.2.1")], "what is PENDING is listed"
    deadline = time.monotonic() + 20
    while zone.client.get_change(Id=changed["Id"])["ChangeInfo"]["Status"] != "INSYNC":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ask(slow, zone.name("www"), server=1).rcode() == dns.rcode.NOERROR
