"""What the tests of commands share: a configuration for a server, load balancers that accept, a command run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from harness.dnsservers import DnsServer, Key
from harness.ports import free_port

ADDRESSES: Mapping[str, str] = {"lb-a1": "127.0.0.1", "lb-b1": "127.0.0.2", "lb-c1": "127.0.0.3"}


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    text: str

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.text)
        assert isinstance(value, dict)
        return value


def run(command: click.Command, *arguments: str | Path) -> Ran:
    """Run a command; it may end by an exit code only, never by an exception."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.output)


class Fleet:
    """Three load balancers that accept TCP connections, each on its own loopback address."""

    def __init__(self) -> None:
        self.port = free_port()
        self._open = {name: socket.create_server((host, self.port)) for name, host in ADDRESSES.items()}

    def kill(self, *names: str) -> None:
        """From now on they refuse connections."""
        for name in names:
            self._open.pop(name).close()

    def close(self) -> None:
        self.kill(*list(self._open))


@contextmanager
def fleet() -> Iterator[Fleet]:
    """Closed at the end."""
    some = Fleet()
    try:
        yield some
    finally:
        some.close()


def written_config(
    folder: Path,
    server: DnsServer,
    port: int,
    *,
    key: Key | None = None,
    reader: Key | None = None,
    zone: str = "",
    endpoints: str = "{www: {}}",
    more: str = "",
) -> Path:
    """A standfast.yaml for the server, whose load balancers listen on `port`; `reader` is the key of roles that only
    read."""
    enactor = f"'file:{(key or server.key).file}'"
    tsig = f"{{enactor: {enactor}, planner: 'file:{reader.file}'}}" if reader else enactor
    load_balancers = "".join(f"  {name}: {{az: {name[3]}, ip: {address}}}\n" for name, address in ADDRESSES.items())
    path = folder / "standfast.yaml"
    path.write_text(
        f"""zone:
  name: {zone or server.zone}
  provider: rfc2136
  server: "{server.host}:{server.port}"
  tsig: {tsig}
state: {folder}/state
health: {{tcp: {port}, timeout: 4s}}
load_balancers:
{load_balancers}endpoints: {endpoints}
{more}
""",
        encoding="utf-8",
    )
    return path
