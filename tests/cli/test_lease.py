"""`standfast lease`: its keys, its list, and the end of a lease; against a registry that runs."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from runtime.registry.desks import Running, running
from standfast.cli.lease import lease_command
from standfast.runtime.observing import Seen
from standfast.runtime.presence import Present
from standfast.runtime.registriestold import registries_json, registry_lines


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    with running(tmp_path, "one") as found:
        yield found


def run(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(lease_command, [*words, "--config", str(tmp_path / "one.yaml")])


def test_a_key_of_its_own_opens_its_lease_and_an_operator_ends_it(one: Running, tmp_path: Path) -> None:
    said = run(tmp_path, "key", "lb-a1")
    assert said.exit_code == 0
    assert said.output.strip() == hmac.new(b"m" * 24, b"lb-a1", hashlib.sha256).hexdigest()
    assert one.put("lb-a1", key=said.output.strip()).status_code == 200
    ended = run(tmp_path, "end", "lb-a1")
    assert (ended.exit_code, ended.output) == (
        0,
        "lb-a1 holds no lease of this registry any more. See: standfast lease list\n",
    )
    assert "lb-a1" not in one.process.desk.keeping.book
    wrong = run(tmp_path, "key", "lb-a1", "--of", "agents")
    assert "0 derived keys" in str(wrong.exception)


def test_what_can_not_be_done_names_the_remedy(one: Running, tmp_path: Path) -> None:
    said = run(tmp_path, "end", "lb-a1", "--at", "http://127.0.0.1:1")
    assert "can't be reached" in str(said.exception)
    listed = run(tmp_path, "list")
    assert "There is no plan store" in str(listed.exception)


def test_the_line_of_status() -> None:
    facts = {"held": 12, "heard": 11, "admitted": 40, "refused": 3, "rate": 4321.4, "why": ""}
    present = (
        Present("registry", "one", os.getpid(), 0.5, True, facts),
        Present("registry", "old", os.getpid(), 0.5, False, facts),
    )
    seen: Seen = SimpleNamespace(present=present)  # type: ignore[assignment]
    assert registry_lines(seen) == [
        "registry one: 12 leases held, 1 not heard within a term, 3 refused at the door, 4321 a second can be granted"
    ]
    assert json.loads(json.dumps(registries_json(seen)))[0]["unheard"] == 1
