"""Keys: what terminals send, and where each leads."""

import pytest

from standfast.sim.story.stepping import Key, Position, split, walk

START = Position(last=4, notable=(2, 3))


@pytest.mark.parametrize(
    ("octets", "keys"),
    [
        (b"n", ["next"]),
        (b"\x1b[C\x1b[D", ["next", "back"]),
        (b"\x1bOC\x1b[Hp", ["next", "first", "back"]),
        (b"\x1b[1~\x1b[4~", ["first", "last"]),
        (b"\x1b", ["quit"]),
        (b"\x1b[15~n", ["next"]),
        (b"\x1b[1;5Cq", ["quit"]),
        ("ä".encode(), ["", ""]),
        (b"jk\x04", ["notable", "notable_back", "quit"]),
    ],
)
def test_what_terminals_send(octets: bytes, keys: list[Key]) -> None:
    assert list(split(octets)) == keys


@pytest.mark.parametrize(
    ("keys", "steps"),
    [
        (["next", "next", "back"], [0, 1, 2, 1]),
        (["back"], [0, 0]),
        (["last", "next", "first"], [0, 4, 4, 0]),
        (["notable", "notable", "notable", "notable_back", "notable_back"], [0, 2, 3, 3, 2, 2]),
        (["", "next"], [0, 1]),
        (["next", "quit", "next"], [0, 1]),
    ],
)
def test_where_keys_lead(keys: list[Key], steps: list[int]) -> None:
    seen: list[int] = []
    end = walk(START, lambda position: seen.append(position.step), iter(keys))
    assert seen == steps
    assert end.left == ("quit" in keys)
