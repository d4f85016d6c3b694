"""`plan --format`, `plan --output markdown`: fed to a real nsupdate, to octoDNS itself, held to Route 53's rules."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from octodns.provider.yaml import YamlProvider  # type: ignore[import-untyped]
from octodns.zone import Zone  # type: ignore[import-untyped]

from cli.given import Fleet, fleet, run, written_config
from harness.dnsservers import ZONE, BindServer, program
from harness.zonetools import nsupdate, query
from standfast.cli.plan import plan_command

WWW = f"www.{ZONE}"


@pytest.fixture
def lbs() -> Iterator[Fleet]:
    with fleet() as some:
        yield some


@pytest.fixture
def config(tmp_path: Path, bind: BindServer, lbs: Fleet) -> Path:
    """www exists with another address and TTL, `old` is a CNAME, `new` is not there."""
    some = (f"{WWW} 300 A 127.0.0.1", f"{WWW} 300 A 192.0.2.99", f"old.{ZONE} 300 CNAME elsewhere.example.")
    assert nsupdate(bind, [f"update add {one}" for one in some]).rcode == "NOERROR"
    return written_config(tmp_path, bind, lbs.port, endpoints="{www: {}, old: {}, new: {}}")


def fed(bind: BindServer, script: str) -> subprocess.CompletedProcess[str]:
    """To nsupdate."""
    command = [program("nsupdate"), "-k", str(bind.key_file), "-t", "5"]
    return subprocess.run(command, input=script, capture_output=True, text=True, timeout=240)


def test_the_script_does_what_the_plan_says_and_only_if_nobody_was_faster(config: Path, bind: BindServer) -> None:
    script = run(plan_command, "--config", config, "--format", "nsupdate")
    assert script.code == 3, "consent to take over is missing all the same"
    done = fed(bind, script.text)
    assert done.returncode == 0, (done.stdout, done.stderr, script.text)
    for name in (WWW, f"old.{ZONE}", f"new.{ZONE}"):
        assert sorted(query(bind, name, "A")[1]) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    again = fed(bind, script.text)
    assert again.returncode != 0, "what was seen stands no longer"
    assert "NXRRSET" in again.stdout + again.stderr or "YXRRSET" in again.stdout + again.stderr
    after = run(plan_command, "--config", config, "--format", "nsupdate")
    assert "; Nothing is to be done." in after.text


def test_the_change_batch_deletes_exactly_what_stands(config: Path) -> None:
    batch = run(plan_command, "--config", config, "--format", "aws").json
    told = [
        (one["Action"], one["ResourceRecordSet"]["Name"], one["ResourceRecordSet"]["Type"]) for one in batch["Changes"]
    ]
    assert told == [
        ("CREATE", f"new.{ZONE}.", "A"),
        ("DELETE", f"old.{ZONE}.", "CNAME"),
        ("CREATE", f"old.{ZONE}.", "A"),
        ("DELETE", f"{WWW}.", "A"),
        ("CREATE", f"{WWW}.", "A"),
    ]
    gone, comes = (one["ResourceRecordSet"] for one in batch["Changes"][-2:])
    assert (gone["TTL"], comes["TTL"]) == (300, 60)
    assert {one["Value"] for one in gone["ResourceRecords"]} == {"127.0.0.1", "192.0.2.99"}
    assert {one["Value"] for one in comes["ResourceRecords"]} == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}
    alias = batch["Changes"][1]["ResourceRecordSet"]
    assert (alias["TTL"], alias["ResourceRecords"]) == (300, [{"Value": "elsewhere.example."}])


def test_more_records_than_a_change_batch_has_are_no_batch(config: Path) -> None:
    """350 changes, of three records each."""
    names = ", ".join(f"n{number}: {{}}" for number in range(350))
    config.write_text(config.read_text().replace("{www: {}, old: {}, new: {}}", f"{{{names}}}"))
    ran = run(plan_command, "--config", config, "--format", "aws")
    assert ran.code == 1
    assert "1050 records" in ran.text


def test_octodns_reads_it(config: Path, tmp_path: Path) -> None:
    names = "{'@': {}, e10: {}, e2: {}, '*.w': {}, www: {ttl: 30}}"
    config.write_text(config.read_text().replace("{www: {}, old: {}, new: {}}", names))
    text = run(plan_command, "--config", config, "--format", "octodns").text
    folder = tmp_path / "octodns"
    folder.mkdir()
    (folder / f"{ZONE}.yaml").write_text(text)
    zone = Zone(f"{ZONE}.", [])
    YamlProvider("standfast", str(folder), escaped_semicolons=False).populate(zone)
    records = {record.name: record for record in zone.records}
    assert set(records) == {"", "e2", "e10", "*.w", "www"}
    assert records["www"].ttl == 30
    assert list(records["www"].values) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_a_zone_that_is_not_there_is_no_traceback(config: Path) -> None:
    ran = run(plan_command, "--config", config, "--format", "aws", "--zone", "nowhere.example")
    assert ran.code == 1
    assert f"There are: {ZONE}." in ran.text


def test_markdown_for_a_merge_request(config: Path, lbs: Fleet) -> None:
    lbs.kill("lb-c1")
    ran = run(plan_command, "--config", config, "--output", "markdown")
    assert ran.code == 3
    lines = ran.text.splitlines()
    assert lines[0] == "### Standfast: 3 names would change"
    rows = [line for line in lines if line.startswith("| ") and "|---" not in line]
    assert all(row.count("|") == 8 for row in rows), rows
    (www,) = (row for row in rows if WWW in row)
    assert f"| `{WWW}` (no marker) → g1 | A | 1 | `127.0.0.2` | `192.0.2.99` | 300 → 60 |" in www
    assert f"- **Consent** `{WWW}` exists and is not ours" in ran.text
    assert "Nothing was written" in ran.text or "nothing was written" in ran.text
