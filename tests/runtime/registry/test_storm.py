"""The benchmark in small: some hundred holders come at once, over real connections, and all of them get their lease."""

from pathlib import Path

from bench.leases import registry, storm


def test_everybody_comes_back(tmp_path: Path) -> None:
    with registry(tmp_path / "real", naive=False) as (port, key):
        back = storm(port, key, 400, 100, prefix="h", first=0, most=90.0, timeout=20.0, processes=1)
    assert back.left == 0
    assert sum(back.tenths) == 400
    assert back.tries >= 400
