"""Parameter studies on planted days: what is drawn, bands, and what depends on what."""

import io

import pytest
from rich.console import Console

from standfast.errors import StandfastError
from standfast.sim.region.parameters import DEFAULTS, SHEET
from standfast.sim.region.scoring import score
from standfast.sim.region.study import SPREAD, band, bands, draws, ranks, variable
from standfast.sim.region.telling.studied import exported, listing

from .planted import planted

ORIGIN = {entry.name: entry.origin for entry in SHEET}


def test_a_study_begins_with_the_numbers_as_they_are_and_varies_what_is_not_known() -> None:
    found = draws(DEFAULTS, 30, 4)
    assert found[0].parameters == DEFAULTS
    assert len({one.parameters for one in found}) == 30
    for one in found:
        assert all(1 / SPREAD <= factor <= SPREAD for factor in one.factors.values())
        for name, origin in ORIGIN.items():
            if origin in ("published", "known"):
                assert getattr(one.parameters, name) == getattr(DEFAULTS, name)
    assert draws(DEFAULTS, 30, 4) == found
    assert draws(DEFAULTS, 30, 5)[1:] != found[1:]


def test_only_what_is_named_is_varied_and_an_unknown_name_is_refused() -> None:
    for one in draws(DEFAULTS, 5, 1, ["lease_rate"]):
        assert one.factors.keys() == {"lease_rate"}
    with pytest.raises(StandfastError, match=r"--vary lese_rate: there is no such parameter.*lease_rate"):
        draws(DEFAULTS, 5, 1, ["lese_rate"])
    assert "tick_s" not in {entry.name for entry in variable()}


def test_a_band_leaves_out_the_ends_and_never_is_later_than_all() -> None:
    found = draws(DEFAULTS, 20, 1, ["lease_rate"])
    wide = band(found, [float(n) for n in range(20)])
    assert (wide.low, wide.middle, wide.high) == (1.0, 10.0, 19.0)
    late = band(found, [float(n) if n < 15 else None for n in range(20)])
    assert (late.low, late.middle, late.high, late.reached, late.count) == (1.0, 10.0, None, 15, 20)
    assert band(found, [None] * 20).low is None


def test_what_a_time_depends_on_is_named() -> None:
    found = draws(DEFAULTS, 20, 1, ["lease_rate", "boot_s"])
    faster = band(found, [1000.0 / one.factors["lease_rate"] for one in found])
    assert faster.most == "lease_rate"
    assert faster.rank == pytest.approx(-1.0)
    assert band(found, [5.0] * 20).most == ""
    few = found[:8]
    assert band(few, [1000.0 / one.factors["lease_rate"] for one in few]).most == "", "too few to tell from chance"
    assert ranks([3.0, 1.0, 3.0]) == [1.5, 0.0, 1.5]


def test_it_is_told() -> None:
    found = draws(DEFAULTS, 4, 1)
    days = [planted(late=60.0 * n) for n in range(4)]
    spread = bands(found, days)
    file = io.StringIO()
    Console(file=file, width=150).print(listing(found, spread, score(days[0].milestones)))
    text = file.getvalue()
    assert "13:50" in text
    assert "13:53" in text
    assert "14 of 14 published times lie in their band or within 10 % of it." in text
    data = exported(found, spread)
    assert isinstance(data["bands"], dict)
    assert data["bands"]["ec2-well"]["count"] == 4
