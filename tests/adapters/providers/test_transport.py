"""The provider against servers that misbehave: what is asked again, what is sent once, what is believed."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig
import pytest

from runtime.staging import eventually
from standfast.adapters.providers import transport
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.adapters.providers.tsig import TsigKey
from standfast.model.rrset import RRset
from standfast.ports.provider import (
    Conflict,
    Content,
    Read,
    ReadChanges,
    Readings,
    Refused,
    Replace,
    Unknown,
    Write,
    Written,
)

ZONE = "lb.example.com"
KEY = TsigKey("standfast-key", "hmac-sha256", b"a secret of no importance")
KEYRING = {dns.name.from_text(KEY.name): dns.tsig.Key(dns.name.from_text(KEY.name), KEY.secret, KEY.algorithm)}
CHANGE = Replace(ZONE, Write("", (), (Content(f"e.{ZONE}", 1, 60, (b"\1\2\3\4",)),)), ())
Script = Callable[["Session"], None]


class Session:
    """One connection as the server sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file = sock.makefile("rb")

    def receive(self) -> bytes:
        """The next message; empty at the end."""
        head = self._file.read(2)
        return self._file.read(struct.unpack("!H", head)[0]) if len(head) == 2 else b""

    def send(self, message: bytes) -> None:
        self.sock.sendall(struct.pack("!H", len(message)) + message)

    def close(self) -> None:
        self._file.close()
        self.sock.close()


@contextmanager
def server(*scripts: Script) -> Iterator[int]:
    """Runs one script for each connection, in order; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for script in scripts:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                session = Session(sock)
                try:
                    script(session)
                except OSError:
                    pass
                finally:
                    session.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(60)
    assert not thread.is_alive()


@contextmanager
def provider(port: int, key: TsigKey | None = KEY, timeout_s: float = 5.0) -> Iterator[Rfc2136Provider]:
    one = Rfc2136Provider(ZONE, "127.0.0.1", port, key, timeout_s=timeout_s)
    try:
        yield one
    finally:
        one.close()


def answered(query: bytes) -> bytes:
    """An authoritative answer with one A record that tells the name's number."""
    question = dns.message.from_wire(query)
    reply = dns.message.make_response(question)
    reply.flags |= dns.flags.AA
    name = question.question[0].name
    number = int(name.labels[0][1:])
    reply.answer = [dns.rrset.from_text(name, 60, "IN", "A", f"10.0.{number >> 8}.{number & 255}")]
    return reply.to_wire()


def keys(count: int) -> tuple[tuple[str, int], ...]:
    return tuple((f"e{number}.{ZONE}", 1) for number in range(count))


def right(count: int) -> Readings:
    return Readings(tuple(RRset(1, 60, (bytes((10, 0, number >> 8, number & 255)),)) for number in range(count)))


def backwards(session: Session) -> None:
    """Answers fifty, last asked first."""
    for query in reversed([session.receive() for _ in range(50)]):
        session.send(answered(query))


def some(count: int) -> Script:
    """Answers so many and hangs up."""

    def script(session: Session) -> None:
        for _ in range(count):
            session.send(answered(session.receive()))

    return script


def all_of_them(session: Session) -> None:
    while query := session.receive():
        session.send(answered(query))


def test_answers_in_any_order() -> None:
    with server(backwards) as port, provider(port) as one:
        assert one.perform(Read(ZONE, keys(50))) == right(50)


def test_queries_cut_off_are_asked_again() -> None:
    with server(some(100), some(0), some(200), all_of_them) as port, provider(port) as one:
        assert one.perform(Read(ZONE, keys(1000))) == right(1000)


def test_a_server_that_always_hangs_up_is_given_up() -> None:
    with server(*[some(0)] * 3) as port, provider(port) as one:
        reply = one.perform(Read(ZONE, keys(5)))
    assert isinstance(reply, Readings)
    assert all(isinstance(value, Unknown) and "closed" in value.why for value in reply.values)


def test_the_answered_keys_are_known_though_others_are_not() -> None:
    def script(session: Session) -> None:
        for _ in range(3):
            session.send(answered(session.receive()))
        while session.receive():
            pass

    with server(script) as port, provider(port, timeout_s=1.0) as one:
        reply = one.perform(Read(ZONE, keys(5)))
    assert isinstance(reply, Readings)
    assert reply.values[:3] == right(3).values
    assert all(isinstance(value, Unknown) and "1 s" in value.why for value in reply.values[3:])


def test_a_stranger_and_a_stray_answer_are_no_answers() -> None:
    def script(session: Session) -> None:
        first, second = session.receive(), session.receive()
        session.send(bytes((first[0] ^ 1,)) + answered(first)[1:])  # an id that nobody asked with
        session.send(first[:2] + answered(second)[2:])  # the answer to another question
        session.send(answered(second))
        while session.receive():
            pass

    with server(script) as port, provider(port) as one:
        first, second = one.perform(Read(ZONE, keys(2))).values  # type: ignore[union-attr]
    assert isinstance(first, Unknown)
    assert second == right(2).values[1]


def test_a_server_that_reads_nothing_blocks_nobody() -> None:
    over = threading.Event()

    def script(_: Session) -> None:
        over.wait(60)

    with server(script) as port, provider(port, timeout_s=0.3) as one:
        begun = time.monotonic()
        reply = one.perform(Read(ZONE, tuple((f"e{n}.{'x' * 60}.{'y' * 60}.{ZONE}", 1) for n in range(3000))))
        assert time.monotonic() - begun < 60
        over.set()
    assert isinstance(reply, Readings)
    assert all(isinstance(value, Unknown) for value in reply.values)


def update_reply(request: bytes, rcode: int, *, signed: bool = True, error: int = 0) -> bytes:
    message = dns.message.from_wire(request, keyring=KEYRING)
    reply = dns.message.make_response(message, tsig_error=error)
    reply.set_rcode(dns.rcode.Rcode.make(rcode))
    if not signed:
        reply.tsig = None
    return reply.to_wire()


def once(make: Callable[[bytes], bytes], sent: list[bytes]) -> Script:
    def script(session: Session) -> None:
        while request := session.receive():
            sent.append(request)
            if reply := make(request):
                session.send(reply)

    return script


@pytest.mark.parametrize(
    ("rcode", "expected"),
    [
        (0, Written),
        (8, Conflict),
        (7, Conflict),
        (3, Conflict),
        (6, Conflict),
        (1, Refused),
        (2, Refused),
        (5, Refused),
    ],
)
def test_signed_verdicts(rcode: int, expected: type) -> None:
    with server(once(lambda request: update_reply(request, rcode), [])) as port, provider(port) as one:
        assert isinstance(one.perform(CHANGE), expected)


@pytest.mark.parametrize(
    ("rcode", "expected"), [(0, Unknown), (8, Unknown), (7, Unknown), (5, Refused), (9, Refused), (4, Refused)]
)
def test_an_unsigned_word_proves_no_success_and_no_conflict(rcode: int, expected: type) -> None:
    script = once(lambda request: update_reply(request, rcode, signed=False), [])
    with server(script) as port, provider(port) as one:
        assert isinstance(one.perform(CHANGE), expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda request: update_reply(request, 0)[:-10] + b"0123456789",
        lambda request: update_reply(request, 5)[:40],
        lambda request: request,
        lambda request: request[:2] + b"\xa8",
        lambda request: b"",
    ],
)
def test_an_answer_that_cannot_be_believed_is_unknown_and_the_update_is_sent_once(
    make: Callable[[bytes], bytes],
) -> None:
    sent: list[bytes] = []
    with server(once(make, sent), once(make, sent)) as port, provider(port, timeout_s=0.3) as one:
        assert isinstance(one.perform(CHANGE), Unknown)
        eventually(lambda: sent, "the server reads what was given up")
    assert len(sent) == 1


def test_a_late_answer_is_not_taken_for_another() -> None:
    """The first update times out; the second goes out on a connection of its own."""
    given_up = threading.Event()

    def late(session: Session) -> None:
        request = session.receive()
        given_up.wait(60)
        session.send(update_reply(request, 0))

    sent: list[bytes] = []
    with (
        server(late, once(lambda request: update_reply(request, 8), sent)) as port,
        provider(port, timeout_s=0.3) as one,
    ):
        assert isinstance(one.perform(CHANGE), Unknown)
        given_up.set()
        one._connection.timeout_s = 30.0
        assert one.perform(CHANGE) == Conflict()
        assert len(sent) == 1


def test_an_update_avoids_a_connection_that_was_closed_or_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_one(session: Session) -> None:
        session.send(update_reply(session.receive(), 0))

    sent: list[bytes] = []
    scripts = (only_one, once(lambda request: update_reply(request, 0), sent), only_one)
    with server(*scripts) as port, provider(port) as one:
        assert one.perform(CHANGE) == Written()
        sock = one._connection._socket
        assert sock is not None
        eventually(lambda: transport._speaks(sock), "the end of the connection arrives")
        assert one.perform(CHANGE) == Written()
        monkeypatch.setattr(transport, "IDLE_MAX_S", 0.0)
        assert one.perform(CHANGE) == Written()
        assert len(sent) == 1


def changes(count: int) -> list[Replace]:
    return [
        Replace(ZONE, Write("", (), (Content(f"e{number}.{ZONE}", 1, 60, (b"\1\2\3\4",)),)), ())
        for number in range(count)
    ]


def test_posted_changes_are_sent_once_each_and_answered_in_any_order() -> None:
    sent: list[bytes] = []

    def script(session: Session) -> None:
        session.send(update_reply(session.receive(), 0))  # that proves the key
        sent.extend(session.receive() for _ in range(3))
        for request, rcode in zip(reversed(sent), (8, 5, 0), strict=True):
            session.send(update_reply(request, rcode))

    with server(script) as port, provider(port) as one:
        assert one.perform(CHANGE) == Written()
        posted = changes(3)
        assert all(one.post(change) for change in posted)
        replies = [one.perform(change) for change in posted]
        assert [type(reply) for reply in replies] == [Written, Refused, Conflict]
        assert len(sent) == 3


def test_nothing_is_posted_before_the_key_is_proven() -> None:
    """Behind a refused key another one is tried: what was posted behind it would have overtaken."""
    sent: list[bytes] = []
    with server(once(lambda request: update_reply(request, 0), sent)) as port, provider(port) as one:
        assert not one.post(CHANGE)
        assert not sent
        assert one.perform(CHANGE) == Written()
        assert one.post(CHANGE)
        assert one.perform(CHANGE) == Written()
        assert len(sent) == 2


def test_of_posted_changes_whose_connection_ends_nobody_knows_and_none_is_sent_again() -> None:
    sent: list[bytes] = []

    def script(session: Session) -> None:
        session.send(update_reply(session.receive(), 0))
        sent.extend(session.receive() for _ in range(3))
        session.send(update_reply(sent[0], 0))

    with server(script, once(lambda request: update_reply(request, 0), sent)) as port, provider(port) as one:
        assert one.perform(CHANGE) == Written()
        posted = changes(3)
        assert all(one.post(change) for change in posted)
        replies = [one.perform(change) for change in posted]
        assert [type(reply) for reply in replies] == [Written, Unknown, Unknown]
        assert len(sent) == 3
        assert one.perform(CHANGE) == Written(), "on a connection of its own"


def test_a_transfer_without_end_is_given_up() -> None:
    """Differences that never finish, unsigned: bounded, and then nothing is known of them."""

    def script(session: Session) -> None:
        query = session.receive()
        question = dns.message.from_wire(query)
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.AA
        reply.answer = [dns.rrset.from_text(ZONE + ".", 60, "IN", "SOA", "ns. host. 9 1 1 1 1")]
        session.send(reply.to_wire())
        request = session.receive()
        reply = dns.message.make_response(dns.message.from_wire(request))
        for serial in (9, 5):
            soa = dns.rrset.from_text(ZONE + ".", 60, "IN", "SOA", f"ns. host. {serial} 1 1 1 1")
            reply.answer = [soa]
            session.send(reply.to_wire())
        reply.answer = [dns.rrset.from_text(f"e.{ZONE}.", 60, "IN", "A", "192.0.2.1")]
        while True:
            session.send(reply.to_wire())

    with server(script) as port, provider(port, key=None, timeout_s=2.0) as one:
        begun = time.monotonic()
        reply = one.perform(ReadChanges(ZONE, 5))
        assert time.monotonic() - begun < 60
    assert getattr(reply, "serial", None) == 9
    assert getattr(reply, "owners", ()) is None


def test_another_zone_is_a_mistake_of_the_caller() -> None:
    with provider(1) as one, pytest.raises(ValueError, match=r"keeps lb\.example\.com"):
        one.perform(Read("example.org", ()))


def test_a_server_that_fails_at_everything_is_not_asked_much_more() -> None:
    """One failed reading may be a chain of aliases without end; that all fail is none, and must not double the load."""
    seen: list[int] = []

    def failing(session: Session) -> None:
        while message := session.receive():
            reply = dns.message.make_response(dns.message.from_wire(message, keyring=KEYRING))
            reply.set_rcode(dns.rcode.SERVFAIL)
            seen.append(reply.opcode())
            session.send(reply.to_wire())

    with server(failing) as port, provider(port) as one:
        reply = one.perform(Read(ZONE, keys(100)))
    assert reply == Readings((Unknown("the server answered SERVFAIL"),) * 100)
    assert seen.count(0) == 101
    assert len(seen) - 101 <= 1, "an update for each of them"
