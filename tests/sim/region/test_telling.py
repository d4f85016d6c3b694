"""The day told: strips and tables in a terminal, plots, JSON, and the answers in words."""

import io
import re
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console, RenderableType

from standfast.errors import StandfastError
from standfast.sim.region.attribution import counterfactual
from standfast.sim.region.engine import run
from standfast.sim.region.parameters import SHEET, Parameters
from standfast.sim.region.protections import ALL, family
from standfast.sim.region.scoring import score
from standfast.sim.region.telling.charts import draw
from standfast.sim.region.telling.comparing import answer, backlogs, comparison
from standfast.sim.region.telling.exporting import exported
from standfast.sim.region.telling.packing import packed
from standfast.sim.region.telling.slots import amount, on_axis
from standfast.sim.region.telling.strips import curve_path, lost_path
from standfast.sim.region.telling.terminal import listing, milestones
from standfast.sim.region.telling.wording import clear, lasting, named

from .planted import planted
from .test_attribution import Planted


def shown(what: RenderableType, width: int = 140) -> str:
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(what)
    return file.getvalue()


def test_the_table_has_published_and_modelled_times() -> None:
    day = planted(late=300.0)
    text = shown(listing(day, score(day.milestones), 140))
    assert re.search(r"05:00 +05:05 +\+5 min +\+25 % +◇ +Connect", text)
    assert re.search(r"13:50 +13:55 +\+5 min +\+3 % +◇ +EC2", text)
    assert re.search(r"02:25 +input +▸ +DynamoDB", text)
    assert re.search(r"01:19 +01:24 +\+5 min +STS", text), "shown though it scores nothing"
    assert "◇ Held out: 4 of 7 within 10 %; median 8 %, worst 25 %." in text
    assert "as built: without addresses for 2 h 37 min; everything is clear at 14:15, after 14 h 27 min." in text


def test_a_strip_shows_when_it_failed() -> None:
    day = planted()
    line = next(one for one in shown(listing(day, score(day.milestones), 140)).splitlines() if one.startswith("EC2"))
    assert re.search(r"^EC2 +█+[▂-▆]?▁{20,}[▂▃]?▄{20,}[▅▆]?█{5,} least 0 %$", line), line


def test_never_reached_is_said() -> None:
    day = planted()
    text = shown(listing(day, score({**day.milestones, "ec2-well": None}), 140))
    assert re.search(r"13:50 +– +never", text)
    assert "1 never reached" in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    day = planted(late=300.0)
    text = shown(listing(day, score(day.milestones), width), width)
    assert max(len(line) for line in text.splitlines()) <= width


def test_nothing_is_cut_off_on_eighty_columns() -> None:
    day = run(Parameters(droplets=600, managers=2, resolvers=20, tick_s=60.0), until=600.0)
    with_it = planted(protections=("fence",), clear_s=0.0)
    for what in (
        listing(day, score(day.milestones), 80),
        listing(planted(), score(planted().milestones), 80, second=(with_it, score(with_it.milestones))),
        comparison(counterfactual(family("recovery"), Planted()), 80),
    ):
        text = shown(what, 80)
        assert "…" not in text
        assert max(len(line) for line in text.splitlines()) <= 80
    assert re.search(r"13:50 .* EC2: all calls and launches", shown(milestones(score(day.milestones), 80), 80))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_hours_stand_at_even_distances(width: int) -> None:
    day = planted()
    lines = shown(listing(day, score(day.milestones), width), width).splitlines()
    ruler = next(one for one in lines if re.fullmatch(r" +\d\d( +\d\d)+", one)).split()
    assert len({int(after) - int(hour) for hour, after in pairwise(ruler)}) == 1, ruler


def test_halves_without_room_beside_each_other_stand_below_each_other() -> None:
    found = counterfactual(family("recovery"), Planted())
    assert re.search(r"alone: .*all but it:", shown(comparison(found, 120), 120))
    narrow = shown(comparison(found, 80), 80)
    alone, left_out = narrow.split("all but it:")
    assert "alone:" in alone
    assert "none, as built" in alone
    assert "none, as built" not in left_out
    assert all(one in alone and one in left_out for one in family("recovery"))


def test_amounts_have_their_unit() -> None:
    assert amount(16_500.0, "s of work") == "4.6 h of work"
    assert amount(1.3, "× normal") == "1.3 × normal"
    assert amount(2e5, "changes") == "200 k"
    assert on_axis(1.3, "× normal") == "1.3"


def test_a_backlog_that_is_never_worked_off_is_not_one_that_never_was() -> None:
    never = planted(protections=("fence",))
    text = shown(backlogs(structs.replace(never, took_s={}), planted()), 140)
    assert re.search(r"ec2\.leases +1 h +not by 15:00 ", text)


def test_the_comparison_has_every_protection_and_the_answer() -> None:
    found = counterfactual(frozenset({"fence", "admission", "repair"}), Planted())
    text = shown(comparison(found, 140))
    assert re.search(r"none, as built +14:15 +2 h 37 min +16\.8 ", text)
    assert re.search(r"fence +dns +unnoticed +– +0\.0 +13:15 +2 h 37 min +15\.8", text)
    assert re.search(r"admission +recovery +13:15 +2 h 37 min +15\.8 +unnoticed +– +0\.0", text)
    assert re.search(r"ec2\.leases +1 h +3 h 3 min +3\.0", text)
    assert answer(found) == (
        "Given the same 2 h 37 min without DNS, with the recovery protections alone everything is clear at 13:15, "
        "after 13 h 27 min; that is 10 h 50 min after DNS was back (as built 11 h 50 min). "
        "Last to be worked off: ec2.leases, backlog ÷ capacity 1 h, took 3 h 3 min."
    )


def test_json_says_what_is_scored_and_why_the_rest_is_not() -> None:
    day = planted()
    found = exported(day, score(day.milestones), Parameters())
    lines = found["milestones"]
    assert isinstance(lines, list)
    assert sum(one["half"] is not None for one in lines) == 14
    assert all((one["half"] is None) == bool(one["not_scored_because"]) for one in lines)
    parameters = found["parameters"]
    assert isinstance(parameters, list)
    assert len(parameters) == len(SHEET)
    assert "attribution" not in found
    more = exported(day, score(day.milestones), Parameters(), counterfactual(frozenset({"fence"}), Planted()))
    days = more["days"]
    assert isinstance(days, list)
    assert [one["protections"] for one in days] == [(), ("fence",)]
    assert str(more["answer"]).startswith("Given the same 2 h 37 min")


def test_equal_days_give_equal_drawings(tmp_path: Path) -> None:
    day = planted(late=300.0)
    drawn = [draw([(day, score(day.milestones))], tmp_path / name, "svg") for name in ("a", "b")]
    assert [one.name for one in drawn[0]] == ["day.svg", "errors.svg", "dynamodb.svg", "ec2.svg"]
    for one, other in zip(*drawn, strict=True):
        assert one.read_bytes() == other.read_bytes()
    text = drawn[0][1].read_text(encoding="utf-8")
    assert "Held out: 4 of 7 within 10 %" in text
    assert "13:50  EC2: all calls and launches normal" in text


def test_png_too_and_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    days = [(one, score(one.milestones)) for one in (planted(), planted(protections=("fence",), clear_s=0.0))]
    for path in draw(days, tmp_path, "png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").write_text("")
    with pytest.raises(StandfastError, match="can't be written"):
        draw(days, tmp_path / "file", "svg")


def test_words() -> None:
    assert [lasting(s) for s in (45.0, 59.6, 3_599.0, 9_420.0, 7_200.0)] == [
        "45 s",
        "1 min",
        "1 h",
        "2 h 37 min",
        "2 h",
    ]
    assert clear(planted(clear_s=None)) == "not everything is clear by 15:00"
    assert named(()) == "as built"
    assert named(ALL) == "with all"
    assert named(tuple(one for one in ALL if one in family("recovery") | {"fence"})) == "with recovery, fence"


def test_shapes() -> None:
    assert lost_path([1.0, 0.0, 0.0, 0.5], 0.0, 10.0) == "M1 10v-10h2v10zM3 10v-5h1v5z"
    assert lost_path([1.0, 1.0], 0.0) == ""
    assert curve_path([0.0, 2.0, 2.0], 2.0) == "M0 59H1V1H3"
    assert packed([0.0, 0.5, 1.0, 2.0], 1.0) == "AAgA__"[:2] + "gA" + "__" + "__"
