"""Real authoritative DNS servers for tests: BIND, Knot, PowerDNS, ours; each on a free port, with keys of its own.

Each server runs in the foreground as a child of the test, keeps everything in a folder of the test, answers for one
zone (or more) that takes TSIG-signed updates and transfers, and is stopped by its own process id. Whatever starts
here must be stopped here: use the context managers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from harness.bind import BindServer, bind_server
from harness.dnsserver import KEY_NAME, ZONE, DnsServer, Key, SecondKey, program, running, zone_text
from harness.knot import KnotServer, knot_server
from harness.powerdns import PowerDnsServer, powerdns_server

__all__ = [
    "KEY_NAME",
    "SERVERS",
    "ZONE",
    "BindServer",
    "DnsServer",
    "EmbeddedServer",
    "Key",
    "KnotServer",
    "PowerDnsServer",
    "SecondKey",
    "bind_server",
    "embedded_server",
    "knot_server",
    "powerdns_server",
    "program",
    "zone_text",
]


class EmbeddedServer(DnsServer):
    """Our own nameserver as a process, its zone in an SQLite file."""

    name = "embedded"

    def __init__(self, folder: Path, zone: str = ZONE, records: str = "") -> None:
        super().__init__(folder, zone, records, {})
        self.database = folder / "zone.sqlite"

    def write_configuration(self) -> list[str]:
        command = [sys.executable, "-m", "standfast.adapters.nameserver", "--zone", self.zone]
        command += ["--database", str(self.database), "--port", str(self.port), "--key-file", str(self.key_file)]
        if self.zones[self.zone]:
            seed = self.folder / "seed.zone"
            seed.write_text(zone_text(self.zone, self.zones[self.zone]), encoding="ascii")
            command += ["--seed-file", str(seed)]
        return command


@contextmanager
def embedded_server(folder: Path, zone: str = ZONE, records: str = "") -> Iterator[EmbeddedServer]:
    """A running nameserver of ours, as a process of its own; `records` are lines of a zone file for a first start."""
    server = EmbeddedServer(folder / "embedded", zone, records)
    with running(server):
        yield server


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[DnsServer]]] = {
    "embedded": embedded_server,
    "bind": bind_server,
    "knot": knot_server,
    "powerdns": powerdns_server,
}
