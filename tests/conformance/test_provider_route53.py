"""The kit over Route 53: an unmodified boto3 against the stand-in, which does what AWS documents."""

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.provider_kit import ProviderKit
from conformance.provider_routed_kit import RoutedKit
from conformance.provider_subject import ZONE, Contents, Provider, Subject
from harness.route53 import Route53, running
from standfast.adapters.providers.promises import PROMISES
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.pace import Pace
from standfast.adapters.providers.route53.records import local, own_name, rrset_of


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
