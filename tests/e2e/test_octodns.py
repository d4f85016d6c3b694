"""The real octoDNS beside us in one zone: no fight with the filter of the documents; a tug-of-war without it, told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import staged
from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage
from harness.dnsserver import running
from harness.dnsservers import BindServer, SecondKey
from harness.zonetools import query
from standfast.config import load
from standfast.runtime.observing import observe
from standfast.runtime.presence import Presence
from standfast.runtime.verdict import verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "beside-octodns.md"
ROUNDS = 5


class OctoDns:
    """octoDNS with the configuration of the document, at the test's server."""

    def __init__(self, stage: Stage, *, without: tuple[str, ...] = ()) -> None:
        self.stage = stage
        self.folder = stage.folder / "octodns"
        (self.folder / "zones").mkdir(parents=True)
        key = stage.server.second_key
        assert key is not None
        self.secret = key.secret
        text = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
        for old, new in (
            ("ns1.example.com", stage.server.host),
            ("port: 53", f"port: {stage.server.port}"),
            ("./zones", str(self.folder / "zones")),
            *((f"      - {line}\n", "") for line in without),
        ):
            assert old in text, old
            text = text.replace(old, new)
        (self.folder / "octodns.yaml").write_text(text, encoding="utf-8")

    def sync(self, records: str, *, force: bool = False) -> str:
        """One run with these records; what it says it planned."""
        apex = (
            "'':\n  ttl: 60\n  type: NS\n  value: ns.lb.example.com.\nns:\n  ttl: 60\n  type: A\n  value: 127.0.0.1\n"
        )
        (self.folder / "zones" / "lb.example.com.yaml").write_text(apex + records, encoding="utf-8")
        command = [str(Path(sys.executable).parent / "octodns-sync"), "--config-file", "octodns.yaml", "--doit"]
        done = subprocess.run(
            [*command, *(["--force"] if force else [])],
            cwd=self.folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore", "OCTODNS_SECRET": self.secret},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


class TransferringBind(BindServer):
    """Which lets the second key transfer too."""

    def write_configuration(self) -> list[str]:
        command = super().write_configuration()
        file = self.folder / "named.conf"
        assert self.second_key is not None
        old = f'allow-transfer {{ key "{self.key.name}"; }};'
        text = file.read_text(encoding="ascii")
        assert old in text
        new = f'allow-transfer {{ key "{self.key.name}"; key "{self.second_key.name}"; }};'
        file.write_text(text.replace(old, new), encoding="ascii")
        return command


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> Iterator[Stage]:
    """At a BIND where octoDNS has a key for everything."""
    octodns = SecondKey("octodns", 'grant "octodns" zonesub ANY;')
    server = TransferringBind(tmp_path / "bind", second_key=octodns)
    with running(server):
        yield from staged(request, server, tmp_path, seed)


def entry(name: str, address: str, ttl: int = 300) -> str:
    return f"{name}:\n  ttl: {ttl}\n  type: A\n  value: {address}\n"


def test_with_the_filter_there_is_no_fight(stage: Stage) -> None:
    octodns = OctoDns(stage)
    stage.enactor("a")
    for number in range(ROUNDS):
        stage.publish_and_wait(www=both(1, 2 + number), api=v4(11, 12 + number))
        before = stage.marker(stage.www), stage.ask(stage.www, "A")
        said = octodns.sync(entry("other", f"198.51.100.{number + 1}"))
        assert "_standfast" not in said
        assert "www" not in said
        assert query(stage.server, f"other.{stage.zone}", "A")[1] == {f"198.51.100.{number + 1}"}
        assert (stage.marker(stage.www), stage.ask(stage.www, "A")) == before
    assert "No changes were planned" in octodns.sync(entry("other", f"198.51.100.{ROUNDS}"))
    wrote = [one for one in stage.journal("a", "outcome", result="written") if one["before"] == one["since"]]
    assert not wrote, "something had to be put back"


def test_a_forgotten_name_is_told_as_a_tug_of_war(stage: Stage) -> None:
    octodns = OctoDns(stage, without=("www",))
    stage.enactor("a")
    stage.publish_and_wait(www=v4(1, 2), api=v4(11, 12))
    theirs = "www:\n  ttl: 300\n  type: A\n  values: [192.0.2.98, 192.0.2.99]\n"
    octodns.sync(theirs, force=True)
    stage.await_entry(stage.www)  # put back once
    until(lambda: stage.journal("a", "outcome", name=stage.www, result="in_step") or stage.marker(stage.www), "healed")
    octodns.sync(theirs, force=True)
    (told,) = until(lambda: stage.journal("a", "notice", kind="tug"), "the second time somebody means it")
    assert told["why"].startswith(
        "www: somebody writes 192.0.2.98, 192.0.2.99, takes 192.0.2.1, 192.0.2.2 out and sets its TTL to 300,"
    )
    assert stage.ask(stage.www, "A") == {"192.0.2.98", "192.0.2.99"}, "it was not left"
    Presence(stage.state / "presence", "planner", "p").beat()
    config = load(stage.config("standfast"))
    until(lambda: "To let it win" in verdict(observe(config)).sentence, "the verdict tells it")
    found = verdict(observe(config))
    assert found.kind == "NEEDS YOU"
    assert "To let it win: `standfast freeze www`. To stop it: take www out of that tool" in found.sentence
    assert (found.command, found.exit_code) == ("standfast freeze www", 3)
