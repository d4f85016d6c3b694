"""What docs/security.md says of limits and files is so."""

import importlib
import re
import stat
from pathlib import Path

import pytest

from standfast.config import load
from standfast.runtime.journal import Journal
from standfast.runtime.place import Place

PAGE = Path(__file__).parent.parent.parent / "docs/security.md"
LIMITS = re.findall(
    r"^\| [^|]+ \| ([\d,]+)[^|]* \| `([\w.]+)\.(\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
)
CONFIG = """
zone: {name: lb.example.com, provider: embedded}
state: state
health: none
load_balancers: {lb-1: {az: a, ip: [192.0.2.1]}}
endpoints: {www: {}}
"""


@pytest.mark.parametrize(("most", "module", "constant"), LIMITS, ids=lambda value: value)
def test_a_limit_is_what_the_page_says(most: str, module: str, constant: str) -> None:
    assert getattr(importlib.import_module(module), constant) == int(most.replace(",", ""))


def test_the_page_has_limits() -> None:
    assert len(LIMITS) > 10


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "standfast.yaml").write_text(CONFIG, encoding="utf-8")
    place = Place(load(tmp_path / "standfast.yaml"))
    place.prepare()
    place.ensured_embedded_key()
    journal = Journal(place.journal, "enactor", "a")
    assert journal.write("started", stream="main", observe=False)
    journal.close()
    place.open_store().close()
    folders = [place.root, *(path for path in place.root.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    kept = [*place.journal.glob("*.jsonl"), place.embedded_key]
    assert len(kept) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
