"""`run --observe`: what it would do is planned and told in a place of its own; nothing of it is published, written or
consented to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.given import Fleet, fleet, run, written_config
from cli.test_plan import publish
from e2e.roles import Process, until
from harness.bind import BindServer
from harness.dnsservers import ZONE
from harness.zonetools import axfr, nsupdate
from standfast.cli.consent import consented
from standfast.cli.run import run_command
from standfast.cli.status import status_command
from standfast.config import load
from standfast.errors import Refusal, StandfastError
from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan
from standfast.runtime.journal_files import read_journal
from standfast.runtime.observed import begin, consents, observed, viewed
from standfast.runtime.place import Place

WWW = f"www.{ZONE}"


@pytest.fixture
def lbs() -> Iterator[Fleet]:
    with fleet() as some:
        yield some


def head_of(config: Any) -> HeadRead:
    store = Place(config).open_store()
    try:
        reply = store.perform(ReadHead())
    finally:
        store.close()
    assert isinstance(reply, HeadRead)
    return reply


@pytest.mark.slow
def test_a_name_that_exists_is_observed_without_consent(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    """Not on a terminal, no --take; and afterwards `run` asks as if nobody had ever looked."""
    assert nsupdate(bind, [f"update add {WWW} 300 A 192.0.2.9"]).rcode == "NOERROR"
    file = written_config(tmp_path, bind, lbs.port)
    config, before = load(file), axfr(bind)
    shadow = observed(config)
    arguments = ["-m", "standfast", "run", "--observe", "--name", "o", "--config", str(file)]
    process = Process(arguments, tmp_path / "observe.log")
    try:
        journal = Place(shadow).journal

        def told() -> list[Any]:
            lines = list(read_journal(journal, events=("would_write",))) if journal.exists() else []
            return [write for line in lines for write in line["writes"] if write["name"] == WWW]

        until(told, "it says what it would write", 60.0)
        until(lambda: viewed(config) == shadow, "who looks sees what is observed")
        # the enactor shows itself after its first pass
        until(lambda: "Only observing" in run(status_command, "--config", file).text, "status says so")
    finally:
        assert process.terminate() == 0
    assert axfr(bind) == before
    assert head_of(shadow).head is not None, "planned for itself"
    assert not Place(config).has_store, "and for nobody else"
    assert viewed(config) == config
    with pytest.raises(Refusal, match="exists in DNS and has no marker of ours"):
        consented(config, (), quiet=True)


def test_it_begins_with_the_plan_that_is_in_use(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    """So only what would differ is told; and a newer plan takes the place of what was observed upon an older one."""
    file = written_config(tmp_path, bind, lbs.port)
    config = load(file)
    begin(config)
    assert not (tmp_path / "state").exists(), "nothing is in use yet"
    publish(file)
    real = head_of(config)
    Place(observed(config)).prepare()
    begin(config)
    assert head_of(observed(config)) == real
    store = Place(observed(config)).open_store()
    assert real.head is not None
    assert isinstance(store.perform(ReadPlan(real.head.digest)), PlanRead)
    store.close()
    begin(config)
    assert head_of(observed(config)) == real
    assert head_of(config) == real


def test_taking_over_is_for_who_writes(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    file = written_config(tmp_path, bind, lbs.port)
    with pytest.raises(StandfastError, match="observing takes nothing over"):
        run(run_command, "--config", file, "--observe", "--take", "www")
    assert not (tmp_path / "state").exists()
    config = load(file)
    assert consents(config) == ((WWW, "observing"),)
    assert observed(observed(config)) == observed(config)
    assert json.dumps(str(observed(config).store)).endswith('observed/store.sqlite"')
