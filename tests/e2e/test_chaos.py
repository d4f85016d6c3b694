"""Three enactors, frozen, thawed, killed and restarted at random while plans are published: no bad answer, and the
journals alone show that no endpoint ever went back."""

from __future__ import annotations

import random
import time

import pytest

from e2e.plans import both, v4
from e2e.roles import Process
from e2e.stage import Stage
from harness.holdups import PATIENCE_S

ACTS = 60
KILLS = 15
CONVERGES_S = 5.0
"""After the last act, with all three at work again: a start, a lost reply's time-out at most, and a pass."""


class Chaos:
    """Who stands still, who is dead, and what was done."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.draw = stage, random.Random(stage.seed)
        self.names = ("one", "two", "three")
        self.running: dict[str, Process] = {name: stage.enactor(name) for name in self.names}
        self.acts: list[str] = []

    def act(self) -> None:
        """One signal to one of them: SIGSTOP if it runs, SIGCONT if it stands still, SIGKILL (and again) to either."""
        name = self.draw.choice(self.names)
        process = self.running[name]
        if self.draw.random() < KILLS / ACTS:
            process.kill()
            self.running[name] = self.stage.started(process.again())
            self.acts.append("kill")
        elif process.stopped:
            process.go_on()
            self.acts.append("continue")
        else:
            process.freeze()
            self.acts.append("stop")

    def peace(self) -> None:
        """All run."""
        for process in self.running.values():
            assert process.code is None, process.log.read_text(encoding="utf-8")
            if process.stopped:
                process.go_on()


def publish(stage: Stage, draw: random.Random) -> None:
    """The next plan changes one endpoint or both; contents come again."""
    www, api = both(*draw.sample(range(1, 7), 2)), v4(*draw.sample(range(11, 15), 2))
    match draw.randrange(3):
        case 0:
            stage.publish(www=www)
        case 1:
            stage.publish(api=api)
        case _:
            stage.publish(www=www, api=api)


def raced(stage: Stage, chaos: Chaos) -> bool:
    """Whether www was written more than five times, and not by one of them alone."""
    written = [stage.journal(who, "outcome", name=stage.www, result="written") for who in chaos.names]
    return sum(map(len, written)) > 5 and sum(map(bool, written)) > 1


@pytest.mark.slow
def test_sixty_signals_to_three_enactors(stage: Stage) -> None:
    chaos = Chaos(stage)
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.probe()
    while len(chaos.acts) < ACTS:
        chaos.act()
        for _ in range(chaos.draw.randrange(3)):
            publish(stage, chaos.draw)
            time.sleep(chaos.draw.random() * 0.06)
        time.sleep(chaos.draw.random() * 0.12)
    assert {"stop", "continue", "kill"} == set(chaos.acts)
    chaos.peace()
    until_then = time.monotonic() + PATIENCE_S  # where a start takes longer than a life, they race now
    while not raced(stage, chaos) and time.monotonic() < until_then:
        publish(stage, chaos.draw)
        time.sleep(0.1)
    publish(stage, chaos.draw)
    stage.await_head(CONVERGES_S)
    verdict = stage.assert_nothing_bad()
    assert verdict.damaged == 0
    for process in chaos.running.values():
        process.terminate()
    assert raced(stage, chaos), "hardly anything was written, or by one of them alone"
    verdicts = {one.guarantee: one for one in stage.audit().judged}
    assert verdicts["G2"].verdict == "holds", verdicts["G2"].doubts
