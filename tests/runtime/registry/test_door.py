"""The door under a crowd: its count is right whatever comes, refusals are held back, and rounds stay brief."""

import gc
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.holdups import HoldUps
from runtime.registry.desks import KEY, Running, running, until
from standfast.runtime.registry import looping
from standfast.runtime.registry.looping import ROUND_MAX, BriefRounds, Sweeps, swept_by_hand

BODY = b'{"az":"a","ip":["192.0.2.11"]}'


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    with running(tmp_path, "one", more="  answer_within: 1s\n") as found:
        yield found


def ask(one: Running, *more: str) -> bytes:
    lines = ["PUT /v1/leases/lb-a1 HTTP/1.1", "host: here", f"authorization: Bearer {KEY}", *more]
    return "\r\n".join([*lines, f"content-length: {len(BODY)}", "", ""]).encode() + BODY


def answers(line: socket.socket, count: int) -> list[int]:
    """The status of each of so many answers."""
    read = b""
    while read.count(b"HTTP/1.1 ") < count or not read.endswith(b"}"):
        piece = line.recv(65536)
        assert piece, read
        read += piece
    return [int(part[:3]) for part in read.split(b"HTTP/1.1 ")[1:]]


def flood(line: socket.socket) -> None:
    for _ in range(20_000):  # the system takes some of it for a registry that does not get to run
        line.sendall(bytes(4096))
        time.sleep(0.001)


def test_nobody_is_counted_as_arriving_for_ever(one: Running) -> None:
    for wrong in ("no header at all", "bad name: x"):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", one.port)) as line:
                line.sendall(ask(one, wrong))
                line.recv(4096)
    until(lambda: one.process.desk.arriving == 0, "what was no request, or was never answered, takes no room")
    assert one.put("lb-a1").status_code == 200


@pytest.mark.parametrize("idle_s", [0.0, 1.5])
def test_a_refusal_is_held_back_and_what_came_behind_it_waits_its_turn(one: Running, idle_s: float) -> None:
    """By when it came, and not by how long its connection has been there."""
    desk, machine = one.process.desk, HoldUps([])
    with socket.create_connection(("127.0.0.1", one.port)) as line:
        time.sleep(idle_s)
        before, desk.pace.rate = desk.admission.refused, 0.1
        began = time.monotonic()
        line.sendall(ask(one))
        until(lambda: desk.admission.refused == before + 1, "it is refused")
        desk.pace.rate = 500.0
        line.sendall(ask(one))
        assert answers(line, 2) == [503, 200]
        took_s = time.monotonic() - began + machine.lost_s  # a loop that could not look knows no better when it came
        assert took_s >= desk.held_back_s - 0.1 == pytest.approx(1.3)


def test_who_sends_without_end_while_it_is_refused_is_cut_off(one: Running) -> None:
    desk = one.process.desk
    desk.pace.rate, desk.held_back_s, before = 0.1, 300.0, desk.admission.refused
    with socket.create_connection(("127.0.0.1", one.port)) as line:
        line.sendall(ask(one))
        until(lambda: desk.admission.refused == before + 1, "it is refused")
        line.settimeout(60)
        with pytest.raises(ConnectionError):
            flood(line)
    desk.pace.rate = 500.0


def test_of_many_that_are_ready_few_are_handed_out_at_a_time_and_each_once() -> None:
    rounds, pairs = BriefRounds(), [socket.socketpair() for _ in range(ROUND_MAX + 5)]
    try:
        for number, (near, far) in enumerate(pairs):
            rounds.register(near, selectors.EVENT_READ, number)
            far.send(b"x")
        first = rounds.select(1.0)
        assert len(first) == ROUND_MAX
        left = set(range(len(pairs))) - {key.data for key, _ in first}
        gone, changed, *others = sorted(left)
        rounds.unregister(pairs[gone][0])
        rounds.modify(pairs[changed][0], selectors.EVENT_WRITE, "changed")
        assert {key.data for key, _ in rounds.select(1.0)} == set(others), (
            "none that is gone, or is waited for otherwise"
        )
        for near, _ in pairs:
            near.setblocking(False)
        again = [key.data for _ in range(2) for key, _ in rounds.select(1.0)]
        assert "changed" in again
        assert len(again) == len(set(again)) == len(pairs) - 1
    finally:
        rounds.close()
        for near, far in pairs:
            near.close()
            far.close()


def test_only_waiting_is_idle() -> None:
    rounds = BriefRounds()
    near, far = socket.socketpair()
    rounds.register(near, selectors.EVENT_READ)
    assert rounds.select(0.05) == []
    idle = rounds.idle_s
    assert idle >= 0.04
    far.send(b"x")
    assert rounds.select(5.0) != []
    assert rounds.idle_s - idle < 4.0
    near.close()
    far.close()
    rounds.close()


def test_who_comes_came_after_the_look_before_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looping, "LOOK_S", 0.1)  # to look takes longer than a millisecond while others run
    rounds, pairs = BriefRounds(), [socket.socketpair() for _ in range(ROUND_MAX + 5)]
    try:
        for near, far in pairs:
            rounds.register(near, selectors.EVENT_READ)
            far.send(b"x")
        began = time.monotonic()
        rounds.select(5.0)
        looked = time.monotonic()
        time.sleep(0.05)
        rounds.select(5.0)
        assert rounds.came_at() <= began, "they were there when it looked: since before that, for all it knows"
        rounds.select(5.0)
        assert began - 0.01 <= rounds.came_at() <= looked, "not there at the first look, or there again"
        for near, _ in pairs:
            near.recv(1)
        threading.Timer(0.2, pairs[0][1].send, (b"x",)).start()
        began = time.monotonic()
        rounds.select(5.0)
        while not rounds.select(5.0):
            pass
        assert rounds.came_at() >= began - 0.01, "nothing was there when it began to look"
        looks = [rounds.came_at()]
        for _ in range(3):
            rounds.select(0.0)
            assert rounds.joined_at() <= looks[-1], (
                "accepted in the round before, and in line since the look before that"
            )
            looks.append(rounds.came_at())
        assert rounds.joined_at() == looks[-2]
    finally:
        rounds.close()
        for near, far in pairs:
            near.close()
            far.close()


def test_garbage_is_looked_for_in_quiet_seconds_and_at_last_in_any() -> None:
    sweeps = Sweeps(1000.0)
    assert not sweeps.due(1059.0, 1.0)
    assert not sweeps.due(1500.0, 0.1), "while many wait"
    assert sweeps.due(1501.0, 0.9)
    assert not sweeps.due(1502.0, 0.9), "it is done"
    assert sweeps.due(2101.0, 0.0), "but not for ever"
    before = gc.get_threshold()
    with swept_by_hand():
        assert gc.get_threshold()[2] > 1000 * before[2]
    assert gc.get_threshold() == before


def test_of_more_than_can_be_granted_the_latest_are_turned_away_first() -> None:
    rounds, pairs = BriefRounds(), [socket.socketpair() for _ in range(3 * ROUND_MAX)]
    rounds.room = lambda: ROUND_MAX
    try:
        for number, (near, far) in enumerate(pairs):
            rounds.register(near, selectors.EVENT_READ, number)
            far.send(b"x")
        turned = []
        for _ in range(2):
            turned += [key.data for key, _ in rounds.select(1.0)]
            assert rounds.turning_away
        kept = [key.data for key, _ in rounds.select(1.0)]
        assert not rounds.turning_away
        assert sorted(turned + kept) == list(range(3 * ROUND_MAX))
        assert max(kept) < min(turned), "who came first keeps his turn"
    finally:
        rounds.close()
        for near, far in pairs:
            near.close()
            far.close()
