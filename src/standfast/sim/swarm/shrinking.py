"""From a scenario that breaks a property to a small one that breaks the same: faults are left out and made shorter.

Delta debugging (Zeller, "Simplifying and isolating failure-inducing input", 2002): whole kinds of fault first, then
faults in ever smaller parts, then each fault's time and messages, then enactors. Every try is a run, and runs are
deterministic, so the result is too. A try counts only if it breaks the *same* property.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from .kinds import KINDS
from .running import Run, run
from .scenario import Fault, Scenario, targets

TRIES_MAX: Final = 400
SLACK_S: Final = 1.0


class _Tries:
    """Runs smaller scenarios, at most so many."""

    def __init__(self, rule: str, best: Scenario, told: Callable[[Scenario, int], None] | None) -> None:
        self.rule, self.best, self.left, self._told = rule, best, TRIES_MAX, told

    def take(self, scenario: Scenario) -> bool:
        """Whether it still breaks the property; then it is the best one."""
        if self.left <= 0 or scenario == self.best:
            return False
        self.left -= 1
        broken = run(scenario).broken
        if broken is None or broken.rule != self.rule:
            return False
        self.best = scenario
        if self._told is not None:
            self._told(scenario, self.left)
        return True

    def faults(self, faults: Sequence[Fault]) -> bool:
        """The same with these faults alone."""
        return self.take(replace(self.best, faults=tuple(faults)))


def shrunk(failed: Run, told: Callable[[Scenario, int], None] | None = None) -> Scenario:
    """The smallest scenario found. Raises ValueError for a run that failed in nothing."""
    broken, scenario = failed.broken, failed.scenario
    if broken is None:
        raise ValueError("nothing is broken, so there is nothing to shrink")
    tries = _Tries(broken.rule, scenario, told)
    if broken.at < scenario.hours * 3600.0:
        # What comes after it had no part in it.
        begun = tuple(fault for fault in scenario.faults if fault.at <= broken.at)
        tries.take(replace(scenario, faults=begun, hours=(broken.at + SLACK_S) / 3600.0))
    _kinds(tries)
    _parts(tries)
    _each(tries)
    _enactors(tries)
    _parts(tries)
    return tries.best


def _kinds(tries: _Tries) -> None:
    for kind in sorted({fault.kind for fault in tries.best.faults}):
        tries.faults([fault for fault in tries.best.faults if fault.kind != kind])


def _parts(tries: _Tries) -> None:
    """Leave out halves, quarters, … and at last single faults, until nothing more can be left out."""
    size = len(tries.best.faults)
    while size >= 1:
        size = max(1, size // 2)
        at, gone = 0, False
        while at < len(tries.best.faults):
            faults = tries.best.faults
            if tries.faults(faults[:at] + faults[at + size :]):
                gone = True
            else:
                at += size
        if size == 1 and not gone:
            return


def _each(tries: _Tries) -> None:
    """Shorter faults, and ones that hit fewer messages."""
    for place in range(len(tries.best.faults)):
        for part in (0.1, 0.5):
            fault = tries.best.faults[place]
            if fault.messages > 1 and _put(tries, place, replace(fault, messages=max(1, int(fault.messages * part)))):
                break
        for part in (0.1, 0.5):
            fault = tries.best.faults[place]
            if fault.lasts_s > 1.0 and _put(tries, place, replace(fault, lasts_s=round(fault.lasts_s * part, 3))):
                break


def _put(tries: _Tries, place: int, fault: Fault) -> bool:
    faults = list(tries.best.faults)
    faults[place] = fault
    return tries.faults(faults)


def _enactors(tries: _Tries) -> None:
    while tries.best.enactors > 1:
        fewer = replace(tries.best, enactors=tries.best.enactors - 1)
        if any(fault.target not in targets(KINDS[fault.kind], fewer) for fault in fewer.faults):
            return
        if not tries.take(fewer):
            return
