"""The specification itself passes the kit."""

import pytest

from conformance.provider_kit import ProviderKit
from conformance.provider_subject import ZONE, Contents, Provider, Subject
from standfast.adapters.providers.memory import MemoryProvider
from standfast.model.name import name_to_wire
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read


class MemorySubject(Subject):
    """One zone value, which all connections share."""

    def __init__(self) -> None:
        self.provider = MemoryProvider(ZONE, {(ZONE, int(RRType.NS)): RRset(2, 60, (name_to_wire(f"ns.{ZONE}"),))})

    def connect(self) -> Provider:
        return self.provider

    def contents(self) -> Contents:
        return dict(self.provider.state.rrsets)


class TestMemory(ProviderKit):
    """The specification in memory."""

    @pytest.fixture
    def subject(self) -> Subject:
        return MemorySubject()


def test_another_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"keeps lb\.example\.com"):
        MemoryProvider(ZONE).perform(Read("example.org", ()))
