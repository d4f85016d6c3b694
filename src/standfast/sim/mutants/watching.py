"""Mutants of finding damage that nobody tells of: names asked by turns, rounds of the patrol."""

from typing import Final

from .mutant import Judge, Mutant

_TESTS: Final[tuple[Judge, ...]] = ("watch",)
_WATCH: Final = "runtime/namewatch.py"
_TURNS: Final = "runtime/nameturns.py"


def _mutant(name: str, file: str, old: str, new: str, rule: str) -> Mutant:
    return Mutant(name=name, file=file, old=old, new=new, rule=rule, expected=("test_",), judges=_TESTS)


WATCHING: Final = (
    _mutant(
        "a server that does not answer has an empty name",
        _WATCH,
        "if not isinstance(answer, Unknown) and (said := complaint(entry, rtype, answer, settled=settled))\n",
        "if (said := complaint(entry, rtype, answer if isinstance(answer, RRset) else None, settled=settled))\n",
        "G6: unknown is not empty",
    ),
    _mutant(
        "a server that does not answer clears a name",
        _TURNS,
        "        pause = self._period if answered else min(RETRY_S, self._period)\n",
        "        pause = self._period\n",
        "G6: of whom nothing was heard nothing is known, so another server is asked soon",
    ),
    _mutant(
        "an emptied name is taken for one that is new",
        _WATCH,
        "        if now - entered > SETTLES_S or any(isinstance(one, RRset) for one in answers.values()):\n",
        "        if now - entered > SETTLES_S:\n",
        "never wedged: an emptied name is found within the time",
    ),
    _mutant(
        "nobody takes over the names of one that is gone",
        _TURNS,
        "            if before is None or name not in before:\n",
        "            if before is None or name not in self._due:\n",
        "never wedged: within the time, whichever enactor is gone",
    ),
    _mutant(
        "all ask for everything",
        _TURNS,
        "        mine = [name for name in questions if share.has(name)]\n",
        "        mine = list(questions)\n",
        "economy: the enactors of a stream share an account",
    ),
    _mutant(
        "the patrol does not look at the floor",
        "core/patrol.py",
        "    return not isinstance(read_floor(floor, first.zone, floor_of(first)), Floor)\n",
        "    return False\n",
        "never wedged: a floor that is missing is rebuilt without people",
    ),
    _mutant(
        "each begins its own rounds of the patrol",
        "runtime/economy.py",
        "            began = max(began, self._company.patrolled_at(zone))\n",
        "",
        "economy: three enactors use at most 1.3 times the calls of one",
    ),
)
