"""Mutants of what lets a fleet come back: leases that age, doors that admit, retries that are counted."""

from typing import Final

from .mutant import Judge, Mutant

_TESTS: Final[tuple[Judge, ...]] = ("planning",)
_LEASE: Final = "recovery/lease.py"
_DOOR: Final = "recovery/admission.py"
_RETRY: Final = "recovery/retrying.py"
_CATCH_UP: Final = "recovery/catchup.py"
_DUE: Final = "core/due.py"
_KEEPING: Final = "runtime/registry/keeping.py"
_PAGES: Final = "runtime/registry/pages.py"
_CHECKING: Final = "recovery/checking.py"


def _mutant(name: str, file: str, old: str, new: str, rule: str) -> Mutant:
    return Mutant(name=name, file=file, old=old, new=new, rule=rule, expected=("test_",), judges=_TESTS)


COMING_BACK: Final = (
    _mutant(
        "aliases know no slow start",
        "model/tree.py",
        "    eased = any(member.eased != WHOLE for members in groups for member in members)\n",
        "    eased = False\n",
        "slow start: weights of aliases rise by steps",
    ),
    _mutant(
        "a step of slow start is no change",
        "model/entry.py",
        "m.health_check, m.eased) for m",
        "m.health_check, m.alias) for m",
        "slow start: weights of aliases rise by steps",
    ),
    _mutant(
        "who is well is spared in a panic",
        "core/layout.py",
        '    if not follows or panic or any(one.wish != "in" for one in served):\n',
        "    if not follows:\n",
        "slow start: nobody is spared at the cost of one that may be dead",
    ),
    _mutant(
        "those that came back all together are eased",
        "core/layout.py",
        "    most = max((one.eased for one in served), default=1.0)\n",
        "    most = 1.0\n",
        "slow start: relative to who counts most",
    ),
    _mutant(
        "limits see what is eased",
        "core/layout.py",
        "    return replace(member, eased=share, reason",
        "    return replace(member, eased=share, weight=member.weight * share // WHOLE, reason",
        "slow start: no limit is loosened by it",
    ),
    _mutant(
        "checks wait inside for one another",
        _CHECKING,
        "        self._intake.workers = self._intake.room_max = workers\n",
        "        self._intake.workers, self._intake.room_max = 4 * workers, 4 * workers\n",
        "checking: inside are only those that are being made",
    ),
    _mutant(
        "who waits longest is not the next",
        _CHECKING,
        "            az = min(due, key=lambda one: due[one])\n",
        "            az = max(due, key=lambda one: due[one])\n",
        "checking: whoever waits longest is next",
    ),
    _mutant(
        "an AZ that answers nothing keeps the checker to itself",
        _CHECKING,
        "        self._intake: Intake[int] = Intake(Pace(1.0, measured=False), target_s=inf, fair=Fair())\n",
        "        self._intake: Intake[int] = Intake(Pace(1.0, measured=False), target_s=inf, fair=Fair(inf))\n",
        "checking: AZs share what can be made at once",
    ),
    _mutant(
        "a turn has no end",
        _CATCH_UP,
        "        return now >= self._ends\n",
        "        return now >= self._ends + 1e9\n",
        "catching up: work goes by turns",
    ),
    _mutant(
        "zones share writes, not time",
        _CATCH_UP,
        "        one.used_s += took\n        one.count",
        "        one.used_s += len(ours)\n        one.count",
        "catching up: zones share an enactor's time",
    ),
    _mutant(
        "a zone without work saves up time",
        _CATCH_UP,
        "            self._zone(name).used_s = max(self._zone(name).used_s, least)\n",
        "            self._zone(name).used_s += 0.0 * least\n",
        "catching up: zones share an enactor's time",
    ),
    _mutant(
        "what is urgent may fill the room",
        _CATCH_UP,
        "        fair = Fair[str](ALPHA if urgent and rest else inf)\n",
        "        fair = Fair[str](inf)\n",
        "catching up: what is urgent starves nobody",
    ),
    _mutant(
        "a slow zone is admitted by ones",
        _CATCH_UP,
        "        return found if len(found) >= min(CHANGE, waiting) else []\n",
        "        return found\n",
        "catching up: at least what fills a change is begun",
    ),
    _mutant(
        "a provider that gives no answer is asked all the same",
        _CATCH_UP,
        "        one.budget, one.opens_at = replace(filled, left=filled.left - 1.0), at\n",
        "        one.budget = replace(filled, left=filled.left - 1.0)\n",
        "catching up: an ill zone is asked ever less often",
    ),
    _mutant(
        "no answer costs nothing",
        _CATCH_UP,
        "            now + one.budget.wait_s(now),\n",
        "            now,\n",
        "catching up: retries come from the zone's budget",
    ),
    _mutant(
        "refusals cost nothing",
        _CATCH_UP,
        "        if one.halving.left < 1.0:\n",
        "        if one.halving.left < -1.0:\n",
        "catching up: retries come from the zone's budget",
    ),
    _mutant(
        "after trouble all go on at full speed",
        _CATCH_UP,
        "            one.opens_at = now + APART_S * 2.0**one.strain * (0.5 + chance)\n",
        "            one.opens_at = now\n",
        "catching up: after trouble changes are apart, and come together again",
    ),
    _mutant(
        "who got no answer waits behind all others",
        "core/enactor.py",
        "            Left(returned(after.agenda, again) if queue else after.agenda, self.quarantine),\n",
        "            Left(returned(after.agenda, ()) if queue else after.agenda, self.quarantine),\n",
        "catching up: what users suffer from goes first",
    ),
    _mutant(
        "an ill zone is tried with all that waits",
        _CATCH_UP,
        "        most = CHANGE if zone.strain else waiting\n",
        "        most = waiting\n",
        "catching up: an ill zone is tried with one change",
    ),
    _mutant(
        "dead addresses wait like all else",
        _DUE,
        "    urgent = tuple(key for key in keys if key in pressing)\n",
        "    urgent: tuple[Key, ...] = ()\n",
        "catching up: what users suffer from goes first",
    ),
    _mutant(
        "turns of rotations are urgent",
        _DUE,
        "        return new.departures != old.departures\n",
        "        pass\n",
        "catching up: what users suffer from goes first",
    ),
    _mutant(
        "who comes back begins with the oldest",
        _DUE,
        "key=lambda key: -entries[key].since",
        "key=lambda key: entries[key].since",
        "catching up: the newest first",
    ),
    _mutant(
        "a registry that was replaced goes on writing",
        _PAGES,
        "            if there is not None and there.instance != self.instance:\n",
        "            if there is None:\n",
        "leases: nothing of a process that was replaced comes after its successor",
    ),
    _mutant(
        "who asks again is told what is not written yet",
        _KEEPING,
        "        return holder in self._unwritten\n",
        "        return holder in ()\n",
        "leases: who was told that it holds is in the plan store",
    ),
    _mutant(
        "what came while a batch was written counts as written with it",
        _KEEPING,
        "if number >= batch.number}\n",
        "if number > batch.number}\n",
        "leases: who was told that it holds is in the plan store",
    ),
    _mutant(
        "who is told to come at once does so for ever",
        "recovery/holding.py",
        "now + retry_after_s - asked < AT_ONCE_S:",
        "now + retry_after_s - asked < -AT_ONCE_S:",
        "retries: never more than the budget",
    ),
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
        "            self._anew = max(self._anew, self.reach.counted + max(0.0, again_s - self.term_s))\n",
        "            self._anew = 0.0\n",
        "leases: who was out of reach has to hear everybody anew",
    ),
    _mutant(
        "twice as many are admitted as can be finished",
        _DOOR,
        "        return max(0, min(rounds * self.workers, self.room_max))\n",
        "        return max(0, min(2 * rounds * self.workers, self.room_max))\n",
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
        "who is inside is tried, too, whatever the pace says",
        _DOOR,
        "self.pace.measured and not self._inside and now >= self._try_at",
        "self.pace.measured and now >= self._try_at",
        "admission: one is tried while nobody is inside",
    ),
    _mutant(
        "a pace once taken for nothing shuts the door",
        _DOOR,
        "        if free < 1 and self._may_try(now, deadline):\n",
        "        if free < 0 and self._may_try(now, deadline):\n",
        "admission: no pace shuts the door for ever",
    ),
    _mutant(
        "nobody looks after those who wait while all who work are stuck",
        "runtime/admitting.py",
        "        if deadline < self._timer_for and self._loop is not None:\n",
        "        if deadline < 0.0 and self._loop is not None:\n",
        "admission: who can't be served in time is told in time",
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
