"""`standfast notify`: does the webhook take what we send, and is the secret kept?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from runtime.notifying.receiver import Receiver
from standfast.cli.notify import notify_command

TEXT = """\
zone: {name: lb.example.com, provider: embedded}
health: none
load_balancers: {lb-1: {az: a, ip: 192.0.2.1}}
endpoints: {www: {}}
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def run(folder: Path, notify: str, *arguments: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    file = folder / "standfast.yaml"
    file.write_text(TEXT + notify)
    said = CliRunner().invoke(notify_command, ["--config", str(file), *arguments])
    return said.exit_code if not said.exception else said.exit_code or 1, said.output + str(said.exception or "")


def test_a_problem_and_its_end_are_sent(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", receiver.url)
    monkeypatch.setenv("PD", "the-routing-key")
    code, said = run(tmp_path, "notify: {webhook: env:HOOK, template: pagerduty, key: env:PD}\n", "--test")
    assert (code, said) == (0, "The webhook took a problem and its end. Look whether both arrived.\n")
    assert [one["event_action"] for one in receiver.got] == ["trigger", "resolve"]
    assert {one["routing_key"] for one in receiver.got} == {"the-routing-key"}
    assert len({one["dedup_key"] for one in receiver.got}) == 1
    assert receiver.paths == ["/services/very-secret"] * 2


def test_what_the_receiver_refuses_is_an_error(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers = [403]
    monkeypatch.setenv("HOOK", receiver.url)
    code, said = run(tmp_path, "notify: {webhook: env:HOOK, template: slack}\n", "--test")
    assert code == 1
    assert "The webhook did not take it: it answers 403. Look at `notify:` in" in said
    assert "very-secret" not in said


def test_it_can_be_looked_at_without_sending(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", receiver.url)
    monkeypatch.setenv("PD", "the-routing-key")
    code, said = run(tmp_path, "notify: {webhook: env:HOOK, template: pagerduty, key: env:PD}\n", "--show")
    assert code == 0
    assert '"routing_key": "SECRET"' in said
    assert not receiver.got
    assert "the-routing-key" not in said


def test_without_webhook_it_says_what_to_write(tmp_path: Path) -> None:
    code, said = run(tmp_path, "", "--test")
    assert code == 1
    assert "has no `notify:`" in said


def test_it_wants_to_know_what_to_do(tmp_path: Path) -> None:
    assert "Give --test to send, or --show to look." in run(tmp_path, "")[1]
