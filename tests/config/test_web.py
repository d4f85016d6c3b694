"""The section `web`: loopback unless told, and beyond it only with a secret."""

from pathlib import Path

import pytest

from standfast.config import Config, check
from standfast.config.schema import WebConfig
from standfast.errors import Problem

TEXT = """\
zone: {name: lb.example.com, provider: embedded}
health: none
load_balancers: {lb-1: {az: a, ip: 192.0.2.1}}
endpoints: {www: {}}
"""


def bound(web: str) -> tuple[Config | None, tuple[Problem, ...], tuple[Problem, ...]]:
    return check(f"{TEXT}web: {web}\n", "standfast.yaml")


def read(web: str) -> WebConfig:
    config, problems, _ = bound(web)
    assert config is not None, problems
    assert config.web is not None
    return config.web


def problem_of(web: str) -> str:
    config, problems, _ = bound(web)
    assert config is None
    assert len(problems) == 1, problems
    assert problems[0].line == 5
    return str(problems[0])


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", "correct horse battery")
    monkeypatch.setenv("SHORT", "guess me")


def test_no_section_no_page() -> None:
    config, _, _ = check(TEXT, "standfast.yaml")
    assert config is not None
    assert config.web is None


def test_it_listens_at_loopback_unless_told() -> None:
    assert read("{}") == WebConfig("127.0.0.1", 8053)
    assert read("{listen: 'localhost:9000'}").port == 9000
    assert read("{listen: '[::1]:9000'}").host == "::1"


def test_beyond_loopback_nobody_may_without_a_secret() -> None:
    said = problem_of("{listen: '0.0.0.0:8053'}")
    assert "can be reached from other machines" in said
    assert "Give password: env:NAME" in said
    config, problems, notes = bound("{listen: '0.0.0.0:8053', password: env:PAGE_PASSWORD, hosts: [ops.example.com]}")
    assert config is not None, problems
    assert config.web is not None
    assert config.web.hosts == ("ops.example.com",)
    assert any("clear text" in str(note) for note in notes)
    assert "correct horse" not in repr(config)


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ("{listen: 'ops.example.com:1'}", "not an address to listen at"),
        ("{password: hunter2hunter2}", "This is not a reference to a secret"),
        ("{password: env:SHORT}", "one line of 12 to 1024 characters"),
        ("{token: env:NOT_THERE}", "is not set"),
        ("{certificate: no.pem, key: no.pem}", "no.pem"),
        ("{port: 8053}", "not a key here"),
    ],
)
def test_what_is_wrong_is_named(web: str, said: str) -> None:
    _, problems, _ = bound(web)
    assert any(said in str(one) for one in problems), problems
    assert not any("hunter2" in str(one) for one in problems)


def test_certificate_and_key_come_together(tmp_path: Path) -> None:
    pem = tmp_path / "page.pem"
    pem.write_text("x")
    assert "certificate is here without key" in problem_of(f"{{certificate: '{pem}'}}")
    assert read(f"{{certificate: '{pem}', key: '{pem}'}}").certificate == pem


def test_the_page_changes_no_plan() -> None:
    config, _, _ = bound("{}")
    plain, _, _ = check(TEXT, "standfast.yaml")
    assert config is not None
    assert plain is not None
    assert config.digest == plain.digest
