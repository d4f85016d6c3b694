"""A DNS server under test: its keys, its life and its end; `dnsservers.py` has the real ones."""

from __future__ import annotations

import base64
import secrets
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query

from harness.ports import HOST, free_port

ZONE = "lb.example.com"
KEY_NAME = "standfast-key"
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Key:
    """A TSIG key, hmac-sha256, and the file that `tsig-keygen` would have written for it."""

    name: str
    secret: str
    file: Path

    @classmethod
    def generate(cls, name: str, folder: Path) -> Key:
        """A fresh random key with its file (mode 600) in `folder`."""
        key = cls(name, base64.b64encode(secrets.token_bytes(32)).decode(), folder / f"{name}.key")
        key.file.touch(mode=0o600)
        key.file.write_text(key.clause(), encoding="ascii")
        return key

    def clause(self) -> str:
        """The key as a clause of BIND's configuration language."""
        return f'key "{self.name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{self.secret}";\n}};\n'


@dataclass(frozen=True)
class SecondKey:
    """Another key with rights of its own.

    `rights` is what the server's own language says: for BIND lines of an update policy, for Knot the keys of an acl
    section (such as `action: update` and `update-type: [TXT]`), without the key itself. Empty: no rights at all.
    """

    name: str = "second-key"
    rights: str = ""


class DnsServer(ABC):
    """A DNS server under test. Every attribute is fixed before the first start and survives a restart."""

    name: str = ""

    def __init__(self, folder: Path, zone: str, records: str, other_zones: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.host = HOST
        self.port = free_port()
        self.zone = zone
        self.zones = {zone: records, **other_zones}
        self.key = Key.generate(KEY_NAME, folder)
        self.second_key: Key | None = None
        self.log_file = folder / "server.log"
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def key_name(self) -> str:
        """The name of the key that may do everything."""
        return self.key.name

    @property
    def key_secret(self) -> str:
        """Its secret in base64."""
        return self.key.secret

    @property
    def key_file(self) -> Path:
        """Its file, in the format of `tsig-keygen`."""
        return self.key.file

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, UDP and TCP."""
        return self.host, self.port

    @property
    def pid(self) -> int:
        """The process id of the running server; RuntimeError if it does not run."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @abstractmethod
    def write_configuration(self) -> list[str]:
        """Write what the server needs and give its command line; called before every start."""

    def start(self, *, sound: bool = True) -> None:
        """Start and wait until every zone is served (not `sound`: until it answers at all); AssertionError with the
        server's own log if that fails."""
        assert self._process is None, f"{self.name} runs already"
        command = self.write_configuration()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + START_SECONDS
        for zone in self.zones:
            while not (self._serves(zone) if sound else self._answers(zone)):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    log_text = self.log_file.read_text(encoding="utf-8", errors="replace")
                    raise AssertionError(f"{self.name} does not serve {zone}:\n{log_text[-4000:]}")
                time.sleep(0.005)
        self.starts += 1

    def stop(self) -> None:
        """End it by SIGTERM, and by SIGKILL if it is still there after half a minute."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """End it by SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port with the same data."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _answers(self, zone: str) -> bool:
        question = dns.message.make_query(zone, "SOA")
        try:
            dns.query.tcp(question, self.host, timeout=0.5, port=self.port)
        except (OSError, EOFError, dns.exception.DNSException):
            return False
        return True

    def _serves(self, zone: str) -> bool:
        question = dns.message.make_query(zone, "SOA")
        try:
            for ask in (dns.query.tcp, dns.query.udp):  # a closed TCP port says so at once
                reply = ask(question, self.host, timeout=0.5, port=self.port)
                if reply.rcode() != 0 or not reply.flags & dns.flags.AA or not reply.answer:
                    return False
        except (OSError, EOFError, dns.exception.DNSException):
            return False
        return True


@contextmanager
def running(server: DnsServer) -> Iterator[None]:
    """Start a server, and stop it whatever happens."""
    server.start()
    try:
        yield
    finally:
        server.stop()


def zone_text(zone: str, records: str = "") -> str:
    """A zone file: SOA, NS and its address, then `records`; names in them are relative to the zone."""
    return (
        f"$ORIGIN {zone}.\n$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 5\n@ IN NS ns\nns IN A {HOST}\n{records}\n"
    )


def program(name: str) -> str:
    """The path of a program, daemons' folders included; AssertionError naming what provides it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    assert found, f"{name} is not installed: run `make setup`, or apt install bind9 knot pdns-server pdns-backend-lmdb"
    return found
