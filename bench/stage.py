"""A server with two zones of equal shape: ours, and the C clients'. Plans for ours, scripts for theirs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.dnsservers import SERVERS, DnsServer, bind_server, knot_server
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.entry import Entry
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRType, addresses
from standfast.model.shards import Shards
from standfast.ports.store import Publish, Published

OURS, THEIRS = "ours.example", "theirs.example"
ADDRESSES = 8
ENDPOINTS_A_SEND = 200
"""As the peers were measured: 200 endpoints a `send`."""


def name_of(number: int, zone: str) -> str:
    """The owner name of endpoint `number`."""
    return f"edge-{number:06d}.{zone}"


def contents(number: int, version: int) -> list[str]:
    """Eight addresses that tell the version: the third octet of the first changes with it."""
    return [f"10.{(number >> 8) % 256}.{(version + place) % 256}.{number % 250 + 1}" for place in range(ADDRESSES)]


def witness(number: int, version: int) -> bytes:
    """An address that the endpoint has at this version and not at the one before."""
    return bytes((10, (number >> 8) % 256, (version + ADDRESSES - 1) % 256, number % 250 + 1))


def entry(number: int, version: int) -> Entry:
    """An entry of ours whose since is its version."""
    rrsets = addresses(60, contents(number, version))
    return Entry(OURS, name_of(number, OURS), version, rrsets=rrsets, min_answers=((int(RRType.A), 2),))


class Plans:
    """Plans of `count` endpoints, published one after the other."""

    def __init__(self, path: Path, count: int) -> None:
        self.store = SqliteStore(path)
        first = Entry(OURS, first_name("main", OURS), 1, kind="first")
        self.shards = Shards.of([first, *(entry(number, 1) for number in range(count))])
        self.head: Plan | None = None

    def drawn(self, changed: list[int]) -> Plan:
        """The next plan: these endpoints change. Not yet published."""
        generation = self.head.generation + 1 if self.head else 1
        shards = self.shards.updated(entry(number, generation) for number in changed)
        record = PlanRecord("main", generation, shards.digest, (OURS,), (), "bench", "", time.time())
        return Plan(record, shards)

    def publish(self, plan: Plan) -> float:
        """Publish; when the transaction had committed, in perf_counter seconds."""
        reply = self.store.perform(Publish(self.head.head if self.head else None, plan))
        committed = time.perf_counter()
        if not isinstance(reply, Published):
            raise RuntimeError(f"not published: {reply}")
        self.head, self.shards = plan, plan.shards
        return committed


def update_script(server: DnsServer, numbers: list[int], version: int, *, create: bool) -> str:
    """What nsupdate and knsupdate are fed: whole rrsets, a TXT beside each, no prerequisites."""
    lines = [f"server {server.host} {server.port}", f"zone {THEIRS}."]
    for place, number in enumerate(numbers):
        owner = name_of(number, THEIRS)
        if not create:
            lines += [f"update delete {owner}. A", f"update delete {owner}. TXT"]
        lines += [f"update add {owner}. 60 A {address}" for address in contents(number, version)]
        lines.append(f'update add {owner}. 60 TXT "v={version}"')
        if (place + 1) % ENDPOINTS_A_SEND == 0:
            lines.append("send")
    return "\n".join([*lines, "send", ""])


def run_peer(program: str, server: DnsServer, script: Path) -> None:
    """The C client, over TCP, signed. Raises CalledProcessError."""
    key = server.key_file if program == "nsupdate" else _line_key(server, script.parent)
    command = [program, "-k", str(key), "-v", str(script)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


@contextmanager
def server_of(kind: str, folder: Path) -> Iterator[DnsServer]:
    """A server of that kind with both zones, empty."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "bind":
        with bind_server(folder, OURS, other_zones={THEIRS: ""}) as bind:
            yield bind
    elif kind == "knot":
        with knot_server(folder, OURS, other_zones={THEIRS: ""}) as knot:
            yield knot
    else:
        raise ValueError(f"no such server here: {kind}; there are bind and knot, not {sorted(SERVERS)}")


@contextmanager
def enactors(server: DnsServer, folder: Path, count: int) -> Iterator[Path]:
    """So many enactors as processes of their own, with journals, fences and disk copies. Yields their state folder."""
    key = key_file(server, folder)
    config = folder / "standfast.yaml"
    config.write_text(_CONFIG.format(zone=OURS, host=server.host, port=server.port, key=key), encoding="utf-8")
    (folder / "state").mkdir(mode=0o700)
    with ExitStack() as stack:
        for place in range(count):
            command = [sys.executable, "-m", "standfast", "run", "--role", "enactor", "--quiet"]
            command += ["--name", f"bench-{place}", "--config", str(config)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            stack.callback(stopped, process)
        yield folder / "state"


def key_file(server: DnsServer, folder: Path) -> Path:
    """The server's key as a file of mode 0600."""
    text = f'key "{server.key_name}" {{ algorithm hmac-sha256; secret "{server.key_secret}"; }};\n'
    return _private(folder / "bench.key", text)


def _line_key(server: DnsServer, folder: Path) -> Path:
    """The same key on one line, as Knot's client takes it."""
    return _private(folder / "line.key", f"hmac-sha256:{server.key_name}:{server.key_secret}\n")


def _private(path: Path, text: str) -> Path:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    return path


def stopped(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, then SIGKILL, by its own process id."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_CONFIG = """
zone: {{name: {zone}, provider: rfc2136, server: "{host}:{port}", tsig: "file:{key}"}}
state: state
health: none
load_balancers:
  lb-1: {{az: a, ip: [192.0.2.1]}}
endpoints:
  edge: {{}}
"""
