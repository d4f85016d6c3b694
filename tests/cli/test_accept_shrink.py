"""`standfast accept-shrink`, and how the sources of the fleet show in status and verdict."""

import json
from typing import Any

import pytest

from cli.stage import Stage
from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, EXIT_REFUSED
from standfast.ports.store import ReadSource, SourceRead
from standfast.runtime.observing import observe
from standfast.runtime.sharing import ACCEPTED, STANDINGS, Board, SharedStanding, SharedStandings, accepted_on, encode
from standfast.runtime.sourced import source_findings, source_lines


def standing(stage: Stage, state: str, *lost: str) -> None:
    board = Board(stage.store, STANDINGS)
    assert board.read()
    one = SharedStanding("aws", state, "lacks 2 of 3 load balancers (lb-a1, lb-a2)", 0.0, 3, lost)
    assert board.put(encode(SharedStandings("ops1", {"aws": one}))) == "put"


def test_it_is_recorded_for_every_planner_and_journalled(served: Stage) -> None:
    standing(served, "held", "lb-a1", "lb-a2")
    ran = served.run("accept-shrink", "aws", "--reason", "site closed", "--yes")
    assert ran.code == EXIT_FINE, ran
    assert "lacks 2 of 3 load balancers" in ran.out + ran.err
    board = Board(served.store, ACCEPTED)
    assert board.read()
    accepted = accepted_on(board)["aws"]
    assert (accepted.load_balancers, accepted.reason) == (("lb-a1", "lb-a2"), "site closed")
    mine = [one for one in served.journalled("operator") if one["action"] == "accept-shrink"]
    assert [one["stage"] for one in mine] == ["asked", "recorded"]
    assert mine[0]["names"] == ["lb-a1", "lb-a2"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("aws", "--reason", "x"), EXIT_REFUSED, "Add --yes"),
        (("aw", "--reason", "x", "--yes"), EXIT_ERROR, "Did you mean aws?"),
        (("aws", "--reason", " ", "--yes"), EXIT_ERROR, "The reason is empty"),
        (("aws", "--yes"), EXIT_ERROR, "--reason"),
    ],
)
def test_what_it_refuses(served: Stage, arguments: tuple[str, ...], code: int, text: str) -> None:
    standing(served, "held", "lb-a1")
    ran = served.run("accept-shrink", *arguments)
    assert (ran.code, text in ran.out + ran.err) == (code, True), ran
    reply = served.store.perform(ReadSource(ACCEPTED))
    assert isinstance(reply, SourceRead)
    assert reply.body == b""


def test_nothing_is_held(served: Stage) -> None:
    standing(served, "unknown")
    ran = served.run("accept-shrink", "aws", "--reason", "x", "--yes")
    assert ran.code == EXIT_ERROR
    assert "no source shrank" in ran.out + ran.err


def facts(state: str, read_s: float, why: str, count: int | None = 6) -> dict[str, Any]:
    one = {"kind": "aws", "state": state, "read_s": read_s, "why": why, "load_balancers": count, "lost": []}
    return {"aws": one | {"unsure": ["edge.a: has only a name here"]}}


@pytest.mark.parametrize(
    ("told", "kind", "text", "command", "code"),
    [
        (facts("held", 4, "names no load balancer, where 6 were known"), "NEEDS YOU", "stays as it was until",
         "standfast accept-shrink aws", EXIT_REFUSED),
        (facts("unknown", 30, "HTTP 500"), "HANDLED", "6 load balancers stay as they were. Nobody", "check", EXIT_FINE),
        (facts("late", 130, "HTTP 500"), "BLIND", "(HTTP 500); its 6 load balancers stay", "check", EXIT_ERROR),
        (facts("lost", 1000, "HTTP 500"), "NEEDS YOU", "is unknown for 16", "check", EXIT_DIFFERS),
        (facts("unknown", 3, "refused", None), "BLIND", "nothing is planned without it", "check", EXIT_ERROR),
    ],
)  # fmt: skip
def test_the_sentence_of_each_state(
    served: Stage, told: dict[str, Any], kind: str, text: str, command: str, code: int
) -> None:
    served.beat("planner", sources=told)
    seen = observe(served.config, secondaries=False)
    (found,) = source_findings(seen)
    assert (found[0], found[3]) == (kind, code)
    assert text in found[1]
    assert command in found[2]
    lines = source_lines(seen)
    assert lines[0].startswith("source aws: ")
    assert "has only a name" in lines[1]


def test_a_source_that_is_known_is_no_finding(served: Stage) -> None:
    served.beat("planner", sources=facts("known", 2.0, ""))
    seen = observe(served.config, secondaries=False)
    assert not list(source_findings(seen))
    assert source_lines(seen)[0] == "source aws: 6 load balancers, read 2.0 s ago"
    ran = served.run("status", "--json")
    assert json.loads(ran.out)["sources"][0]["state"] == "known"
