"""PowerDNS Authoritative Server for tests, with LMDB behind it: the backend that Debian ships and that stays fast."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.dnsserver import ZONE, DnsServer, Key, SecondKey, program, running, zone_text


class PowerDnsServer(DnsServer):
    """`pdns_server`. Zones, keys and rights live in its database, made once by `pdnsutil`.

    A second key's `rights` are words of `update` and `transfer`: PowerDNS knows no right for a name or a type, but by
    a Lua script (`policy`, its text), which is asked record by record. Not `granted`: no key is known, nothing allowed.
    """

    name = "powerdns"

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
        granted: bool = True,
    ) -> None:
        super().__init__(folder, zone, records, other_zones or {})
        self._granted = granted
        self._signed, self._policy, self._options = signed, policy, options
        self._rights = {self.key: "update transfer"}
        if second_key is not None:
            self.second_key = Key.generate(second_key.name, folder)
            self._rights[self.second_key] = second_key.rights

    def write_configuration(self) -> list[str]:
        configuration = self.folder / "pdns.conf"
        configuration.touch(mode=0o600)
        policy = self.folder / "policy.lua"
        if self._policy is not None:
            policy.write_text(self._policy, encoding="utf-8")
        configuration.write_text(
            f"""launch=lmdb
lmdb-filename={self.folder}/pdns.lmdb
lmdb-shards=1
lmdb-sync-mode=sync
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
local-address={self.host}
local-port={self.port}
dnsupdate=yes
allow-dnsupdate-from=
allow-axfr-ips=
{f"lua-dnsupdate-policy-script={policy}" if self._policy is not None else ""}
security-poll-suffix=
socket-dir={self.folder}
max-tcp-connections=200
loglevel=4
{self._options}
""",
            encoding="utf-8",
        )
        if not self.starts and not (self.folder / "pdns.lmdb").exists():
            self._fill()
        return [program("pdns_server"), f"--config-dir={self.folder}", "--guardian=no", "--daemon=no"]

    def _fill(self) -> None:
        """Zones, keys, and who may do what."""
        for key in self._rights if self._granted else ():
            # the secret stands in an argument list for a moment: there is no other way, and only a test's key does
            self.run_pdnsutil("import-tsig-key", key.name, "hmac-sha256", key.secret)
        for number, (zone, records) in enumerate(self.zones.items()):
            file = self.folder / f"zone{number}.db"
            file.write_text(zone_text(zone, records), encoding="ascii")
            self.run_pdnsutil("load-zone", zone, str(file))
            self.run_pdnsutil("set-kind", zone, "primary")
            if not self._granted:
                continue
            self.run_pdnsutil("set-meta", zone, "ALLOW-DNSUPDATE-FROM", f"{self.host}/8")
            self.run_pdnsutil("set-meta", zone, "SOA-EDIT-DNSUPDATE", "INCREASE")
            for word, meta in (("update", "TSIG-ALLOW-DNSUPDATE"), ("transfer", "TSIG-ALLOW-AXFR")):
                if allowed := [key.name for key, rights in self._rights.items() if word in rights.split()]:
                    self.run_pdnsutil("set-meta", zone, meta, *allowed)
            if self._signed:
                self.run_pdnsutil("secure-zone", zone)
                self.run_pdnsutil("rectify-zone", zone)

    def run_pdnsutil(self, *arguments: str) -> None:
        """An operator's command; AssertionError if it fails."""
        command = [program("pdnsutil"), f"--config-dir={self.folder}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).replace(self.key.secret, "…")
        assert done.returncode == 0, f"pdnsutil {arguments[0]}: {said}"


@contextmanager
def powerdns_server(
    folder: Path,
    zone: str = ZONE,
    records: str = "",
    *,
    signed: bool = False,
    policy: str | None = None,
    second_key: SecondKey | None = None,
    other_zones: Mapping[str, str] | None = None,
    options: str = "",
) -> Iterator[PowerDnsServer]:
    """A running PowerDNS. `policy` is the text of a Lua update policy; the rest is as for `bind_server`."""
    server = PowerDnsServer(
        folder / "powerdns",
        zone,
        records,
        signed=signed,
        policy=policy,
        second_key=second_key,
        other_zones=other_zones,
        options=options,
    )
    with running(server):
        yield server
