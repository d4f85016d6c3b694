"""Stages for the page, with and without a nameserver, and one browser for all tests of a module."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.stage import Stage
from harness.dnsservers import EmbeddedServer
from web.browser import Browser, browsing
from web.scene import Scene


@pytest.fixture
def scene(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, embedded: EmbeddedServer
) -> Iterator[Scene]:
    """Six load balancers, four names; our own nameserver serves the zone."""
    stage = Stage(tmp_path, capsys, monkeypatch, embedded)
    stage.now = time.time() - 3000
    yield Scene(stage).setting()
    stage.store.close()


@pytest.fixture
def unserved(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """The same, and nobody serves the zone."""
    stage = Stage(tmp_path, capsys, monkeypatch, None)
    stage.now = time.time() - 3000
    yield Scene(stage).setting()
    stage.store.close()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """On a desk, with JavaScript."""
    chromium.see()
    chromium.open("about:blank")  # whatever was open before
    chromium.complaints()
    return chromium
