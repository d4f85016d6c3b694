"""Journals of many files: what their checkpoints tell when older files are gone, and what gives away lost lines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.recorded import Line, record_run
from audit.test_reading import doubts, verdicts
from standfast.audit.judge import audit
from standfast.config import JournalConfig
from standfast.runtime.journal_files import closed_files
from standfast.runtime.shelving import Shelf

SEEDS = (3, 11, 12)
FILE = 4 << 10


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The state directories of whole runs, each journal in several files."""
    folders = {seed: tmp_path_factory.mktemp(f"run{seed}") for seed in SEEDS}
    for seed, folder in folders.items():
        record_run(folder, seed, file_octets=FILE)
    return folders


@pytest.fixture(params=SEEDS)
def state(request: pytest.FixtureRequest, runs: dict[int, Path], tmp_path: Path) -> Path:
    """A copy of one."""
    return Path(shutil.copytree(runs[request.param], tmp_path / "state"))


@pytest.fixture
def one(runs: dict[int, Path], tmp_path: Path) -> Path:
    """A copy of the first."""
    return Path(shutil.copytree(runs[SEEDS[0]], tmp_path / "state"))


def files(state: Path, base: str) -> list[Path]:
    """The files of one journal, oldest first."""
    folder = state / "journal"
    return [*(closed.path for closed in closed_files(folder, base)), folder / f"{base}.jsonl"]


def bases(state: Path) -> list[str]:
    return sorted({closed.base for closed in closed_files(state / "journal")})


def doctored(path: Path, doctor: Callable[[list[Line]], None]) -> None:
    """Change the lines of a file."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    doctor(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_many_files_are_judged_as_one(state: Path, tmp_path: Path) -> None:
    whole = audit([state])
    assert {"enactor-enactor-0", "enactor-enactor-1", "planner-p"} <= set(bases(state))
    assert not whole.violated, whole.violations
    assert whole.begins == ()
    joined = tmp_path / "joined"
    joined.mkdir()
    for base in bases(state):
        lines = [line for path in files(state, base) for line in path.read_text().splitlines()]
        told = [line for line in lines if json.loads(line)["event"] != "checkpoint"]
        (joined / f"{base}.jsonl").write_text("\n".join(told) + "\n")
    shutil.copy(state / "journal" / "cleaner-c.jsonl", joined)
    as_one = audit([joined])
    assert verdicts(whole) == verdicts(as_one)
    assert (whole.changes, whole.landed, whole.writes) == (as_one.changes, as_one.landed, as_one.writes)
    Shelf(state / "journal", JournalConfig()).tidy()
    assert list((state / "journal").glob("*.zst"))
    assert (verdicts(audit([state])), audit([state]).lines) == (verdicts(whole), whole.lines)


def test_a_file_beside_its_compressed_copy_is_read_once(one: Path) -> None:
    whole = audit([one])
    first = files(one, "enactor-enactor-0")[0]
    kept = first.read_bytes()
    Shelf(one / "journal", JournalConfig()).tidy()
    first.write_bytes(kept)
    first.with_name(first.name + ".zst").write_bytes(b"not whole yet")
    assert verdicts(audit([one])) == verdicts(whole)


@pytest.mark.parametrize("kept", [1, 2])
def test_the_newest_files_alone_can_be_judged(state: Path, kept: int) -> None:
    """Older files are gone, as after ninety days: nothing is blamed, and what can be told is told."""
    for base in bases(state):
        for path in files(state, base)[:-kept]:
            path.unlink()
    report = audit([state])
    assert not report.violated, report.violations
    assert any(begin.startswith("enactor-enactor-0.jsonl: from file ") for begin in report.begins)
    found = verdicts(report)
    assert {found["G1"], found["G5"], found["G6"], found["G8"], found["G10"]} <= {"holds", "cannot tell"}
    assert (found["G6"], found["G8"]) == ("holds", "holds")


def test_a_write_below_what_the_checkpoint_has_is_found_without_the_older_files(one: Path) -> None:
    """A marker that goes back is seen by the newest files alone: the checkpoint tells what stood."""
    for base in ("enactor-enactor-0", "enactor-enactor-1"):
        *older, last = files(one, base)
        for path in older:
            path.unlink()
        heads: dict[str, Line] = {}

        def remember(lines: list[Line], heads: dict[str, Line] = heads) -> None:
            for write in lines[0]["writes"]:
                if write["told"] == "written" and write.get("puts"):
                    heads[write["name"]] = write

        doctored(last, remember)
        name, head = next((name, head) for name, head in heads.items() if name.startswith("www."))
        plan = {"since": head["since"] - 1, "state": "live"}

        def append(lines: list[Line], name: str = name, head: Line = head, plan: Line = plan) -> None:
            change = next(one for one in lines[0]["changes"] if one["nonce"] == head["nonce"])
            write = {"name": name, "before": head["since"], "over": head["nonce"], "since": head["since"] - 1}
            write |= {"why": "", "act": "write", "kind": "live", "found": "live", "puts": plan}
            write |= {"least": {"A": 1}, "answers": {"A": 2}, "contents": "0" * 16}
            floor = {"found": "live", "generation": 99, "over": "f" * 16, "sets": None, "state": None}
            common = {key: lines[-1][key] for key in ("v", "at", "role", "who")}
            intent = {"event": "intent", "stream": change["stream"], "zone": change["zone"], "nonce": "e" * 16}
            lines.append({**common, **intent, "generation": 99, "plan": "d" * 16, "floor": floor, "writes": [write]})
            outcome = {"event": "outcome", "zone": change["zone"], "name": name, "result": "written", "why": ""}
            lines.append({**common, **outcome, "before": 0, "since": head["since"] - 1, "nonce": "e" * 16})

        doctored(last, append)
        break
    report = audit([one])
    assert "G2" in {found.guarantee for found in report.violations}, report.judged
    assert any("is written over" in found.text for found in report.violations)


def test_a_file_lost_in_the_midst_puts_everything_in_doubt(one: Path) -> None:
    files(one, "enactor-enactor-0")[1].unlink()
    report = audit([one])
    assert not report.violated, report.violations
    assert set(verdicts(report).values()) == {"cannot tell"}
    assert "the next checkpoint counts them" in doubts(report, "G7")


def test_lines_lost_without_a_trace_are_missed_by_the_next_checkpoint(one: Path) -> None:
    doctored(files(one, "enactor-enactor-1")[0], lambda lines: lines.__delitem__(3))
    report = audit([one])
    assert "the next checkpoint counts them" in doubts(report, "G2")
    assert set(verdicts(report).values()) <= {"cannot tell", "violated"}


@pytest.mark.parametrize(
    ("doctor", "text"),
    [
        (lambda first: first["changes"][0].update(generation=77), "otherwise than it was intended"),
        (lambda first: first["changes"][0].update(nonce="a" * 16), "otherwise than it was intended"),
        (lambda first: first["writes"][0].update(told="conflict"), "otherwise than it was told"),
        (lambda first: first["writes"][0].update(over="b" * 16), "otherwise than it was told"),
    ],
)
def test_a_checkpoint_that_says_otherwise_is_a_violation(one: Path, doctor: Callable[[Line], None], text: str) -> None:
    doctored(files(one, "enactor-enactor-0")[-1], lambda lines: doctor(lines[0]))
    report = audit([one])
    assert [found.guarantee for found in report.violations] == ["G10"], report.violations
    assert text in report.violations[0].text
