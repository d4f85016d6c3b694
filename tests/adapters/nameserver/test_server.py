"""The server over real sockets: EDNS, truncation, TCP, TSIG, transfers, restarts, and other people's programs."""

import socket
import struct
import time
from collections.abc import Iterator

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
import pytest

from adapters.nameserver.nameservers import (
    KEY,
    ZONE,
    Running,
    ask,
    nameserver,
    send,
    update,
)

SEED = "\n".join(
    ["www A 192.0.2.1", "* TXT wild", "alias CNAME www"] + [f"big A 192.0.{n // 250}.{n % 250}" for n in range(600)]
)
CHILD = "child.lb.example.com"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """For tests that leave the zone as it was."""
    with nameserver({ZONE: SEED + "\nchild NS ns.child", CHILD: "www A 192.0.2.5", "example.org": ""}) as running:
        yield running


def raw(port: int, wire: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.sendto(wire, ("127.0.0.1", port))
        return client.recv(65535)


def frame(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire


# -- queries -----------------------------------------------------------------------------------------------------------


def test_answers_repeat_id_question_and_case(server: Running) -> None:
    reply = ask(server.port, "wWw.LB.example.com")
    assert str(reply.question[0].name) == "wWw.LB.example.com."
    assert reply.flags & (dns.flags.QR | dns.flags.AA | dns.flags.RA) == dns.flags.QR | dns.flags.AA
    assert reply.answer[0].to_text() == "wWw.LB.example.com. 60 IN A 192.0.2.1"
    assert reply.edns == -1


@pytest.mark.parametrize(
    ("name", "rcode"), [("example.net", 5), ("nope.example.org", 3), (f"www.{CHILD}", 0), (".", 5)]
)
def test_zones_are_told_apart(server: Running, name: str, rcode: int) -> None:
    assert ask(server.port, name).rcode() == rcode


def test_ds_is_asked_of_the_parent(server: Running) -> None:
    """RFC 4035 §3.1.4.1."""
    assert str(ask(server.port, CHILD, "DS").authority[0].name) == ZONE + "."
    assert str(ask(server.port, CHILD, "TXT").authority[0].name) == CHILD + "."


@pytest.mark.parametrize(("rdtype", "rcode"), [("MAILB", 4), ("TKEY", 1), ("OPT", 1)])
def test_types_that_are_no_questions(server: Running, rdtype: str, rcode: int) -> None:
    assert ask(server.port, f"www.{ZONE}", rdtype).rcode() == rcode


@pytest.mark.parametrize("payload", [0, 512, 1232, 65535])
def test_what_does_not_fit_is_cut_and_comes_over_tcp(server: Running, payload: int) -> None:
    """RFC 2181 §9, RFC 6891 §6.2.5; 0 is without EDNS."""
    query = dns.message.make_query(f"big.{ZONE}", "A", use_edns=0 if payload else -1, payload=payload or 0)
    reply, by_tcp = dns.query.udp_with_fallback(query, "127.0.0.1", timeout=30, port=server.port)
    assert by_tcp
    assert len(reply.answer[0]) == 600


def test_edns_payload_is_honoured_up_to_1232() -> None:
    with nameserver({ZONE: "\n".join(f"mid A 192.0.2.{n}" for n in range(60))}) as running:
        for payload, cut in ((0, True), (600, True), (1232, False), (4096, False)):
            reply = ask(running.port, f"mid.{ZONE}", edns=0 if payload else -1, payload=payload)
            assert bool(reply.flags & dns.flags.TC) is cut
            assert reply.payload == (1232 if payload else 0)
            assert bool(reply.answer) is not cut


def test_unknown_edns_version(server: Running) -> None:
    reply = ask(server.port, f"www.{ZONE}", edns=1)
    assert reply.rcode() == dns.rcode.BADVERS
    assert reply.edns == 0
    assert not reply.answer


def test_opcodes_responses_and_shreds(server: Running) -> None:
    query = dns.message.make_query(f"www.{ZONE}", "A", id=99)
    good = query.to_wire()
    query.set_opcode(dns.opcode.NOTIFY)
    assert dns.message.from_wire(raw(server.port, query.to_wire())).rcode() == dns.rcode.NOTIMP
    assert raw(server.port, good[:14])[:4] == struct.pack("!HH", 99, 0x8101)
    assert dns.message.from_wire(raw(server.port, good + b"x")).rcode() == dns.rcode.FORMERR
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.connect(("127.0.0.1", server.port))
        for silent in (good[:11], b"", bytes([0, 1, 0x81]) + good[3:]):
            client.send(silent)
        client.send(good)
        assert client.recv(4096)[:2] == struct.pack("!H", 99), "only the last was answered"


# -- TCP ---------------------------------------------------------------------------------------------------------------


def test_pipelined_queries_and_split_frames(server: Running) -> None:
    """RFC 7766 §6.2.1.1; frames may arrive in any pieces."""
    wires = [dns.message.make_query(f"www.{ZONE}", "A", id=n).to_wire() for n in range(50)]
    stream = b"".join(frame(wire) for wire in wires)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(stream[:1])
        client.sendall(stream[1:777])
        client.sendall(stream[777:])
        with client.makefile("rb") as replies:
            for n in range(50):
                size = int.from_bytes(replies.read(2), "big")
                assert replies.read(size)[:2] == struct.pack("!H", n)


def test_idle_connections_and_too_many_are_closed() -> None:
    with nameserver(idle_timeout=0.3, max_connections=2) as running:
        clients = [socket.create_connection(("127.0.0.1", running.port), timeout=30) for _ in range(3)]
        clients[0].sendall(b"\0")  # half a length
        assert [client.recv(1) for client in reversed(clients)] == [b"", b"", b""]
        for client in clients:
            client.close()
        assert ask(running.port, ZONE, "SOA", tcp=True).rcode() == 0


def test_a_chain_of_dependent_updates_in_flight_is_applied_in_order() -> None:
    with nameserver({ZONE: "chain TXT 0"}) as running:
        steps = []
        for n in range(16):
            step = update()
            step.present("chain", "TXT", str(n))
            step.replace("chain", 5, "TXT", str(n + 1))
            steps.append(frame(step.to_wire()))
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
            client.sendall(b"".join(steps))
            with client.makefile("rb") as replies:
                for _ in steps:
                    size = int.from_bytes(replies.read(2), "big")
                    assert replies.read(size)[3] & 15 == dns.rcode.NOERROR
        assert ask(running.port, f"chain.{ZONE}", "TXT").answer[0][0].to_text() == '"16"'


def test_an_update_whose_client_hangs_up_is_finished() -> None:
    with nameserver() as running:
        step = update()
        step.add("left", 5, "TXT", "x")
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
            client.sendall(frame(step.to_wire()))
        deadline = time.monotonic() + 60
        while not ask(running.port, f"left.{ZONE}", "TXT").answer:
            assert time.monotonic() < deadline
        assert ask(running.port, ZONE, "SOA").answer[0][0].serial == 2


# -- TSIG --------------------------------------------------------------------------------------------------------------


def test_update_needs_a_signature(server: Running) -> None:
    unsigned = dns.update.UpdateMessage(ZONE + ".")
    unsigned.add("n", 5, "A", "192.0.2.9")
    assert send(unsigned, server.port).rcode() == dns.rcode.REFUSED
    other = dns.update.UpdateMessage("example.net.", keyring=KEY)
    assert send(other, server.port).rcode() == dns.rcode.NOTAUTH
    assert server.stores[ZONE].zone.serial == 1


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (dns.tsig.Key("test-key.", b"x" * 32), dns.tsig.PeerBadSignature),
        (dns.tsig.Key("other.", b"x" * 32), dns.tsig.PeerBadKey),
        (dns.tsig.Key("test-key.", KEY.secret, dns.tsig.HMAC_SHA512), dns.tsig.PeerBadKey),
    ],
    ids=["BADSIG", "BADKEY", "other algorithm"],
)
def test_bad_signatures(server: Running, key: dns.tsig.Key, error: type[Exception]) -> None:
    """RFC 8945 §5.2.1, §5.2.2: NOTAUTH, the reason in an unsigned TSIG."""
    step = dns.update.UpdateMessage(ZONE + ".", keyring=key)
    step.add("n", 5, "A", "192.0.2.9")
    with pytest.raises(error):
        send(step, server.port)
    reply = dns.message.from_wire(raw(server.port, step.to_wire()), keyring=False)
    assert reply.rcode() == dns.rcode.NOTAUTH
    assert reply.mac == b""
    assert server.stores[ZONE].zone.serial == 1


def test_a_clock_that_is_wrong(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8945 §5.2.3: signed, with both clocks in it."""
    step = update()
    with monkeypatch.context() as patched:
        patched.setattr("dns.message.time.time", lambda: 1_000_000_000)
        wire = step.to_wire()
    reply = dns.message.from_wire(raw(server.port, wire), keyring=False)
    assert (reply.rcode(), reply.tsig_error) == (dns.rcode.NOTAUTH, dns.rcode.BADTIME)
    assert reply.tsig is not None
    told = reply.tsig[0]
    assert told.time_signed == 1_000_000_000
    assert abs(int.from_bytes(told.other, "big") - time.time()) < 60
    with pytest.raises(dns.tsig.PeerBadTime):
        dns.message.from_wire(raw(server.port, wire), keyring={KEY.name: KEY}, request_mac=step.mac)


def test_signed_queries_get_signed_answers_within_the_limit(server: Running) -> None:
    for name in ("www", "big"):
        query = dns.message.make_query(f"{name}.{ZONE}", "A", use_edns=0)
        query.use_tsig(KEY)
        reply = dns.query.udp(query, "127.0.0.1", timeout=30, port=server.port)
        assert reply.had_tsig
        assert bool(reply.flags & dns.flags.TC) is (name == "big")


# -- transfers ---------------------------------------------------------------------------------------------------------


def transfer(running: Running, zone: dns.zone.Zone, serial: int | None = None) -> int:
    """Transfer into `zone`; how many messages it took."""
    query, _ = dns.xfr.make_query(zone, serial, keyring=KEY)
    count = 0
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
        client.sendall(frame(query.to_wire()))
        xfr = dns.message.from_wire
        inbound = dns.xfr.Inbound(zone, query.question[0].rdtype, serial)
        context = None
        with client.makefile("rb") as replies:
            done = False
            while not done:
                wire = replies.read(int.from_bytes(replies.read(2), "big"))
                message = xfr(
                    wire, KEY, query.mac, xfr=True, origin=zone.origin, tsig_ctx=context, multi=True,
                    one_rr_per_rrset=query.question[0].rdtype == dns.rdatatype.IXFR,
                )  # fmt: skip
                assert message.had_tsig
                context = message.tsig_ctx
                done = inbound.process_message(message)
                count += 1
    return count


def test_axfr_in_many_signed_messages() -> None:
    seed = SEED + "\n" + "\n".join(f"host{n} TXT {'x' * 200}" for n in range(400))
    with nameserver({ZONE: seed}) as running:
        zone = dns.zone.Zone(dns.name.from_text(ZONE))
        assert transfer(running, zone) > 5
        assert len(zone.find_rdataset("big", "A")) == 600
        assert len(zone.nodes) == 406
    # leaving the block asserts that nothing went wrong inside the server


def test_ixfr_tells_the_differences_or_everything() -> None:
    with nameserver() as running:
        zone = dns.zone.Zone(dns.name.from_text(ZONE))
        transfer(running, zone)
        for n in range(5):
            step = update()
            step.replace("www", 5 + n, "A", f"192.0.2.{n}", f"192.0.2.{n + 1}")
            step.add(f"n{n}", 5, "TXT", "x")
            step.delete(f"n{n - 2}")
            assert send(step, running.port).rcode() == 0
        transfer(running, zone, 1)
        fresh = dns.zone.Zone(dns.name.from_text(ZONE))
        transfer(running, fresh)
        assert zone.to_text() == fresh.to_text()
        assert fresh.get_soa().serial == 6
        for serial, records in ((6, 1), (7, 1), (5, 10), (4_000_000_000, 8)):
            query, _ = dns.xfr.make_query(fresh, serial, keyring=KEY)
            reply = dns.query.tcp(query, "127.0.0.1", timeout=30, port=running.port, one_rr_per_rrset=True)
            assert len(reply.answer) == records, serial


def test_transfers_are_for_those_with_a_key(server: Running) -> None:
    assert ask(server.port, ZONE, "AXFR", tcp=True).rcode() == dns.rcode.REFUSED
    assert ask(server.port, ZONE, "IXFR").rcode() == dns.rcode.REFUSED
    query = dns.message.make_query(ZONE, "AXFR")
    query.use_tsig(KEY)
    assert dns.query.udp(query, "127.0.0.1", timeout=30, port=server.port).rcode() == dns.rcode.FORMERR


def ask_without_end(line: socket.socket, framed: bytes) -> None:
    """Until all buffers are full, the server's and the kernel's."""
    while True:
        line.sendall(framed * 100)


def test_who_takes_no_answers_keeps_nobody_from_ending() -> None:
    query = dns.message.make_query(f"big.{ZONE}", "A").to_wire()
    framed = struct.pack("!H", len(query)) + query
    with nameserver({ZONE: SEED}, idle_timeout=60.0) as server:
        line = socket.create_connection(("127.0.0.1", server.port))
        line.settimeout(1.0)
        with pytest.raises(TimeoutError):
            ask_without_end(line, framed)
        began = time.monotonic()
    assert time.monotonic() - began < 30.0
    line.close()
