"""Our nameserver for its own tests: in a thread (to see its event loop), or as a process (to kill it)."""

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update

from standfast.adapters.nameserver import Nameserver, ZoneStore

ZONE = "lb.example.com"
SECRET = b"0123456789abcdef0123456789abcdef"
KEY = dns.tsig.Key("test-key.", SECRET)
KEY_FILE = 'key "test-key" {\n\talgorithm hmac-sha256;\n\tsecret "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";\n};\n'


@dataclass
class Running:
    """A server in a thread. `complaints` is what reached the event loop's handler or was logged as an error."""

    port: int
    stores: Mapping[str, ZoneStore]
    complaints: list[str] = field(default_factory=list)


class _Complaints(logging.Handler):
    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        self._into.append(record.getMessage())


@contextmanager
def nameserver(
    seeds: Mapping[str, str] | None = None, *, idle_timeout: float = 5.0, max_connections: int = 64, quiet: bool = True
) -> Iterator[Running]:
    """A server for zones in memory; `seeds` maps apex to master-file text. If `quiet`, it must not have complained."""
    ready = threading.Event()
    holder: list[tuple[Running, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stores = {apex: ZoneStore.open(":memory:", apex, seed=seed) for apex, seed in (seeds or {ZONE: ""}).items()}
        server = Nameserver(stores, {"test-key": SECRET}, idle_timeout=idle_timeout, max_connections=max_connections)
        running = Running(await server.start(), stores)
        handler = _Complaints(running.complaints)
        for name in ("asyncio", "standfast.adapters.nameserver"):
            logging.getLogger(name).addHandler(handler)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: running.complaints.append(str(context)))
        stop = asyncio.Event()
        holder.append((running, loop, stop))
        ready.set()
        await stop.wait()
        await server.stop()
        for store in stores.values():
            store.close()
        for name in ("asyncio", "standfast.adapters.nameserver"):
            logging.getLogger(name).removeHandler(handler)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(60)
    running, loop, stop = holder[0]
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
    assert not thread.is_alive()
    assert running.complaints == [] or not quiet


@contextmanager
def nameserver_process(folder: Path, port: int = 0, seed: str = "") -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The program, its zone in `folder`; gives its port, and the process for tests that kill it."""
    (folder / "key").write_text(KEY_FILE)
    (folder / "seed").write_text(seed)
    command = [sys.executable, "-m", "standfast.adapters.nameserver", "--zone", ZONE, "--port", str(port)]
    command += ["--database", str(folder / "zone.db"), "--key-file", str(folder / "key")]
    command += ["--seed-file", str(folder / "seed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert line.startswith("listening on 127.0.0.1:"), line
            yield int(line.rpartition(":")[2]), process
        finally:
            process.kill()
            process.wait(60)


def update() -> dns.update.UpdateMessage:
    """An empty update of the test zone, to be signed with the test key."""
    return dns.update.UpdateMessage(ZONE + ".", keyring=KEY, keyname=KEY.name)


def send(message: dns.message.Message, port: int) -> dns.message.Message:
    """Over TCP, as everything that must arrive."""
    return dns.query.tcp(message, "127.0.0.1", timeout=30, port=port)


def ask(
    port: int, name: str, rdtype: str = "A", *, tcp: bool = False, edns: int = -1, payload: int = 1232
) -> dns.message.Message:
    """A query; the whole answer."""
    query = dns.message.make_query(name, rdtype, use_edns=edns, payload=payload)
    exchange = dns.query.tcp if tcp else dns.query.udp
    return exchange(query, "127.0.0.1", timeout=30, port=port)


def count_up(port: int, times: int) -> list[int]:
    """Add one to the TXT `counter` by compare-and-set until it worked `times` times; the values we wrote."""
    wrote: list[int] = []
    while len(wrote) < times:
        old = int(ask(port, f"counter.{ZONE}", "TXT").answer[0][0].to_text().strip('"'))
        step = update()
        step.present("counter", "TXT", str(old))
        step.replace("counter", 5, "TXT", str(old + 1))
        if send(step, port).rcode() == dns.rcode.NOERROR:
            wrote.append(old + 1)
    return wrote
