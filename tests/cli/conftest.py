"""Stages with and without a nameserver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stage import Stage
from harness.dnsservers import EmbeddedServer


@pytest.fixture
def stage(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Nobody serves the zone."""
    made = Stage(tmp_path, capsys, monkeypatch, None)
    yield made
    made.store.close()


@pytest.fixture
def served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, embedded: EmbeddedServer
) -> Iterator[Stage]:
    """Our own nameserver serves the zone."""
    made = Stage(tmp_path, capsys, monkeypatch, embedded)
    yield made
    made.store.close()
