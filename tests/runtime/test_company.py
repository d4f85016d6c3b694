"""Enactors that share an account: who begins, who waits, and that nobody waits for the dead."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from standfast.adapters.stores.memory import MemoryStore
from standfast.ports.provider import Unknown
from standfast.ports.store import PutSource, StoreReply, StoreRequest
from standfast.runtime.company import BEAT_S, ENACTORS, PATIENCE_S, SILENT_S, Company, Member


class Away:
    """A store that can be away."""

    def __init__(self) -> None:
        self._store, self.away = MemoryStore(), False

    def perform(self, request: StoreRequest) -> StoreReply:
        return Unknown("away") if self.away else self._store.perform(request)

    def changed(self) -> bool:
        return True


class Line:
    """Companies of one store, at one clock."""

    def __init__(self, *names: str) -> None:
        self.store, self.now = Away(), 0.0
        self.all = {name: Company(self.store, name, f"i-{name}") for name in names}
        self.dead: set[str] = set()
        self.said = {name: Member(f"i-{name}") for name in names}

    def pass_time(self, seconds: float, **changes: dict[str, object]) -> None:
        for name, change in changes.items():
            self.said[name] = replace(self.said[name], **change)
        for _ in range(round(seconds / 0.5)):
            self.now += 0.5
            for name, one in self.all.items():
                if name not in self.dead:
                    one.turn(self.now, self.said[name], busy=True)

    def words(self, generation: int) -> dict[str, str]:
        return {
            name: one.word(self.now, generation, "digest") for name, one in self.all.items() if name not in self.dead
        }


@pytest.fixture
def line() -> Line:
    made = Line("a", "b", "c")
    made.pass_time(3)
    return made


def test_the_first_begins_and_the_others_wait_and_need_do_nothing(line: Line) -> None:
    assert line.words(7) == {"a": "begin", "b": "wait", "c": "wait"}
    line.pass_time(2, a={"settled": 7, "plan": "digest", "progress": 5})
    assert line.words(7) == {"a": "begin", "b": "done", "c": "done"}
    assert line.words(8)["b"] == "wait", "a newer plan is due again"


def test_parts_add_up_and_rounds_are_spread(line: Line) -> None:
    parts = [one.part(line.now) for one in line.all.values()]
    assert parts == [0.5, 0.25, 0.25]
    assert [one.place(line.now) for one in line.all.values()] == [0.0, 1 / 3, 2 / 3]
    assert Company(line.store, "d", "i").part(line.now) == 1.0, "who has not looked is alone, as far as it knows"


def test_one_that_gets_on_is_waited_for_and_one_that_does_not_is_not(line: Line) -> None:
    line.words(7)
    for progress in range(1, 20):
        line.pass_time(2, a={"progress": progress})
        assert line.words(7) == {"a": "begin", "b": "wait", "c": "wait"}, progress
    line.dead.add("a")
    line.pass_time(PATIENCE_S + 1)
    assert line.words(7) == {"b": "begin", "c": "wait"}, "within seconds"
    line.pass_time(2, b={"progress": 1})
    line.pass_time(PATIENCE_S)
    assert line.words(7)["c"] == "wait", "b gets on, so c waits on"


def test_the_dead_leave_the_line(line: Line) -> None:
    line.dead.add("a")
    line.pass_time(SILENT_S + BEAT_S)
    assert line.words(9) == {"b": "begin", "c": "wait"}
    assert [one.part(line.now) for name, one in line.all.items() if name != "a"] == [0.5, 0.5]


def test_who_could_not_do_it_stands_last(line: Line) -> None:
    line.pass_time(2, a={"troubled": True})
    assert line.words(7) == {"a": "wait", "b": "begin", "c": "wait"}


def test_a_good_bye_is_heard_at_once(line: Line) -> None:
    line.all["a"].leave()
    line.dead.add("a")
    line.pass_time(1)
    assert line.words(7) == {"b": "begin", "c": "wait"}


def test_without_the_store_nobody_waits_long(line: Line) -> None:
    line.words(7)
    line.store.away = True
    line.pass_time(2 * PATIENCE_S + 1)
    assert set(line.words(7).values()) == {"begin"}, "each takes over in its turn; conflicts do the rest"
    line.store.away = False
    line.pass_time(2)
    assert line.words(8)["a"] == "begin"


def test_several_who_tell_at_once_are_all_heard() -> None:
    names = [f"e{number}" for number in range(12)]
    made = Line(*names)
    made.pass_time(10)
    assert all(one.line(made.now) == sorted(names) for one in made.all.values())


@pytest.mark.parametrize("body", [b"", b"[]", b'{"enactors": 3}', b"\xff\xfe", b'{"enactors": {"a": {}}}'])
def test_what_is_not_understood_says_nothing(body: bytes) -> None:
    made = Line("a", "b")
    made.store.perform(PutSource(ENACTORS, 1, body))
    made.pass_time(3)
    assert made.words(1) == {"a": "begin", "b": "wait"}, "it is written over by the next word"


def test_a_name_from_before_is_waited_for_no_longer_than_one_that_is_there() -> None:
    made = Line("a", "b")
    made.pass_time(2)
    made.dead.add("a")
    late = Company(made.store, "z", "i-z")
    late.turn(made.now, Member("i-z"), busy=True)
    assert late.word(made.now, 3, "digest") == "wait"
    assert late.word(made.now + 2 * PATIENCE_S, 3, "digest") == "begin"
