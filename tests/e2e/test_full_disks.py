"""The disk is full, on a file system of its own: under the journal, the plan store, the DNS server's zone."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from e2e.conftest import staged
from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage
from harness.bind import bind_server
from harness.dnsserver import DnsServer
from harness.knot import knot_server
from harness.powerdns import PowerDnsServer, powerdns_server
from standfast.model.name import marker_owner
from standfast.ports.provider import Unknown
from standfast.ports.store import HeadRead, ReadHead

CONVERGES_S = 20.0


@contextmanager
def small_disk(at: Path, kilobytes: int) -> Iterator[Path]:
    """A file system in memory at that folder, of that size."""
    at.mkdir(mode=0o700, parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(disk: Path) -> Path:
    """Take all that is left; the file that has it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return filler


def refused(stage: Stage) -> bool:
    """Publish once more; whether the enactor says that it can't write its journal."""
    number = 20 + 2 * stage.plans.generation
    stage.publish(www=both(number, number + 1))
    time.sleep(0.3)
    told = json.loads((stage.state / "presence" / "enactor-a.json").read_text(encoding="utf-8"))
    return any("journal" in trouble for trouble in told["troubles"])


@pytest.mark.slow
def test_a_full_disk_under_the_journal(stage: Stage) -> None:
    """What can't be told is not written, but for the refill of an emptied endpoint; with room it goes on by itself."""
    stage.unjournalled, folder = True, stage.state / "journal"
    with small_disk(folder, 256) as disk:
        stage.enactor("a")
        stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
        stage.probe()
        filler = fill(disk)
        until(lambda: refused(stage), "the disk is full")  # what is left of the file's last page takes a line or two
        stood = stage.marker(stage.www)
        stage.publish(www=both(3, 4), api=v4(13, 14))
        time.sleep(1.0)
        assert stage.marker(stage.www) == stood, "a write without an intent"
        with stage.damaged(stage.www):
            stage.hand(f"update delete {stage.www}", f"update delete {marker_owner(stage.www, stage.zone)}")
            until(lambda: stage.ask(stage.www, "A") == set(v4(3, 4)), "the emptied endpoint is refilled")
            filler.unlink()
            stage.await_entry(stage.www)
        stage.await_head(CONVERGES_S)
        stage.assert_nothing_bad()
        stage.stop()
        journals = {path.name: path.read_bytes() for path in disk.iterdir() if path.is_file()}
    for name, octets in journals.items():
        (folder / name).write_bytes(octets)


@pytest.fixture(params=["bind", "knot"])
def narrow(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> Iterator[tuple[Stage, Path]]:
    """A stage whose plan store is on a small disk."""
    server: DnsServer = request.getfixturevalue(request.param)
    with small_disk(tmp_path / "disk", 160) as disk:
        for one in staged(request, server, tmp_path, seed, disk / "store.sqlite"):
            yield one, disk


@pytest.mark.slow
def test_a_full_disk_under_the_store(narrow: tuple[Stage, Path]) -> None:
    """Nothing can be published; what was goes on being repaired. With room the same plan goes in."""
    stage, disk = narrow
    stage.enactor("a")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    filler = fill(disk)
    wanted = {f"edge-{number}.{stage.zone}": v4(*range(number, number + 8)) for number in range(200)}
    reply = stage.plans.offer(wanted)
    assert isinstance(reply, Unknown), "there was room after all"
    assert "full" in reply.why
    head = stage.plans.store.perform(ReadHead())
    assert isinstance(head, HeadRead)
    assert head.head == stage.plans.published[-1].head, "half of a plan is head"
    stage.heals(stage.www, [f"update delete {stage.www} A"])
    filler.unlink()
    stage.plans.publish(wanted)
    stage.await_head(CONVERGES_S)
    stage.assert_nothing_bad()


@pytest.fixture(params=["bind", "knot", "powerdns"])
def cramped(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> Iterator[tuple[Stage, Path]]:
    """A stage whose server keeps its zone, and what it remembers of changes, on a small disk."""
    make, kilobytes = _SERVERS[request.param]
    with small_disk(tmp_path / "disk", kilobytes) as disk, make(disk) as server:
        (tmp_path / "stage").mkdir()
        for one in staged(request, server, tmp_path / "stage", seed):
            yield one, disk


_SERVERS: Final[Mapping[str, tuple[Callable[[Path], AbstractContextManager[DnsServer]], int]]] = {
    "bind": (bind_server, 512),
    "knot": (knot_server, 2048),
    "powerdns": (powerdns_server, 2048),
}
"""With room in KiB for what each makes when it starts and a few changes more."""


@pytest.mark.slow
def test_a_full_disk_under_the_zone(cramped: tuple[Stage, Path]) -> None:
    """The server can't keep an update and refuses it; with room it takes the newest plan.

    PowerDNS with LMDB refuses one and dies of the next (4.7.3, signal 11): whoever watches over it starts it again.
    """
    stage, disk = cramped
    stage.enactor("a")
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    filler = fill(disk)
    stood = stage.marker(stage.www)
    for step in range(40):
        stage.publish(www=both(*range(20 + step, 28 + step)), api=v4(*range(60 + step, 68 + step)))
        time.sleep(0.1)
    until(lambda: stage.journal("a", "outcome", result="refused"), "a refusal is told")
    assert stood is not None
    filler.unlink()
    if isinstance(stage.server, PowerDnsServer):
        stage.server.restart()
    stage.await_head(CONVERGES_S)
    stage.assert_nothing_bad()
