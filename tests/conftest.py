"""Fixtures every test may use: real DNS servers of its own, and a seed that can be replayed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from harness.dnsservers import (
    BindServer,
    DnsServer,
    EmbeddedServer,
    KnotServer,
    PowerDnsServer,
    bind_server,
    embedded_server,
    knot_server,
    powerdns_server,
)
from harness.journals import unlisted
from standfast.runtime.journal import Journal, encoded

# The machines are shared and noisy: no example has a deadline. The same examples in every run.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")

_SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--seed 7` replays, `--seed random` explores; without it every test has a fixed seed of its own."""
    parser.addoption("--seed", default=None, metavar="N", help="seed of random choices: a number, or `random`")


@pytest.fixture(autouse=True)
def _journal_lines_as_listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every line that a test's own process writes to a journal is one of `runtime/events.py`, fact for fact."""
    problems: list[str] = []
    lines = Journal._lines

    def watched(journal: Journal, event: str, several: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        found = lines(journal, event, several)
        problems.extend(filter(None, (unlisted(encoded(line)) for line in found)))
        return found

    monkeypatch.setattr(Journal, "_lines", watched)
    yield
    assert not problems, "\n".join(problems[:5])


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of all random choices of a test; a failure prints it with the command that replays it."""
    given = request.config.getoption("--seed")
    if given == "random":
        value = secrets.randbits(32)
    elif given is not None:
        value = int(given)
    else:
        value = int.from_bytes(hashlib.sha256(request.node.nodeid.encode()).digest()[:4], "big")
    request.node.stash[_SEED] = value
    return value


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add seed and replay command to the report of a failed test."""
    report = yield
    if report.failed and _SEED in item.stash:
        value = item.stash[_SEED]
        report.sections.append(("seed", f"SEED={value}\nreplay: .venv/bin/pytest '{item.nodeid}' --seed {value}"))
    return report


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    """A running BIND, its zone `lb.example.com` empty but for SOA and NS."""
    with bind_server(tmp_path) as server:
        yield server


@pytest.fixture
def knot(tmp_path: Path) -> Iterator[KnotServer]:
    """A running Knot with the same zone."""
    with knot_server(tmp_path) as server:
        yield server


@pytest.fixture
def powerdns(tmp_path: Path) -> Iterator[PowerDnsServer]:
    """A running PowerDNS with the same zone."""
    with powerdns_server(tmp_path) as server:
        yield server


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Our own nameserver, as a process, with the same zone."""
    with embedded_server(tmp_path) as server:
        yield server


@pytest.fixture(params=["embedded", "bind", "knot"])
def dns_server(request: pytest.FixtureRequest) -> DnsServer:
    """Each of the three in turn."""
    server = request.getfixturevalue(request.param)
    assert isinstance(server, DnsServer)
    return server
