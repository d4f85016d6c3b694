"""The architecture, held: who may import whom, what the cores may not know, what each may ask, and tidiness.

The table is that of `docs/architecture.md`; a test compares them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from standfast.core.cleaner import CleanerRequest
from standfast.core.collector import CollectorRequest
from standfast.core.direct import DirectRequest
from standfast.core.enactor import EnactorRequest
from standfast.core.publisher import PublisherRequest
from standfast.ports.provider import Confirm, Replace
from standfast.ports.store import CollectPlans, Publish
from standfast.ports.trees import CollectTree

SOURCE = Path(__file__).parent.parent / "src" / "standfast"
DOCS = SOURCE.parent.parent / "docs"

MAY_IMPORT: dict[str, tuple[set[str], str]] = {
    "errors": (set(), "an error is known to everybody and knows nobody"),
    "model": ({"errors"}, "nouns outlive mechanisms"),
    "ports": ({"model", "errors"}, "a question does not know who asks it"),
    "core": ({"ports", "model", "errors"}, "what decides must run in any world"),
    "recovery": ({"ports", "model", "errors"}, "as core, and neither leans on the other: they meet in the fleet"),
    "config": ({"model", "errors"}, "to check a file is not to connect"),
    "adapters": ({"ports", "model", "errors", "config"}, "an adapter that knows why is a second planner"),
    "runtime": (
        {"core", "recovery", "adapters", "ports", "model", "config", "errors"},
        "the one place where cores and adapters meet",
    ),
    "web": (
        {"runtime", "ports", "model", "config", "errors"},
        "to look at it is to change nothing: no core, no adapter, no writer",
    ),
    "sim": (
        {"core", "recovery", "ports", "model", "errors"},
        "the proof runs what production runs, and no socket with it",
    ),
    "audit": ({"model", "errors"}, "a judge that shares code with the accused proves nothing"),
    "laboratory": (set(), "it injects faults into bytes and must not know what they mean to us"),
    "demo": (
        {"runtime", "laboratory", "adapters", "core", "ports", "model", "config", "errors"},
        "it plays the product from outside, as a user would",
    ),
    "cli": (
        {
            *("demo", "sim", "audit", "web", "runtime", "laboratory", "adapters"),
            *("core", "recovery", "ports", "model", "config", "errors"),
        },
        "commands are thin and nothing imports them",
    ),
}
BANNED_IN_CORES = {
    "time": "the simulator could not see the clock",
    "datetime": "the simulator could not see the clock",
    "random": "a seed could not reproduce it",
    "secrets": "a seed could not reproduce it",
    "uuid": "a seed could not reproduce it",
    "asyncio": "the scheduler is the simulator's",
    "threading": "the scheduler is the simulator's",
    "socket": "a core asks, it does not reach",
    "os": "a core asks, it does not reach",
    "logging": "what a core has to say it returns",
}
SPECIFICATION_ONLY = {"config"}
"""adapters/sources read declarations of the configuration; no other adapter may."""
LINES_MAX, FUNCTION_LINES_MAX = 400, 60
WORDLESS_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Absolute dotted names that a module imports, with lines."""
    here = ("standfast", *path.relative_to(SOURCE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            yield ".".join(part for part in (base, node.module or "") if part), node.lineno


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_one_way(path: Path) -> None:
    package = package_of(path)
    if package in ("__init__", "__main__"):
        return
    assert package in MAY_IMPORT, f"{package} is not in the table: add it here and in docs/architecture.md, with reason"
    allowed, reason = MAY_IMPORT[package]
    for name, line in imported(path):
        if not name.startswith("standfast.") or name.split(".")[1] in (package, "__version__"):
            continue
        other = name.split(".")[1]
        assert other in allowed, f"{path}:{line}: {package} may not import {other}: {reason}"
        if package == "adapters" and other in SPECIFICATION_ONLY:
            assert "sources" in path.parts, f"{path}:{line}: only adapters/sources reads declarations"


@pytest.mark.parametrize(
    "path", [p for p in modules() if package_of(p) in ("core", "recovery", "model", "ports")], ids=lambda p: p.name
)
def test_cores_know_no_clock_no_chance_no_world(path: Path) -> None:
    for name, line in imported(path):
        root = name.split(".")[0]
        assert root not in BANNED_IN_CORES, f"{path}:{line}: {root}: {BANNED_IN_CORES[root]}"


def flattened(union: object) -> set[object]:
    members = get_args(union)
    return {union} if not members else set().union(*(flattened(member) for member in members))


def test_authority_is_in_the_request_types() -> None:
    enactor, cleaner, publisher = (flattened(u) for u in (EnactorRequest, CleanerRequest, PublisherRequest))
    assert Replace in enactor
    assert not {Publish, CollectPlans} & enactor, "an enactor neither publishes nor collects"
    assert CollectPlans in cleaner
    assert not {Replace, Confirm, Publish} & cleaner, "the cleaner cannot write a zone"
    collector = flattened(CollectorRequest)
    assert CollectTree in collector
    assert not {Replace, Confirm, Publish, CollectPlans} & collector, "who collects trees replaces nothing"
    assert CollectTree not in enactor | cleaner | publisher, "who replaces live names collects nothing"
    operator = flattened(DirectRequest)
    assert Replace in operator
    assert not {one for one in operator if getattr(one, "__module__", "").endswith("ports.store")}, (
        "a freeze works without the store, and so does all that an operator writes without a plan"
    )
    assert Publish in publisher
    assert not {Replace, CollectPlans} & publisher, "the planner writes no zone and collects nothing"


def test_one_arrow_into_the_zone() -> None:
    writers = {p.name for p in modules() if package_of(p) == "core" and re.search(r"\bReplace\(", p.read_text())}
    assert writers == {"drafting.py"}, f"changes of a zone are composed in one file, not in {sorted(writers)}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_tidy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{path} does not say what it is for"
    assert len(text.splitlines()) <= LINES_MAX, f"{path} is too long to hold in the head"
    assert path.stem not in WORDLESS_NAMES, f"{path}: its name says nothing"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{path}:{node.lineno}: {node.name} has {length} lines"


def test_the_document_has_the_same_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    documented = {name: (set(re.findall(r"`(\w+)`", may)), why.strip()) for name, may, why in rows}
    assert documented == MAY_IMPORT
