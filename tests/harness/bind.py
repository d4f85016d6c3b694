"""BIND 9 for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent

from harness.dnsserver import KEY_NAME, ZONE, DnsServer, Key, SecondKey, program, running, zone_text


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
    with running(server):
        yield server
