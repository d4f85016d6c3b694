"""Real authoritative DNS servers for tests: BIND, Knot and our own, each on a free loopback port with its own keys.

Each server runs in the foreground as a child of the test, keeps everything in a folder of the test, answers for one
zone (or more) that takes TSIG-signed updates and transfers, and is stopped by its own process id. Whatever starts
here must be stopped here: use the context managers.
"""

from __future__ import annotations

import base64
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import dns.exception
import dns.flags
import dns.message
import dns.query

from harness.ports import HOST, free_port

ZONE = "lb.example.com"
KEY_NAME = "standfast-key"
START_SECONDS = 15.0
STOP_SECONDS = 10.0


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

    def start(self) -> None:
        """Start and wait until every zone is served; AssertionError with the server's own log if that fails."""
        assert self._process is None, f"{self.name} runs already"
        command = self.write_configuration()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + START_SECONDS
        for zone in self.zones:
            while not self._serves(zone):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    log_text = self.log_file.read_text(encoding="utf-8", errors="replace")
                    raise AssertionError(f"{self.name} does not serve {zone}:\n{log_text[-4000:]}")
                time.sleep(0.005)
        self.starts += 1

    def stop(self) -> None:
        """End it by SIGTERM, and by SIGKILL if it is still there after ten seconds."""
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


class BindServer(DnsServer):
    """BIND 9's `named`. Updates go to a journal beside the zone file, which is written once and then BIND's."""

    name = "bind"

    def __init__(
        self,
        folder: Path,
        zone: str = ZONE,
        records: str = "",
        *,
        signed: bool = False,
        policy: str | None = None,
        second_key: SecondKey | None = None,
        other_zones: Mapping[str, str] | None = None,
        options: str = "",
    ) -> None:
        super().__init__(folder, zone, records, other_zones or {})
        self._signed = signed
        self._policy = policy if policy is not None else f'grant "{KEY_NAME}" zonesub ANY;'
        self._options = options
        if second_key is not None:
            self.second_key = Key.generate(second_key.name, folder)
            self._policy += "\n" + second_key.rights

    def write_configuration(self) -> list[str]:
        zones = []
        for number, (zone, records) in enumerate(self.zones.items()):
            file = self.folder / f"zone{number}.db"
            if not file.exists():
                file.write_text(zone_text(zone, records), encoding="ascii")
            signing = "    dnssec-policy default;\n" if self._signed else ""
            zones.append(
                f'zone "{zone}" {{\n    type primary;\n    file "{file}";\n{signing}'
                f'    allow-transfer {{ key "{self.key.name}"; }};\n'
                f"    update-policy {{\n{indent(self._policy, '        ')}\n    }};\n}};\n"
            )
        keys = "".join(key.clause() for key in (self.key, self.second_key) if key is not None)
        configuration = self.folder / "named.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"""{keys}
controls {{ }};
logging {{ category update {{ null; }}; category update-security {{ null; }}; }};
options {{
    directory "{self.folder}";
    key-directory "{self.folder}";
    managed-keys-directory "{self.folder}";
    pid-file "{self.folder}/named.pid";
    session-keyfile "{self.folder}/session.key";
    listen-on port {self.port} {{ {self.host}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    empty-zones-enable no;
    max-records-per-type 0;
    tcp-clients 1000;
{indent(self._options, "    ")}
}};
{"".join(zones)}""",
            encoding="ascii",
        )
        return [program("named"), "-g", "-n", "1", "-c", str(configuration)]


class KnotServer(DnsServer):
    """Knot DNS's `knotd`. After the first start the journal holds the zone and the zone file is not read again."""

    name = "knot"

    def __init__(
        self,
        folder: Path,
        zone: str = ZONE,
        records: str = "",
        *,
        signed: bool = False,
        rights: str = "action: [update, transfer]",
        second_key: SecondKey | None = None,
        other_zones: Mapping[str, str] | None = None,
        options: str = "",
    ) -> None:
        super().__init__(folder, zone, records, other_zones or {})
        self._signed = signed
        self._rights = {self.key: rights}
        self._options = options
        # the control socket's path must fit in 108 bytes, which a test's folder need not
        self.run_folder = Path(tempfile.mkdtemp(prefix="standfast-knot-"))
        if second_key is not None:
            self.second_key = Key.generate(second_key.name, folder)
            self._rights[self.second_key] = second_key.rights

    def write_configuration(self) -> list[str]:
        zones = []
        for number, (zone, records) in enumerate(self.zones.items()):
            file = self.folder / f"zone{number}.db"
            file.write_text(zone_text(zone, records), encoding="ascii")
            zones.append(f"  - domain: {zone}\n    file: {file}\n")
        keys = "".join(
            f"  - id: {key.name}\n    algorithm: hmac-sha256\n    secret: {key.secret}\n" for key in self._rights
        )
        granted = [(key, rights) for key, rights in self._rights.items() if rights]
        acls = "".join(
            f"  - id: acl-{key.name}\n    key: {key.name}\n{indent(rights, '    ')}\n" for key, rights in granted
        )
        configuration = self.folder / "knot.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"""server:
    listen: {self.host}@{self.port}
    rundir: {self.run_folder}
    udp-workers: 1
    tcp-workers: 2
    background-workers: 1
{indent(self._options, "    ")}
control:
    listen: {self.run_folder}/knot.sock
log:
  - target: stderr
    any: notice
database:
    storage: {self.folder}
    journal-db-max-size: 2G
    timer-db-max-size: 10M
    catalog-db-max-size: 10M
    kasp-db-max-size: 50M
key:
{keys}acl:
{acls}template:
  - id: default
    storage: {self.folder}
    acl: [{", ".join(f"acl-{key.name}" for key, _ in granted)}]
    journal-content: all
    journal-max-usage: 500M
    zonefile-sync: -1
    zonefile-load: {"none" if self.starts else "whole"}
    dnssec-signing: {"on" if self._signed else "off"}
zone:
{"".join(zones)}""",
            encoding="ascii",
        )
        return [program("knotd"), "-c", str(configuration)]

    def stop(self) -> None:
        super().stop()
        (self.run_folder / "knot.pid").unlink(missing_ok=True)

    def kill9(self) -> None:
        super().kill9()
        # a stale file blocks the next start for as long as some process has that number
        (self.run_folder / "knot.pid").unlink(missing_ok=True)

    def remove_run_folder(self) -> None:
        """Delete the short-named folder outside the test's own."""
        shutil.rmtree(self.run_folder, ignore_errors=True)


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
def bind_server(
    folder: Path,
    zone: str = ZONE,
    records: str = "",
    *,
    signed: bool = False,
    policy: str | None = None,
    second_key: SecondKey | None = None,
    other_zones: Mapping[str, str] | None = None,
    options: str = "",
) -> Iterator[BindServer]:
    """A running BIND. `records` are lines of a zone file; `policy` replaces the update policy (the main key is
    `standfast-key`); `other_zones` maps more zones to their records; `options` are lines of the options clause."""
    server = BindServer(
        folder / "bind",
        zone,
        records,
        signed=signed,
        policy=policy,
        second_key=second_key,
        other_zones=other_zones,
        options=options,
    )
    with _running(server):
        yield server


@contextmanager
def knot_server(
    folder: Path,
    zone: str = ZONE,
    records: str = "",
    *,
    signed: bool = False,
    rights: str = "action: [update, transfer]",
    second_key: SecondKey | None = None,
    other_zones: Mapping[str, str] | None = None,
    options: str = "",
) -> Iterator[KnotServer]:
    """A running Knot. `rights` replaces the main key's acl; `options` are lines of the server section; the rest
    is as for `bind_server`."""
    server = KnotServer(
        folder / "knot",
        zone,
        records,
        signed=signed,
        rights=rights,
        second_key=second_key,
        other_zones=other_zones,
        options=options,
    )
    with _running(server):
        try:
            yield server
        finally:
            server.stop()
            server.remove_run_folder()


@contextmanager
def embedded_server(folder: Path, zone: str = ZONE, records: str = "") -> Iterator[EmbeddedServer]:
    """A running nameserver of ours, as a process of its own; `records` are lines of a zone file for a first start."""
    server = EmbeddedServer(folder / "embedded", zone, records)
    with _running(server):
        yield server


@contextmanager
def _running(server: DnsServer) -> Iterator[None]:
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
    assert found, f"{name} is not installed: run `make setup`, or apt install bind9 bind9-dnsutils knot knot-dnsutils"
    return found


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[DnsServer]]] = {
    "embedded": embedded_server,
    "bind": bind_server,
    "knot": knot_server,
}
