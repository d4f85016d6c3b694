"""Parameter studies on planted days: which numbers move, and what depends on what."""

import io

import pytest
from msgspec import structs
from rich.console import Console

from standfast.errors import StandfastError
from standfast.sim.region.parameters import DEFAULTS
from standfast.sim.region.study import ranks, strongest, study
from standfast.sim.region.sweeping import varied
from standfast.sim.region.telling.studied import exported, listing

from .planted import planted


def test_a_study_begins_with_the_numbers_as_they_are() -> None:
    found = study(DEFAULTS, 30, 4)
    assert found[0] == DEFAULTS
    assert len(set(found)) == 30
    assert study(DEFAULTS, 30, 4) == found


def test_only_what_is_named_moves_and_an_unknown_name_is_refused() -> None:
    for one in study(DEFAULTS, 5, 1, ["lease_rate"])[1:]:
        assert one.lease_rate != DEFAULTS.lease_rate
        assert structs.replace(one, lease_rate=DEFAULTS.lease_rate) == DEFAULTS
    with pytest.raises(StandfastError, match=r"--vary lese_rate: there is no such parameter.*lease_rate"):
        study(DEFAULTS, 5, 1, ["lese_rate"])
    assert "tick_s" not in varied()


def test_what_a_time_depends_on_is_named() -> None:
    regions = study(DEFAULTS, 20, 1, ["lease_rate", "boot_s"])
    name, rank = strongest(regions, [1000.0 / one.lease_rate for one in regions])
    assert (name, round(rank, 6)) == ("lease_rate", -1.0)
    last = max(one.boot_s for one in regions)
    assert strongest(regions, [None if one.boot_s == last else one.boot_s for one in regions])[0] == "boot_s"
    assert strongest(regions, [5.0] * 20) == ("", 0.0)
    few = regions[:8]
    assert strongest(few, [1000.0 / one.lease_rate for one in few])[0] == "", "too few to tell from chance"
    assert ranks([3.0, 1.0, 3.0]) == [1.5, 0.0, 1.5]


def test_it_is_told() -> None:
    regions = study(DEFAULTS, 4, 1, ["lease_rate"])
    days = [planted(late=60.0 * n) for n in range(4)]
    file = io.StringIO()
    Console(file=file, width=150).print(listing(regions, days, 150))
    text = file.getvalue()
    assert "4 days. The first has all numbers as they are; in the others lease_rate lies anywhere" in text
    assert "13:53" in text
    assert "14 of 14 published times lie in their band or within 10 % of it." in text
    assert "No number stands out from chance as what a time depends on in 4 days; more days may show one." in text
    bands = exported(regions, days)["bands"]
    assert isinstance(bands, dict)
    assert bands["ec2-well"]["reached"] == 4


def test_with_protections_published_times_are_no_measure() -> None:
    """They are those of the day as built; "never" beside a recovery that was never needed reads like a failure."""
    days = [structs.replace(planted(), protections=("fence", "repair")) for _ in range(4)]
    file = io.StringIO()
    Console(file=file, width=150).print(listing(study(DEFAULTS, 4, 1), days, 150))
    text = " ".join(file.getvalue().split())
    assert "With fence, repair: what never failed is well when first looked at" in text
    assert "published times lie in their band" not in text


def test_on_eighty_columns_nothing_of_it_is_cut_off() -> None:
    regions = study(DEFAULTS, 30, 1)
    days = [planted(late=60_000.0 * one.lease_rate) for one in regions]
    file = io.StringIO()
    Console(file=file, width=80).print(listing(regions, days, 80))
    lines = file.getvalue().splitlines()
    assert "…" not in file.getvalue()
    assert max(len(line) for line in lines) <= 80
    assert any("lease_rate" in line for line in lines)
