"""What a provider with routed rrsets must do besides: variants in place of plain records, read, asserted, replaced."""

import pytest

from conformance.provider_subject import (
    AAAA,
    CNAME,
    TXT,
    A,
    Client,
    Subject,
    a,
    below,
    cname,
    exactly,
    rrset,
    txt,
)
from standfast.model.routing import Variant
from standfast.model.rrset import RRType, address_rdata
from standfast.ports.provider import Conflict, Content, Fails, Holds, Prerequisite, Written

ROUTED_A, ROUTED_AAAA = RRType.ROUTED_A, RRType.ROUTED_AAAA


def multivalue(owner: str, *numbers: int, ttl: int = 60) -> Content:
    """One record set a load balancer."""
    return _content(
        owner,
        ROUTED_A,
        ttl,
        *(Variant(f"lb-{n}", "multivalue", address=address_rdata(f"192.0.2.{n}"), ttl=ttl) for n in numbers),
    )


def weighted(owner: str, *weights: tuple[int, int], ttl: int = 60) -> Content:
    """(192.0.2.N, its weight) each."""
    variants = (
        Variant(f"lb-{n}", "weighted", weight, address=address_rdata(f"192.0.2.{n}"), ttl=ttl) for n, weight in weights
    )
    return _content(owner, ROUTED_A, ttl, *variants)


def alias(owner: str, target: str, rtype: RRType = ROUTED_A) -> Content:
    return _content(owner, rtype, 0, Variant("", "alias", target=target))


def _content(owner: str, rtype: RRType, ttl: int, *variants: Variant) -> Content:
    return Content(owner, rtype, ttl, tuple(sorted(one.encode() for one in variants)))


class RoutedKit:
    """Subclasses give the fixture `subject`: a cleared zone whose provider holds routed rrsets."""

    @pytest.fixture
    def client(self, subject: Subject) -> Client:
        return Client(subject.connect())

    @pytest.mark.parametrize(
        "content", [multivalue(below("e"), 1, 2, 3), weighted(below("e"), (1, 3), (2, 0), (3, 255), ttl=5)]
    )
    def test_variants_come_back_as_the_reading_of_the_type_they_answer(self, client: Client, content: Content) -> None:
        client.put(content)
        assert client.read((below("e"), A), (below("e"), AAAA)) == (rrset(content), None)
        assert client.confirm(exactly(content)) == Holds()

    def test_plain_and_routed_take_each_others_place(self, client: Client, subject: Subject) -> None:
        owner = below("e")
        for content in (a(owner, 1), multivalue(owner, 1, 2), weighted(owner, (1, 1), (2, 2)), a(owner, 3)):
            client.put(content)
            assert client.value(owner, A) == rrset(content)
            assert [held for held in subject.contents() if held[0] == owner] == [(owner, content.rtype)]
        client.put(multivalue(owner, 1), cname(owner, None))
        client.put(Content(owner, A, 0, ()))
        assert client.value(owner, A) is None

    def test_variants_are_asserted_by_value(self, client: Client, subject: Subject) -> None:
        owner, marker = below("e"), below("m")
        client.put(weighted(owner, (1, 3), (2, 5)))
        before = subject.contents()
        for wrong in (
            weighted(owner, (1, 3)),
            weighted(owner, (1, 3), (2, 6)),
            weighted(owner, (1, 3), (2, 5), (3, 0)),
            multivalue(owner, 1, 2),
            a(owner, 1, 2),
        ):
            assert client.confirm(exactly(wrong)) == Fails()
            assert client.replace([exactly(wrong)], [txt(marker, "won")]) == Conflict()
        assert client.replace([Prerequisite(owner, A, ())], [txt(marker, "won")]) == Conflict()
        assert client.confirm(Prerequisite(owner, A, ())) == Fails()
        assert subject.contents() == before
        assert client.replace([exactly(weighted(owner, (1, 3), (2, 5)))], [txt(marker, "won")]) == Written()

    def test_a_cname_gives_way_to_variants(self, client: Client) -> None:
        owner = below("e")
        client.put(cname(owner, "elsewhere.example.net"))
        client.put(multivalue(owner, 1), cname(owner, None))
        assert client.value(owner, A) == rrset(multivalue(owner, 1))
        assert client.value(owner, CNAME) is None

    def test_an_alias_leads_to_something_when_it_is_written(self, client: Client, subject: Subject) -> None:
        before = subject.contents()
        assert client.replace([], [alias(below("e"), below("tree")), txt(below("m"), "g1")]) == Conflict()
        assert subject.contents() == before
        client.put(multivalue(below("tree"), 1, 2))
        client.put(alias(below("e"), below("tree")), txt(below("m"), "g1"))
        assert client.value(below("e"), A) == rrset(alias("", below("tree")))
        assert client.replace([], [alias(below("e"), below("tree"), ROUTED_AAAA)]) == Conflict()

    def test_nothing_keeps_a_target_from_being_deleted(self, client: Client) -> None:
        """Then the alias stands and answers nothing: what emptied an endpoint in October 2025."""
        client.put(multivalue(below("tree"), 1, 2))
        client.put(alias(below("e"), below("tree")))
        client.put(Content(below("tree"), A, 0, ()))
        assert client.read((below("e"), A), (below("tree"), A)) == (rrset(alias("", below("tree"))), None)

    def test_a_marker_and_both_families_flip_at_once(self, client: Client) -> None:
        owner, marker = below("e"), below("m")
        six = [Variant("lb-1", "multivalue", address=address_rdata("2001:db8::1"), ttl=60)]
        routed = _content(owner, ROUTED_AAAA, 60, *six)
        assert (
            client.replace([Prerequisite(marker, TXT, ())], [txt(marker, "g1"), multivalue(owner, 1), routed])
            == Written()
        )
        assert client.read((owner, A), (owner, AAAA), (marker, TXT)) == (
            rrset(multivalue(owner, 1)),
            rrset(routed),
            rrset(txt("", "g1")),
        )
        stale = client.replace([exactly(txt(marker, "g0"))], [txt(marker, "g2"), Content(owner, A, 0, ())])
        assert stale == Conflict()
        assert client.value(owner, A) == rrset(multivalue(owner, 1))
