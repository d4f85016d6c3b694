"""Secondaries for tests: a BIND primary that notifies, and BIND and Knot that transfer from it."""

from __future__ import annotations

import time
from pathlib import Path

from harness.bind import BindServer
from harness.dnsserver import START_SECONDS, ZONE, DnsServer, Key, program
from harness.knot import KnotServer
from harness.ports import free_port

RECORDS = "@ NS ns2\n@ NS ns3\nns2 A 127.0.0.2\nns3 A 127.0.0.3\n"
"""What names two more servers of the zone; where they are asked in tests is for `secondaries:` to say."""


class NotifyingBind(BindServer):
    """A primary that tells its secondaries of each change, at once."""

    def __init__(self, folder: Path, ports: list[int], zone: str = ZONE) -> None:
        super().__init__(folder, zone, RECORDS)
        self._ports = ports

    def write_configuration(self) -> list[str]:
        command = super().write_configuration()
        file = self.folder / "named.conf"
        told = " ".join(f"{self.host} port {port};" for port in self._ports)
        notifying = f"notify explicit; also-notify {{ {told} }}; notify-delay 0;"
        text = file.read_text(encoding="ascii").replace("notify no;", notifying)
        file.write_text(text, encoding="ascii")
        return command


class BindSecondary(DnsServer):
    """A BIND that transfers the zone from `primary`."""

    name = "bind-secondary"

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, ZONE, "", {})
        self.port = port
        self.primary: tuple[str, int, Key] | None = None
        self._first = b""

    def follow(self, primary: DnsServer) -> None:
        """Transfer from there."""
        self.primary = (primary.host, primary.port, primary.key)

    def write_configuration(self) -> list[str]:
        assert self.primary is not None
        host, port, key = self.primary
        configuration = self.folder / "named.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"""{key.clause()}
controls {{ }};
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none; managed-keys-directory "{self.folder}";
    listen-on port {self.port} {{ {self.host}; }}; listen-on-v6 {{ none; }};
    recursion no; notify no; dnssec-validation no; empty-zones-enable no; min-refresh-time 1; min-retry-time 1;
}};
zone "{self.zone}" {{
    type secondary; file "{self.zone_file}"; masterfile-format text;
    primaries {{ {host} port {port} key "{key.name}"; }};
    allow-notify {{ {host}; }};
}};
""",
            encoding="ascii",
        )
        return [program("named"), "-g", "-n", "1", "-c", str(configuration)]

    def start(self, *, sound: bool = True) -> None:
        """And keep the first copy of the zone that it writes."""
        super().start(sound=sound)
        deadline = time.monotonic() + START_SECONDS
        while not self._first and time.monotonic() < deadline:
            time.sleep(0.01)
            self._first = self.zone_file.read_bytes() if self.zone_file.exists() else b""
        assert self._first, "the secondary writes no copy"

    @property
    def zone_file(self) -> Path:
        """Where it keeps its copy; changes since lie in a journal beside it."""
        return self.folder / "zone.db"

    def put_back(self) -> None:
        """Stop, and start with the zone as it was transferred at first, and nobody to transfer a newer one from."""
        self.stop()
        assert self.primary is not None
        self.primary = (self.primary[0], free_port(), self.primary[2])
        self.zone_file.with_suffix(".db.jnl").unlink(missing_ok=True)
        self.zone_file.write_bytes(self._first)
        self.start()


class KnotSecondary(KnotServer):
    """A Knot that transfers the zone from `primary`."""

    name = "knot-secondary"

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder)
        self.port = port
        self.primary: tuple[str, int, Key] | None = None

    def follow(self, primary: DnsServer) -> None:
        """Transfer from there."""
        self.primary = (primary.host, primary.port, primary.key)

    def write_configuration(self) -> list[str]:
        assert self.primary is not None
        host, port, key = self.primary
        configuration = self.folder / "knot.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"""server:
    listen: {self.host}@{self.port}
    rundir: {self.run_folder}
control:
    listen: {self.run_folder}/knot.sock
log:
  - target: stderr
    any: notice
database:
    storage: {self.folder}
    journal-db-max-size: 100M
    timer-db-max-size: 10M
    catalog-db-max-size: 10M
    kasp-db-max-size: 50M
key:
  - id: {key.name}
    algorithm: hmac-sha256
    secret: {key.secret}
remote:
  - id: primary
    address: {host}@{port}
    key: {key.name}
acl:
  - id: notify
    address: {host}
    action: notify
zone:
  - domain: {self.zone}
    storage: {self.folder}
    master: primary
    acl: notify
""",
            encoding="ascii",
        )
        return [program("knotd"), "-c", str(configuration)]
