"""Knot DNS for tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent

from harness.dnsserver import ZONE, DnsServer, Key, SecondKey, program, running, zone_text


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
    tcp-io-timeout: 10000
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
    with running(server):
        try:
            yield server
        finally:
            server.stop()
            server.remove_run_folder()
