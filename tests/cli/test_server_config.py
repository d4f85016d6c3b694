"""What `check --print-server-config` prints: the servers accept it, it lets an enactor write, and nobody else."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from cli.given import Ran, run, written_config
from harness.dnsserver import running
from harness.dnsservers import ZONE, BindServer, DnsServer, KnotServer, program, zone_text
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.adapters.providers.tsig import TsigKey
from standfast.cli.check import check_command
from standfast.cli.checking.rights import endpoint_contents, zone_contents
from standfast.cli.server_config import PLACEHOLDER
from standfast.config import load
from standfast.model.name import subtree
from standfast.model.rrset import RRType, address_rdata, txt_rdata
from standfast.ports.provider import Content, Refused, Replace, ReplaceReply, Write, Written

ENDPOINTS = '{www: {}, "*.cell": {}, "@": {}, a.b: {}}'
NAMES = [f"www.{ZONE}", f"*.cell.{ZONE}", ZONE, f"a.b.{ZONE}"]


def printed(config: Path, kind: str, *more: str) -> Ran:
    return run(check_command, "--config", config, "--print-server-config", kind, *more)


class PrintedBind(BindServer):
    """BIND with the printed text as its configuration, and where to listen."""

    text = ""

    def write_configuration(self) -> list[str]:
        super().write_configuration()
        file = self.folder / f"{ZONE}.db"
        if not file.exists():
            file.write_text(zone_text(ZONE), encoding="ascii")
        text = self.text.replace(f"/var/lib/bind/{ZONE}", str(file)).replace(PLACEHOLDER, self.key.secret)
        configuration = self.folder / "named.conf"
        options = (
            f'controls {{ }};\noptions {{ directory "{self.folder}"; pid-file none; session-keyfile none;\n'
            f"  listen-on port {self.port} {{ {self.host}; }}; listen-on-v6 {{ none; }}; recursion no;\n"
            f'  key-directory "{self.folder}"; managed-keys-directory "{self.folder}";\n'
            "  dnssec-validation no; empty-zones-enable no; };\n"
        )
        configuration.write_text(options + text, encoding="utf-8")
        checked = subprocess.run(
            [program("named-checkconf"), str(configuration)], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
        return [program("named"), "-g", "-n", "1", "-c", str(configuration)]


class PrintedKnot(KnotServer):
    """Knot with the printed text as its configuration, and where to listen."""

    text = ""

    def write_configuration(self) -> list[str]:
        super().write_configuration()
        (self.folder / f"{ZONE}.zone").write_text(zone_text(ZONE), encoding="ascii")
        configuration = self.folder / "knot.conf"
        server = (
            f"server:\n    listen: {self.host}@{self.port}\n    rundir: {self.run_folder}\n"
            f"control:\n    listen: {self.run_folder}/knot.sock\n"
            f"database:\n    storage: {self.folder}\n    journal-db-max-size: 50M\n    timer-db-max-size: 10M\n"
            f"    catalog-db-max-size: 10M\n    kasp-db-max-size: 50M\n"
            f"template:\n  - id: default\n    storage: {self.folder}\n"
        )
        configuration.write_text(server + self.text.replace(PLACEHOLDER, self.key.secret), encoding="utf-8")
        checked = subprocess.run(
            [program("knotc"), "-c", str(configuration), "conf-check"], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        return [program("knotd"), "-c", str(configuration)]


def written(server: DnsServer, *contents: Content) -> ReplaceReply:
    """A change without prerequisites, so that only rights decide."""
    key = TsigKey(server.key_name, "hmac-sha256", base64.b64decode(server.key_secret))
    provider = Rfc2136Provider(ZONE, server.host, server.port, key)
    try:
        return provider.perform(Replace(ZONE, Write("", (), contents), ()))
    finally:
        provider.close()


def lets_an_enactor_write_and_nothing_else(server: DnsServer, config: Path) -> None:
    every = [*zone_contents(ZONE, "main"), *(one for name in NAMES for one in endpoint_contents(ZONE, name))]
    address = address_rdata("192.0.2.7")
    for owner in (f"other.{ZONE}", f"x.www.{ZONE}", f"www.{subtree(ZONE)}.{ZONE}", f"y.cell.{ZONE}"):
        assert isinstance(written(server, Content(owner, RRType.A, 60, (address,))), Refused), owner
    assert isinstance(written(server, Content(f"other.{ZONE}", RRType.TXT, 60, (txt_rdata("x"),))), Refused)
    assert isinstance(written(server, Content(f"www.{ZONE}", RRType.NS, 60, (b"\1x\0",))), Refused)
    ran = run(check_command, "--config", config, "--json")
    assert ran.json["zones"][0]["missing_rights"] == []
    assert not [one for one in ran.json["findings"] if one["area"] in ("rights", "transfer") and one["level"] != "ok"]
    assert written(server, *every) == Written()


def test_bind_takes_it_and_holds_to_it(tmp_path: Path) -> None:
    server = PrintedBind(tmp_path / "bind")
    config = written_config(tmp_path, server, 9, endpoints=ENDPOINTS)
    ran = printed(config, "bind")
    assert ran.code == 0
    assert server.key_secret not in ran.text
    assert f"// from {server.key_file}" in ran.text
    server.text = ran.text
    with running(server):
        lets_an_enactor_write_and_nothing_else(server, config)
        assert printed(config, "auto").text == ran.text.replace(
            "    // if BIND signs the zone, add: inline-signing no;  (9.20 changes its default)\n", ""
        )


def test_knot_takes_it_and_holds_to_it(tmp_path: Path) -> None:
    server = PrintedKnot(tmp_path / "knot")
    config = written_config(tmp_path, server, 9, endpoints=ENDPOINTS)
    ran = printed(config, "knot")
    assert ran.code == 0
    assert server.key_secret not in ran.text
    server.text = ran.text
    try:
        with running(server):
            lets_an_enactor_write_and_nothing_else(server, config)
            assert printed(config, "auto").text == ran.text
    finally:
        server.remove_run_folder()


def test_a_signed_zone_of_bind_is_not_signed_inline(tmp_path: Path) -> None:
    server = BindServer(tmp_path / "bind", signed=True)
    with running(server):
        text = printed(written_config(tmp_path, server, 9), "auto").text
    assert "dnssec-policy default;" in text
    assert "inline-signing no;" in text


def test_both_are_printed_where_the_server_does_not_tell(tmp_path: Path) -> None:
    config = written_config(tmp_path, BindServer(tmp_path / "bind"), 9)
    for ran in (printed(config, "auto"), printed(config, "both", "--offline")):
        assert ran.code == 0
        assert "update-policy {" in ran.text
        assert "update-owner-match: equal" in ran.text


@pytest.mark.parametrize("kind", ["bind", "knot"])
def test_two_zones_of_one_key(kind: str, tmp_path: Path) -> None:
    server = BindServer(tmp_path / "bind")
    config = written_config(tmp_path, server, 9, endpoints="{www.one.example: {}, www.two.example: {}}")
    text = config.read_text(encoding="utf-8")
    head, _, rest = text.partition("state:")
    tail = head.partition("provider:")[2].replace("\n", "\n  ")
    zones = "".join(f"  - name: {zone}\n    provider:{tail.rstrip()}\n" for zone in ("one.example", "two.example"))
    config.write_text(f"zones:\n{zones}state:{rest}", encoding="utf-8")
    assert len(load(config).zones) == 2
    ran = printed(config, kind)
    assert ran.code == 0
    assert ran.text.count("hmac-sha256") == 1
    assert ran.text.count(PLACEHOLDER) == 1
    for zone in ("one.example", "two.example"):
        assert f"_standfast.{zone}" in ran.text


def test_the_embedded_server_needs_none(tmp_path: Path) -> None:
    config = tmp_path / "standfast.yaml"
    config.write_text(
        "zone: {name: lb.example.com, provider: embedded}\nhealth: none\n"
        "load_balancers: {a: {az: a, ip: 192.0.2.1}}\nendpoints: {www: {}}\n",
        encoding="utf-8",
    )
    ran = printed(config, "auto")
    assert ran.code == 1
    assert "configures itself" in ran.text
