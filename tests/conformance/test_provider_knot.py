"""The kit over Knot."""

from collections.abc import Iterator

import pytest

from conformance.provider_faults_kit import ProviderFaultsKit
from conformance.provider_kit import ProviderKit
from conformance.provider_servers import ServerSubject
from harness.dnsservers import DnsServer, knot_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    with knot_server(tmp_path_factory.mktemp("knot")) as server:
        yield server


class TestKnot(ProviderFaultsKit, ProviderKit):
    """The provider of RFC 2136 at a server that runs here."""

    random_changes = 50  # some take Knot a second

    @pytest.fixture
    def subject(self, server: DnsServer) -> Iterator[ServerSubject]:
        subject = ServerSubject(server)
        subject.clear()
        yield subject
        subject.close()
