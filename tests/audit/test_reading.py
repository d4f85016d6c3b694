"""What is read: folders, rotated journals, journals of version 1, spoilt lines; and what a hole in them means."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings

from audit.recorded import Doctored, record_run
from core.test_planner_properties import situations
from harness.planning_checks import Situation, history
from standfast.audit import lines
from standfast.audit.judge import Report, audit
from standfast.errors import JournalError
from standfast.model.plan import Plan
from standfast.runtime.journal import Journal
from standfast.runtime.recording import plan_facts


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state directory of a whole run."""
    folder = tmp_path_factory.mktemp("run")
    record_run(folder, 11)
    return folder


@pytest.fixture
def state(run: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(run, tmp_path / "state"))


def verdicts(report: Report) -> dict[str, str]:
    """By guarantee."""
    return {one.guarantee: one.verdict for one in report.judged}


def doubts(report: Report, guarantee: str) -> str:
    """In words."""
    return "; ".join(doubt.why for one in report.judged if one.guarantee == guarantee for doubt in one.doubts)


def test_a_state_directory_its_journals_and_both_together_are_the_same(state: Path) -> None:
    whole = audit([state])
    assert whole.journals == (
        "cleaner-c.jsonl",
        "enactor-enactor-0.jsonl",
        "enactor-enactor-1.jsonl",
        "planner-p.jsonl",
    )
    assert audit([state / "journal"]) == whole
    assert audit([*sorted((state / "journal").iterdir()), state]) == whole


def test_what_was_put_aside_is_the_older_part(state: Path) -> None:
    path = state / "journal" / "enactor-enactor-0.jsonl"
    told = path.read_text().splitlines(keepends=True)
    whole = audit([state])
    path.with_suffix(".jsonl.1").write_text("".join(told[: len(told) // 2]))
    path.write_text("".join(told[len(told) // 2 :]))
    report = audit([state])
    assert verdicts(report) == verdicts(whole)
    assert (report.journals, report.lines, report.landed) == (whole.journals, whole.lines, whole.landed)


def test_journals_of_one_name_from_two_machines_are_told_apart(state: Path, tmp_path: Path) -> None:
    other = tmp_path / "b" / "journal"
    other.mkdir(parents=True)
    (state / "journal" / "enactor-enactor-1.jsonl").rename(other / "enactor-enactor-0.jsonl")
    report = audit([state, tmp_path / "b"])
    assert not report.violated
    assert len([name for name in report.journals if name.endswith("journal/enactor-enactor-0.jsonl")]) == 2


def test_a_missing_journal_is_a_hole_and_never_fine(state: Path) -> None:
    whole = audit([state])
    assert verdicts(whole)["G2"] == "holds"
    (state / "journal" / "enactor-enactor-0.jsonl").unlink()
    report = audit([state])
    assert not report.violated, report.violations
    assert verdicts(report)["G2"] == "cannot tell"
    assert "in no journal given here" in doubts(report, "G2")
    (state / "journal" / "planner-p.jsonl").unlink()
    assert {verdicts(audit([state]))[one] for one in ("G4", "G6", "G7")} == {"cannot tell"}


def test_an_enactor_that_was_cut_off_from_its_intents_is_no_liar(state: Path) -> None:
    """The journal begins in the middle: what lies before was put aside and is lost."""
    path = state / "journal" / "enactor-enactor-0.jsonl"
    told = [json.loads(line) for line in path.read_text().splitlines()]
    begin = next(place for place, line in enumerate(told) if line["event"] == "outcome")
    path.write_text("".join(json.dumps(line) + "\n" for line in told[begin:]))
    report = audit([state])
    assert not report.violated, report.violations
    assert "begins in the middle" in doubts(report, "G10")


@pytest.mark.parametrize(
    ("result", "unrecorded", "judged"),
    [
        ("refilled", "No space left on device", False),
        ("conflict", "No space left on device", False),
        ("written", "No space left on device", True),
        ("refilled", "", True),
    ],
)
def test_only_a_refill_that_says_so_may_have_had_no_intent(
    state: Path, result: str, unrecorded: str, judged: bool
) -> None:
    """It may be sent while the journal can't be written, for it leaves no marker; anything else is a violation."""
    path = state / "journal" / "enactor-enactor-0.jsonl"
    told = [json.loads(line) for line in path.read_text().splitlines()]
    last = next(line for line in reversed(told) if line["event"] == "outcome" and line.get("nonce"))
    said = {"unrecorded": unrecorded} if unrecorded else {}
    told.append({**last, "result": result, "nonce": "0123456789abcdef", **said})
    path.write_text("".join(json.dumps(line) + "\n" for line in told))
    report = audit([state])
    assert bool(report.violated) == judged, report.violations
    assert ("the journal did not take their intent" in doubts(report, "G10")) != judged


def test_spoilt_lines_are_told_with_their_place(state: Path) -> None:
    path = state / "journal" / "enactor-enactor-0.jsonl"
    count = len(path.read_text().splitlines())
    with path.open("ab") as file:
        file.write(b'{"v":2,"event":"intent","zone":7}\n\n\xff\xfe\n{"v":9,"event":"outcome"}\n{"v":2,"event":"outc')
    report = audit([state])
    assert [(one.place.line - count, one.why) for one in report.spoilt] == [
        (1, "it is not as docs/journal.md says: Expected `str`, got `int` - at `$.zone`"),
        (3, "it is cut off or garbled"),
        (4, "it is of version 9; this Standfast reads 1 to 3"),
        (5, "it is cut off or garbled, and the file ends there"),
    ]
    assert {one.place.file for one in report.spoilt} == {"enactor-enactor-0.jsonl"}
    assert not report.violated
    assert verdicts(report)["G10"] == "cannot tell"


def test_a_lost_line_may_have_told_of_anything(state: Path) -> None:
    path = state / "journal" / "enactor-enactor-0.jsonl"
    told = path.read_bytes().splitlines(keepends=True)
    place = next(number for number, line in enumerate(told) if b'"intent"' in line)
    path.write_bytes(b"".join([*told[:place], told[place][:40] + b"\n", *told[place + 1 :]]))
    report = audit([state])
    assert not report.violated, report.violations
    assert set(verdicts(report).values()) == {"cannot tell"}


def test_a_file_of_garbage_beside_good_journals_may_have_been_one(state: Path) -> None:
    (state / "journal" / "enactor-x.jsonl").write_bytes(b"garbage\n")
    assert set(verdicts(audit([state])).values()) == {"cannot tell"}


def test_a_process_killed_in_the_midst_of_a_line_did_nothing_after_it(state: Path) -> None:
    whole = audit([state])
    path = state / "journal" / "enactor-enactor-0.jsonl"
    with path.open("ab") as file:
        file.write(b'{"v":2,"event":"intent","zo\n')
        file.write(next(line for line in path.read_bytes().splitlines(keepends=True) if b'"started"' in line))
    report = audit([state])
    assert not report.violated
    assert verdicts(report) == {**verdicts(whole), "G10": "cannot tell"}


def test_a_line_without_end_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_OCTETS_MAX", 1 << 12)
    path = tmp_path / "enactor-a.jsonl"
    path.write_bytes(b'{"v":2,"event":"started"}\n' + b"x" * 10_000 + b'\n{"v":2,"event":"stopped"}\n')
    report = audit([path])
    assert [(one.place.line, one.why.partition(" ")[2]) for one in report.spoilt] == [(2, "has more than 0 MiB")]
    assert report.lines == 3


def version_1(line: dict[str, Any]) -> dict[str, Any]:
    """The line as the first version wrote it."""
    kept = {
        "intent": ("zone", "generation", "plan", "nonce", "writes"),
        "planned": ("generation", "digest", "author", "reason", "changes"),
        "collected": ("generations", "why"),
    }.get(line["event"])
    if kept is not None:
        line = {key: line[key] for key in ("at", "role", "who", "event", *kept) if key in line}
    if line["event"] == "intent":
        line["writes"] = [
            {key: one[key] for key in ("name", "before", "over", "since", "why")} for one in line["writes"]
        ]
    if line["event"] == "planned":
        told = ("name", "added", "removed", "why", "served", "of", "healthy", "window")
        line["changes"] = [{key: one[key] for key in told} for one in line["changes"]]
    return {**line, "v": 1}


def test_journals_of_version_1_show_the_order_and_no_more(state: Path) -> None:
    given = Doctored(state / "journal")
    for told in given.files.values():
        told[:] = [version_1(line) for line in told]
    given.save()
    report = audit([state])
    assert not report.violated, report.violations
    found = verdicts(report)
    assert found["G2"] == "holds"
    assert {found[one] for one in ("G1", "G3", "G5", "G6", "G7", "G8")} == {"cannot tell"}
    *_, last = [one for one in given.writes_of_version_1() if one["name"].startswith("www.")]
    last["since"] = 0
    given.save()
    assert "G2" in {one.guarantee for one in audit([state]).violations}


@pytest.mark.parametrize("what", ["nothing there", "an empty folder"])
def test_nothing_to_read_is_an_error_with_a_remedy(tmp_path: Path, what: str) -> None:
    with pytest.raises(JournalError, match="There is no journal") as caught:
        audit([tmp_path if what == "an empty folder" else tmp_path / "no.jsonl"])
    assert caught.value.remedy


@settings(derandomize=True, max_examples=120, deadline=None)
@for_all(row=situations())
def test_no_planning_history_is_blamed(row: Sequence[Situation], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever fleets, health and configuration do: what the planner publishes keeps its own records' bounds."""
    folder = tmp_path_factory.mktemp("plans")
    journal = Journal(folder, "planner", "p")
    journal.write("started", stream="main")
    before: Plan | None = None
    for step in history(row):
        if step.drawn.plan is not None:
            over, now = before.head if before else None, step.told
            facts = plan_facts(step.drawn.plan, step.drawn.decisions, over, now.policies, now.verdicts)
            journal.write("planned", **{**facts, "sources": {"fleet": 1}})
            before = step.drawn.plan
    journal.close()
    report = audit([folder])
    assert not report.violated, report.violations
