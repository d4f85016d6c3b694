"""How connections end at the door: who is waited for in vain, who hangs up, and what is held back when we stop."""

import asyncio
import dataclasses
import gc
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.registry.desks import KEY, Running, running, until
from standfast.config import AgentConfig, RegistryConfig
from standfast.runtime.registry import desk, process
from standfast.runtime.registry.door import _Held, _HeldBack

AGENT_WAITS_S: Any = next(one.default for one in dataclasses.fields(AgentConfig) if one.name == "timeout_s")
BODY = b'{"az":"a","ip":["192.0.2.11"]}'


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    monkeypatch.setattr(process, "KEEP_ALIVE_S", 1)
    with running(tmp_path, "one", more="  answer_within: 1s\n") as found:
        yield found


def head(*more: str, version: str = "1.1", length: int = len(BODY)) -> bytes:
    lines = [f"PUT /v1/leases/lb-a1 HTTP/{version}", "host: here", f"authorization: Bearer {KEY}", *more]
    return "\r\n".join([*lines, f"content-length: {length}", "", ""]).encode()


def line_to(one: Running) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", one.port))
    line.settimeout(10)
    return line


def rest(line: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    read = b""
    while True:
        try:
            piece = line.recv(65536)
        except ConnectionError:
            return read
        if not piece:
            return read
        read += piece


def answer(line: socket.socket) -> bytes:
    read = b""
    while not read.endswith(b"}"):
        piece = line.recv(65536)
        assert piece, read
        read += piece
    return read


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    monkeypatch.setattr(desk, "PATIENCE_S", 0.8)
    with running(tmp_path, "one", more="  answer_within: 1s\n") as found:
        yield found


def test_who_says_nothing_whole_is_hung_up_on_and_who_waits_for_us_is_not(impatient: Running) -> None:
    one, door = impatient, impatient.process.desk
    with line_to(one) as silent, line_to(one) as headless, line_to(one) as bodiless, line_to(one) as refused:
        headless.sendall(head()[:30])
        bodiless.sendall(head() + BODY[:5])
        door.pace.rate = 0.1
        refused.sendall(head() + BODY)
        assert answer(refused).startswith(b"HTTP/1.1 503"), "held back for longer than that"
        for line in (silent, headless, refused):
            assert rest(line) == b""
        rest(bodiless)
    door.pace.rate = 500.0
    assert one.put("lb-a1").status_code == 200


def test_the_clock_of_a_connection_at_rest_does_not_run_while_a_refusal_is_held_back(one: Running) -> None:
    door = one.process.desk
    with line_to(one) as line:
        line.sendall(head() + BODY)
        assert answer(line).startswith(b"HTTP/1.1 200")
        door.pace.rate = 0.1
        line.sendall(head() + BODY)
        assert answer(line).startswith(b"HTTP/1.1 503"), "the connection was kept for a second only"
    door.pace.rate = 500.0


@pytest.mark.parametrize(("version", "more"), [("1.0", ()), ("1.1", ("Connection: close",))])
def test_who_takes_one_answer_only_is_hung_up_on_after_it(one: Running, version: str, more: tuple[str, ...]) -> None:
    door = one.process.desk
    door.pace.rate = 0.1
    with line_to(one) as line:
        line.sendall(head(*more, version=version) + BODY)
        read = rest(line)
        assert read.startswith(b"HTTP/1.1 503")
        assert b"\r\nconnection: close\r\n" in read
    door.pace.rate = 500.0


def test_a_body_in_chunks_is_not_taken_for_one_with_a_length(one: Running) -> None:
    door = one.process.desk
    door.pace.rate = 0.1
    with line_to(one) as line:
        line.sendall(head("Transfer-Encoding: chunked", length=5) + b"2\r\n{}")
        time.sleep(0.2)
        line.sendall(b"\r\n0\r\n\r\n")
        assert answer(line).startswith(b"HTTP/1.1 503")
        door.pace.rate = 500.0
        line.sendall(head() + BODY)
        assert answer(line).startswith(b"HTTP/1.1 200"), "what followed was its end, and no other request"


def test_what_is_held_back_is_said_when_the_registry_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    with running(tmp_path, "one", more="  answer_within: 30s\n") as one:
        door = one.process.desk
        door.pace.rate, door.held_back_s = 0.01, 300.0
        with line_to(one) as line:
            line.settimeout(60)
            line.sendall(head() + BODY)
            until(lambda: door.admission.refused == 1, "it is refused")
            began = time.monotonic()
            one.stop.set()
            read = rest(line)
        assert read.startswith(b"HTTP/1.1 503")
        assert b"retry-after-ms: " in read
        assert b"\r\nconnection: close\r\n" in read
        assert time.monotonic() - began < door.held_back_s - 0.5


def doors() -> int:
    gc.collect()
    return sum(type(one).__name__ == "Door" for one in gc.get_objects())


def test_who_hangs_up_while_its_refusal_is_held_back_leaves_nothing_behind(one: Running) -> None:
    door = one.process.desk
    before = doors()
    door.pace.rate, door.held_back_s = 0.1, 60.0
    for _ in range(5):
        with line_to(one) as line:
            refused = door.admission.refused
            line.sendall(head() + BODY)
            until(lambda refused=refused: door.admission.refused > refused, "it is refused")  # type: ignore[misc]
            line.sendall(bytes(30_000))
    until(lambda: doors() <= before, "nothing of them waits for a minute")
    door.pace.rate = 500.0


def test_one_refusal_that_cannot_be_said_keeps_no_other_back() -> None:
    said = []

    def fails() -> None:
        raise ZeroDivisionError

    async def scene() -> None:
        loop, row = asyncio.get_running_loop(), _HeldBack()
        loop.set_exception_handler(lambda loop, context: said.append("failed"))
        row.hold(loop, loop.time() + 0.02, _Held(0.0, False, fails))
        row.hold(loop, loop.time() + 0.03, _Held(0.0, False, lambda: said.append("late")))
        row.hold(loop, loop.time() + 0.01, _Held(0.0, False, lambda: said.append("early")))
        async with asyncio.timeout(10):
            while len(said) < 3:
                await asyncio.sleep(0.01)

    asyncio.run(scene())
    assert said == ["early", "failed", "late"]


@pytest.mark.parametrize("within_s", [0.2, 2.0, 30.0])
def test_who_is_refused_hears_it_before_he_gives_up(within_s: float) -> None:
    one = desk.Desk("one", RegistryConfig(answer_within_s=within_s), (), 1.0)
    assert 1.4 * 0.2 <= one.held_back_s <= 0.8 * AGENT_WAITS_S
    assert one.admission.intake.refused(0.0) >= one.held_back_s - 0.01, "and it is not past by then"
