"""The judges of mutants: what counts as a kill, and what does not."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

import standfast
from standfast.sim.mutants import running
from standfast.sim.mutants.__main__ import shortcomings
from standfast.sim.mutants.catalogue import SUBSET, named
from standfast.sim.mutants.judging import Order
from standfast.sim.mutants.mutant import Judge, Mutant
from standfast.sim.mutants.running import Limits, Report, try_one
from standfast.sim.mutants.verdict import Searched, Verdict

QUICK = Limits(seeds=2)


def edit(new: str, judge: Judge, *, runs: tuple[str, ...] = ("lost reply",), equivalent: str = "") -> Mutant:
    """What an enactor does about one endpoint, edited."""
    return Mutant(
        name="tried",
        file="core/judgement.py",
        old="    if floor.frozen:\n",
        new=new + "    if floor.frozen:\n",
        rule="0: none",
        expected=("G2",),
        judges=(judge,),
        runs=runs,
        equivalent=equivalent,
    )


@pytest.mark.parametrize("judge", ["search", "schedules"])
def test_a_crash_is_no_kill(judge: Judge) -> None:
    report = try_one(edit('    raise RuntimeError("broken")\n', judge), QUICK)
    assert report.fate == "no verdict"
    assert "broken" in report.verdicts[0].trouble
    assert shortcomings((report,), whole=False) == ["tried: no verdict"]


def test_a_time_out_is_no_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_START_SECONDS", 1.0)
    report = try_one(edit("    while entry: pass\n", "search"), Limits(seconds=0.5))
    assert (report.fate, report.verdicts[0].killed_by) == ("no verdict", "")
    assert "no verdict within" in report.verdicts[0].trouble


def test_what_is_not_noticed_survives_unless_it_was_said_why_and_all_was_seen() -> None:
    nothing = "    assert entry\n"
    assert try_one(edit(nothing, "search"), QUICK).fate == "survived"
    claimed = try_one(edit(nothing, "search", equivalent="an entry is always true"), QUICK)
    assert claimed.fate == "equivalent"
    assert [(one.run, one.complete) for one in claimed.verdicts[0].searched] == [("lost reply", True)]
    unseen = Verdict("search", searched=(Searched("lost reply", 5, 9, complete=False),))
    assert running._fate(edit(nothing, "search", equivalent="so I say"), [unseen]) == "survived"


def test_another_package_than_the_copy_is_not_judged() -> None:
    order = Order("/nowhere/standfast", "search", ("lost reply",))
    process = subprocess.run(
        [sys.executable, "-m", "standfast.sim.mutants.judging", msgspec.json.encode(order).decode()],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert process.returncode != 0
    assert "is judged instead of the copy" in process.stderr
    assert running._imported_otherwise(Path("/nowhere/standfast"), {}) != ""


def test_the_package_itself_stays_as_it_is() -> None:
    path = Path(standfast.__file__).parent / "core" / "judgement.py"
    before = path.read_bytes()
    with running.mutated_copy(edit("    assert entry\n", "search")) as package:
        assert (package / "core" / "judgement.py").read_bytes() != before
    assert path.read_bytes() == before
    assert not package.exists()


def test_half_of_them_have_to_be_killed_by_simulation_alone() -> None:
    searched, simulated = Verdict("search", "G2: back", 9), Verdict("simulation", "G2: back", 1)
    one = Report("one", "", False, "killed", (searched, simulated))
    other = Report("other", "", False, "killed", (searched, Verdict("simulation", after=20)))
    elsewhere = Report("not in its world", "", False, "killed", (searched,))
    assert shortcomings((one, other, elsewhere), whole=True) == []
    assert "only 1 of 3" in shortcomings((one, other, other, elsewhere), whole=True)[0]
    assert shortcomings((other,), whole=False) == []
    assert shortcomings((Report("s", "", False, "survived", ()),), whole=False) == ["s: survived"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "judge"), SUBSET)
def test_a_representative_part_of_the_catalogue_is_killed(name: str, judge: Judge) -> None:
    """Of each kind of rule one, by a judge that notices it soon; `make mutants` tries all of them with all judges."""
    report = try_one(replace(named(name), judges=(judge,)), Limits(seeds=6))
    assert report.fate == "killed", f"replay: python -m standfast.sim.mutants --only {name!r}: {report}"
