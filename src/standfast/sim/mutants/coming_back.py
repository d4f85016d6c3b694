"""Mutants of what lets a fleet come back: leases that age, doors that admit, retries that are counted."""

from typing import Final

from .mutant import Judge, Mutant

_TESTS: Final[tuple[Judge, ...]] = ("planning",)
_LEASE: Final = "recovery/lease.py"
_DOOR: Final = "recovery/admission.py"
_RETRY: Final = "recovery/retrying.py"


def _mutant(name: str, file: str, old: str, new: str, rule: str) -> Mutant:
    return Mutant(name=name, file=file, old=old, new=new, rule=rule, expected=("test_",), judges=_TESTS)


COMING_BACK: Final = (
    _mutant(
        "leases age while the registry is away",
        _LEASE,
        "        return Reach(self.counted if why else self.counted + max(0.0, gap), now, why)\n",
        '        return Reach(self.counted + max(0.0, gap), now, "")\n',
        "leases: only time in which the registry could be reached counts",
    ),
    _mutant(
        "a standstill of the registry is their silence",
        _LEASE,
        "        if not why and gap > STALL_TIMES * tick_s:\n",
        "        if not why and gap > 1e9 * tick_s:\n",
        "leases: only time in which the registry could be reached counts",
    ),
    _mutant(
        "a registry that hears nobody ends everybody",
        _LEASE,
        "        if not why and len(self._fresh) < HEARD_SHARE * len(self._leases):\n",
        "        if not why and len(self._fresh) < 0:\n",
        "leases: while fewer than half are heard nothing counts",
    ),
    _mutant(
        "back from being away, ages go on",
        _LEASE,
        "            self._anew = self.reach.counted\n",
        "            self._anew = 0.0\n",
        "leases: who was out of reach has to hear everybody anew",
    ),
    _mutant(
        "twice as many are admitted as can be finished",
        _DOOR,
        "        return max(0, min(rounds * self.workers, self._room_max))\n",
        "        return max(0, min(2 * rounds * self.workers, self._room_max))\n",
        "admission: inside is only what finishes in time",
    ),
    _mutant(
        "the door looks at the newcomer alone",
        _DOOR,
        "        first = min(deadline, self._first_deadline(now))\n",
        "        first = deadline\n",
        "admission: in whatever order, before the first deadline of all who wait",
    ),
    _mutant(
        "what can't finish is begun all the same",
        _DOOR,
        "self.pace.rate > work.deadline + _ROUNDING:\n",
        "self.pace.rate > work.deadline + 1e9:\n",
        "admission: nothing is begun that can't finish any more",
    ),
    _mutant(
        "all who are refused come back at one moment",
        _DOOR,
        "        self._next_free += 1.0 / (OVERBOOKED * max(self.pace.best, self.pace.rate))\n",
        "        self._next_free += 0.0\n",
        "admission: refusals hand out appointments",
    ),
    _mutant(
        "oldest first for ever",
        _DOOR,
        "            self.newest_first = True\n",
        "            self.newest_first = False\n",
        "admission: while people wait for long, the newest goes first",
    ),
    _mutant(
        "a pace once taken for slow stays slow",
        _DOOR,
        "FALL, RISE = 0.5, 0.4\n",
        "FALL, RISE = 0.5, 0.0\n",
        "admission: the pace is measured anew",
    ),
    _mutant(
        "one tenant may fill the room",
        "recovery/fairness.py",
        "        return self.held.get(tenant, 0) < self.alpha * free\n",
        "        return self.held.get(tenant, 0) < 1e9 * free\n",
        "admission: tenants enter fairly",
    ),
    _mutant(
        "retries are free",
        _RETRY,
        "left=max(0.0, filled.left - 1.0))",
        "left=filled.left)",
        "retries: never more than the budget",
    ),
    _mutant(
        "who was told when to come comes before",
        _RETRY,
        "    return min(max(0.0, least_s), RETRY_AFTER_MAX_S) + chance * wide\n",
        "    return chance * max(wide, min(max(0.0, least_s), RETRY_AFTER_MAX_S))\n",
        "retries: not before the moment that the other side asked for",
    ),
)
