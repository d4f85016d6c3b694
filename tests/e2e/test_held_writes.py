"""A write held in mid-flight, released twenty generations later, must be refused by the server: three histories, each
with the sender waiting, killed, its bytes repeated, or its first reply lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from e2e.plans import both, v4
from e2e.roles import Process, until
from e2e.stage import Stage
from standfast.laboratory.proxy import Fate, HeldUpdate, Rcode, SeenUpdate, UpdateProxy, mentions
from standfast.model.name import marker_owner
from standfast.runtime.presence import read_presence

GENERATIONS = 20
OLD, HELD, NEW = both(1, 2), both(3, 4), both(5, 6)


@pytest.fixture
def proxy(stage: Stage) -> Iterator[UpdateProxy]:
    with UpdateProxy(stage.server.address) as running:
        yield running


@dataclass(frozen=True)
class History:
    """What is published before the held write, in it, and while it is held."""

    begin: Callable[[Stage], None]
    held: Callable[[Stage], None]
    then: Callable[[Stage, int], None]
    floor_alone: bool = False


def _begin(stage: Stage) -> None:
    stage.publish_and_wait(www=OLD, api=v4(11, 12))


def _write(stage: Stage) -> None:
    stage.publish(www=HELD, api=v4(13, 14))


def _that_endpoint(stage: Stage, step: int) -> None:
    numbers = 20 + 2 * step
    stage.publish_and_wait(www=both(numbers, numbers + 1), api=v4(100 + step, 200))


def _begin_without(stage: Stage) -> None:
    stage.publish_and_wait(api=v4(11, 12))


def _create(stage: Stage) -> None:
    stage.publish(www=HELD)


def _only_others(stage: Stage, step: int) -> None:
    """The first step gives it new contents, twenty more leave it alone."""
    if step == 0:
        stage.publish_and_wait(www=NEW, api=v4(13, 14))
        stage.publish_and_wait(api=v4(15, 16))
    else:
        stage.publish_and_wait(api=v4(100 + step, 200))


def _a_b_a(stage: Stage, step: int) -> None:
    stage.publish_and_wait(www=HELD if step % 2 else OLD, api=v4(100 + step, 200))
    if step == GENERATIONS - 1:
        stage.publish_and_wait(www=OLD)


HISTORIES = {
    "that endpoint": History(_begin, _write, _that_endpoint),
    "only others": History(_begin_without, _create, _only_others, floor_alone=True),
    "a-b-a": History(_begin, _write, _a_b_a),
}
SENDERS = ("waiting", "killed", "repeated", "reply lost")


def held_write(stage: Stage, proxy: UpdateProxy, history: History, slow: Process, quick: Process) -> HeldUpdate:
    """The slow one's write is in the proxy's hands, the slow one stands still, the quick one goes on."""
    quick.freeze()
    proxy.hold_next(match=mentions(stage.www))
    history.held(stage)
    (held,) = proxy.wait_held()
    slow.freeze()
    quick.go_on()
    return held


def landed_write(stage: Stage, proxy: UpdateProxy, history: History, slow: Process, quick: Process) -> SeenUpdate:
    """The slow one's write stands, its reply is lost, and it found out by reading."""
    quick.freeze()
    proxy.drop_replies(match=mentions(stage.www), close=True)
    history.held(stage)
    stage.await_entry(stage.www)
    (seen,) = dropped(proxy.wait_log(lambda log: any(one.rcodes for one in dropped(log))))
    written(stage, "slow", stage.plans.generation)
    slow.freeze()
    quick.go_on()
    return seen


def dropped(log: list[SeenUpdate]) -> list[SeenUpdate]:
    """Those whose reply was lost. What was written can be seen before the proxy has the reply."""
    return [one for one in log if one.fate is Fate.REPLY_DROPPED]


def written(stage: Stage, who: str, since: int) -> None:
    """Its journal says that it wrote www."""
    wanted = {"name": stage.www, "since": since, "result": "written"}
    until(lambda: stage.journal(who, "outcome", **wanted), f"{who}'s journal says that g{since} is written")


def twenty_generations(stage: Stage, history: History) -> None:
    """Published and enacted, one after the other; then plans are collected."""
    first = stage.plans.generation
    for step in range(GENERATIONS):
        history.then(stage, step)
    assert stage.plans.generation >= first + GENERATIONS
    stage.await_head()
    collected = stage.clean()
    assert first in collected, f"the plan of the held write, g{first}, was not collected: {collected}"


def unguarded(stage: Stage, history: History, quick: Process) -> None:
    """Where only the floor shall refuse, people delete the endpoint's marker: then absence is as the write expects."""
    if history.floor_alone:
        quick.freeze()
        stage.hand(f"update delete {marker_owner(stage.www, stage.zone)} TXT")
        assert not stage.ask(marker_owner(stage.www, stage.zone), "TXT"), "somebody healed it already"


def assert_refused(stage: Stage, rcodes: list[Rcode | None], addresses: frozenset[str]) -> None:
    """The server refused those bytes, and nothing of them can be seen."""
    assert rcodes, "nothing was released"
    assert set(rcodes) == {Rcode.NXRRSET}, f"the server answered {rcodes} to the held bytes"
    assert stage.ask(stage.www, "A") == addresses


def begun(stage: Stage, proxy: UpdateProxy, history: History, *, careless: bool = False) -> tuple[Process, Process]:
    """A slow enactor behind the proxy and a quick one beside it, at the first generation.

    The slow one still waits for its answer, however long a machine takes for twenty generations.
    """
    quick = stage.enactor("quick")
    behind = stage.config("slow", server_port=proxy.port)
    slow = stage.careless("slow", behind) if careless else stage.enactor("slow", behind, patient=True)
    history.begin(stage)
    stage.await_head()
    # Else what is held might be the slow one's late attempt at the first generation, over a marker that it never saw.
    until(lambda: at_rest(stage, "slow"), "the slow one has seen that the first generation stands", 30)
    return slow, quick


def at_rest(stage: Stage, who: str) -> bool:
    """Whether this enactor has nothing left to do for the newest plan."""
    told = {one.who: one.facts for one in read_presence(stage.state / "presence")}
    facts = told.get(who, {})
    return facts.get("generation") == stage.plans.generation and facts.get("waiting") == 0


@pytest.mark.slow
@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("story", HISTORIES)
def test_a_held_write_is_refused_by_the_server(stage: Stage, proxy: UpdateProxy, story: str, sender: str) -> None:
    history = HISTORIES[story]
    slow, quick = begun(stage, proxy, history)
    stage.probe()
    landed: SeenUpdate | None = None
    held: HeldUpdate | None = None
    since = stage.plans.generation + 1
    if sender == "reply lost":
        landed = landed_write(stage, proxy, history, slow, quick)
        assert landed.rcodes == [Rcode.NOERROR]
    else:
        held = held_write(stage, proxy, history, slow, quick)
    twenty_generations(stage, history)
    addresses = stage.ask(stage.www, "A")
    if sender == "killed":
        slow.kill()
    unguarded(stage, history, quick)
    if held is not None:
        rcodes = released(proxy, held, sender)
    else:
        assert landed is not None
        rcodes = proxy.resend(landed, copies=2)
    assert_refused(stage, rcodes, addresses)
    if history.floor_alone:
        quick.go_on()
    if sender != "killed":
        slow.go_on()
    stage.await_head()
    journal_says(stage, sender, since)
    stage.assert_nothing_bad()


def released(proxy: UpdateProxy, held: HeldUpdate, sender: str) -> list[Rcode | None]:
    """The bytes go to the server, twice if they are to be repeated."""
    until(lambda: held.sender_listens is (sender != "killed"), "the proxy notices that its client is gone")
    rcodes = proxy.release(held, copies=2 if sender == "repeated" else 1)
    assert held.listened_at_release is (sender != "killed")
    return rcodes


def journal_says(stage: Stage, sender: str, since: int) -> None:
    """What the sender wrote down about the held write."""
    (intent,) = (
        one
        for one in stage.journal("slow", "intent")
        if any(write["name"] == stage.www and write["since"] == since for write in one["writes"])
    )
    wanted = {"nonce": intent["nonce"], "name": stage.www}
    if sender == "killed":
        assert not stage.journal("slow", "outcome", **wanted)
        return
    (outcome,) = until(lambda: stage.journal("slow", "outcome", **wanted), "the outcome in the journal")
    assert outcome["result"] == ("written" if sender == "reply lost" else "conflict"), outcome


@pytest.mark.slow
@pytest.mark.parametrize("story", HISTORIES)
def test_without_prerequisites_these_checks_fail(stage: Stage, proxy: UpdateProxy, story: str) -> None:
    """The same with an adapter that leaves the prerequisites out: rcode, marker, answer and prober all see it."""
    history = HISTORIES[story]
    slow, quick = begun(stage, proxy, history, careless=True)
    stage.probe()
    held = held_write(stage, proxy, history, slow, quick)
    twenty_generations(stage, history)
    addresses, marker = stage.ask(stage.www, "A"), stage.marker(stage.www)
    quick.freeze()
    unguarded(stage, history, quick)
    rcodes = proxy.release(held)
    with pytest.raises(AssertionError, match="the server answered"):
        assert_refused(stage, rcodes, addresses)
    assert rcodes == [Rcode.NOERROR]
    assert stage.ask(stage.www, "A") == set(v4(3, 4)) != addresses
    after = stage.marker(stage.www)
    assert marker is not None
    assert after is not None
    assert int(after["n"]) < int(marker["n"])
    time.sleep(0.1)
    with pytest.raises(AssertionError, match=rf"older: {stage.www} A NOERROR .*192\.0\.2\.3"):
        stage.assert_nothing_bad()
    stage.guilty_of = {"G2"}
