"""`make incident`, scaled down: October 2025 with real processes at the stand-in, as built and with Standfast."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from e2e.incident import asbuilt, production
from e2e.incident.__main__ import is_as_told, staged
from e2e.incident.telling import Teller
from harness.journals import problems_in

GENERATIONS = 5


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_endpoint_is_emptied_and_wedged_as_built_and_stands_with_standfast(tmp_path: Path) -> None:
    said = io.StringIO()
    teller = Teller(
        Console(file=said, width=160), (asbuilt.TITLE, production.TITLE), (production.NAME, production.NAME)
    )
    teller.begin()
    left, right = staged(tmp_path, GENERATIONS, teller, afterwards=1)
    teller.end(left, right, told=is_as_told(left, right))
    assert is_as_told(left, right), said.getvalue()

    emptied = {step.key for step in left.steps if step.dug.is_empty}
    assert emptied == {"clean", "next", "after"}, "from the clean-up on, and for good"
    assert left.asked.first_empty is not None
    assert left.asked.first_empty.status == "NOERROR", "not NXDOMAIN: the alias dangles"
    assert "was not found" in {step.key: step for step in left.steps}["after"].refused

    assert right.asked.empty == 0
    assert right.asked.queries > 500
    late = {step.key: step for step in right.steps}["late"]
    assert late.refused.startswith("InvalidChangeBatch; in C's journal: conflict")
    assert not problems_in(tmp_path / "standfast" / "state" / "journal")
    rows = said.getvalue()
    assert rows.count("NOERROR, ANSWER: 0") == 3
    assert "EMPTIED AND WEDGED" in rows
    assert "NEVER EMPTY" in rows
