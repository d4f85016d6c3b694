"""Rubbish over UDP and TCP: the server goes on answering, nothing escapes, and no rubbish changes a zone."""

import contextlib
import random
import socket
import struct
import time

import dns.message
import dns.rcode

from adapters.nameserver.nameservers import KEY, ZONE, ask, nameserver, send, update
from standfast.adapters.nameserver.authentication import Signer
from standfast.adapters.nameserver.wire import Malformed, read_message, read_name

SEED = 20251019
EACH = 1500


def samples() -> list[bytes]:
    """Good messages to spoil: queries of several kinds, updates signed and not."""
    found = [
        dns.message.make_query(f"{name}.{ZONE}", rdtype, use_edns=edns).to_wire()
        for name in ("www", "alias", "nope", "a.b.any")
        for rdtype in ("A", "TXT", "ANY", "SOA", "IXFR", "AXFR")
        for edns in (-1, 0)
    ]
    for signed in (True, False):
        step = update()
        step.present("www", "A", "192.0.2.1")
        step.absent("other")
        step.replace("www", 5, "A", "192.0.2.66")
        step.delete("alias")
        step.add("mx", 5, "MX", "10 www")
        wire = step.to_wire()
        if not signed:
            at = read_message(wire).tsig_at
            wire = wire[:10] + b"\0\0" + wire[12:at]
        found.append(wire)
    return found


def spoil(rng: random.Random, good: list[bytes]) -> bytes:
    """A message that is no longer good. Case does not count: a TSIG covers its own names in lower case."""
    wire = rng.choice(good)
    while wire.lower() in {one.lower() for one in good}:
        wire = _spoil(rng, bytearray(rng.choice(good)))
    return wire


def _spoil(rng: random.Random, wire: bytearray) -> bytes:
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randbytes(rng.randrange(600))
    if kind == 1:
        return bytes(wire[: rng.randrange(len(wire))])
    if kind == 2:  # pointers everywhere
        for _ in range(3):
            at = rng.randrange(12, len(wire) - 1)
            struct.pack_into("!H", wire, at, 0xC000 | rng.randrange(len(wire)))
    elif kind == 3:  # counts that lie
        struct.pack_into("!H", wire, rng.choice((4, 6, 8, 10)), rng.choice((0, 1, 2, 3, 65535)))
    else:
        for _ in range(rng.randint(1, 4)):
            wire[rng.randrange(2, len(wire))] ^= 1 << rng.randrange(8)
    return bytes(wire)


def check(wire: bytes, reply: bytes) -> None:
    """An answer is a readable message with our id and QR set."""
    assert reply[:2] == wire[:2]
    assert reply[2] & 0x80
    read_message(reply)


def test_rubbish_over_udp_and_tcp() -> None:
    rng = random.Random(SEED)
    good = samples()
    with nameserver({ZONE: "www A 192.0.2.1\nalias CNAME www\n*.any A 192.0.2.7"}) as running:
        where = ("127.0.0.1", running.port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(30)
            client.connect(where)
            marker = dns.message.make_query(f"www.{ZONE}", "A").to_wire()
            for n in range(EACH):
                wire = spoil(rng, good)
                client.send(wire)
                if n % 20 == 0:  # so that neither side's buffer overflows; the marker's answer comes after all others
                    marker = struct.pack("!H", n) + marker[2:]
                    client.send(marker)
                    while client.recv(65535)[:6] != marker[:2] + b"\x85\0\0\1":
                        pass
        for _ in range(EACH // 10):
            with socket.create_connection(where, timeout=30) as client, contextlib.suppress(ConnectionError):
                for _ in range(10):
                    wire = spoil(rng, good)
                    size = len(wire) if rng.random() < 0.9 else rng.randrange(65536)
                    client.sendall(size.to_bytes(2, "big") + wire)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65535):
                    pass
        assert running.stores[ZONE].zone.serial == 1, "no rubbish was signed"
        assert ask(running.port, f"www.{ZONE}").answer[0][0].to_text() == "192.0.2.1"
        assert send(update(), running.port).rcode() == dns.rcode.NOERROR
    # leaving the block asserts that nothing was logged and nothing reached the event loop


def test_each_spoilt_message_gets_a_readable_answer_or_none() -> None:
    rng = random.Random(SEED + 1)
    good = samples()
    answered = 0
    with (
        nameserver({ZONE: "www A 192.0.2.1"}) as running,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.connect(("127.0.0.1", running.port))
        probe = dns.message.make_query(f"www.{ZONE}", "A").to_wire()
        for n in range(400):
            wire = spoil(rng, good)
            client.settimeout(30)
            client.send(wire)
            client.send(struct.pack("!H", n) + probe[2:])
            replies = [client.recv(65535)]
            while replies[-1][:2] != struct.pack("!H", n):
                replies.append(client.recv(65535))
            for reply in replies[:-1]:
                check(wire, reply)
                answered += 1
    assert answered > 100


def test_rubbish_with_a_good_signature() -> None:
    """What a client with a key but a defect could send: the update rules see it, and the apex survives it."""
    rng = random.Random(SEED + 3)
    unsigned = [samples()[-1]]
    rcodes: set[int] = set()
    with nameserver({ZONE: "www A 192.0.2.1"}) as running:
        with (
            socket.create_connection(("127.0.0.1", running.port), timeout=30) as client,
            client.makefile("rb") as replies,
        ):
            for _ in range(1000):
                wire = spoil(rng, unsigned)
                if len(wire) < 12 or wire[2] & 0x80 or wire[10:12] == b"\xff\xff":
                    continue
                signer = Signer(KEY.name, KEY.algorithm, KEY, b"", int.from_bytes(wire[:2], "big"), int(time.time()))
                wire, _ = signer.sign(wire)
                client.sendall(len(wire).to_bytes(2, "big") + wire)
                reply = replies.read(int.from_bytes(replies.read(2), "big"))
                check(wire, reply)
                rcodes.add(reply[3] & 15)
        soa = ask(running.port, ZONE, "SOA").answer[0][0]
        assert soa.serial == running.stores[ZONE].zone.serial
        assert ask(running.port, ZONE, "NS").answer[0][0].to_text() == f"ns1.{ZONE}."
    expected = {"NOERROR", "FORMERR", "NOTIMP", "NXRRSET", "NOTZONE", "NOTAUTH"}
    assert expected <= {dns.rcode.to_text(dns.rcode.Rcode(rcode)) for rcode in rcodes}


def test_the_readers_raise_nothing_but_malformed() -> None:
    rng = random.Random(SEED + 2)
    good = samples()
    refused = 0
    for _ in range(5000):
        wire = spoil(rng, good)
        try:
            message = read_message(wire)
        except Malformed:
            refused += 1
        else:
            assert len(message.questions) == int.from_bytes(wire[4:6], "big")
        with contextlib.suppress(Malformed):
            name, after = read_name(wire, rng.randrange(len(wire) + 1))
            assert len(name) <= 255
            assert after <= len(wire)
    assert 1000 < refused < 5000
