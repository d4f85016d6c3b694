"""The picture of the page in README and docs: an AZ is lost, half of it is out. `make picture` writes it."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pytest

from cli.stage import Stage
from e2e.roles import until
from harness.dnsservers import embedded_server
from web.browser import browsing
from web.scene import Scene, served

SIZE = (1180, 900)
OCTETS_MAX = 150_000


def main(file: Path) -> None:
    """Stage it, look at it."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        with embedded_server(folder) as server:
            stage = Stage(folder, None, patch, server)  # type: ignore[arg-type]
            scene = Scene(stage).setting()
            stage.now = time.time() - 1500
            stage.publish()
            with stage.enactor(), scene.living(), served(stage) as page, browsing(folder) as browser:
                scene.az_lost()
                browser.see(SIZE)
                browser.open(page.url)
                until(lambda: "serves 4 of 6" in browser.text(".verdict h1"), "it is written", 30)
                until(lambda: "broken" not in browser.ask("return document.body.innerHTML"), "the chain is whole", 30)
                until(lambda: "live · 1 s" in browser.text("#live"), "it is live", 30)
                browser.ask("document.querySelector('.exit').remove()")
                octets = browser.picture(file, whole=True, scale=0.86)
    assert len(octets) <= OCTETS_MAX, f"{len(octets)} octets"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
