"""Mutants of what is thought of load balancers: who is heard, what a check is worth, who stays away for how long."""

from typing import Final

from .mutant import Judge, Mutant

_TESTS: Final[tuple[Judge, ...]] = ("planning",)
_HEALTH: Final = "recovery/health.py"
_QUORUM: Final = "recovery/quorum.py"
_ROTA: Final = "recovery/rota.py"
_SIGHT: Final = "recovery/sight.py"

HEALTH: Final = (
    Mutant(
        name="an absent voter counts as down",
        file=_QUORUM,
        old='    down = [one for one in votes if one.state == "down"]\n',
        new='    down = [one for one in votes if one.state in ("down", "unknown")]\n',
        rule="quorum: an absent voter is unknown, not down",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="the majority of those that are heard",
        file=_QUORUM,
        old="    needed = majority(len(votes))\n    down",
        new='    needed = majority(sum(one.state != "unknown" for one in votes))\n    down',
        rule="quorum: more than half of all that are declared",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="a late voter counts",
        file=_QUORUM,
        old="regular=in_time and known and revision > voter.revision)",
        new="regular=known and revision > voter.revision)",
        rule="quorum: a word after a silence may have been on its way for as long",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="two processes vote in one name",
        file=_QUORUM,
        old="    known = instance == voter.instance or voter.revision == 0\n",
        new="    known = True\n",
        rule="quorum: of one process",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="a late result counts as failure",
        file=_ROTA,
        old="    if finished - began > LATE_TIMES * timeout_s:\n",
        new="    if finished - began > LATE_TIMES * timeout_s * 1e9:\n",
        rule="overload: late results are unknown, never failures",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="a stall of ours is their failure",
        file=_ROTA,
        old="    if stalled > STALL_SHARE * timeout_s:\n",
        new="    if stalled < 0.0:\n",
        rule="overload: late results are unknown, never failures",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="newcomers go before those that wait",
        file=_ROTA,
        old="        self._running.discard(name)\n        self._put(name, now)\n",
        new="        self._running.discard(name)\n        self._put(name, 0.0)\n",
        rule="overload: shed fairly, nobody starves",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="no damping",
        file=_HEALTH,
        old="        return min(self.damp_s * 2.0 ** (min(flaps, FLAPS_MAX) - 2), self.damp_max_s)\n",
        new="        return 0.0\n",
        rule="flapping returns later each time",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="damping without bound",
        file=_HEALTH,
        old="        return min(self.damp_s * 2.0 ** (min(flaps, FLAPS_MAX) - 2), self.damp_max_s)\n",
        new="        return self.damp_s * 2.0 ** (min(flaps, FLAPS_MAX) - 2)\n",
        rule="flapping returns later each time, bounded",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="a restart forgets the falls",
        file=_HEALTH,
        old="    flaps = max(0, min(flaps, FLAPS_MAX))\n",
        new="    flaps = 0\n",
        rule="flapping returns later each time, whoever was restarted",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="a newcomer's failure is a removal",
        file=_HEALTH,
        old='    if heard.state == "warming":\n        return replace(heard, reason=f"{_warming(policy)}; its last',
        new='    if heard.state == "never":\n        return replace(heard, reason=f"{_warming(policy)}; its last',
        rule="warm-up: who was not admitted can't be removed",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="who sees nothing is believed",
        file=_SIGHT,
        old="        return Evidence(witnessed=False)\n",
        new="        return PLAIN\n",
        rule="an observer that sees nothing at all concludes nothing",
        expected=("test_",),
        judges=_TESTS,
    ),
    Mutant(
        name="an AZ that fails at once is not confirmed",
        file=_HEALTH,
        old="    needed = max(policy.fall * (TOGETHER_TIMES if evidence.together else 1), evidence.least)\n",
        new="    needed = max(policy.fall, evidence.least)\n",
        rule="an AZ that fails together is confirmed first",
        expected=("test_",),
        judges=_TESTS,
    ),
)
