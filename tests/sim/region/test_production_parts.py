"""DNS, leases, health and admission of the model are production's: `docs/region.md` says which, and imports agree."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REGION = ROOT / "src/standfast/sim/region"
ROW = re.compile(r"^\| `(\w+)` \| `([\w.]+)` \| `(\w+\.py)` \| .+ \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/region.md").read_text(encoding="utf-8"))


def parsed(file: str) -> ast.Module:
    return ast.parse((REGION / file).read_text(encoding="utf-8"))


def imported(tree: ast.Module, module: str) -> set[str]:
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }


def test_the_page_names_them() -> None:
    assert {part for part, _, _ in ROWS} == {"Reach", "Intake", "observed", "allows", "SlowStart"}


@pytest.mark.parametrize(("part", "module", "file"), ROWS)
def test_a_part_is_imported_and_used(part: str, module: str, file: str) -> None:
    tree = parsed(file)
    assert part in imported(tree, module)
    assert any(isinstance(node, ast.Name) and node.id == part for node in ast.walk(tree)), "and used"


def test_none_of_them_has_a_copy_in_the_model() -> None:
    parts = {part for part, _, _ in ROWS}
    for path in REGION.rglob("*.py"):
        made = {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ClassDef | ast.FunctionDef)
        }
        assert not made & parts, path.name


def test_dns_with_all_protections_is_the_cores() -> None:
    """The region of `sim/swarm` drives the production planner, enactor and cleaner; the model adds none of its own."""
    assert "Region" in imported(parsed("production.py"), "standfast.sim.swarm.region")
    swarm = REGION.parent / "swarm"
    for file, module in (
        ("planning.py", "standfast.core.publisher"),
        ("enacting.py", "standfast.core.enactor"),
        ("cleaning.py", "standfast.core.cleaner"),
    ):
        assert imported(ast.parse((swarm / file).read_text(encoding="utf-8")), module), file
