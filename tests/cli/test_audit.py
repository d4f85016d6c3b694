"""`standfast audit` as people call it: verdicts, violations with both places, exit codes, JSON."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.recorded import Doctored, record_run
from cli.stage import Said
from standfast.cli import main

Command = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command with these arguments; it needs no configuration."""

    def said(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["standfast", "audit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    return said


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with the journals of a whole run."""
    folder = tmp_path / "run"
    folder.mkdir()
    record_run(folder, 3)
    return folder


def test_what_holds_is_counted_and_what_is_not_judged_is_said(run: Command, state: Path) -> None:
    said = run("--journal", str(state))
    assert (said.code, said.err) == (0, "")
    first, *rest = said.out.splitlines()
    assert first.startswith("4 journals, ")
    assert "3 endpoints in 3 chains of markers" in first
    held = [line.split()[2] for line in rest if line.startswith("  ✓ holds")]
    assert held[:8] == ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"]
    assert "G9 (come back)" in said.out


def test_journals_may_be_named_one_by_one(run: Command, state: Path) -> None:
    files = [str(path) for path in sorted((state / "journal").glob("*.jsonl"))]
    whole = run("--journal", str(state)).out
    assert run("--journal", *files).out == whole
    assert run(*files).out == whole
    assert "standfast.yaml" in run().err, "without journals the configuration names zone, store and journals"


def test_a_violation_names_both_places_and_a_remedy(run: Command, state: Path) -> None:
    given = Doctored(state / "journal")
    *_, last = [write for _, _, _, write in given.writes() if write["name"].startswith("www.") and write["before"]]
    last["before"] += 1
    given.save()
    said = run("--journal", str(state))
    assert said.code == 2
    assert "■ VIOLATED     G2" in said.out
    place = next(line for line in said.out.splitlines() if line.startswith("  enactor-"))
    assert place.count(".jsonl:") == 2
    assert "Report this" in said.out
    assert said.out.splitlines()[-1] == "■ 1 violation: each says above what to do."
    found = json.loads(run("--json", "--journal", str(state)).out)
    assert found["ok"] is False
    assert found["guarantees"]["G2"] | {"checked": 0} == {
        "verdict": "violated",
        "checked": 0,
        "violations": 1,
        "cannot_tell": [],
    }
    assert [one["guarantee"] for one in found["violations"]] == ["G2"]
    assert len(found["violations"][0]["places"]) == 2


def test_what_cannot_be_told_is_neither_fine_nor_wrong(run: Command, state: Path) -> None:
    (state / "journal" / "planner-p.jsonl").unlink()
    with (state / "journal" / "cleaner-c.jsonl").open("a") as file:
        file.write('{"v":2,"event":"coll')
    said = run("--journal", str(state))
    assert said.code == 0
    assert said.out.count("no planner's journal was given") == 3
    assert "▲ cannot tell  G7" in said.out
    assert "cleaner-c.jsonl:2: it is cut off or garbled, and the file ends there" in said.out


@pytest.mark.parametrize("octets", [b"", b"\x00\xff\n{}\nno journal\n"])
def test_files_without_a_line_of_a_journal_are_not_fine(run: Command, tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "some.jsonl").write_bytes(octets)
    said = run(str(tmp_path))
    assert said.code == 1
    assert "nothing was judged" in said.out
    assert json.loads(run(str(tmp_path), "--json").out)["ok"] is False


def test_the_last_line_concludes(run: Command, state: Path) -> None:
    assert run(str(state)).out.splitlines()[-1].startswith(("✓ Nothing is violated", "▲ Nothing is violated"))
    (state / "journal" / "planner-p.jsonl").unlink()
    last = run(str(state)).out.splitlines()[-1]
    assert last.startswith("▲ Nothing is violated; these journals can't tell all of G4, G6, G7")


def test_the_markers_that_stand_are_compared(run: Command, state: Path, tmp_path: Path) -> None:
    given = Doctored(state / "journal")
    replaced = [write["over"] for _, _, _, write in given.writes() if write["name"].startswith("www.")]
    stood = next(nonce for nonce in replaced if nonce)
    zone = tmp_path / "zone.txt"
    fields = f"s=main n=1 g=1 p={'0' * 32} st=live w=a x={stood} c={'0' * 16}"
    zone.write_text(f'www._standfast.lb.example.com. 60 IN TXT "standfast1 k=marker {fields}"\n', encoding="ascii")
    said = run("--journal", str(state), "--ends", str(zone))
    assert said.code == 2
    assert "stands, and a change was written over it" in said.out


@pytest.mark.parametrize("what", ["no such journal", "an empty folder", "ends without markers", "no ends"])
def test_what_can_t_be_read_is_an_error_with_a_remedy(run: Command, state: Path, tmp_path: Path, what: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "zone").touch()
    arguments = {
        "no such journal": ["--journal", str(empty / "x.jsonl")],
        "an empty folder": ["--journal", str(empty)],
        "ends without markers": ["--journal", str(state), "--ends", str(empty / "zone")],
        "no ends": ["--journal", str(state), "--ends", str(empty / "none")],
    }[what]
    said = run(*arguments)
    assert said.code == 1
    assert said.out == ""
    assert "Give " in said.err
