"""Probes against real servers on free loopback ports."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from harness.ports import free_port
from runtime.staging import LoadBalancer
from standfast.adapters.probes import Answered, HttpProbe, NotMade, Probe, Refused, Result, TcpProbe, Wanted, probe_of
from standfast.laboratory.ending import all_ended

HERE = "127.0.0.1"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(probe: Probe, address: str, port: int) -> Result:
    """One check, alone in its event loop."""

    async def check() -> Result:
        try:
            return await probe.check(address, port)
        finally:
            await probe.close()

    return asyncio.run(check())


def asked_of(serve: Serve, probe: Probe, trust: ssl.SSLContext | None = None) -> Result:
    """One check of a server that behaves like this."""

    serving, tasks = list[asyncio.StreamWriter](), set[asyncio.Task[None]]()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (OSError, EOFError):
            pass

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(writer)
        task = asyncio.get_running_loop().create_task(served(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.wait([task])

    async def check() -> Result:
        server = await asyncio.start_server(connected, HERE, 0, ssl=trust)
        try:
            return await probe.check(HERE, server.sockets[0].getsockname()[1])
        finally:
            await probe.close()
            await all_ended(server, tasks)  # one that was given up just when it was accepted, too
            for writer in serving:
                writer.transport.abort()
            await asyncio.sleep(0.01)  # what was aborted is closed by the event loop's next rounds

    return asyncio.run(check())


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def talk_rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()
    writer.close()


async def answer_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


async def answer_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.fixture
def balancer() -> Iterator[LoadBalancer]:
    one = LoadBalancer(HERE, free_port())
    yield one
    one.kill()


def http(timeout_s: float = 20.0, host: str | None = "www.example.com") -> HttpProbe:
    return HttpProbe("http", "/healthz?deep=1", host, timeout_s)


def test_http_asks_the_address_for_the_configured_host(balancer: LoadBalancer) -> None:
    assert asked(http(), HERE, balancer.port) == Answered()
    assert balancer.asked == [("www.example.com", "/healthz?deep=1")]


@pytest.mark.parametrize(("status", "good"), [(200, True), (204, True), (302, True), (404, False), (503, False)])
def test_2xx_and_3xx_are_good_and_redirects_are_not_followed(balancer: LoadBalancer, status: int, good: bool) -> None:
    assert balancer.server is not None
    balancer.server.status = status  # type: ignore[attr-defined]
    assert asked(http(), HERE, balancer.port) == (Answered() if good else Refused(f"answered {status}"))
    assert len(balancer.asked) == 1


def test_of_a_long_body_only_the_beginning_is_read(balancer: LoadBalancer) -> None:
    assert balancer.server is not None
    balancer.server.octets = 16 << 20  # type: ignore[attr-defined]
    assert asked(http(), HERE, balancer.port) == Answered()


@pytest.mark.parametrize("probe", [TcpProbe(20.0), http()], ids=["tcp", "http"])
def test_nobody_listens(probe: Probe) -> None:
    assert asked(probe, HERE, free_port()) == Refused("connection refused")


@pytest.mark.parametrize(
    ("serve", "timeout_s", "reason"),
    [
        (hang_up, 20.0, "hung up without an answer"),
        (talk_rubbish, 20.0, "its answer is not HTTP"),
        (say_nothing, 0.2, "timed out after 0.2 s"),
    ],
)
def test_servers_that_do_not_answer_http(serve: Serve, timeout_s: float, reason: str) -> None:
    assert asked_of(serve, http(timeout_s)) == Refused(reason)


def test_tcp_passes_if_the_connection_is_accepted() -> None:
    assert asked_of(hang_up, TcpProbe(20.0)) == Answered()


def test_ipv6_addresses() -> None:
    assert asked(http(), "::1", free_port()) in (
        Refused("connection refused"),
        NotMade("cannot assign requested address"),
    )


def test_no_route_from_here_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_route(*address: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(asyncio, "open_connection", no_route)
    assert asked(TcpProbe(1.0), "2001:db8::1", 443) == NotMade("network is unreachable")


def test_each_check_is_a_connection_of_its_own() -> None:
    connections = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    class Twice(HttpProbe):
        async def check(self, address: str, port: int) -> Result:
            assert await super().check(address, port) == Answered()
            return await super().check(address, port)

    assert asked_of(count, Twice("http", "/", None, 20.0)) == Answered()
    assert len(connections) == 2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for www.example.com and its key, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    names = ["-addext", "subjectAltName=DNS:www.example.com", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*make.split(), *names], cwd=folder, check=True, capture_output=True)
    return folder


def serving(authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    return context


def https(authority: Path | None, host: str | None) -> HttpProbe:
    trust = ssl.create_default_context(cafile=str(authority / "cert.pem") if authority else None)
    return HttpProbe("https", "/", host, 30.0, trust)


def test_https_verifies_the_certificate_of_the_configured_host(authority: Path) -> None:
    assert asked_of(answer_well, https(authority, "www.example.com"), serving(authority)) == Answered()


@pytest.mark.parametrize("host", ["api.example.com", None])
def test_https_refuses_a_certificate_for_another_name(authority: Path, host: str | None) -> None:
    result = asked_of(answer_well, https(authority, host), serving(authority))
    assert isinstance(result, Refused)
    assert result.reason.startswith("certificate not accepted: ")
    assert "mismatch" in result.reason


def test_https_refuses_a_certificate_that_nobody_vouches_for(authority: Path) -> None:
    result = asked_of(answer_well, https(None, "www.example.com"), serving(authority))
    assert result == Refused("certificate not accepted: self-signed certificate")


def test_https_where_plain_http_is_spoken(authority: Path) -> None:
    result = asked_of(answer_plainly, https(authority, "www.example.com"))
    assert result == Refused("TLS failed: wrong version number")


def test_https_where_nothing_is_said(authority: Path) -> None:
    trust = ssl.create_default_context(cafile=str(authority / "cert.pem"))
    probe = HttpProbe("https", "/", "www.example.com", 0.2, trust)
    assert asked_of(say_nothing, probe) == Refused("timed out after 0.2 s")


@pytest.mark.parametrize(
    ("status", "wanted", "good"),
    [(204, ((200, 204),), True), (302, ((200, 299),), False), (401, ((200, 299), (401, 401)), True)],
)
def test_which_status_is_good_is_told(balancer: LoadBalancer, status: int, wanted: object, good: bool) -> None:
    assert balancer.server is not None
    balancer.server.status = status  # type: ignore[attr-defined]
    probe = HttpProbe("http", "/", None, 20.0, wanted=Wanted(wanted))  # type: ignore[arg-type]
    assert asked(probe, HERE, balancer.port) == (Answered() if good else Refused(f"answered {status}"))


async def answer_in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nstatus: ")
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.write(b"well")


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("status: well", Answered()),
        ("s: w", Answered()),
        ("ill", Refused("answered 200 without the text 'ill'")),
    ],
)
def test_a_wanted_text_must_occur_in_the_answer(body: str, result: Result) -> None:
    assert asked_of(answer_in_pieces, HttpProbe("http", "/", None, 20.0, wanted=Wanted(body=body))) == result


def test_a_text_beyond_the_beginning_is_not_found(balancer: LoadBalancer) -> None:
    assert balancer.server is not None
    balancer.server.octets = 1 << 20  # type: ignore[attr-defined]
    found = asked(HttpProbe("http", "/", None, 30.0, wanted=Wanted(body="y")), HERE, balancer.port)
    assert found == Refused("answered 200 without the text 'y'")


def test_authorities_of_the_configuration_stand_for_the_systems(authority: Path) -> None:
    text = (authority / "cert.pem").read_text()
    probe = probe_of("https", "/", "www.example.com", 30.0, None, text)
    assert asked_of(answer_well, probe, serving(authority)) == Answered()


def test_tcp_costs_no_import_of_the_http_library() -> None:
    code = "import sys, standfast.adapters.probes as p; p.probe_of('tcp', '', '', 1); sys.exit('httpx' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert isinstance(probe_of("tcp", None, None, 1.0), TcpProbe)
    assert isinstance(probe_of("https", "/x", "h", 1.0), HttpProbe)
