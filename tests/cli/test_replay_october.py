"""`standfast replay october-2025`: what is run, shown and written. Days are made by hand, but in the last tests."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.given import run
from sim.region.planted import planted
from sim.region.test_attribution import Planted
from standfast.cli import october
from standfast.cli.october_runs import Job, Telling, run_days
from standfast.cli.replay import replay_command
from standfast.errors import StandfastError
from standfast.sim.region.day import Day
from standfast.sim.region.parameters import Parameters
from standfast.sim.region.protections import ALL, Protection, family
from standfast.sim.region.study import study
from standfast.sim.region.sweeping import bands
from standfast.sim.region.telling import charts


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    jobs: list[Job] = []

    def run_days(some: Sequence[Job], tell: Telling) -> list[Day]:
        jobs.extend(some)
        tell(1.0, "all of them")
        return [Planted.day(one.protections) if one.protections else planted(late=300.0) for one in some]

    monkeypatch.setattr(october, "run_days", run_days)
    return jobs


def test_the_day_is_printed_with_its_score_and_the_next_command(asked: list[Job]) -> None:
    ran = run(replay_command, "october-2025")
    assert ran.code == 0
    assert "◇ Held out: 4 of 7 within 10 %" in ran.text
    assert "standfast replay october-2025 --with recovery" in ran.text
    assert "\x1b" not in ran.text
    assert [(one.protections, one.seed) for one in asked] == [(frozenset(), 1)]


def test_with_protections_everything_is_compared_and_run_once(asked: list[Job]) -> None:
    text = run(replay_command, "october-2025", "--with", "fence, admission", "--seed", "7").text
    assert "with admission, fence" not in text, "in the order in which they are listed"
    assert "with fence, admission: never without addresses; nothing of it is noticed." in text
    assert "What each protection changes" in text
    assert "Given the same 2 h 37 min without DNS, with the recovery protections alone" in text
    sets = [one.protections for one in asked]
    assert len(sets) == len(set(sets)) == 5
    assert {one.seed for one in asked} == {7}
    run(replay_command, "october-2025", "--endpoints", "300", "--step", "30")
    assert (asked[-1].parameters.endpoints, asked[-1].parameters.tick_s) == (300, 30.0)


def test_json_has_every_series_milestone_and_parameter(asked: list[Job]) -> None:
    found = run(replay_command, "october-2025", "--with", "recovery", "--json").json
    assert found["held_out"]["count"] == 7
    assert [one["protections"] for one in found["days"]] == [[], [*Planted.day(family("recovery")).protections]]
    assert found["days"][0]["series"]["ec2.leases"][-1][1] == 1e6
    assert len(found["attribution"]) == len(family("recovery"))
    assert {one["origin"] for one in found["parameters"]} >= {"fitted", "published"}


def test_plots_and_page_are_written(asked: list[Job], tmp_path: Path) -> None:
    svg, png, html = tmp_path / "svg", tmp_path / "png", tmp_path / "october.html"
    ran = run(replay_command, "october-2025", "--svg", svg, "--png", png, "--html", html)
    assert ran.code == 0
    names = {"day", "errors", "dynamodb", "ec2"}
    assert {one.stem for one in svg.iterdir()} == {one.stem for one in png.iterdir()} == names
    page = html.read_text(encoding="utf-8")
    data = json.loads(page.split('id="day-data">')[1].split("</script>")[0])
    assert len(data["runs"]) == len(asked) == 8
    assert data["runs"][""]["milestones"]["ec2-well"] == "13:55"


def test_plots_of_a_comparison_need_two_days_only(asked: list[Job], tmp_path: Path) -> None:
    run(replay_command, "october-2025", "--with", "recovery", "--svg", tmp_path)
    assert [one.protections for one in asked] == [frozenset(), family("recovery")]
    assert "with recovery" in (tmp_path / "ec2.svg").read_text(encoding="utf-8")


def test_an_unknown_protection_is_refused_and_the_known_are_named(asked: list[Job]) -> None:
    with pytest.raises(StandfastError, match="there is no such protection") as refused:
        run(replay_command, "october-2025", "--with", "fencing,admission")
    assert "admission" in str(refused.value)
    assert asked == []


def test_help_names_every_protection_and_no_other() -> None:
    block = run(replay_command, "--help").text.split("Protections of the day:\n")[1].split("\n\n")[0]
    listed = re.sub(r"^ *(dns|client|recovery)\b[^:]*:", "", block, flags=re.MULTILINE)
    assert sorted(re.findall(r"[a-z-]+", listed)) == sorted(ALL)


@pytest.mark.parametrize(("columns", "most"), [("", 132), ("80", 80), ("0", 132), ("wide", 132)])
def test_a_pipe_has_room_or_what_columns_says(
    asked: list[Job], monkeypatch: pytest.MonkeyPatch, columns: str, most: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = run(replay_command, "october-2025", "--with", "recovery").text.splitlines()
    assert most - 20 < max(len(line) for line in lines) <= most


def test_a_folder_that_can_not_be_written_is_refused_before_anything_runs(asked: list[Job], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StandfastError, match="can't be written"):
        run(replay_command, "october-2025", "--svg", tmp_path / "file")
    with pytest.raises(StandfastError, match="can't be written"):
        run(replay_command, "october-2025", "--html", tmp_path / "none" / "a.html")
    assert asked == []


def test_without_the_plotting_library_plots_are_refused_before_anything_runs(
    asked: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "find_spec", lambda name: None)
    with pytest.raises(StandfastError, match=r"not installed\. Install it: pip install 'standfast\[plots\]'"):
        run(replay_command, "october-2025", "--svg", tmp_path)
    assert asked == []
    assert run(replay_command, "october-2025", "--html", tmp_path / "a.html").code == 0, "a page needs none"


def test_a_sweep_shows_bands_or_exports_them(asked: list[Job]) -> None:
    text = run(replay_command, "october-2025", "--sweep", "5", "--vary", "lease_rate, boot_s").text
    assert "5 days. The first has all numbers as they are; in the others " in text
    assert len({one.parameters for one in asked}) == 5
    found = run(replay_command, "october-2025", "--sweep", "3", "--with", "dns", "--json").json
    assert found["bands"]["ec2-well"]["days"] == 3
    assert {one.protections for one in asked[5:]} == {family("dns")}
    for more in (("--vary", "lease_rate"), ("--sweep", "3", "--svg", "x")):
        assert run(replay_command, "october-2025", *more).code == 2


def test_what_belongs_to_the_day_is_refused_elsewhere() -> None:
    for option in (("--png", "x"), ("--seed", "3"), ("--endpoints", "5")):
        ran = run(replay_command, "race", *option)
        assert ran.code == 2
        assert "belongs to `standfast replay october-2025`" in ran.text


def test_real_days_run_beside_each_other_and_come_back_in_order() -> None:
    small = Parameters(droplets=600, managers=2, resolvers=20, tick_s=60.0)
    heard: list[float] = []
    jobs = [Job(small, one, 3) for one in (frozenset[Protection](), family("dns"), frozenset[Protection]())]
    built, dns, again = run_days(jobs, lambda share, said: heard.append(share))
    assert built.protections == ()
    assert frozenset(dns.protections) == family("dns")
    assert built.digest == again.digest != dns.digest
    assert built.outage_s > 9000.0
    assert dns.outage_s == 0.0
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    (alone,) = run_days(jobs[:1], lambda share, said: None)
    assert alone.digest == built.digest, "in this process too"


def test_a_sweep_is_the_same_on_one_core_and_on_two(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Parameters(droplets=600, managers=2, resolvers=20, tick_s=60.0)
    jobs = [Job(one, frozenset(), 1 + place) for place, one in enumerate(study(small, 4, 1))]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    one_core = run_days(jobs, lambda share, said: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    two_cores = run_days(jobs, lambda share, said: None)
    assert [day.digest for day in one_core] == [day.digest for day in two_cores]
    assert bands(one_core) == bands(two_cores)


def test_what_fails_in_another_process_is_told_here() -> None:
    broken = Job(Parameters(droplets=600, managers=0), frozenset(), 1)
    with pytest.raises(ZeroDivisionError):
        run_days([broken, broken], lambda share, said: None)
