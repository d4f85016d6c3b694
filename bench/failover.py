"""What users feel: from "connection refused" to the primary's first answer without that address.

Of two dozen load balancers one at a time is killed, so that velocity, which would rightly make a small fleet wait,
is not what is measured.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from harness.dnsservers import DnsServer
from harness.ports import free_port

from .stage import OURS, key_file, server_of, stopped
from .witness import Witness

INTERVAL_S, FALL, FLEET = 0.2, 2, 24


class Failover(Struct, frozen=True):
    """Seconds over that many kills. `waited_s` is what the checks wait by design: it is in the figures."""

    server: str
    kills: int
    p50_s: float
    p99_s: float
    waited_s: float


class Listener:
    """A load balancer as far as a TCP check can tell; closing it makes the next connection be refused."""

    def __init__(self, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.socket: socket.socket | None = None

    def open(self) -> None:
        """Accept connections; the backlog answers for us."""
        self.socket = socket.create_server((self.address, self.port), backlog=4096, reuse_port=False)

    def close(self) -> None:
        """Connection refused from now on."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def failover(kind: str, folder: Path, kills: int, tell: Callable[[str], None]) -> Failover:
    """Kill one load balancer of many, wait until it is gone from the answer, bring it back; again and again."""
    port = free_port()
    listeners = [Listener(f"127.0.2.{place}", port) for place in range(1, FLEET + 1)]
    times: list[float] = []
    name = f"edge.{OURS}"
    with server_of(kind, folder / "server") as server, ExitStack() as stack:
        for listener in listeners:
            listener.open()
            stack.callback(listener.close)
        watch = Witness(server.host, server.port)
        stack.enter_context(_roles(server, folder, listeners))
        everybody = {name: socket.inet_aton(listeners[0].address)}
        watch.until_all(everybody)
        for kill in range(kills):
            victim = listeners[kill % FLEET]
            octets = socket.inet_aton(victim.address)
            watch.until_all({name: octets})
            time.sleep(0.1 + 0.037 * (kill % 7))
            refused = time.perf_counter()
            victim.close()
            times.append(watch.until_gone(name, octets) - refused)
            victim.open()
            tell(f"{kind}: kill {kill + 1} of {kills}: gone after {times[-1]:.3f} s")
        watch.close()
    times.sort()
    return Failover(
        kind, kills, times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))], INTERVAL_S * FALL
    )


@contextmanager
def _roles(server: DnsServer, folder: Path, listeners: list[Listener]) -> Iterator[None]:
    """Planner and enactor as processes."""
    balancers = "\n".join(f"  lb-{n}: {{az: a{n}, ip: [{one.address}]}}" for n, one in enumerate(listeners))
    config = folder / "standfast.yaml"
    config.write_text(
        _CONFIG.format(
            zone=OURS,
            host=server.host,
            port=server.port,
            key=key_file(server, folder),
            check=listeners[0].port,
            interval=f"{INTERVAL_S * 1000:g}ms",
            fall=FALL,
            balancers=balancers,
            fleet=FLEET,
        ),
        encoding="utf-8",
    )
    with ExitStack() as stack:
        for role in ("planner", "enactor"):
            command = [sys.executable, "-m", "standfast", "run", "--role", role, "--quiet", "--name", "bench"]
            stack.callback(stopped, subprocess.Popen([*command, "--config", str(config)], stdin=subprocess.DEVNULL))
        yield


_CONFIG = """
zone: {{name: {zone}, provider: rfc2136, server: "{host}:{port}", tsig: "file:{key}"}}
state: state
health: {{tcp: {check}, interval: {interval}, timeout: 150ms, fall: {fall}, rise: 2, warm_up: 0s}}
load_balancers:
{balancers}
endpoints:
  edge: {{min_answers: 1, max_answers: {fleet}, removal: 100% in 10s, hold_below: 1%}}
"""
