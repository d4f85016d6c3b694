"""A stage for each end-to-end test, on BIND and on Knot; a failure shows the tail of every journal.

Every test ends with the audit of the journals of all its processes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from e2e.stage import Stage
from harness.dnsserver import DnsServer
from harness.journals import problems_in

_STAGE = pytest.StashKey[Stage]()


@pytest.fixture(params=["bind", "knot"])
def stage(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> Iterator[Stage]:
    """A server with an empty zone, an empty plan store, nothing running."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, DnsServer)
    yield from staged(request, server, tmp_path, seed)


def staged(
    request: pytest.FixtureRequest, server: DnsServer, folder: Path, seed: int, store_file: Path | None = None
) -> Iterator[Stage]:
    """A stage at that server, judged by its journals at the end."""
    one = Stage(server, folder, seed, store_file)
    request.node.stash[_STAGE] = one
    try:
        yield one
        one.stop()
        judge(one)
    finally:
        one.close()


def judge(stage: Stage) -> None:
    """The journals show no violation, but those that the test says there must be; and they show something."""
    if not any((stage.state / "journal").glob("*.jsonl")):
        return
    assert not problems_in(stage.state / "journal")
    report = stage.audit()
    blamed = [f"{one.guarantee}: {one.text} ({', '.join(map(str, one.places))})" for one in report.violations]
    assert {one.guarantee for one in report.violations} == stage.guilty_of, "\n".join(["the audit:", *blamed])
    assert report.landed > 0, "no journal shows a write"
    holes = [doubt.why for one in report.judged for doubt in one.doubts if "no journal given here" in doubt.why]
    assert not holes or stage.unjournalled, f"a write without intent: {holes}"
    verdicts = {one.guarantee: one.verdict for one in report.judged}
    assert {verdicts["G1"], verdicts["G8"]} == {"holds"}, verdicts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journals to the report of a failed test."""
    report = yield
    if report.failed and _STAGE in item.stash:
        report.sections.append(("journals", item.stash[_STAGE].report()))
    return report
