"""The catalogue can't rot: every edit still fits its file, and every rule that the design marks has a mutant."""

from pathlib import Path

import pytest

import standfast
from standfast.sim.mutants.catalogue import CATALOGUE, SUBSET, NoSuchMutant, named
from standfast.sim.mutants.mutant import EditError, Mutant, mutated
from standfast.sim.mutants.runs import SCOPES

PACKAGE = Path(standfast.__file__).parent


@pytest.mark.parametrize("mutant", CATALOGUE, ids=lambda mutant: mutant.name)
def test_each_edit_fits_and_is_python(mutant: Mutant) -> None:
    text = (PACKAGE / mutant.file).read_text(encoding="utf-8")
    after = mutated(mutant, text)
    assert after != text
    compile(after, mutant.file, "exec")
    assert set(mutant.runs) <= SCOPES.keys()
    assert mutant.judges
    assert mutant.expected or mutant.equivalent


def test_names_are_distinct_and_found() -> None:
    names = [mutant.name for mutant in CATALOGUE]
    assert len(set(names)) == len(names) >= 25
    assert [named(name).name for name in names] == names
    assert {name for name, _ in SUBSET} <= set(names)
    with pytest.raises(NoSuchMutant, match="no mutant 'none such'"):
        named("none such")


def test_every_rule_that_the_design_marks_has_a_mutant() -> None:
    marked = {rule.strip() for one in CATALOGUE if one.marked for rule in one.rule.partition(":")[0].split(",")}
    assert {"2", "3", "4", "5", "6", "7"} <= marked


@pytest.mark.parametrize("text", ["", "here is nothing", "twice twice"])
def test_an_edit_that_does_not_fit_is_told(text: str) -> None:
    mutant = Mutant(name="m", file="core/x.py", old="twice", new="once", rule="", expected=())
    with pytest.raises(EditError, match=r"mutant m: its old text occurs [02] times in core/x\.py"):
        mutated(mutant, text)


def test_what_is_equivalent_is_searched() -> None:
    """That nothing can notice is claimed of a search that saw everything, with a reason."""
    for one in CATALOGUE:
        assert not one.equivalent or (one.judges == ("search",) and one.runs)
