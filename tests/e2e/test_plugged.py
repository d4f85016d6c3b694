"""A zone kept by a package's provider that only overwrites: refused, then accepted by name, written, and told of."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from e2e.roles import Process, until
from harness.plugged import PLUGINS, ZONE, text
from standfast.model.rrset import RRset, RRType, address_rdata

ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(PLUGINS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
WWW = f"www.{ZONE}"


@pytest.fixture
def roles() -> Iterator[list[Process]]:
    running: list[Process] = []
    yield running
    for one in running:
        one.terminate()


def said(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "standfast", *arguments]
    environment = {**os.environ, **ENVIRONMENT}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def rrsets(file: Path) -> dict[tuple[str, int], RRset]:
    if not file.exists():
        return {}
    rows = msgspec.json.decode(file.read_bytes(), type=list[tuple[str, RRset]])
    return {(owner, one.rtype): one for owner, one in rows}


@pytest.mark.slow
def test_refused_accepted_written_and_told(tmp_path: Path, roles: list[Process]) -> None:
    config, zone, state = tmp_path / "standfast.yaml", tmp_path / "zone.json", tmp_path / "standfast.state"
    config.write_text(text("acme", file=str(zone)))
    for command in (("check",), ("run", "--role", "enactor", "--name", "a")):
        refused = said(*command, "--config", str(config))
        assert refused.returncode == 1, refused
        words = " ".join((refused.stdout + refused.stderr).split())
        assert "does not compare and set: a write that is delayed" in words
        assert "(G2)" in words
        assert "accept: [no-compare-and-set]" in words
    assert not zone.exists()
    config.write_text(text("acme", ", look: 300ms, accept: [no-compare-and-set]", file=str(zone)))
    checked = json.loads(said("check", "--json", "--config", str(config)).stdout)
    assert checked["exit"] == 0, checked
    (note,) = [one for one in checked["findings"] if one["area"] == "promises"]
    assert note["level"] == "note"
    assert note["text"].startswith("no-compare-and-set is accepted of provider acme: ")
    for role in ("planner", "enactor"):
        arguments = ["-m", "standfast", "run", "--role", role, "--name", "a", "--config", str(config), "--quiet"]
        roles.append(Process(arguments, tmp_path / f"{role}.log", ENVIRONMENT))
    both = tuple(address_rdata(f"192.0.2.{number}") for number in (1, 2))

    def live() -> bool:
        found = rrsets(zone).get((WWW, int(RRType.A)))
        return found is not None and found.rdata == both

    until(live, "www is live", 60)
    status = json.loads(said("status", "--json", "--config", str(config)).stdout)
    (told,) = status["zones"]
    assert told["weaker"][0].startswith("no-compare-and-set is accepted of provider acme: ")
    assert [one["state"] for one in status["endpoints"]] == ["ok"]
    shown = said("status", "--config", str(config))
    assert f"{ZONE}: no-compare-and-set is accepted of provider acme: " in " ".join(shown.stdout.split())
    lines = map(json.loads, (state / "journal" / "enactor-a.jsonl").read_text().splitlines())
    (notice,) = [one for one in lines if one["event"] == "notice" and one["kind"] == "weaker"]
    assert notice["why"].startswith(f"{ZONE}: no-compare-and-set is accepted of provider acme: ")
    assert said("audit", str(state / "journal")).returncode == 0
