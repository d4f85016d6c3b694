"""The kit over BIND."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.provider_faults_kit import ProviderFaultsKit
from conformance.provider_kit import ProviderKit
from conformance.provider_servers import ServerSubject
from conformance.provider_subject import Client, a, below
from harness.dnsservers import BindServer, DnsServer, bind_server
from standfast.ports.provider import Refused


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    with bind_server(tmp_path_factory.mktemp("bind")) as server:
        yield server


class TestBind(ProviderFaultsKit, ProviderKit):
    """The provider of RFC 2136 at a server that runs here."""

    @pytest.fixture
    def subject(self, server: DnsServer) -> Iterator[ServerSubject]:
        subject = ServerSubject(server)
        subject.clear()
        yield subject
        subject.close()


class LimitedBind(BindServer):
    """BIND as people have it who set no limit: a hundred records an rrset."""

    def write_configuration(self) -> list[str]:
        command = super().write_configuration()
        file = self.folder / "named.conf"
        text = file.read_text(encoding="ascii")
        assert "max-records-per-type 0;" in text
        file.write_text(text.replace("max-records-per-type 0;", "max-records-per-type 100;"), encoding="ascii")
        return command


def test_the_limit_of_records_is_named_in_the_refusal(tmp_path: Path) -> None:
    server = LimitedBind(tmp_path)
    server.start()
    subject = ServerSubject(server)
    try:
        client = Client(subject.connect())
        client.put(a(below("e"), *range(100)))
        before = subject.contents()
        reply = client.replace([], [a(below("other"), 1), a(below("e"), *range(101))])
        assert isinstance(reply, Refused)
        assert "max-records-per-type" in reply.why
        assert subject.contents() == before
    finally:
        subject.close()
        server.stop()
