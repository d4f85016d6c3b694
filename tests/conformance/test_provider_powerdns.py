"""The kit over PowerDNS."""

from collections.abc import Iterator

import pytest

from conformance.provider_faults_kit import ProviderFaultsKit
from conformance.provider_kit import ProviderKit
from conformance.provider_servers import ServerSubject
from conformance.provider_subject import Client, a, below
from harness.dnsservers import DnsServer, powerdns_server
from harness.zonetools import nsupdate
from standfast.adapters.providers.promises import PROMISES


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    with powerdns_server(tmp_path_factory.mktemp("powerdns")) as server:
        yield server


class TestPowerDns(ProviderFaultsKit, ProviderKit):
    """The provider of RFC 2136 at a server that runs here, with the promises that are declared for it."""

    promises = PROMISES["pdns"]

    @pytest.fixture
    def subject(self, server: DnsServer) -> Iterator[ServerSubject]:
        subject = ServerSubject(server)
        subject.clear()
        yield subject
        subject.close()

    def test_a_whole_name_is_deleted_by_nobody(self, subject: ServerSubject) -> None:
        """Why we delete by type: with LMDB behind it, deleting all of a name is answered NOERROR, and ignored."""
        client = Client(subject.connect())
        client.put(a(below("e"), 1))
        before = subject.contents()
        assert nsupdate(subject.server, [f"update delete {below('e')}"]).rcode == "NOERROR"
        assert subject.contents() == before
        client.put(a(below("e")))
        assert subject.contents() != before
