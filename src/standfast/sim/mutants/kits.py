"""Judges that are tests: the conformance kits and the schedules by hand, run by pytest over a mutated copy."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from standfast.errors import StandfastError

from .mutant import Judge
from .verdict import Verdict

TESTS: Final[dict[Judge, tuple[str, ...]]] = {
    "schedules": (
        "tests/world/test_rare_schedules.py",
        "tests/core/test_freezer.py",
        "tests/core/test_direct_orders.py",
        "tests/core/test_lost_plans.py",
        "tests/world/test_enactors_in_the_world.py::test_schedule",
    ),
    "planning": (
        "tests/core/test_planner.py",
        "tests/core/test_planner_limits.py",
        "tests/core/test_planner_azs.py",
        "tests/core/test_planner_adding.py",
        "tests/core/test_planner_capacity.py",
        "tests/core/test_planner_following.py",
        "tests/core/test_planner_rotation.py",
        "tests/core/test_layout.py",
        "tests/core/test_slow_weights.py",
        "tests/runtime/test_enacting.py",
        "tests/core/test_publisher.py",
        "tests/core/test_publisher_script.py",
        "tests/recovery/test_health.py",
        "tests/recovery/test_health_damping.py",
        "tests/recovery/test_health_properties.py",
        "tests/recovery/test_quorum.py",
        "tests/recovery/test_rota.py",
        "tests/recovery/test_sight.py",
        "tests/recovery/test_sources.py",
        "tests/core/test_prefixes.py",
        "tests/recovery/test_override.py",
        "tests/core/test_due.py",
        "tests/recovery/test_catchup.py",
        "tests/recovery/test_checking.py",
        "tests/runtime/test_turns.py",
        "tests/recovery/test_admission.py",
        "tests/recovery/test_admission_misused.py",
        "tests/runtime/test_admitting.py",
        "tests/recovery/test_holding.py",
        "tests/recovery/test_lease.py",
        "tests/runtime/registry/test_pages.py",
        "tests/sim/recovering/test_models.py",
        "tests/sim/recovering/test_storm.py",
    ),
    "checks": (
        "tests/core/test_check_keeper.py",
        "tests/core/test_check_collector.py",
        "tests/core/test_checks_in_plans.py",
        "tests/runtime/test_checkwishes.py",
    ),
    "watch": (
        "tests/runtime/test_namewatch.py",
        "tests/runtime/test_economy.py",
        "tests/core/test_patrol.py",
        "tests/core/test_rollback_alias.py",
    ),
    "trees": ("tests/sim/world/test_orphans.py", "tests/sim/world/test_waiting.py"),
    "conformance": (
        "tests/conformance/test_provider_memory.py",
        "tests/conformance/test_store_memory.py",
        "tests/conformance/test_store_sqlite.py",
        "tests/adapters/stores/test_earlier_plans.py",
    ),
    "s3": (
        "tests/conformance/test_store_s3.py",
        "tests/adapters/stores/test_s3_faults.py",
        "tests/adapters/stores/test_s3_answers.py",
    ),
    "postgresql": (
        "tests/conformance/test_store_postgresql.py",
        "tests/adapters/stores/test_postgresql_faults.py",
        "tests/adapters/stores/test_postgresql_servers.py",
    ),
}
WITHOUT_SLOW: Final[frozenset[Judge]] = frozenset({"s3", "postgresql"})
"""Their races of processes, left out, find by chance what these mutants get wrong by rule."""


class NoTests(StandfastError):
    """The tests are not where the package is."""


def tested(judge: Judge, package: Path, environment: dict[str, str], seconds: float) -> Verdict:
    """The first test that notices: only a failed assertion is a kill. Raises NoTests."""
    root = repository()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="standfast-kit-") as scratch:
        report = Path(scratch) / "report.xml"
        marked = ("-m", "not slow") if judge in WITHOUT_SLOW else ()
        options = (*marked, "-q", "--tb=line", "--maxfail=3", f"--junitxml={report}", f"--basetemp={scratch}/t")
        try:
            process = subprocess.run(
                [sys.executable, "-m", "pytest", *options, *TESTS[judge]],
                cwd=root,
                env=environment,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return Verdict(judge, trouble=f"no verdict within {seconds:g} s", seconds=round(seconds, 2))
        took = round(time.monotonic() - begun, 2)
        if not report.exists():
            return Verdict(judge, trouble=(process.stdout + process.stderr)[-400:], seconds=took)
        return _told(judge, report, took)


def repository() -> Path:
    """Where the tests are. Raises NoTests."""
    import standfast

    root = Path(standfast.__file__).parent.parent.parent
    if not (root / "tests" / "conformance").is_dir():
        raise NoTests(
            "Mutants are judged by the tests of the repository, and they are not beside this package.",
            "Run `make mutants` in a checkout.",
        )
    return root


def _told(judge: Judge, report: Path, took: float) -> Verdict:
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))  # noqa: S314 - written by the line above
    trouble = ""
    for place, case in enumerate(cases, start=1):
        for found in (*case.findall("failure"), *case.findall("error")):
            message = found.get("message", "")
            if found.tag == "failure" and message.startswith(("AssertionError", "assert ", "Failed: DID NOT RAISE")):
                where = f"{case.get('classname')}.{case.get('name')}"
                return Verdict(judge, _what(case, message), place, where, seconds=took)
            trouble = trouble or f"{case.get('name')}: {message[:200]}"
    return Verdict(judge, after=len(cases), trouble=trouble, seconds=took)


def _kind(case: ElementTree.Element) -> str:
    classname = case.get("classname", "")
    return "provider" if "provider" in classname else "store" if "store" in classname else "schedule"


def _what(case: ElementTree.Element, message: str) -> str:
    """The guarantee if the test names one, else the test."""
    if found := _GUARANTEE.search(message):
        return found.group()
    lines = message.removeprefix("AssertionError: ").splitlines()
    return f"{_kind(case)} {case.get('name')}: {lines[0][:160] if lines else 'it failed'}"


_GUARANTEE: Final = re.compile(r"\bG\d+: [^\n]{1,160}")
