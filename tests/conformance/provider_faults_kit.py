"""What only a provider behind a network can get wrong: races of processes, limits, keys, lost and late messages."""

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.queues import Queue

import pytest

from conformance.provider_servers import ServerSubject
from conformance.provider_subject import TXT, ZONE, A, Client, a, below, exactly, rrset, txt
from standfast.adapters.providers import rfc2136, tsig
from standfast.adapters.providers.keyring import KeyRing
from standfast.adapters.providers.promises import Promises
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.adapters.providers.tsig import TsigKey
from standfast.adapters.providers.wire import MESSAGE_MAX, encode_update
from standfast.laboratory.proxy import Rcode, UpdateProxy
from standfast.model.rrset import RRset, address_rdata
from standfast.ports.provider import (
    Conflict,
    Content,
    Prerequisite,
    Read,
    ReadChanges,
    Readings,
    Refused,
    Replace,
    ReplaceReply,
    Unknown,
    Write,
    Written,
)

WRITERS = 4
SUCCESSES = 100
MARKER, NAME = below("m"), below("e")


def contend(port: int, key: TsigKey, number: int, results: "Queue[list[int]]") -> None:
    """One process: raise the counter in the marker, with its address, a hundred times by compare-and-set."""
    client = Client(Rfc2136Provider(ZONE, "127.0.0.1", port, key, timeout_s=20))
    won: list[int] = []
    while len(won) < SUCCESSES:
        seen = client.value(MARKER, TXT)
        count = counter(seen) + 1
        contents = [txt(MARKER, f"{count} {number}.{len(won)}"), address(count)]
        reply = client.replace([Prerequisite(MARKER, TXT, seen.rdata if seen else ())], contents)
        if reply == Written():
            won.append(count)
        elif not isinstance(reply, Conflict | Refused):  # Knot: SERVFAIL to who shares a transaction with a bad one
            raise AssertionError(reply)
    client.provider.close()
    results.put(won)


def counter(marker: RRset | None) -> int:
    return int(marker.rdata[0][1:].split()[0]) if marker else 0


def address(count: int) -> Content:
    return Content(NAME, A, 60, (address_rdata(f"10.0.{count >> 8}.{count & 255}"),))


def padding(octets: int) -> bytes:
    """TXT rdata of exactly so many octets."""
    whole, rest = divmod(octets, 256)
    return (b"\xff" + b"x" * 255) * whole + (bytes((rest - 1,)) + b"y" * (rest - 1) if rest else b"")


class ProviderFaultsKit:
    """Subclasses give the fixture `subject`: a cleared zone at a server."""

    promises = Promises()

    @pytest.fixture
    def proxy(self, subject: ServerSubject) -> Iterator[UpdateProxy]:
        with UpdateProxy(subject.server.address) as proxy:
            yield proxy

    def through(self, subject: ServerSubject, proxy: UpdateProxy, timeout_s: float = 10.0) -> Client:
        return Client(subject.connect_as(subject.key, port=proxy.port, timeout_s=timeout_s))

    # Contention

    def test_four_processes_lose_no_update(self, subject: ServerSubject) -> None:
        spawn = multiprocessing.get_context("spawn")
        results: Queue[list[int]] = spawn.Queue()
        arguments = [(subject.server.port, subject.key, number, results) for number in range(WRITERS)]
        processes = [spawn.Process(target=contend, args=one, daemon=True) for one in arguments]
        for process in processes:
            process.start()
        seen, deadline = 0, time.monotonic() + 120
        while any(process.is_alive() for process in processes) and results.qsize() < WRITERS:
            assert time.monotonic() < deadline
            contents = subject.contents()  # a transfer shows one moment
            marker = contents.get((MARKER, int(TXT)))
            assert counter(marker) >= seen
            seen = counter(marker)
            assert contents.get((NAME, int(A))) == (rrset(address(seen)) if marker else None)
        won = [count for _ in processes for count in results.get(timeout=90)]
        for process in processes:
            process.join(60)
            assert process.exitcode == 0
        assert sorted(won) == list(range(1, WRITERS * SUCCESSES + 1))
        contents = subject.contents()
        assert counter(contents[MARKER, int(TXT)]) == WRITERS * SUCCESSES
        assert contents[NAME, int(A)] == rrset(address(WRITERS * SUCCESSES))

    # Limits

    def test_the_largest_message_is_accepted_and_one_octet_more_not_sent(
        self, subject: ServerSubject, proxy: UpdateProxy
    ) -> None:
        client = self.through(subject, proxy)
        contents = tuple(a(below(f"e{number}"), number % 250) for number in range(1000))
        bare = len(encode_update(0, ZONE, (), (*contents, Content(below("pad"), TXT, 60, (b"",))))) + subject.key.octets
        whole = (*contents, Content(below("pad"), TXT, 60, (padding(MESSAGE_MAX - bare),)))
        assert client.replace([], list(whole)) == Written()
        held, serial = subject.contents(), client.serial()
        assert held[below("pad"), int(TXT)] == rrset(whole[-1])
        assert held[below("e999"), int(A)] == rrset(a("", 999 % 250))
        (seen,) = proxy.log
        assert len(seen.message) == MESSAGE_MAX
        more = (*contents, Content(below("pad"), TXT, 60, (padding(MESSAGE_MAX - bare + 1),)))
        reply = client.replace([], list(more))
        assert isinstance(reply, Refused)
        assert "65536 octets" in reply.why
        assert "fewer endpoints" in reply.why
        assert len(proxy.log) == 1
        assert client.serial() == serial

    # Keys

    @pytest.mark.parametrize(
        ("key", "why"),
        [
            (TsigKey("standfast-key", "hmac-sha256", b"another secret"), "BADSIG"),
            (TsigKey("stranger", "hmac-sha256", b"another secret"), "BADKEY"),
            (None, "unsigned"),
        ],
    )
    def test_a_wrong_key_is_refused_with_a_remedy(self, subject: ServerSubject, key: TsigKey | None, why: str) -> None:
        before = subject.contents()
        reply = Client(subject.connect_as(key)).replace([], [a(NAME, 1)])
        assert isinstance(reply, Refused), reply
        assert (why if self.promises.names_key_errors else "secret or the algorithm") in reply.why
        assert "another secret" not in reply.why
        assert subject.contents() == before

    def test_a_key_that_is_refused_gives_way_to_the_next(self, subject: ServerSubject, proxy: UpdateProxy) -> None:
        """The two ends of a rotation need no common moment; what worked last is tried first."""
        strangers = [TsigKey(name, "hmac-sha256", b"another secret") for name in ("next-key", subject.key.name)]
        keys = [*strangers, subject.key]
        ring = KeyRing(lambda: tuple(keys))
        client = Client(subject.connect_as(ring, port=proxy.port))
        assert client.replace([Prerequisite(MARKER, TXT, ())], [txt(MARKER, "g1")]) == Written()
        assert len(proxy.log) == 3
        (told,) = ring.news
        assert told.endswith(f"key {subject.key.name} is used")
        assert told.count("is refused") == 2
        assert client.replace([exactly(txt(MARKER, "g0"))], [txt(MARKER, "g2")]) == Conflict()
        assert client.replace([exactly(txt(MARKER, "g1"))], [txt(MARKER, "g2")]) == Written()
        assert len(proxy.log) == 5
        keys.remove(subject.key)
        reply = client.replace([exactly(txt(MARKER, "g2"))], [txt(MARKER, "g3")])
        assert isinstance(reply, Refused)
        assert client.value(MARKER, TXT) == rrset(txt("", "g2"))
        if self.promises.tells_changes:
            keys.append(subject.key)
            serial = client.serial()
            client.put(a(NAME, 7))
            assert client.changes(serial).owners == (NAME,)

    @pytest.mark.parametrize("ahead", [-1000, 1000])
    def test_a_wrong_clock_is_refused_with_a_remedy(
        self, subject: ServerSubject, monkeypatch: pytest.MonkeyPatch, ahead: int
    ) -> None:
        before = subject.contents()
        monkeypatch.setattr(rfc2136, "wall_clock", lambda: tsig.wall_clock() + ahead)
        reply = Client(subject.connect()).replace([], [a(NAME, 1)])
        assert isinstance(reply, Refused), reply
        assert ("BADTIME" if self.promises.names_key_errors else "300 s apart") in reply.why
        assert "clocks" in reply.why
        assert subject.contents() == before

    # Messages that get lost, late or doubled

    def test_a_lost_reply_is_unknown_and_the_change_stands(self, subject: ServerSubject, proxy: UpdateProxy) -> None:
        client = self.through(subject, proxy, timeout_s=2.0)  # Knot takes a second now and then
        proxy.drop_replies(1)
        assert isinstance(client.replace([], [txt(MARKER, "g1")]), Unknown)
        (seen,) = proxy.wait_log(lambda log: bool(log and log[-1].rcodes))  # sent once
        assert seen.rcodes == [Rcode.NOERROR]
        assert client.value(MARKER, TXT) == rrset(txt("", "g1"))

    def test_a_connection_cut_after_sending_is_unknown_at_once(
        self, subject: ServerSubject, proxy: UpdateProxy
    ) -> None:
        client = self.through(subject, proxy, timeout_s=120)
        proxy.drop_requests(1, close=True)
        begun = time.monotonic()
        reply = client.replace([], [txt(MARKER, "g1")])
        assert isinstance(reply, Unknown)
        assert "closed the connection" in reply.why
        assert time.monotonic() - begun < 60
        assert client.value(MARKER, TXT) is None
        assert len(proxy.log) == 1

    @pytest.mark.parametrize("newer", [["g2"], ["g2", "g1b", "g3"]])
    def test_held_bytes_are_refused_by_the_server_after_a_newer_change(
        self, subject: ServerSubject, proxy: UpdateProxy, newer: list[str]
    ) -> None:
        client, other = self.through(subject, proxy, timeout_s=0.3), Client(subject.connect())
        other.put(txt(MARKER, "g0"), a(NAME, 0))
        proxy.hold_next(1)
        reply = client.replace([exactly(txt(MARKER, "g0"))], [txt(MARKER, "g1"), a(NAME, 1)])
        assert isinstance(reply, Unknown)
        standing = "g0"
        for text in newer:
            assert other.replace([exactly(txt(MARKER, standing))], [txt(MARKER, text), a(NAME, 2)]) == Written()
            standing = text
        before = subject.contents()
        (held,) = proxy.wait_held()
        assert proxy.release(held) == [Rcode.NXRRSET]
        assert subject.contents() == before
        assert before[NAME, int(A)] == rrset(a("", 2))

    def test_doubled_bytes_win_once(self, subject: ServerSubject, proxy: UpdateProxy) -> None:
        client = self.through(subject, proxy)
        client.put(txt(MARKER, "g0"))
        proxy.duplicate(1, copies=2)
        assert client.replace([exactly(txt(MARKER, "g0"))], [txt(MARKER, "g1"), a(NAME, 1)]) == Written()
        log = proxy.wait_log(lambda log: len(log[-1].rcodes) == 3)
        assert log[-1].rcodes == [Rcode.NOERROR, Rcode.NXRRSET, Rcode.NXRRSET]
        assert client.value(NAME, A) == rrset(a("", 1))

    def test_the_server_may_restart_between_requests(self, subject: ServerSubject) -> None:
        client = Client(subject.connect())
        client.put(txt(MARKER, "g0"))
        subject.server.restart()
        assert client.replace([exactly(txt(MARKER, "g0"))], [txt(MARKER, "g1")]) == Written()
        subject.server.restart()
        assert client.value(MARKER, TXT) == rrset(txt("", "g1"))

    def test_a_server_that_is_away_is_unknown(self, subject: ServerSubject) -> None:
        provider = subject.connect()
        subject.server.stop()
        try:
            change = Replace(ZONE, Write("", (), (a(NAME, 1),)), ())
            reply: ReplaceReply = provider.perform(change)
            assert isinstance(reply, Unknown)
            assert "nothing was sent" in reply.why
            values = provider.perform(Read(ZONE, ((NAME, int(A)),) * 20))
            assert "cannot connect" in str(values)
            assert isinstance(provider.perform(ReadChanges(ZONE, 1)), Unknown)
        finally:
            subject.server.start()

    # News

    def test_news_names_exactly_the_changed_owners(self, subject: ServerSubject) -> None:
        client = Client(subject.connect())
        # BIND sends the whole zone where differences would not be shorter
        client.put(a(NAME, 1), a(below("other"), 1), *(a(below(f"e{number}"), 1) for number in range(50)))
        known = client.changes(None)
        client.put(a(NAME, 2), txt(MARKER, "g1"))
        client.put(a(below("other"), 1))  # as it was: no change
        news = client.changes(known.serial)
        assert news.serial != known.serial
        assert news.owners == ((NAME, MARKER) if self.promises.tells_changes else None)
        assert client.changes(news.serial).owners == ()

    def test_news_since_a_serial_that_never_was_is_none(self, subject: ServerSubject) -> None:
        client = Client(subject.connect())
        assert client.changes((client.serial() - 100_000) % 2**32).owners is None
        assert client.changes(-1).owners is None

    def test_news_without_the_right_to_transfer_is_none(self, subject: ServerSubject) -> None:
        client, stranger = Client(subject.connect()), Client(subject.connect_as(None))
        serial = client.serial()
        client.put(a(NAME, 1))
        assert stranger.changes(serial).owners is None

    def test_what_is_read_after_a_change_brings_the_serial_with_it(self, subject: ServerSubject) -> None:
        provider, own = subject.connect(), Client(subject.connect())
        client, few = Client(provider), ((NAME, A), (MARKER, TXT))

        def serial() -> int | None:
            return provider.serial

        provider.perform(Read(ZONE, few))
        assert serial() is None, "nothing was changed here"
        client.put(a(NAME, 1))
        provider.perform(Read(ZONE, tuple((below(f"e{n}"), A) for n in range(rfc2136.SERIAL_KEYS + 1))))
        assert serial() is None, "many at once are read as fast as can be"
        assert provider.perform(Read(ZONE, few)) == Readings((rrset(a(NAME, 1)), None))
        assert serial() == own.serial()
        client.put(a(NAME, 2))
        assert serial() is None, "that of before would prove nothing"

    def told(self, count: int) -> None:
        assert count > 10 if self.promises.tells_changes else count == 0
