"""The kit over zones that BIND and Knot sign themselves, and what only such a zone can do: validate, be signed anew."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import pytest

from conformance.provider_faults_kit import ProviderFaultsKit
from conformance.provider_kit import ProviderKit
from conformance.provider_servers import ServerSubject
from conformance.provider_subject import ZONE, Client, a, below, exactly, txt
from harness.bind import BindServer
from harness.dnsserver import running
from harness.dnsservers import DnsServer, knot_server, program
from harness.knot import KnotServer
from harness.ports import free_port
from runtime.staging import eventually
from standfast.model.name import marker_owner
from standfast.ports.provider import Changes, Conflict, Written

SIGNED_S = 60.0

MARKER = marker_owner(below("www"), ZONE)


class ControlledBind(BindServer):
    """BIND with a control channel, for `rndc`."""

    control_port = 0

    def write_configuration(self) -> list[str]:
        command = super().write_configuration()
        self.control_port = self.control_port or free_port()
        file = self.folder / "named.conf"
        channel = f'inet {self.host} port {self.control_port} allow {{ {self.host}; }} keys {{ "{self.key.name}"; }};'
        text = file.read_text(encoding="ascii").replace("controls { };", f"controls {{ {channel} }};")
        file.write_text(text, encoding="ascii")
        return command


@pytest.fixture(scope="module", params=["bind", "knot"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "knot":
            yield stack.enter_context(knot_server(folder, signed=True))
            return
        bind = ControlledBind(folder / "bind", signed=True)
        stack.enter_context(running(bind))
        yield bind


@pytest.fixture
def subject(server: DnsServer) -> Iterator[ServerSubject]:
    subject = ServerSubject(server)
    subject.clear()
    yield subject
    subject.close()


def answer(server: DnsServer, name: str, rtype: str) -> tuple[list[dns.rrset.RRset], list[dns.rrset.RRset]]:
    """Answer and authority section, asked for with signatures."""
    question = dns.message.make_query(name, rtype, want_dnssec=True)
    reply = dns.query.tcp(question, server.host, port=server.port, timeout=30)
    assert reply.flags & dns.flags.AA
    return reply.answer, reply.authority


def validated(server: DnsServer, rrsets: list[dns.rrset.RRset]) -> list[str]:
    """Each rrset's types, every one with a signature of the zone's keys that holds now; raises ValidationFailure."""
    apex = dns.name.from_text(ZONE)
    (keys,) = (one for one in answer(server, ZONE, "DNSKEY")[0] if one.rdtype == dns.rdatatype.DNSKEY)
    signatures = {(one.name, one.covers): one for one in rrsets if one.rdtype == dns.rdatatype.RRSIG}
    data = [one for one in rrsets if one.rdtype != dns.rdatatype.RRSIG]
    assert data
    for one in data:
        dns.dnssec.validate(one, signatures[one.name, one.rdtype], {apex: keys})
    return sorted(dns.rdatatype.to_text(one.rdtype) for one in data)


def sign_anew(server: DnsServer) -> None:
    """The operator's command that makes the server sign everything again."""
    if isinstance(server, KnotServer):
        command = [program("knotc"), "-s", f"{server.run_folder}/knot.sock", "-b", "zone-sign", ZONE]
    else:
        assert isinstance(server, ControlledBind)
        where = ["-s", server.host, "-p", str(server.control_port), "-k", str(server.key_file)]
        command = [program("rndc"), *where, "sign", ZONE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class TestSigned(ProviderFaultsKit, ProviderKit):
    """The whole kit, for to whoever updates it a signed zone behaves like any other."""

    random_changes = 30

    @pytest.fixture(autouse=True)
    def is_signed(self, subject: ServerSubject) -> None:
        """And it is signed, indeed: a server may serve its zone some moments before it has signed it."""
        until = time.monotonic() + SIGNED_S
        while not any(one.rdtype == dns.rdatatype.DNSKEY for one in answer(subject.server, ZONE, "DNSKEY")[0]):
            assert time.monotonic() < until, "it does not sign the zone"
            time.sleep(0.05)

    def test_answers_stay_valid_whatever_is_written(self, subject: ServerSubject) -> None:
        client = Client(subject.connect())
        client.put(a(below("www"), 1, 2), txt(MARKER, "g1"), a(below("*"), 9))
        assert validated(subject.server, answer(subject.server, below("www"), "A")[0]) == ["A"]
        assert client.replace([exactly(txt(MARKER, "g0"))], [a(below("www"), 7), txt(MARKER, "g2")]) == Conflict()
        assert client.replace([exactly(txt(MARKER, "g1"))], [a(below("www"), 3), txt(MARKER, "g2")]) == Written()
        (rrset, _) = answer(subject.server, below("www"), "A")[0]
        assert [one.address for one in rrset] == ["192.0.2.3"]
        for name, rtype in ((below("www"), "A"), (MARKER, "TXT")):
            assert validated(subject.server, answer(subject.server, name, rtype)[0]) == [rtype]
        covered, proof = answer(subject.server, below("covered"), "A")
        assert validated(subject.server, covered) == ["A"]
        assert validated(subject.server, proof), "that the name itself does not exist"
        nothing, proof = answer(subject.server, below("www"), "AAAA")
        assert not nothing
        assert {"SOA", "NSEC"} <= set(validated(subject.server, proof)) or "NSEC3" in validated(subject.server, proof)

    def test_signing_anew_moves_the_serial_and_changes_nobody(self, subject: ServerSubject) -> None:
        """Serials are a hint that nothing else was written, never proof; news names no endpoint."""
        client = Client(subject.connect())
        client.put(*(a(below(f"e{number}"), 1) for number in range(30)), a(below("www"), 1), txt(MARKER, "g1"))
        known, before = client.changes(None), subject.contents()
        sign_anew(subject.server)
        eventually(lambda: client.serial() != known.serial, "rndc only tells BIND to begin")
        news = client.changes(known.serial)
        assert news.serial != known.serial
        assert news.owners is None or not set(news.owners) - {ZONE}, news
        assert subject.contents() == before
        assert client.replace([exactly(txt(MARKER, "g1"))], [a(below("www"), 2), txt(MARKER, "g2")]) == Written()
        later = client.changes(news.serial)
        assert later.owners == (MARKER, below("www"))
        assert client.changes(later.serial) == Changes(later.serial, ())
        assert validated(subject.server, answer(subject.server, below("www"), "A")[0]) == ["A"]
