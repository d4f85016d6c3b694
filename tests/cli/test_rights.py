"""Which rights are missing is found exactly, whatever the server grants, and in few messages."""

from __future__ import annotations

import random

import pytest

from standfast.cli.checking.rights import MESSAGES_MAX, endpoint_contents, examine, zone_contents
from standfast.ports.provider import Conflict, Refused, Replace, ReplaceReply, Unknown, Written

ZONE = "lb.example.com"


class Granting:
    """A server that grants some (owner, type) pairs, and applies nothing."""

    def __init__(self, denied: set[tuple[str, int]], answer: ReplaceReply | None = None) -> None:
        self.denied, self.answer, self.messages = denied, answer, 0

    def perform(self, request: Replace) -> ReplaceReply:
        self.messages += 1
        assert request.floor.prerequisites, "without a prerequisite it would be written"
        pairs = {(one.owner, int(one.rtype)) for part in (request.floor, *request.writes) for one in part.contents}
        return self.answer or (Refused("REFUSED: no") if pairs & self.denied else Conflict())


def names(count: int) -> list[str]:
    return [f"e{number}.{ZONE}" for number in range(count)]


def every(some: list[str]) -> list[tuple[str, int]]:
    contents = [*zone_contents(ZONE, "main"), *(one for name in some for one in endpoint_contents(ZONE, name))]
    return [(one.owner, int(one.rtype)) for one in contents]


def test_one_message_if_all_is_granted() -> None:
    server = Granting(set())
    assert examine(server, ZONE, "main", names(100)).missing == ()
    assert server.messages == 1


def test_one_missing_right_among_many_is_found_in_few_messages() -> None:
    some = names(200)
    missing = every(some)[377]
    server = Granting({missing})
    assert examine(server, ZONE, "main", some).missing == (missing,)
    assert server.messages < 32


def test_any_set_of_missing_rights_is_found_exactly(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(200):
        some = names(dice.randint(1, 12))
        pairs = every(some)
        denied = set(dice.sample(pairs, dice.randint(0, len(pairs))))
        rights = examine(Granting(denied), ZONE, "main", some)
        assert (set(rights.missing), rights.trouble, rights.examined) == (denied, "", True)


def test_messages_are_bounded() -> None:
    some = names(2000)
    server = Granting(set(every(some)))
    rights = examine(server, ZONE, "main", some)
    assert not rights.examined
    assert server.messages == MESSAGES_MAX


@pytest.mark.parametrize("answer", [Refused("SERVFAIL: broken"), Unknown("no answer"), Written()])
def test_what_is_neither_yes_nor_no_is_trouble(answer: ReplaceReply) -> None:
    rights = examine(Granting(set(), answer), ZONE, "main", names(2))
    assert rights.trouble
    assert rights.missing == ()
