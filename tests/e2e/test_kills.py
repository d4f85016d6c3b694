"""Two hundred and twenty SIGKILLs at seeded moments, and three enactors that race over two hundred endpoints."""

from __future__ import annotations

import random
import time

import pytest

from e2e.plans import both, v4
from e2e.roles import Process
from e2e.stage import Stage
from harness.holdups import PATIENCE_S

KILLS = 110
"""On each of the two servers."""
LIVES_S = 1.5
"""A process is killed at a random moment of its first so many seconds, or of twice as many as the first one took to
start, so that on a crowded machine too some lives are long enough to read and write in."""
ENACTORS = ("one", "two", "three")
ENDPOINTS = 200
ROLLS = 40
CONVERGES_S = 30.0


def roll(stage: Stage, draw: random.Random) -> None:
    """The next plan."""
    www, api = both(*draw.sample(range(1, 200), 2)), v4(*draw.sample(range(1, 200), 2))
    stage.publish(**{"www": www, "api": api} if draw.random() < 0.5 else {"www": www})


@pytest.mark.slow
def test_kills_at_any_moment(stage: Stage) -> None:
    """Enactors and the cleaner die all the time; whoever is killed is started again at once, in the same place."""
    draw = random.Random(stage.seed)
    since = time.monotonic()
    begun = stage.enactor("one")
    life_s = max(LIVES_S, 2 * (time.monotonic() - since))
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    lives: dict[str, tuple[Process, float]] = {}
    for name in ("two", "three", "cleaner"):
        role = "cleaner" if name == "cleaner" else "enactor"
        lives[name] = (stage.role(role, name), time.monotonic() + draw.random() * life_s)
    lives["one"] = (begun, time.monotonic())
    kills = 0
    while kills < KILLS:
        roll(stage, draw)
        for name, (process, ends) in lives.items():
            if time.monotonic() >= ends:
                process.kill()
                kills += 1
                lives[name] = (stage.started(process.again()), time.monotonic() + draw.random() * life_s)
        time.sleep(draw.random() * 0.1)
    until_then = time.monotonic() + PATIENCE_S  # where a start takes longer than a life, they write now
    while not all(stage.journal(name, "intent") for name in ENACTORS) and time.monotonic() < until_then:
        roll(stage, draw)
        time.sleep(0.1)
    roll(stage, draw)
    stage.await_head(CONVERGES_S)
    assert stage.assert_nothing_bad().damaged == 0
    intents = {name: len(stage.journal(name, "intent")) for name in ENACTORS}
    assert sum(map(bool, intents.values())) == 3, f"one of them never wrote: {intents}"


@pytest.mark.slow
def test_three_enactors_race_over_two_hundred_endpoints(stage: Stage) -> None:
    draw = random.Random(stage.seed)
    labels = [f"edge-{number:03d}" for number in range(ENDPOINTS)]
    first = {label: v4(*draw.sample(range(1, 250), 2)) for label in labels}
    begun = [stage.enactor(name) for name in ENACTORS]
    stage.publish(**first)
    hold_ups, last = stage.hold_ups(), f"{labels[-1]}.{stage.zone}"
    hold_ups.within(lambda: stage.ask(last, "A") == set(first[labels[-1]]), CONVERGES_S, "the last one stands")
    stage.await_head(CONVERGES_S)
    stage.probe(*((f"{label}.{stage.zone}", "A") for label in draw.sample(labels, 20)))
    for number in range(ROLLS):
        changed = draw.sample(labels, draw.choice((1, 20, ENDPOINTS)))
        stage.publish(**{label: v4(*draw.sample(range(1, 250), 2)) for label in changed})
        if number % 10 == 5:
            asleep = draw.choice(begun)
            (asleep.go_on if asleep.stopped else asleep.freeze)()
        time.sleep(draw.random() * 0.2)
    for process in begun:
        if process.stopped:
            process.go_on()
    stage.await_head(CONVERGES_S)
    assert stage.assert_nothing_bad().damaged == 0
    wrote = [name for name in ENACTORS if stage.journal(name, "outcome", result="written")]
    assert len(wrote) > 1, f"nobody raced: only {wrote} wrote"
