"""`standfast check` against real servers: it finds what is wrong, and writes nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import dns.flags
import dns.message
import dns.rrset
import pytest

from cli.given import Fleet, Ran, fleet, run, written_config
from harness.dnsserver import running
from harness.dnsservers import ZONE, BindServer, DnsServer, Key, KnotServer, SecondKey, bind_server, knot_server
from harness.ports import free_port
from harness.zonetools import axfr, nsupdate
from standfast import config as configuration
from standfast.cli.check import check_command
from standfast.cli.checking.server import Seen, look_at_server, secondary_findings
from standfast.cli.checking.vantage import vantage_findings
from standfast.config import ZoneConfig
from standfast.model.marker import Marker, marker_rdata
from standfast.model.name import marker_owner
from standfast.model.rrset import RRType, rdata_text

SUBTREE = f"_standfast.{ZONE}"
FLOOR, FIRST = f"main._floor.{SUBTREE}", f"main._first.{SUBTREE}"
SECONDS_OF_SUM = 3 * 5 + 4 + 1 + 60


@pytest.fixture
def lbs() -> Iterator[Fleet]:
    with fleet() as some:
        yield some


def checked(config: Path, *more: str) -> Ran:
    return run(check_command, "--config", config, *more)


def findings(ran: Ran, level: str) -> dict[str, str]:
    """Area to texts and remedies of that level."""
    found: dict[str, str] = {}
    for one in ran.json["findings"]:
        if one["level"] == level:
            text = f"{one['subject']}: {one['text']} {one['remedy']}"
            found[one["area"]] = f"{found.get(one['area'], '')}\n{text}".strip()
    return found


def test_all_is_well_and_nothing_is_written(dns_server: DnsServer, tmp_path: Path, lbs: Fleet) -> None:
    config = written_config(tmp_path, dns_server, lbs.port)
    before = axfr(dns_server)
    told = checked(config)
    assert told.code == 0, told.text
    assert "1 zone, 1 endpoint, 3 load balancers in 3 AZs. No problem in the file." in told.text
    assert "key standfast-key accepted; our clock agrees to 1 s" in told.text
    assert "takes updates" in told.text
    assert "3 of 3 answer tcp" in told.text
    assert f"within {SECONDS_OF_SUM:.3g} s" in told.text
    ran = checked(config, "--json")
    assert (ran.code, ran.json["exit"]) == (0, 0)
    assert findings(ran, "problem") == {}
    assert set(findings(ran, "note")) == {"vantage_points"}
    (zone,) = ran.json["zones"]
    assert zone["missing_rights"] == []
    assert zone["clock_off_s"]["least"] <= 0 <= zone["clock_off_s"]["most"]
    assert ran.json["failover"]["seconds"] == sum(part["seconds"] for part in ran.json["failover"]["parts"])
    assert axfr(dns_server) == before
    assert not (tmp_path / "state").exists()
    assert dns_server.key_secret not in told.text + ran.text


TYPES = ("A", "AAAA", "CNAME")


@pytest.mark.parametrize("missing", TYPES)
def test_bind_names_the_type_that_is_missing(missing: str, tmp_path: Path, lbs: Fleet) -> None:
    some = " ".join(rtype for rtype in TYPES if rtype != missing)
    rights = f"grant second-key name www.{ZONE} {some};\ngrant second-key subdomain {SUBTREE} TXT;"
    with bind_server(tmp_path, second_key=SecondKey(rights=rights)) as server:
        ran = checked(written_config(tmp_path, server, lbs.port, key=server.second_key), "--json")
    assert ran.code == 1
    assert ran.json["zones"][0]["missing_rights"] == [{"owner": f"www.{ZONE}", "types": [missing]}]
    assert f"www: Key second-key may not change {missing} at the name (REFUSED" in findings(ran, "problem")["rights"]
    assert "transfer" in findings(ran, "note")


@pytest.mark.parametrize("owner", [f"www.{SUBTREE}", FLOOR, FIRST])
def test_bind_names_the_marker_that_is_missing(owner: str, tmp_path: Path, lbs: Fleet) -> None:
    texts = "".join(f"grant second-key name {one} TXT;\n" for one in (f"www.{SUBTREE}", FLOOR, FIRST) if one != owner)
    rights = f"grant second-key name www.{ZONE} A AAAA CNAME;\n{texts}"
    with bind_server(tmp_path, second_key=SecondKey(rights=rights)) as server:
        ran = checked(written_config(tmp_path, server, lbs.port, key=server.second_key), "--json")
    assert ran.code == 1
    assert ran.json["zones"][0]["missing_rights"] == [{"owner": owner, "types": ["TXT"]}]


def knot_rights(types: str, *owners: str) -> str:
    names = ", ".join(f"{owner}." for owner in owners)
    return (
        f"action: update\nupdate-type: [{types}]\nupdate-owner: name\n"
        f"update-owner-match: equal\nupdate-owner-name: [{names}]"
    )


@pytest.mark.parametrize("missing", TYPES)
def test_knot_names_the_type_and_is_translated(missing: str, tmp_path: Path, lbs: Fleet) -> None:
    some = ", ".join(rtype for rtype in (*TYPES, "TXT") if rtype != missing)
    rights = knot_rights(some, f"www.{ZONE}", f"www.{SUBTREE}", FLOOR, FIRST)
    with knot_server(tmp_path, second_key=SecondKey(rights=rights)) as server:
        ran = checked(written_config(tmp_path, server, lbs.port, key=server.second_key), "--json")
    assert ran.code == 1
    assert ran.json["zones"][0]["missing_rights"] == [{"owner": f"www.{ZONE}", "types": [missing]}]
    problem = findings(ran, "problem")["rights"]
    assert "the key is known, no acl rule covers this" in problem
    assert "does not know" not in problem


class TwoRules(KnotServer):
    """The second key's rights on names and on markers stand in two rules, which Knot never adds up."""

    def write_configuration(self) -> list[str]:
        command = super().write_configuration()
        file = self.folder / "knot.conf"
        texts = indent(knot_rights("TXT", f"www.{SUBTREE}", FLOOR, FIRST), "    ")
        rule = f"  - id: acl-texts\n    key: second-key\n{texts}\n"
        text = file.read_text(encoding="ascii").replace("template:", f"{rule}template:", 1)
        file.write_text(text.replace("acl-second-key]", "acl-second-key, acl-texts]"), encoding="ascii")
        return command


def test_knot_wants_one_rule_for_a_whole_update(tmp_path: Path, lbs: Fleet) -> None:
    rights = knot_rights("A, AAAA, CNAME", f"www.{ZONE}")
    server = TwoRules(tmp_path / "knot", second_key=SecondKey(rights=rights))
    try:
        with running(server):
            ran = checked(written_config(tmp_path, server, lbs.port, key=server.second_key), "--json")
    finally:
        server.remove_run_folder()
    assert ran.code == 1
    assert ran.json["zones"][0]["missing_rights"] == []
    assert "no single acl rule covers them together" in findings(ran, "problem")["rights"]


def test_a_key_without_any_right_is_one_problem(tmp_path: Path, lbs: Fleet) -> None:
    with bind_server(tmp_path, second_key=SecondKey()) as server:
        config = written_config(tmp_path, server, lbs.port, key=server.second_key, endpoints="{www: {}, api: {}}")
        ran = checked(config, "--json")
    assert ran.code == 1
    assert findings(ran, "problem")["rights"].count("\n") == 0
    assert "may change nothing here" in findings(ran, "problem")["rights"]


def test_wrong_keys_are_told_apart(dns_server: DnsServer, tmp_path: Path, lbs: Fleet) -> None:
    stranger = Key.generate("stranger", tmp_path)
    ran = checked(written_config(tmp_path, dns_server, lbs.port, key=stranger), "--json")
    assert ran.code == 1
    assert "The server does not know key stranger" in findings(ran, "problem")["key"]
    impostor = Key.generate(dns_server.key_name, tmp_path)
    ran = checked(written_config(tmp_path, dns_server, lbs.port, key=impostor), "--json")
    assert ran.code == 1
    assert "secret for key standfast-key is another one" in findings(ran, "problem")["key"]


def test_a_zone_that_the_server_lacks(dns_server: DnsServer, tmp_path: Path, lbs: Fleet) -> None:
    ran = checked(written_config(tmp_path, dns_server, lbs.port, zone="other.example.net"), "--json")
    assert ran.code == 1
    assert "It has no zone other.example.net" in findings(ran, "problem")["zone"]


def test_a_server_that_does_not_answer(tmp_path: Path, lbs: Fleet) -> None:
    server = BindServer(tmp_path / "bind")
    ran = checked(written_config(tmp_path, server, lbs.port))
    assert ran.code == 1
    assert "nothing listens on TCP port" in ran.text
    assert "Traceback" not in ran.text
    with socket.create_server((server.host, server.port)):
        mute = checked(written_config(tmp_path, server, lbs.port), "--json")
    assert "no answer within 3 s" in findings(mute, "problem")["server"]


def test_the_file_alone(tmp_path: Path, lbs: Fleet) -> None:
    server = BindServer(tmp_path / "bind")
    config = written_config(tmp_path, server, lbs.port)
    assert checked(config, "--offline").code == 0
    config.write_text(config.read_text(encoding="utf-8").replace("az: a", "azz: a"), encoding="utf-8")
    ran = checked(config)
    assert ran.code == 1
    assert f"{config}:9: load_balancers.lb-a1" in ran.text
    problems = checked(config, "--json").json["problems"]
    assert {problem["line"] for problem in problems} == {9}
    assert all(problem["remedy"] for problem in problems)
    assert checked(tmp_path / "none.yaml").code == 1


def test_what_stands_at_the_names(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    owner = marker_owner(f"theirs.{ZONE}", ZONE)
    foreign = Marker("other", 3, 3, "0" * 16, "live", "w", "ab" * 8)
    text = rdata_text(RRType.TXT, marker_rdata(foreign, ZONE, owner))
    lines = [
        f"update add www.{ZONE} 300 A 192.0.2.1",
        f"update add www.{ZONE} 300 A 192.0.2.2",
        f"update add alias.{ZONE} 60 CNAME www.{ZONE}.",
        f"update add {owner} 60 TXT {text}",
        f'update add {marker_owner(f"odd.{ZONE}", ZONE)} 60 TXT "garbage"',
    ]
    assert nsupdate(bind, lines).rcode == "NOERROR"
    config = written_config(tmp_path, bind, lbs.port, endpoints="{www: {}, alias: {}, theirs: {}, odd: {}}")
    ran = checked(config, "--json")
    assert ran.code == 1
    notes, problems = findings(ran, "note")["names"], findings(ran, "problem")["names"]
    assert "www: It has 2 A records and no marker. `run` takes them over only with your consent" in notes
    assert f"alias: It is a CNAME to www.{ZONE} and no marker." in notes
    assert "odd: Its marker cannot be believed" in notes
    assert "theirs: It belongs to stream other" in problems


def test_a_dead_load_balancer_and_a_long_negative_ttl_are_notes(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    soa = f"update add {ZONE} 3600 SOA ns.{ZONE}. hostmaster.{ZONE}. 9 3600 600 86400 3600"
    assert nsupdate(bind, [soa]).rcode == "NOERROR"
    lbs.kill("lb-b1")
    ran = checked(written_config(tmp_path, bind, lbs.port), "--json")
    assert ran.code == 0
    notes = findings(ran, "note")
    assert "2 of 3 answer" in notes["load_balancers"]
    assert "lb-b1: Fails: connection refused." in notes["load_balancers"]
    assert notes["negative_ttl"].startswith("SOA minimum 3600: An empty answer would be remembered for an hour.")


def other_server(host: str, port: int, serial: int) -> threading.Thread:
    """Answers two queries over TCP with an SOA of that serial."""
    listener = socket.create_server((host, port))

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                size = int.from_bytes(connection.recv(2), "big")
                question = dns.message.from_wire(connection.recv(size))
                answer = dns.message.make_response(question)
                answer.flags |= dns.flags.AA
                text = f"ns.{ZONE}. h.{ZONE}. {serial} 3600 600 86400 5"
                answer.answer.append(dns.rrset.from_text(f"{ZONE}.", 60, "IN", "SOA", text))
                wire = answer.to_wire()
                connection.sendall(len(wire).to_bytes(2, "big") + wire)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("serial", "level", "words"), [(1, "ok", "same serial"), (2**32 - 2, "note", "3 versions behind")]
)
def test_secondaries_are_compared(serial: int, level: str, words: str, tmp_path: Path) -> None:
    port = free_port()
    with bind_server(tmp_path, records="@ IN NS ns2\nns2 IN A 127.0.0.9") as server:
        thread = other_server("127.0.0.9", port, serial)
        zone = ZoneConfig(ZONE, "rfc2136", server.host, server.port, None, 2.0)
        seen = look_at_server(zone, None, secondary_port=port)
        thread.join(5)
    assert isinstance(seen, Seen)
    (finding,) = secondary_findings(seen.report)
    assert (finding.level, words in finding.text) == (level, True), finding


def test_a_silent_secondary_is_a_note_and_counts_in_the_sum(tmp_path: Path, lbs: Fleet) -> None:
    with bind_server(tmp_path, records="@ IN NS ns2\nns2 IN A 127.0.0.9") as server:
        ran = checked(written_config(tmp_path, server, lbs.port), "--json")
    assert ran.code == 0
    assert f"ns2.{ZONE}: It does not answer for {ZONE}" in findings(ran, "note")["secondaries"]
    assert ran.json["failover"]["seconds"] == SECONDS_OF_SUM + 6


def test_the_number_of_vantage_points_and_what_it_means() -> None:
    text = (
        "zone: {name: lb.example.com, provider: embedded}\nhealth: {tcp: 443}\nendpoints: {www: {}}\n"
        "load_balancers: {lb-a1: {az: a, ip: 192.0.2.1}, lb-b1: {az: b, ip: 192.0.2.2}}\n"
    )

    def found(vantage: str) -> list[tuple[str, str]]:
        config, problems, _ = configuration.check(text + vantage, "f")
        assert config is not None, problems
        return [(one.level, one.sentence) for one in vantage_findings(config, config.load_balancers)]

    assert found("")[0][1].startswith("Only this machine looks: ")
    assert found("vantage: {ops1: {az: a}, ops2: {az: b}, office: }") == [
        ("ok", "office, ops1 (a), ops2 (b); 2 must agree, one may be silent."),
    ]
    level, said = found("vantage: {ops1: {az: a}, ops2: {az: b}, ops3: {az: a}}")[1]
    assert level == "note"
    assert said.startswith("Fewer than 2 vantage points stand outside AZ a: it goes as a whole only when you say so.")
    assert found("vantage: {ops1: {az: c}, ops2: }")[0] == (
        "note",
        "ops1 (c), ops2; 2 must agree, so none may be silent.",
    )


def test_while_keys_are_rotated_the_one_that_works_is_named(tmp_path: Path, lbs: Fleet) -> None:
    """Neither is a problem as long as one of them is taken; everything else is proved with that one."""
    following = Key.generate("next-key", tmp_path)
    with bind_server(tmp_path) as server:
        config = written_config(tmp_path, server, lbs.port)
        text = config.read_text(encoding="utf-8")
        old = f"tsig: 'file:{server.key.file}'"
        assert old in text
        config.write_text(text.replace(old, f"tsig: ['file:{following.file}', 'file:{server.key.file}']"))
        told = checked(config, "--json")
        assert told.code == 0, told.text
        (note,) = (one for one in told.json["findings"] if one["area"] == "keys")
        assert (note["level"], note["subject"]) == ("note", "next-key")
        assert "does not know key next-key" in note["text"]
        assert "key standfast-key is used in its place" in note["text"]
        assert told.json["zones"][0]["missing_rights"] == []
        printed = checked(config, "--print-server-config", "bind").text
        assert printed.count("subdomain") == 2
        assert 'allow-transfer { key "next-key"; key "standfast-key"; };' in printed


def test_before_a_registry_has_run_there_are_no_leases_and_nothing_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "agents.key").write_text("k" * 24)
    (tmp_path / "agents.key").chmod(0o600)
    file = tmp_path / "standfast.yaml"
    file.write_text(
        "zone: {name: lb.example.com, provider: embedded}\nhealth: none\nload_balancers: {from: leases}\n"
        "endpoints: {www: {}}\nregistry: {keys: {agents: file:agents.key}}\n"
    )
    ran = checked(file, "--json")
    assert ran.code == 0, ran.text
    assert "No registry has kept leases here yet." in findings(ran, "note")["sources"]
