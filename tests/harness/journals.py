"""Journals held to what is shipped and documented: every line to the events, one line of each event to the schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec

from standfast.runtime.events import SCHEMA, held
from standfast.runtime.journal_files import open_lines

_HOW = "add it to runtime/events.py and docs/journal.md, then: python -m standfast.runtime.events"


def unlisted(octets: bytes) -> str:
    """What a line has that its event does not list; empty: nothing. Lines of older versions are not judged."""
    if json.loads(octets).get("v", 0) < 3:
        return ""
    try:
        held(octets)
    except msgspec.ValidationError as error:
        return f"{octets[:300].decode(errors='replace')}: {error}; {_HOW}"
    return ""


def problems_in(folder: Path) -> list[str]:
    """All problems of all journals in the folder. A line that a crash cut off is none."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    found, seen = [], set[str]()
    for path in sorted(folder.glob("*.jsonl*")):
        with open_lines(path) as file:
            for octets in file:
                try:
                    line = json.loads(octets)
                except ValueError:
                    continue
                if problem := unlisted(octets):
                    found.append(f"{path.name}: {problem}")
                elif line["v"] == 3 and line["event"] not in seen:
                    seen.add(line["event"])
                    found += [f"{path.name}: {error.message}" for error in validator.iter_errors(line)]
    return found
