"""What `check --print-server-config` prints: the servers accept it, it lets an enactor write, and nobody else."""

from __future__ import annotations

import base64
import shlex
import subprocess
from pathlib import Path

import pytest

from cli.given import Ran, run, written_config
from harness.dnsserver import running
from harness.dnsservers import (
    ZONE,
    BindServer,
    DnsServer,
    Key,
    KnotServer,
    PowerDnsServer,
    SecondKey,
    bind_server,
    powerdns_server,
    program,
    zone_text,
)
from harness.zonetools import axfr, nsupdate
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
READER = SecondKey("reader")
NAMES = [f"www.{ZONE}", f"*.cell.{ZONE}", ZONE, f"a.b.{ZONE}"]


def printed(config: Path, kind: str, *more: str) -> Ran:
    return run(check_command, "--config", config, "--print-server-config", kind, *more)


def with_secrets(text: str, server: DnsServer) -> str:
    """As an operator fills them in: each from the file that is named beside it."""
    lines = []
    for line in text.splitlines():
        for key in (server.key, server.second_key):
            if key is not None and line.endswith(f"from {key.file}"):
                line = line.replace(PLACEHOLDER, key.secret)
        lines.append(line)
    return "\n".join(lines) + "\n"


class PrintedBind(BindServer):
    """BIND with the printed text as its configuration, and where to listen."""

    text = ""

    def write_configuration(self) -> list[str]:
        super().write_configuration()
        file = self.folder / f"{ZONE}.db"
        if not file.exists():
            file.write_text(zone_text(ZONE), encoding="ascii")
        text = self.text.replace(f"/var/lib/bind/{ZONE}", str(file))
        text = with_secrets(text, self)
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
        configuration.write_text(server + with_secrets(self.text, self), encoding="utf-8")
        checked = subprocess.run(
            [program("knotc"), "-c", str(configuration), "conf-check"], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        return [program("knotd"), "-c", str(configuration)]


class PrintedPowerDns(PowerDnsServer):
    """PowerDNS with the printed settings, and its keys and rights by the printed commands."""

    text = ""

    def write_configuration(self) -> list[str]:
        command = super().write_configuration()
        configuration = self.folder / "pdns.conf"
        kept = ("local-", "lmdb-filename", "socket-dir", "loglevel")
        where = [line for line in configuration.read_text().splitlines() if line.startswith(kept)]
        printed = [line[1:].split("  (")[0].strip() for line in self.text.splitlines() if line.startswith("#     ")]
        configuration.write_text("\n".join([*where, *printed]), encoding="utf-8")
        return command

    def grant(self) -> None:
        for line in self.text.splitlines():
            if line.startswith("pdnsutil "):
                _, *words = shlex.split(line, comments=True)
                key = self.second_key if self.second_key and self.second_key.name in words else self.key
                self.run_pdnsutil(*(word.replace(PLACEHOLDER, key.secret) for word in words))


def written(server: DnsServer, *contents: Content, key: Key | None = None) -> ReplaceReply:
    """A change without prerequisites, so that only rights decide."""
    signer = key or server.key
    tsig = TsigKey(signer.name, "hmac-sha256", base64.b64decode(signer.secret))
    provider = Rfc2136Provider(ZONE, server.host, server.port, tsig)
    try:
        return provider.perform(Replace(ZONE, Write("", (), contents), ()))
    finally:
        provider.close()


def every_content() -> list[Content]:
    return [*zone_contents(ZONE, "main"), *(one for name in NAMES for one in endpoint_contents(ZONE, name))]


def lets_readers_read_and_nothing_else(server: DnsServer, config: Path) -> None:
    """Their key transfers the zone, and changes neither an endpoint nor a marker, one by one or together."""
    key = server.second_key
    assert key is not None
    assert (f"ns.{ZONE}", "A") in axfr(server, key=key)
    for content in every_content():
        refused = written(server, content, key=key)
        assert isinstance(refused, Refused), content
        assert refused.why.startswith(("REFUSED: reader", "NOTAUTH (BADKEY): the server does not know key reader"))
    told = {one["subject"]: one for one in run(check_command, "--config", config, "--json").json["findings"]}
    assert told["reader (planner, cleaner, prober)"]["text"] == "accepted; may change nothing"


def lets_an_enactor_write_and_nothing_else(server: DnsServer, config: Path) -> None:
    every = every_content()
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
    server = PrintedBind(tmp_path / "bind", second_key=READER)
    config = written_config(tmp_path, server, 9, endpoints=ENDPOINTS, reader=server.second_key)
    ran = printed(config, "bind")
    assert ran.code == 0
    assert server.key_secret not in ran.text
    assert f"// from {server.key_file}" in ran.text
    server.text = ran.text
    with running(server):
        lets_readers_read_and_nothing_else(server, config)
        lets_an_enactor_write_and_nothing_else(server, config)
        assert printed(config, "auto").text == ran.text.replace(
            "    // if BIND signs the zone, add: inline-signing no;  (9.20 changes its default)\n", ""
        )


def test_knot_takes_it_and_holds_to_it(tmp_path: Path) -> None:
    server = PrintedKnot(tmp_path / "knot", second_key=READER)
    config = written_config(tmp_path, server, 9, endpoints=ENDPOINTS, reader=server.second_key)
    ran = printed(config, "knot")
    assert ran.code == 0
    assert server.key_secret not in ran.text
    server.text = ran.text
    try:
        with running(server):
            lets_readers_read_and_nothing_else(server, config)
            lets_an_enactor_write_and_nothing_else(server, config)
            assert printed(config, "auto").text == ran.text
    finally:
        server.remove_run_folder()


def test_powerdns_takes_it_and_limits_keys_to_the_zone(tmp_path: Path) -> None:
    """It knows no rights for names, so what is proved is that the reader's key may change nothing in the zone, and the
    enactor's nothing in another."""
    server = PrintedPowerDns(
        tmp_path / "powerdns", granted=False, second_key=READER, other_zones={"other.example": "b A 192.0.2.8"}
    )
    config = written_config(tmp_path, server, 9, endpoints=ENDPOINTS, reader=server.second_key)
    ran = printed(config, "pdns")
    assert ran.code == 0
    assert server.key_secret not in ran.text
    server.text = ran.text
    server.write_configuration()
    server.grant()
    with running(server):
        lets_readers_read_and_nothing_else(server, config)
        assert nsupdate(server, ["update delete b.other.example A"], zone="other.example").rcode == "REFUSED"
        ran_json = run(check_command, "--config", config, "--json").json
        assert ran_json["zones"][0]["missing_rights"] == []
        assert ran_json["zones"][0]["kind"] == "pdns"
        assert written(server, *every_content()) == Written()
        assert printed(config, "auto").text == ran.text


def test_a_lua_policy_of_powerdns_tears_a_change(tmp_path: Path) -> None:
    """Why none is printed: what it denies is left out, and the rest, here a marker without its address, is applied."""
    policy = f'function updatepolicy(input)\n  return input:getQName():toString() ~= "www.{ZONE}."\nend\n'
    with powerdns_server(tmp_path, policy=policy) as server:
        name, marker = f"www.{ZONE}", f"www.{subtree(ZONE)}"
        address = Content(name, RRType.A, 60, (address_rdata("192.0.2.7"),))
        assert written(server, address, Content(marker, RRType.TXT, 60, (txt_rdata("g1"),))) == Written()
        held = axfr(server)
        assert (marker, "TXT") in held
        assert (name, "A") not in held


def test_a_key_that_reads_and_may_write_is_noted(tmp_path: Path) -> None:
    grant = f'grant "{READER.name}" zonesub ANY;'
    with bind_server(tmp_path, second_key=SecondKey(READER.name, grant), options="") as server:
        config = written_config(tmp_path, server, 9, reader=server.second_key)
        told = {one["subject"]: one for one in run(check_command, "--config", config, "--json").json["findings"]}
        assert "may write" in told["reader (planner, cleaner, prober)"]["text"]


def test_a_key_that_cannot_be_read_here_prints_nothing(tmp_path: Path) -> None:
    server = BindServer(tmp_path / "bind", second_key=READER)
    config = written_config(tmp_path, server, 9, reader=server.second_key)
    assert server.second_key is not None
    server.second_key.file.unlink()
    ran = printed(config, "bind")
    assert ran.code == 1
    assert "reader.key" in ran.text


def test_a_signed_zone_of_bind_is_not_signed_inline(tmp_path: Path) -> None:
    server = BindServer(tmp_path / "bind", signed=True)
    with running(server):
        text = printed(written_config(tmp_path, server, 9), "auto").text
    assert "dnssec-policy default;" in text
    assert "inline-signing no;" in text


def test_all_are_printed_where_the_server_does_not_tell(tmp_path: Path) -> None:
    config = written_config(tmp_path, BindServer(tmp_path / "bind"), 9)
    for ran in (printed(config, "auto"), printed(config, "all", "--offline")):
        assert ran.code == 0
        assert "update-policy {" in ran.text
        assert "update-owner-match: equal" in ran.text
        assert "TSIG-ALLOW-DNSUPDATE" in ran.text


@pytest.mark.parametrize("kind", ["bind", "knot", "pdns"])
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
        assert (f"_standfast.{zone}" if kind != "pdns" else f"set-meta {zone} TSIG-ALLOW-AXFR") in ran.text


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
