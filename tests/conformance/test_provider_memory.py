"""The specification itself passes the kit."""

import pytest

from conformance.provider_kit import ProviderKit
from conformance.provider_routed_kit import RoutedKit, alias, multivalue
from conformance.provider_subject import ZONE, A, Client, Contents, Provider, Subject, below
from standfast.adapters.providers.memory import MemoryProvider
from standfast.model.name import name_to_wire
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Content, Read


class MemorySubject(Subject):
    """One zone value, which all connections share."""

    def __init__(self) -> None:
        self.provider = MemoryProvider(ZONE, {(ZONE, int(RRType.NS)): RRset(2, 60, (name_to_wire(f"ns.{ZONE}"),))})

    def connect(self) -> Provider:
        return self.provider

    def contents(self) -> Contents:
        return dict(self.provider.state.rrsets)


class TestMemory(RoutedKit, ProviderKit):
    """The specification in memory."""

    @pytest.fixture
    def subject(self) -> Subject:
        return MemorySubject()


def test_a_query_follows_aliases_and_finds_nothing_where_the_target_is_gone() -> None:
    subject = MemorySubject()
    client = Client(subject.connect())
    client.put(multivalue(below("leaf"), 1, 2))
    client.put(alias(below("root"), below("leaf")))
    assert len(subject.provider.state.answers(below("root"), A)) == 2
    client.put(Content(below("leaf"), A, 0, ()))
    assert subject.provider.state.lookup(below("root"), A) is not None
    assert not subject.provider.state.answers(below("root"), A)


def test_another_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"keeps lb\.example\.com"):
        MemoryProvider(ZONE).perform(Read("example.org", ()))
