"""The kit over Route 53: an unmodified boto3 against the stand-in, which does what AWS documents."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.provider_kit import ProviderKit
from conformance.provider_routed_kit import RoutedKit, alias
from conformance.provider_subject import ZONE, Client, Contents, Provider, Subject, below, cname, txt
from harness.route53 import Route53, running
from standfast.adapters.providers.promises import PROMISES
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.pace import Pace
from standfast.adapters.providers.route53.records import local, own_name, rrset_of
from standfast.model.entry import Entry, Member
from standfast.model.name import floor_owner, tree_parent
from standfast.model.rrset import RRset, addresses
from standfast.model.tree import records, top_of
from standfast.ports import trees_spec
from standfast.ports.provider import Content
from standfast.ports.provider_spec import ZoneState
from standfast.ports.trees import ListPointers, ListTree, PointersListed, TreeListed, TreeReply, TreeRequest


class Route53Subject(Subject):
    """One hosted zone of its own account."""

    def __init__(self, service: Route53, zone_id: str) -> None:
        self.service, self.zone_id, self._client = service, zone_id, service.client()
        self._open: list[Route53Provider] = []

    def connect(self) -> Provider:
        provider = Route53Provider(ZONE, self.zone_id, pace=Pace(10_000, 10_000))
        self._open.append(provider)
        return provider

    def close(self) -> None:
        for provider in self._open:
            provider.close()

    def raws(self) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=self.zone_id)
        return [raw for page in pages for raw in page["ResourceRecordSets"] if raw["Type"] != "SOA"]

    def contents(self) -> Contents:
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for raw in self.raws():
            groups.setdefault((own_name(raw["Name"]), raw["Type"]), []).append(raw)
        found: Contents = {}
        for (owner, kind), raws in groups.items():
            rrset = rrset_of(kind, raws)
            assert rrset is not None
            found[owner, rrset.rtype] = local(rrset, self.zone_id)
        return found

    def clear(self) -> None:
        """Nothing but the SOA and NS at the apex."""
        gone = [{"Action": "DELETE", "ResourceRecordSet": raw} for raw in self.raws() if raw["Type"] != "NS"]
        gone.sort(key=lambda change: "AliasTarget" not in change["ResourceRecordSet"])
        for at in range(0, len(gone), 100):
            some = {"Changes": gone[at : at + 100]}
            self._client.change_resource_record_sets(HostedZoneId=self.zone_id, ChangeBatch=some)


@pytest.fixture(scope="module")
def hosted() -> Iterator[tuple[Route53, str]]:
    with running() as service:
        yield service, service.zone(ZONE)


class TestRoute53(RoutedKit, ProviderKit):
    """The provider over boto3."""

    promises = PROMISES["route53"]
    random_changes = 50
    endpoints_a_change = 120

    @pytest.fixture
    def subject(self, hosted: tuple[Route53, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Route53Subject]:
        service, zone_id = hosted
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        subject = Route53Subject(service, zone_id)
        subject.clear()
        yield subject
        subject.close()

    def test_trees_and_what_leads_to_them_are_listed_as_the_specification_lists_them(
        self, subject: Route53Subject
    ) -> None:
        """Page by page, as AWS pages; another stream's floor and other people's aliases and CNAMEs are told."""
        provider = subject.connect()
        client, entry = Client(provider), _tree_entry()
        parent, top = tree_parent(entry.name, ZONE), top_of(entry)
        client.put(*(Content(owner, one.rtype, one.ttl, one.rdata) for owner, one in records(entry)))
        client.put(alias(entry.name, top), alias(below("mine"), top), cname(below("theirs"), f"lb-2.{top}"))
        client.put(*(txt(floor_owner(stream, ZONE), "whatever") for stream in ("main", "cell-2")))
        state = ZoneState(ZONE, dict(subject.contents()))
        for parents in (frozenset({parent}), frozenset({f"api._tree._standfast.{ZONE}"})):
            told, said = (_walked(perform, parents) for perform in (provider.perform_tree, _specified(state)))  # type: ignore[attr-defined]
            assert told == said
            assert said[2] == ["cell-2", "main"]
            leading = [below("mine"), below("theirs"), entry.name] if parent in parents else []
            assert [owner for owner, _ in said[1]] == leading


def _tree_entry() -> Entry:
    members = tuple(Member(f"lb-{n}", (f"192.0.2.{n}",), n, True, "") for n in (1, 2, 3))
    rrsets = addresses(60, [text for member in members for text in member.addresses])
    return Entry(ZONE, below("www"), 7, rrsets=rrsets, members=members, layout="tree")


def _specified(state: ZoneState) -> Callable[[TreeRequest], TreeReply]:
    return lambda request: trees_spec.apply(state, request)[1]


def _walked(
    perform: Callable[[TreeRequest], TreeReply], parents: frozenset[str]
) -> tuple[list[tuple[str, RRset]], list[tuple[str, str]], list[str]]:
    """Every page: records of trees, what leads to those under these parents, streams with floors."""
    trees: list[tuple[str, RRset]] = []
    pointers: list[tuple[str, str]] = []
    streams: list[str] = []
    start = more = ""
    while True:
        reply = perform(ListTree(ZONE, start, 2))
        assert isinstance(reply, TreeListed), reply
        trees, start = [*trees, *reply.records], reply.more
        if not start:
            break
    while True:
        page = perform(ListPointers(ZONE, parents, more, 2))
        assert isinstance(page, PointersListed), page
        pointers, streams, more = [*pointers, *page.pointers], [*streams, *page.streams], page.more
        if not more:
            return sorted(trees, key=lambda one: one[0]), sorted(pointers), sorted(streams)
