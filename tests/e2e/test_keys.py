"""Keys are rotated without a restart, and their secrets show nowhere: no journal, log, argument list, traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import staged
from e2e.plans import both
from e2e.roles import until
from e2e.stage import Stage
from harness.dnsserver import KEY_NAME, Key, running
from harness.dnsservers import BindServer
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import load
from standfast.runtime.place import Place
from standfast.runtime.presence import read_presence

NEXT = "next-key"


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> Iterator[Stage]:
    """At a BIND that would let either key write, and knows one of them at a time."""
    policy = f'grant "{KEY_NAME}" zonesub ANY; grant "{NEXT}" zonesub ANY;'
    server = BindServer(tmp_path / "bind", policy=policy)
    with running(server):
        yield from staged(request, server, tmp_path, seed)


def config_with(stage: Stage, tsig: str) -> Path:
    old = f"tsig: 'file:{stage.server.key.file}'"
    path = stage.config("standfast")
    text = path.read_text(encoding="ascii")
    assert old in text
    path.write_text(text.replace(old, f"tsig: {tsig}"), encoding="ascii")
    return path


def environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()


def roles_at(presence: Path) -> dict[str, int]:
    return {one.role: one.pid for one in read_presence(presence)} if presence.exists() else {}


def shown_anywhere(folder: Path, keys: list[Key]) -> list[Path]:
    """Files of the stage, but for the server's own and the key files, in which a secret stands."""
    secrets = [key.secret.encode() for key in keys]
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".key", ".conf"))
    return [path for path in files if any(secret in path.read_bytes() for secret in secrets)]


def test_rotation_without_restart_and_without_a_trace(stage: Stage, tmp_path: Path) -> None:
    old, following = stage.server.key, Key.generate(NEXT, tmp_path)
    path = config_with(stage, f"['file:{following.file}', 'file:{old.file}']")
    enactor = stage.enactor("a", path)
    stage.publish_and_wait(www=both(1, 2))
    (told,) = until(lambda: stage.journal("a", "notice", kind="key"), "the enactor tells that a key gave way")
    assert told["why"] == (f"{stage.zone}: key {NEXT} is refused (NOTAUTH (BADKEY)); key {KEY_NAME} is used")
    (present,) = until(
        lambda: [one for one in read_presence(stage.state / "presence") if one.facts["keys"]], "presence"
    )
    assert present.facts["keys"] == [told["why"]]

    stage.server.key = following  # the server knows the new one now, and the old one no more
    stage.server.restart()
    stage.publish_and_wait(www=both(3, 4))
    # told at the end of the pass, which may be some moments after its write is seen
    until(
        lambda: stage.journal("a", "notice", kind="key")[-1]["why"].endswith(f"key {NEXT} is used"),
        "the enactor tells that the other key is taken now",
    )

    again = Key.generate(NEXT, tmp_path / "bind")  # the same name, another secret; its file is put in place later
    stage.server.key = again
    stage.server.restart()
    stage.publish(www=both(5, 6))
    until(lambda: stage.journal("a", "outcome", name=stage.www, result="refused"), "neither key is taken")
    os.replace(shutil.copy2(again.file, tmp_path / "draft"), following.file)
    stage.await_entry(stage.www)

    following.file.write_text("no key any more", encoding="ascii")
    kept = until(
        lambda: [one for one in stage.journal("a", "notice", kind="key") if "No TSIG key is in it" in one["why"]],
        "the enactor tells that the file makes no sense",
    )
    assert f"Key {NEXT} is used as it was." in kept[0]["why"]
    stage.publish_and_wait(www=both(1, 2))

    keys = [old, following, again]
    assert not any(key.secret.encode() in environment(enactor.pid) for key in keys)
    assert enactor.terminate() == 0
    assert not shown_anywhere(tmp_path, keys)


def test_an_environment_has_only_the_keys_of_its_role(stage: Stage, tmp_path: Path) -> None:
    secret, reader = stage.server.key.clause(), Key.generate("reader", tmp_path).clause()
    path = config_with(stage, "{enactor: 'env:SF_TEST_ENACTOR', planner: 'env:SF_TEST_READER'}")
    arguments = [sys.executable, "-m", "standfast", "run", "--config", str(path), "--name", "x"]
    log = tmp_path / "run.log"
    with log.open("wb") as out:
        run = subprocess.Popen(
            arguments,
            env={**os.environ, "SF_TEST_ENACTOR": secret, "SF_TEST_READER": reader},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        presence, roles = stage.state / "presence", {"planner", "enactor", "cleaner"}
        found = until(
            lambda: roles_at(presence) if roles_at(presence).keys() >= roles else {}, "all three are here", 60
        )
        has = {
            role: (b"SF_TEST_ENACTOR" in environment(pid), b"SF_TEST_READER" in environment(pid))
            for role, pid in found.items()
        }
        assert has.pop("enactor") == (True, False)
        assert set(has.values()) == {(False, True)}, has
        # all three may be here before there is a plan, and the journals are to show a write
        until(lambda: stage.journal("x", "outcome", result="written"), "the enactor writes")
    finally:
        run.terminate()
        run.wait(60)
    assert stage.server.key.secret not in log.read_text(encoding="utf-8")
    assert not shown_anywhere(stage.state, [stage.server.key])


def test_a_traceback_with_all_locals_shows_no_secret(stage: Stage) -> None:
    config = load(stage.config("standfast"))
    place = Place(config)
    provider = place.open_provider(config.zones[0])
    assert isinstance(provider, Rfc2136Provider)
    try:
        held = (config, place, provider, provider.ring, provider.ring.in_order(), place.key(config.zones[0]))
        raise RuntimeError("a crash")
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    finally:
        provider.close()
    assert "held = " in shown
    assert KEY_NAME in shown
    assert stage.server.key.secret not in shown
    assert repr(held[-2][0].secret) not in shown if held[-2][0] else False
