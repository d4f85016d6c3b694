"""The events as shipped (JSON Schema), as documented, and as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.recorded import record_run
from harness.journals import problems_in, unlisted
from standfast.runtime.events import EVENTS, SCHEMA, schema_text

DOCUMENT = (Path(__file__).parents[2] / "docs" / "journal.md").read_text()
COMMON = {"v", "at", "role", "who"}


def test_the_shipped_schema_is_made_of_the_events() -> None:
    assert SCHEMA.read_text() == schema_text(), "write it anew: python -m standfast.runtime.events"


def test_the_document_lists_the_same_events_with_their_facts() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| [^|]+ \| ([^|]*) \|", DOCUMENT.partition("Results: ")[0], re.MULTILINE)
    documented: dict[str, set[str]] = {}
    for names, facts in rows:
        for event in re.findall(r"`(\w+)`", names):
            documented.setdefault(event, set()).update(re.findall(r"`(\w+)`", facts))
    assert set(documented) == set(EVENTS)
    for event, line in EVENTS.items():
        missing = set(line.__struct_fields__) - COMMON - documented[event]
        assert not missing, f"docs/journal.md does not say what {event} has: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("octets", [1 << 20, 6 << 10])
def test_a_whole_run_writes_nothing_else(tmp_path: Path, octets: int) -> None:
    record_run(tmp_path, 7, file_octets=octets)
    assert problems_in(tmp_path / "journal") == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"v":3,"at":"t","role":"enactor","who":"a","event":"stopped"}', ""),
        (b'{"v":3,"at":"t","role":"enactor","who":"a","event":"stopped","why":"x"}', "unknown field `why`"),
        (b'{"v":3,"at":"t","role":"enactor","who":"a","event":"ended"}', "Invalid value 'ended'"),
        (b'{"v":3,"at":"t","role":"enactor","event":"stopped"}', "missing required field `who`"),
        (b'{"v":2,"event":"whatever it was"}', ""),
    ],
)
def test_what_is_not_listed_is_found(line: bytes, problem: str) -> None:
    found = unlisted(line)
    assert problem in found
    assert bool(found) == bool(problem)


def test_a_folder_with_such_a_line_is_found(tmp_path: Path) -> None:
    (tmp_path / "enactor-a.jsonl").write_text('{"v":3,"at":"t","role":"enactor","who":"a","event":"stopped","x":1}\n')
    assert len(problems_in(tmp_path)) == 1
