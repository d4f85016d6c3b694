"""A checker's door: no more checks are begun than can be finished before they are due again. Pure; `now` is seconds.

Rule 1.  Whose turn it is says the rota of each AZ: whoever waits longest (`rota.py`), of all AZs that may have more.
Rule 2.  Inside are only those that are being made, each of which is over within its time-out. All others are refused at
         the door (`Intake`). A check that was not made is no evidence: after three (stretched) intervals without one, a
         load balancer is *unknown*, and never failed.
Rule 3.  Who was refused keeps its place in the rota, and is let in before all who were checked since. It has no
         appointment, for it is not far away and can be called. So when the network is back no backlog of old checks
         is worked off first: the next one made is of now, and within one round each was checked.
Rule 4.  AZs share what can be made at once (`Fair`): one in which every check takes its whole time-out holds four
         fifths of it at most, and the others are checked as ever.

Newest first, as at other doors, it is not: nobody gives up waiting, and who waits longest has the oldest verdict.
"""

from math import inf

from .admission import Fair, Intake, Pace
from .rota import Rota


class Checking:
    """A rota for each AZ, behind one door. `interval_s` is the wanted time from check to check, `longest_s` what one
    takes at most; `workers` are made at once."""

    def __init__(self, interval_s: float, longest_s: float, workers: int) -> None:
        self._within_s = max(interval_s, longest_s)
        self._longest_s = longest_s
        self._interval_s = interval_s
        self._rotas: dict[str, Rota] = {}
        self._intake: Intake[int] = Intake(Pace(1.0, measured=False), target_s=inf, fair=Fair())
        self._azs: dict[str, str] = {}
        self._inside: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._count = 0
        self.made_at_once(workers)

    def made_at_once(self, workers: int) -> None:
        """So many from now on."""
        self._intake.workers = self._intake.room_max = workers
        self._intake.pace.rate = workers / self._longest_s

    def add(self, name: str, az: str, now: float) -> None:
        """Due at once; a check of an earlier target of that name does not count for it."""
        self.remove(name)
        self._azs[name] = az
        self._rotas.setdefault(az, Rota(self._interval_s)).add(name, now)

    def remove(self, name: str) -> None:
        """It shall not be checked any more. A check under way is over when `finished` says so."""
        self._numbers.pop(name, None)
        if (az := self._azs.pop(name, None)) is not None:
            self._rotas[az].remove(name)

    def begin(self, now: float) -> list[tuple[int, str]]:
        """Whom to check now, each under a number of its own."""
        found: list[tuple[int, str]] = []
        due = {az: at for az, rota in self._rotas.items() if (at := rota.next_at()) is not None and at <= now}
        while due:
            az = min(due, key=lambda one: due[one])
            self._count += 1
            name = self._rotas[az].next(now)
            if name is None or not self._intake.offer(self._count, now, now + self._within_s, az).admitted:
                del due[az]
                continue
            self._rotas[az].started(name)
            self._inside[self._count], self._numbers[name] = name, self._count
            following = self._rotas[az].next_at()
            due[az] = inf if following is None else following
        while (work := self._intake.begin(now)[0]) is not None:
            found.append((work.key, self._inside[work.key]))
        return found

    def finished(self, number: int, began: float, pause_s: float, now: float) -> None:
        """This check is over, or was given up; the next is due `pause_s` after it began."""
        name = self._inside.pop(number)
        self._intake.done(number, now)
        if self._numbers.get(name) == number:
            del self._numbers[name]
            self._rotas[self._azs[name]].finished(name, began, pause_s, now)

    def next_at(self) -> float | None:
        """When somebody is due; None if nobody waits."""
        return min((at for rota in self._rotas.values() if (at := rota.next_at()) is not None), default=None)

    def behind(self, now: float) -> float:
        """By how many seconds the checker is late, 0 while it keeps up."""
        return max((rota.behind(now) for rota in self._rotas.values()), default=0.0)

    def pace_s(self, now: float) -> float:
        """How far apart the checks of one load balancer really are, as far as that may be stretched."""
        return max((rota.pace_s(now) for rota in self._rotas.values()), default=self._interval_s)
