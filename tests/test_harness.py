"""The harness itself: servers that start, take signed updates and keep them, and a proxy that faults real bytes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harness import leash
from harness.dnsservers import BindServer, DnsServer, SecondKey, bind_server, knot_server
from harness.holdups import HoldUps
from harness.ports import free_port, is_free
from harness.zonetools import Update, axfr, nsupdate, query
from standfast.laboratory import control, wire
from standfast.laboratory.proxy import Fate, Rcode, SeenUpdate, UpdateProxy, mentions

NAME = "www.lb.example.com"
CREATE = [f"prereq nxrrset {NAME} A", f"update add {NAME} 60 A 192.0.2.1"]


@pytest.fixture
def server(dns_server: DnsServer) -> DnsServer:
    return dns_server


@pytest.fixture
def proxy(server: DnsServer) -> Iterator[UpdateProxy]:
    with UpdateProxy(server.address) as running:
        yield running


class Background(threading.Thread):
    """An `nsupdate` that may have to wait for its reply."""

    def __init__(self, server: DnsServer, lines: list[str], port: int, *, udp: bool = False) -> None:
        super().__init__(name="nsupdate")
        self.arguments = (server, lines, port, udp)
        self.result: Update | None = None
        self.start()

    def run(self) -> None:
        server, lines, port, udp = self.arguments
        self.result = nsupdate(server, lines, port=port, udp=udp, timeout=30)

    def done(self) -> Update:
        self.join()
        assert self.result is not None
        return self.result


# Servers


def test_signed_updates_are_taken_and_survive_stop_and_crash(server: DnsServer) -> None:
    assert nsupdate(server, CREATE).rcode == "NOERROR"
    assert query(server, NAME, "A") == ("NOERROR", frozenset({"192.0.2.1"}))
    server.restart()
    assert query(server, NAME, "A") == ("NOERROR", frozenset({"192.0.2.1"}))
    assert nsupdate(server, CREATE).rcode == "YXRRSET"
    assert nsupdate(server, [f"update add {NAME} 60 A 192.0.2.2"]).rcode == "NOERROR"
    server.kill9()
    server.start()
    assert query(server, NAME, "A") == ("NOERROR", frozenset({"192.0.2.1", "192.0.2.2"}))
    assert axfr(server)[NAME, "A"] == frozenset({"192.0.2.1", "192.0.2.2"})


def test_rcodes_of_a_query_tell_nodata_from_nxdomain(server: DnsServer) -> None:
    assert query(server, server.zone, "A") == ("NOERROR", frozenset())
    assert query(server, f"nowhere.{server.zone}", "A") == ("NXDOMAIN", frozenset())


def test_a_second_key_has_only_its_own_rights_on_bind(tmp_path: Path) -> None:
    rights = f'grant "second-key" name {NAME}. A;'
    with bind_server(tmp_path, second_key=SecondKey(rights=rights)) as server:
        assert nsupdate(server, CREATE, key=server.second_key).rcode == "NOERROR"
        assert nsupdate(server, [f"update add {NAME} 60 TXT x"], key=server.second_key).rcode == "REFUSED"
        assert nsupdate(server, [f"update add {NAME} 60 TXT x"]).rcode == "NOERROR"


def test_a_second_key_has_only_its_own_rights_on_knot(tmp_path: Path) -> None:
    with knot_server(tmp_path, second_key=SecondKey(rights="action: update\nupdate-type: [A]")) as server:
        assert nsupdate(server, CREATE, key=server.second_key).rcode == "NOERROR"
        assert nsupdate(server, [f"update add {NAME} 60 TXT x"], key=server.second_key).rcode == "NOTAUTH"
        assert nsupdate(server, [f"update add {NAME} 60 TXT x"]).rcode == "NOERROR"


@pytest.mark.parametrize("make", [bind_server, knot_server])
def test_more_zones_records_and_signing(make: Callable[..., AbstractContextManager[DnsServer]], tmp_path: Path) -> None:
    with make(tmp_path, records="a A 192.0.2.9", other_zones={"two.example": "b A 192.0.2.8"}, signed=True) as server:
        assert query(server, "a.lb.example.com", "A")[1] == {"192.0.2.9"}
        assert query(server, "b.two.example", "A")[1] == {"192.0.2.8"}
        update = nsupdate(server, ["update add c.two.example 60 A 192.0.2.7"], zone="two.example")
        assert update.rcode == "NOERROR"
        assert ("c.two.example", "A") in axfr(server, zone="two.example")


def test_what_was_started_is_gone_afterwards(tmp_path: Path) -> None:
    with bind_server(tmp_path) as bind, knot_server(tmp_path) as knot:
        assert not is_free(bind.port)
        assert not is_free(knot.port)
        pids = [bind.pid, knot.pid]
        folder = knot.run_folder
    assert is_free(bind.port)
    assert is_free(knot.port)
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_server_that_cannot_start_shows_its_own_log(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="unknown option 'no-such-option'"),
        bind_server(tmp_path, options="no-such-option yes;"),
    ):
        pass


def test_no_port_is_given_to_two_processes() -> None:
    script = "from harness.ports import free_port; print([free_port() for _ in range(60)]); input()"
    others = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
        )
        for _ in range(3)
    ]
    given = [free_port() for _ in range(60)]
    for other in others:
        assert other.stdout is not None
        given += [int(port) for port in other.stdout.readline().strip("[]\n").split(",")]
    for other in others:
        other.communicate("\n")
    assert len(given) == len(set(given)) == 240


def test_a_port_that_is_taken_for_udp_only_is_not_free() -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", port))
        assert not is_free(port)
    assert is_free(port)


# Proxy


def test_queries_pass_while_an_update_is_held(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.hold_next()
    sender = Background(server, CREATE, proxy.port)
    (held,) = proxy.wait_held()
    assert query(server, server.zone, "SOA", port=proxy.port) == query(server, server.zone, "SOA")
    assert query(server, NAME, "A")[0] == "NXDOMAIN"
    assert held.sender_listens
    assert proxy.release(held) == [Rcode.NOERROR]
    assert held.listened_at_release
    assert sender.done().rcode == "NOERROR"
    assert query(server, NAME, "A")[1] == {"192.0.2.1"}
    assert proxy.held == []


def test_the_server_refuses_held_bytes_whose_prerequisite_no_longer_holds(
    server: DnsServer, proxy: UpdateProxy
) -> None:
    assert nsupdate(server, CREATE).rcode == "NOERROR"
    proxy.hold_next()
    stale = [f"prereq yxrrset {NAME} A 192.0.2.1", f"update delete {NAME} A", f"update add {NAME} 60 A 192.0.2.2"]
    sender = Background(server, stale, proxy.port)
    (held,) = proxy.wait_held()
    newer = [f"prereq yxrrset {NAME} A 192.0.2.1", f"update delete {NAME} A", f"update add {NAME} 60 A 192.0.2.3"]
    assert nsupdate(server, newer, port=proxy.port).rcode == "NOERROR"
    assert proxy.release(held, copies=2) == [Rcode.NXRRSET, Rcode.NXRRSET]
    assert sender.done().rcode == "NXRRSET"
    assert query(server, NAME, "A")[1] == {"192.0.2.3"}
    assert [seen.rcodes for seen in proxy.log] == [[Rcode.NXRRSET, Rcode.NXRRSET], [Rcode.NOERROR]]
    assert proxy.log[0].fate is Fate.HELD


def test_held_bytes_outlive_their_sender(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.hold_next()
    with socket.create_connection((proxy.host, proxy.port)) as connection:
        message = unsigned_update(server.zone)
        connection.sendall(len(message).to_bytes(2, "big") + message)
        (held,) = proxy.wait_held()
        assert held.message == message
        assert held.sender_listens
    until(lambda: not held.sender_listens)
    assert proxy.release(held) in ([Rcode.REFUSED], [Rcode.NOTAUTH])  # no TSIG: the server's own verdict
    assert held.listened_at_release is False


def test_a_held_sender_may_be_hung_up_on(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.hold_next(close=True)
    assert "end of file" in nsupdate(server, CREATE, port=proxy.port).output
    (held,) = proxy.wait_held()
    assert proxy.release(held) == [Rcode.NOERROR]
    assert held.listened_at_release is False


def test_a_sender_waits_though_the_server_closed_its_idle_connection(tmp_path: Path) -> None:
    with knot_server(tmp_path, options="tcp-idle-timeout: 1") as server, UpdateProxy(server.address) as proxy:
        proxy.hold_next(match=mentions(NAME))
        with socket.create_connection((proxy.host, proxy.port), timeout=30) as connection:
            for name in ("other.lb.example.com", NAME):
                message = unsigned_update(server.zone, name)
                connection.sendall(len(message).to_bytes(2, "big") + message)
            (held,) = proxy.wait_held()
            assert len(connection.recv(65535)) > 2
            connection.settimeout(2.0)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            assert held.sender_listens
            proxy.release(held)
            connection.settimeout(30.0)
            assert connection.recv(65535)[2:4] == held.message[:2]


def test_a_dropped_reply_hides_a_change_that_happened(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.drop_replies(1, close=True)
    assert nsupdate(server, CREATE, port=proxy.port).rcode == "UNKNOWN"
    assert query(server, NAME, "A")[1] == {"192.0.2.1"}
    (seen,) = proxy.log
    assert (seen.fate, seen.rcodes) == (Fate.REPLY_DROPPED, [Rcode.NOERROR])
    assert proxy.resend(seen) == [Rcode.YXRRSET]
    assert nsupdate(server, [f"update add {NAME} 60 A 192.0.2.5"], port=proxy.port).rcode == "NOERROR"


def test_a_dropped_request_changes_nothing(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.drop_requests(1, close=True)
    assert nsupdate(server, CREATE, port=proxy.port).rcode == "UNKNOWN"
    assert query(server, NAME, "A")[0] == "NXDOMAIN"
    assert [seen.rcodes for seen in proxy.log] == [[]]


def test_duplicates_reach_the_server_and_get_its_verdict(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.duplicate(1, copies=2, delay=0.05)
    assert nsupdate(server, CREATE, port=proxy.port).rcode == "NOERROR"

    def repeated(log: list[SeenUpdate]) -> bool:
        return len(log[0].rcodes) == 3

    (seen,) = proxy.wait_log(repeated)
    assert seen.rcodes == [Rcode.NOERROR, Rcode.YXRRSET, Rcode.YXRRSET]


def test_updates_over_udp_meet_the_same_faults(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.hold_next()
    sender = Background(server, CREATE, proxy.port, udp=True)
    (held,) = proxy.wait_held()
    assert proxy.release(held) == [Rcode.NOERROR]
    assert sender.done().rcode == "NOERROR"
    proxy.duplicate()
    assert nsupdate(server, CREATE, port=proxy.port, udp=True).rcode == "YXRRSET"
    log = proxy.wait_log(lambda log: len(log[1].rcodes) == 2)
    assert {seen.transport for seen in log} == {"udp"}


def test_only_what_matches_is_held(server: DnsServer, proxy: UpdateProxy) -> None:
    proxy.hold_next(match=mentions("WWW.lb.example.com."))
    assert nsupdate(server, ["update add w.lb.example.com 60 A 192.0.2.1"], port=proxy.port).rcode == "NOERROR"
    sender = Background(server, CREATE, proxy.port)
    (held,) = proxy.wait_held()
    assert wire.owners(held.message) == {server.zone, NAME, server.key_name}
    proxy.release(held)
    sender.done()


def test_a_server_that_is_away_is_not_hidden(server: DnsServer, proxy: UpdateProxy) -> None:
    server.stop()
    assert nsupdate(server, CREATE, port=proxy.port).rcode == "UNKNOWN"
    server.start()
    assert nsupdate(server, CREATE, port=proxy.port).rcode == "NOERROR"


def test_the_proxy_as_a_process_of_its_own(bind: BindServer, tmp_path: Path) -> None:
    sock = tmp_path / "c.sock"
    command = [sys.executable, "-m", "standfast.laboratory.control", "--upstream", f"{bind.host}:{bind.port}"]
    with subprocess.Popen([*command, "--control", str(sock)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            control.ask(sock, "hold_next", mention=NAME)
            sender = Background(bind, CREATE, port)
            (held,) = control.ask(sock, "wait_held", timeout=30)
            assert control.ask(sock, "release", number=held["number"], copies=2) == {
                "rcodes": ["NOERROR", "YXRRSET"],
                "listened": True,
            }
            assert sender.done().rcode == "NOERROR"
            assert control.ask(sock, "log")[0]["fate"] == "held"
            with pytest.raises(RuntimeError, match="unknown verb 'explode'"):
                control.ask(sock, "explode")
            with pytest.raises(RuntimeError, match="update 99 is not held"):
                control.ask(sock, "release", number=99)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00" * 11,
        b"\x00\x01\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c",  # a name that points at itself
        b"\x00\x01\x28\x00\x00\x01\xff\xff\x00\x00\x00\x00\x03www\x00\x00\x06\x00\x01\x3fshort",
    ],
)
def test_owners_of_malformed_messages_are_what_could_be_read(message: bytes) -> None:
    assert wire.owners(message) <= {"www"}


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def unsigned_update(zone: str, name: str = NAME) -> bytes:
    """An UPDATE that adds an address, without a TSIG."""

    def encoded(one: str) -> bytes:
        return b"".join(bytes([len(label)]) + label.encode() for label in one.split(".")) + b"\x00"

    header = b"\x12\x34\x28\x00" + b"\x00\x01\x00\x00\x00\x01\x00\x00"
    record = encoded(name) + b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + bytes([192, 0, 2, 1])
    return header + encoded(zone) + b"\x00\x06\x00\x01" + record


STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from e2e.roles import Process
from harness.route53 import start
folder = Path(sys.argv[1])
still = Process(["-c", "import time; time.sleep(600)"], folder / "still.log")
still.freeze()
busy = Process(["-c", "import time; time.sleep(600)"], folder / "busy.log")
print(start().process.pid, still.pid, busy.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_started_ends_with_who_started_it_even_by_sigkill(tmp_path: Path) -> None:
    """A stand-in, a process that stands still, and one that does not, as `make incident` has them."""
    command = [sys.executable, "-c", STARTS_AND_IS_KILLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pids = [int(one) for one in done.stdout.split()]
    assert len(pids) == 3
    deadline = time.monotonic() + 30
    while left := [pid for pid in pids if leash.began(pid) and not is_zombie(pid)]:
        assert time.monotonic() < deadline, f"these are left: {left}"
        time.sleep(0.05)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_what_a_machine_takes_lengthens_a_bound_and_nothing_else_does() -> None:
    """Two processes that want the same processor: each loses half of its time, and one alone nothing by waiting."""
    here = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\nwhile True: pass"
    two = [subprocess.Popen([sys.executable, "-c", here]) for _ in range(2)]
    try:
        crowded, asleep = HoldUps([one.pid for one in two]), HoldUps([])
        until(lambda: crowded.lost_s > 0.1, 60.0)
        crowded.check(crowded.passed_s - 0.01, "with that added it is in time")
    finally:
        for one in two:
            one.kill()
            one.wait()
    assert asleep.within(lambda: "found", 60.0, "it is there at once") == "found"
    until(lambda: asleep.passed_s - asleep.lost_s > 0.1, 60.0)
    with pytest.raises(AssertionError, match="nobody came: "):
        asleep.check(0.05, "nobody came")
