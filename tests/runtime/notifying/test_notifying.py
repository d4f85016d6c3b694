"""Notifications: what is told, once; as each receiver wants it; and never in anybody's way."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.notifying.receiver import Receiver
from standfast.config import JournalConfig, NotifyConfig
from standfast.errors import StandfastError
from standfast.runtime.journal import Journal
from standfast.runtime.monitoring.meter import Meter
from standfast.runtime.notifying import sending
from standfast.runtime.notifying.following import Follower
from standfast.runtime.notifying.memory import Memory, Remembered
from standfast.runtime.notifying.news import Ledger, Notification, told
from standfast.runtime.notifying.notifier import Notifier
from standfast.runtime.notifying.sending import ATTEMPTS, WAITING_MAX, Sender
from standfast.runtime.notifying.templates import OCTETS_MAX, Renderer
from standfast.runtime.shelving import Shelf
from standfast.runtime.tidings import Tidings

NAME = "www.lb.example.com"
TEXT = 'It is "bad" <b>&\n\\'
ONE = Notification("trigger", "critical", "standfast/main/x", TEXT, "standfast status", NAME, "x", "t")


def line(event: str, **facts: Any) -> dict[str, Any]:
    return {"v": 3, "at": "2026-11-28T03:04:05.000Z", "role": "enactor", "who": "a", "event": event, **facts}


def sent(ledger: Ledger, *lines: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(action, key, summary) of all that passes."""
    found = [one for each in lines for each_told in told(each, "main") for one in ledger.passed(each_told)]
    return [(one.action, one.key.removeprefix("standfast/main/"), one.summary) for one in found]


def outcome(result: str, **facts: Any) -> dict[str, Any]:
    usual = {"zone": "lb.example.com", "name": NAME, "why": "NOTAUTH", "before": 4, "since": 5, "nonce": "f"}
    return line("outcome", result=result, **{**usual, **facts})


def standing(kind: str, sentence: str = "So it is.") -> dict[str, Any]:
    return line("standing", kind=kind, sentence=sentence, command="standfast status")


# What is told


def test_a_problem_is_told_once_and_its_end_once() -> None:
    ledger = Ledger("warning")
    refused = line("refused", name=NAME, rule="guard", why="half would leave", remedy="drain fewer")
    assert sent(ledger, refused, refused) == [
        ("trigger", f"refused/{NAME}", f"{NAME}: half would leave: drain fewer"),
    ]
    end = line("settled", name=NAME, rule="guard", why="no longer: half would leave")
    assert sent(ledger, end, end) == [("resolve", f"refused/{NAME}", f"{NAME}: no longer: half would leave")]


def test_an_end_without_beginning_and_what_is_less_than_the_level_are_not_told() -> None:
    assert sent(Ledger("info"), outcome("written"), standing("FINE"), outcome("conflict")) == []
    assert sent(Ledger("critical"), outcome("refused"), line("notice", kind="store", why="gone")) == []
    assert [key for _, key, _ in sent(Ledger("critical"), outcome("left"))] == [f"write/{NAME}"]


@pytest.mark.parametrize(
    ("event", "key", "word"),
    [
        (outcome("left"), f"write/{NAME}", "somebody else keeps changing it"),
        (outcome("unrecorded"), f"write/{NAME}", "for want of a journal"),
        (outcome("written", before=5), f"repaired/{NAME}", "put back as in g5"),
        (outcome("refilled"), f"repaired/{NAME}", "given its addresses back"),
        (line("notice", kind="provider", why="no answer"), "notice/enactor a/provider", "no answer"),
        (line("operator", stage="published", action="rollback", what="alice rollback www", why="as g5", reason="p99"),
         "operator/rollback", 'alice rollback www: as g5 ("p99")'),
        (line("answer", name=NAME, server="ns2", state="mixed", why="of several plans"), f"answer/ns2/{NAME}", "mixed"),
        (line("answer", name=NAME, server="ns2", state="silent", why="no answer"), "answer/ns2", "ns2 is silent"),
        (standing("NEEDS YOU", "www waits."), "standing", "NEEDS YOU: www waits."),
        (line("planned", generation=9, changes=[{"name": NAME, "leaving": [{"load_balancer": "lb", "az": "b"}]}]),
         "az/b", "AZ b is lost"),
    ],
)  # fmt: skip
def test_what_is_worth_telling(event: dict[str, Any], key: str, word: str) -> None:
    [(_, told_key, summary)] = sent(Ledger("warning"), event)
    assert told_key == key
    assert word in summary


def test_when_all_is_well_again_every_open_write_ends() -> None:
    ledger = Ledger("warning")
    sent(ledger, outcome("refused"), outcome("blind", name="api.lb.example.com"), standing("NEEDS YOU"))
    ended = sent(ledger, standing("FINE", "All is well."))
    assert sorted(ended) == [
        ("resolve", "standing", "FINE: All is well."),
        ("resolve", "write/api.lb.example.com", "FINE: All is well."),
        ("resolve", f"write/{NAME}", "FINE: All is well."),
    ]


# Templates


def rendered(template: str, one: Notification = ONE, file: str = "", key: str = "the-key") -> Any:
    body = Renderer(NotifyConfig("http://127.0.0.1/", template, file, "warning", key), "main", "ops1").body(one)
    return json.loads(body) if body else None


def test_pagerduty_events_v2() -> None:
    event = rendered("pagerduty")
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == ("the-key", "trigger", ONE.key)
    assert event["payload"]["summary"] == ONE.summary
    assert (event["payload"]["severity"], event["payload"]["source"]) == ("critical", "ops1")
    assert event["payload"]["custom_details"]["type"] == "standfast status"
    assert set(event) == {"routing_key", "event_action", "dedup_key", "payload", "client"}
    assert rendered("pagerduty", Notification("resolve", "info", ONE.key, "over"))["event_action"] == "resolve"
    assert rendered("pagerduty", Notification("news", "warning", ONE.key, "repaired")) is None
    assert (
        len(rendered("pagerduty", Notification("trigger", "info", ONE.key, "x" * 9000))["payload"]["summary"]) == 1024
    )


def test_slack() -> None:
    message = rendered("slack")
    assert message["text"] == '■ It is "bad" &lt;b&gt;&amp;\n\\'
    assert message["blocks"][0]["text"]["type"] == "mrkdwn"
    assert message["blocks"][1]["elements"][0]["text"] == "Type: `standfast status`"
    assert len(rendered("slack", Notification("resolve", "info", ONE.key, "over"))["blocks"]) == 1
    assert "the-key" not in json.dumps(message)


def test_plain_has_every_field() -> None:
    assert rendered("plain") == {
        "action": "trigger", "level": "critical", "dedup_key": ONE.key, "summary": ONE.summary,
        "command": ONE.command, "name": NAME, "event": "x", "stream": "main", "at": "t", "source": "ops1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% if %}", "can't be used"),
        ("{{ nothing }}", "fails: UndefinedError"),
        ("{{ summary.__class__.__mro__ }}", "fails: SecurityError"),
        ("{% for x in 'ab' * 99999 %}{{ x }}{% endfor %}", "gives more than 64 KiB"),
        ("{{ summary }}", "gives no JSON"),
        ("{{ range(10) }}", "fails"),
    ],
)
def test_a_template_of_ones_own_may_be_wrong_but_does_no_harm(template: str, why: str) -> None:
    with pytest.raises(StandfastError, match=re.escape(why)):
        rendered(template, file="mine.j2")


def test_a_template_may_say_nothing() -> None:
    assert rendered("{% if level == 'info' %}{}{% endif %}", file="mine.j2") is None
    assert OCTETS_MAX == 1 << 16


@pytest.mark.parametrize(
    "damaged",
    [
        line("planned", changes=[{"leaving": [{"az": "a"}]}]),
        line("planned", changes=[1]),
        line("planned", changes=7),
        line("planned", changes=[{"leaving": ["x"]}]),
    ],
)
def test_a_damaged_line_is_passed_over(damaged: dict[str, Any]) -> None:
    assert [key for _, key, _ in sent(Ledger("info"), damaged, outcome("left"))] == [f"write/{NAME}"]


# Sending


class Told:
    """What a sender says of itself."""

    def __init__(self) -> None:
        self.results: list[str] = []
        self.troubles: list[str] = []


def sender(receiver: Receiver, heard: Told, template: str = "plain") -> Sender:
    renderer = Renderer(NotifyConfig(receiver.url, template, "", "warning"), "main", "ops1")
    return Sender(
        receiver.url, renderer, count=heard.results.append, tell=heard.troubles.append, first_pause_s=0.01
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "requests", "results"),
    [
        ((200,), 1, ["sent"]),
        ((503, 429, 202), 3, ["sent"]),
        ((500,), ATTEMPTS, ["failed"]),
        ((404,), 1, ["failed"]),
        ((301,), 1, ["failed"]),
    ],
)
def test_tries_are_bounded_and_what_will_not_be_taken_is_not_tried_again(
    answers: tuple[int, ...], requests: int, results: list[str]
) -> None:
    receiver, heard = Receiver(*answers, headers={"Location": "http://127.0.0.1:1/elsewhere"}), Told()
    try:
        why = sender(receiver, heard).deliver(ONE, threading.Event())
    finally:
        receiver.close()
    assert (len(receiver.got), heard.results) == (requests, results)
    assert bool(why) == (results == ["failed"])
    assert "very-secret" not in str(heard.troubles) + why


def test_a_receiver_that_is_gone_or_hangs_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(sending, "ATTEMPTS", 2)
    receiver, heard = Receiver(slow_s=3_600.0), Told()
    try:
        assert sender(receiver, heard).deliver(ONE, threading.Event()) == "no answer within 0.2 s"
    finally:
        receiver.close()
    gone = Told()
    assert "it can't be reached (ConnectError)" in sender(receiver, gone).deliver(ONE, threading.Event())
    assert "very-secret" not in str(heard.troubles + gone.troubles)


def test_pauses_grow_and_the_receiver_may_ask_for_more() -> None:
    receiver, heard = Receiver(429, 429, 200, headers={"Retry-After": "1"}), Told()
    try:
        sender(receiver, heard).deliver(ONE, threading.Event())
    finally:
        receiver.close()
    gaps = [after - before for before, after in zip(receiver.times, receiver.times[1:], strict=False)]
    assert len(gaps) == 2
    assert all(gap >= 1.0 for gap in gaps)


def test_no_answer_of_a_receiver_ends_the_sender() -> None:
    """Its header lines are octets of its own choosing: ² is a digit to Unicode and no number."""
    receiver, heard = Receiver(503, 503, 503, 200, headers={"Retry-After": "\u00b2"}), Told()
    try:
        assert sender(receiver, heard).deliver(ONE, threading.Event()) == ""
    finally:
        receiver.close()
    assert heard.results == ["sent"]


def test_too_many_are_dropped_oldest_first() -> None:
    heard = Told()
    receiver = Receiver()
    one = sender(receiver, heard)
    for number in range(WAITING_MAX + 5):
        one.put(Notification("trigger", "info", f"k{number}", "x"))
    stop = threading.Event()
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    _until(lambda: len(receiver.got) == WAITING_MAX)
    stop.set()
    thread.join(10)
    receiver.close()
    assert heard.results.count("dropped") == 5
    assert receiver.got[0]["dedup_key"] == "k5"


def test_a_dead_receiver_keeps_no_writer_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is put to without waiting, whatever the receiver does; journals know nothing of it."""
    monkeypatch.setattr(sending, "TIMEOUT_S", 3_600.0)  # a busy disk takes half a minute for so many lines
    receiver, heard = Receiver(slow_s=3_600.0), Told()
    one = sender(receiver, heard)
    stop = threading.Event()
    thread = threading.Thread(target=one.run, args=(stop,), daemon=True)
    thread.start()
    journal = Journal(tmp_path, "enactor", "a")
    for number in range(300):
        assert journal.write("notice", kind="store", why=str(number), durable=True)
        one.put(ONE)
    assert not set(heard.results) - {"dropped"}, "all of that is over before the receiver answers"
    stop.set()
    receiver.close()
    thread.join(60)
    assert not thread.is_alive()


# Following


def test_lines_are_followed_across_closing_compressing_and_restarts(tmp_path: Path) -> None:
    folder, memory = tmp_path / "journal", tmp_path / "notified.json"
    folder.mkdir()
    journal = Journal(folder, "enactor", "a", file_octets=2048)
    journal.write("notice", kind="x", why="before anybody followed")
    follower = Follower(folder, memory)
    heard: list[str] = []

    def write(*numbers: int) -> None:
        for number in numbers:
            journal.write("notice", kind="x" * 200, why=str(number))

    def follow() -> None:
        heard.extend(one["why"] for one in follower.lines() if one["event"] == "notice")

    write(*range(3))
    follow()
    write(*range(3, 40))
    follow()
    write(*range(40, 60))
    Shelf(folder, JournalConfig()).tidy()
    follow()
    follower = Follower(folder, memory)
    write(*range(60, 80))
    follow()
    Journal(folder, "planner", "p").write("notice", kind="x", why="80")
    follow()
    assert heard == [str(number) for number in range(81)]
    follow()
    assert len(heard) == 81


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    follower = Follower(folder, tmp_path / "notified.json")
    path = folder / "enactor-a.jsonl"
    path.write_bytes(b'{"event":"notice","why":"1"}\n{"event":"not')
    assert [one["why"] for one in follower.lines()] == ["1"]
    with path.open("ab") as file:
        file.write(b'ice","why":"2"}\nno json\n[1]\n')
    assert [one["why"] for one in follower.lines()] == ["2"]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Across a reload


def notifier(folder: Path, receiver: Receiver) -> Notifier:
    place = SimpleNamespace(root=folder, journal=folder, config=SimpleNamespace(stream="main"))
    tidings = Tidings(Journal(folder / "own", "monitor", "m"))
    config = NotifyConfig(receiver.url, "plain", "", "warning")
    return Notifier(config, place, "m", Meter("monitor", "m", "main"), tidings)  # type: ignore[arg-type]


def eventually(wanted: Callable[[], object]) -> None:
    until = time.monotonic() + 60.0
    while not wanted():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_reload_forgets_neither_open_problems_nor_what_waits(tmp_path: Path) -> None:
    """The receiver is away while a problem begins; the monitor begins anew; the problem is told, and then its end."""
    (tmp_path / "own").mkdir()
    journal = Journal(tmp_path, "monitor", "m")
    facts: dict[str, Any] = {"zone": "lb.example.com", "name": NAME, "server": "ns2", "was": "", "why": "it has none"}
    receiver = Receiver(503)
    try:
        first, stop = notifier(tmp_path, receiver), threading.Event()
        first.start(stop)
        journal.write("answer", state="empty", **facts)
        eventually(lambda: receiver.got)
        stop.set()
        first.close()
        receiver.answers = [200]
        receiver.got.clear()
        second, stop = notifier(tmp_path, receiver), threading.Event()
        assert second.open_answers == {("ns2", NAME)}
        second.start(stop)
        eventually(lambda: [one["action"] for one in receiver.got] == ["trigger"])
        journal.write("answer", state="empty", **facts)
        journal.write("answer", state="whole", **facts)
        eventually(lambda: [one["action"] for one in receiver.got] == ["trigger", "resolve"])
        stop.set()
        second.close()
        third = notifier(tmp_path, receiver)
        assert (third.open_answers, third.sender.unsent) == (frozenset(), ())
    finally:
        receiver.close()


def test_a_memory_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    path = tmp_path / "notifying.json"
    for octets in (b"", b"{", b'{"open": 3}', b"\xff"):
        path.write_bytes(octets)
        assert Memory(path).remembered == Remembered()
    memory = Memory(path)
    memory.keep(Remembered({"k": ("warning", "x")}, (ONE,)))
    assert Memory(path).remembered == Remembered({"k": ("warning", "x")}, (ONE,))
    assert path.stat().st_mode & 0o077 == 0
