"""`standfast demo` as people start it: a whole round with every fault, and nothing left behind however it ends."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from e2e.roles import until
from standfast import config as configuration
from standfast.demo.hand import Hand
from standfast.demo.ledger import Ledger
from standfast.demo.prober import answered, question
from standfast.demo.report import problems, summary
from standfast.demo.setting import STATED_S, ZONE, config_text, fleet_text, folded, rrsets
from standfast.demo.telling import told
from standfast.runtime.place import Place

COMMAND = (sys.executable, "-m", "standfast", "demo")
AUDIT = (sys.executable, "-m", "standfast", "audit", "--journal")


def processes_in(folder: Path) -> list[str]:
    """Command lines of living processes that work in this folder, or below it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").resolve(strict=True).is_relative_to(folder):
                    found.append((entry / "cmdline").read_text(errors="replace").replace("\0", " "))
            except OSError:
                continue
    return found


def judge(folder: Path) -> None:
    """The journals of the run, audited: nothing is violated, and what every run shows holds."""
    ended = subprocess.run([*AUDIT, str(folder / "state"), "--json"], capture_output=True, text=True, check=False)
    found = json.loads(ended.stdout)
    assert ended.returncode == 0, found["violations"]
    assert found["landed"] > 0
    assert {found["guarantees"][one]["verdict"] for one in ("G1", "G6", "G8")} == {"holds"}, found["guarantees"]


def await_answers(folder: Path) -> None:
    """Until the prober has asked everything once."""
    deadline = time.monotonic() + 90
    answers = folder / "answers.jsonl"
    while not (answers.exists() and answers.stat().st_size > 2000):
        assert time.monotonic() < deadline, "the prober does not begin"
        time.sleep(0.05)


def empty_seen(folder: Path, name: str) -> bool:
    """Whether an answer without an address came for it; one that never came says nothing."""
    number = rrsets(ipv6=True).index((name, 1))
    ended, _, _ = (folder / "answers.jsonl").read_text(encoding="ascii").rpartition("\n")
    answers = [json.loads(line) for line in ended.splitlines()]
    return any(received and asked == number and not found for _, received, asked, _, found in answers)


def whole() -> dict[str, Any]:
    """The report of a run in which all is well."""
    faults = {
        kind: {"injected": 1, "healed": 1, "max_s": 0.5, "stated_s": stated, "allowed_s": stated + 1}
        for kind, stated in STATED_S.items()
    }
    return {
        "queries": 5000,
        "bad": 0,
        "bad_by_kind": {},
        "damage_made": [{"fault": "name_deleted", "name": f"www.{ZONE}", "answers": 9, "healed_s": 0.2}],
        "generations": 40,
        "faults": faults,
        "refused_writes": {"NXRRSET": 1},
        "held_generations": 21,
        "plans_collected": 20,
        "prober_rate": 250.0,
        "longest_gap_ms": 9.0,
        "unanswered": 0,
        "rounds": 1,
        "seconds": 20.0,
    }


def test_a_run_in_which_all_is_well_has_no_problem() -> None:
    assert problems(whole()) == []
    assert "none of them empty" in summary(whole(), [])[0]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"bad": 1, "bad_by_kind": {"older": 1}}, "1 bad answers: 1 older"),
        ({"refused_writes": {"NOERROR": 1}}, "not refused by the server: NOERROR"),
        ({"refused_writes": {"NXRRSET": 1, "no reply": 1}}, "not refused by the server: no reply"),
        ({"refused_writes": {}}, "no held write"),
        ({"held_generations": 19}, "only 19 generations"),
        ({"prober_rate": 99.9}, "99.9 times a second"),
        ({"unanswered": 51}, "51 of 5000"),
    ],
)
def test_what_is_not_as_promised_is_a_problem(change: dict[str, Any], wanted: str) -> None:
    (why,) = problems(whole() | change)
    assert wanted in why


@pytest.mark.parametrize("kind", STATED_S)
def test_each_kind_of_fault_must_be_injected_and_healed_in_time(kind: str) -> None:
    found = whole()
    found["faults"][kind] |= {"injected": 0, "healed": 0, "max_s": None}
    assert len(problems(found)) == 1
    assert problems(found, whole=False) == []
    found["faults"][kind] |= {"injected": 2, "healed": 1, "max_s": 9.0}
    assert len(problems(found, whole=False)) == 1


def test_healing_counts_only_within_the_stated_maximum_and_a_second() -> None:
    ledger = Ledger()
    for late in (0.0, STATED_S["floor_deleted"] + 0.99, STATED_S["floor_deleted"] + 1.01):
        fault = ledger.begin("floor_deleted", ZONE)
        fault.healed = fault.injected + late
    ledger.begin("floor_deleted", ZONE)
    counted = ledger.by_kind()["floor_deleted"]
    assert (counted["injected"], counted["healed"]) == (4, 2)


def test_the_prober_reads_replies_by_itself() -> None:
    asked = question(f"www.{ZONE}", 1)
    head = b"\x12\x34\x85\x00\x00\x01\x00\x02\x00\x00\x00\x00"
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x01"
    assert answered(head + asked + record + b"\x15" + record + b"\x0b", asked) == (0, ["127.0.1.11", "127.0.1.21"])
    assert answered(head[:3] + b"\x03" + head[4:6] + b"\0\0" + head[8:] + asked, asked) == (3, [])
    assert answered(head + question(f"api.{ZONE}", 1), asked) is None
    assert answered(head[:2] + b"\x05" + head[3:] + asked, asked) is None
    with pytest.raises(ValueError, match="malformed"):
        answered(head + asked + record[:7], asked)


def test_the_files_it_writes_are_right(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(fleet_text({"lb-c2"}, ipv6=True), encoding="utf-8")
    (tmp_path / "standfast.yaml").write_text(config_text(5300, 8080), encoding="utf-8")
    read = configuration.load(tmp_path / "standfast.yaml")
    assert len(read.endpoints) == 4
    assert folded(["127.0.1.21", "127.0.1.11", "::1"]) == "127.0.1.11 .21 ::1"


def test_the_writes_of_one_change_are_one_line() -> None:
    common = {"event": "outcome", "who": "c", "nonce": "1", "at": "2026-01-01T00:00:00Z", "took_ms": 8.0}
    both = [{**common, "name": f"{name}.{ZONE}", "before": 4, "since": 5, "why": "4 → 5"} for name in ("www", "api")]
    (line,) = told([{**one, "result": "written"} for one in both])
    assert line.endswith("enactor c   www, api  g4 → g5 written, 8 ms")
    (line,) = told([{**both[0], "result": "written", "before": 5, "why": "its A records are gone"}])
    assert line.endswith("www  g5 put back, 8 ms: its A records are gone")
    assert told([{**one, "result": "conflict"} for one in both]) == []
    (line,) = told([{**one, "result": "conflict", "took_ms": 2100.0} for one in both])
    assert "REFUSED by the server after 2.1 s" in line


@pytest.mark.parametrize("seconds", ["19.9", "0", "-5", "nan", "1e9"])
def test_too_little_time_is_a_usage_error(seconds: str) -> None:
    ended = subprocess.run([*COMMAND, "--json", "--seconds", seconds], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "20 s" in ended.stderr


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    ended = subprocess.run([*COMMAND, "--state", str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "is not empty" in ended.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


@pytest.mark.slow
def test_a_whole_run(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = [*COMMAND, "--seconds", "25", "--json", "--state", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert ended.stderr == ""
    found = json.loads(ended.stdout)
    assert ended.returncode == 0, found["problems"]
    assert found["ok"] is True
    assert found["bad"] == 0
    assert set(found["faults"]) == set(STATED_S)
    assert set(found["refused_writes"]) <= {"NXRRSET", "YXRRSET"}
    assert found["plans_collected"] > 0
    assert found["generations"] > 30
    lines = (folder / "answers.jsonl").read_text(encoding="ascii").splitlines()
    assert len(lines) == found["queries"]
    assert processes_in(folder) == []
    judge(folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen([*COMMAND, "--json", "--state", str(folder)], stdout=subprocess.PIPE, text=True) as started:
        await_answers(folder)
        until(lambda: len(processes_in(folder)) >= 13, "all of them are there", 90)
        started.send_signal(number)
        output, _ = started.communicate(timeout=90)
    assert json.loads(output)["bad"] == 0
    assert processes_in(folder) == []
    judge(folder)


@pytest.mark.slow
def test_damage_that_nobody_announced_is_bad(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen([*COMMAND, "--json", "--state", str(folder)], stdout=subprocess.PIPE, text=True) as started:
        await_answers(folder)
        read = configuration.load(folder / "standfast.yaml")
        zone = read.zones[0]
        hand = Hand(zone.port, Place(read).key(zone))
        for _ in range(20):  # a quick enactor puts it back before anybody asks
            hand.delete_everything(f"api.{ZONE}")
            time.sleep(0.2)
            if empty_seen(folder, f"api.{ZONE}"):
                break
        started.terminate()
        output, _ = started.communicate(timeout=90)
    found = json.loads(output)
    assert started.returncode == 2
    assert found["ok"] is False
    assert found["bad_by_kind"].keys() == {"empty"}
    assert {one["name"] for one in found["bad_examples"]} == {f"api.{ZONE}"}
    assert processes_in(folder) == []
    judge(folder)


@pytest.mark.slow
def test_nothing_is_left_when_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen([*COMMAND, "--json", "--state", str(folder)], stdout=subprocess.DEVNULL) as started:
        await_answers(folder)
        started.kill()
    deadline = time.monotonic() + 90
    while processes_in(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_in(folder) == []
    judge(folder)
