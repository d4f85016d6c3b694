"""Which names an enactor asks of a zone's name servers, and when: all enactors together ask each once a round.

A name belongs to one of those who are there, by a digest of both (rendezvous hashing), so that when one goes only its
names change hands, and nobody needs to agree on anything. Whoever takes a name over does not know when it was last
asked, so it is asked at once. Two who each believe a name to be theirs, or both that it is not, ask it twice, or once
later: nothing rests on it but how soon an emptied name is found. `now` is monotonic seconds of this machine.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

ALONE_PART: Final = 0.75
"""A round takes this part of the time in which an emptied name is to be found; the rest is for repair."""
SHARED_PART: Final = 0.5
"""Where several share the names: the rest is also for noticing that one of them is gone (company.AWAY_S)."""
RATE_MAX: Final = 1000.0
"""Questions a second that one enactor asks at most: 25,000 names in both families take 50 s."""
RETRY_S: Final = 5.0
"""Whoever was not answered for is asked again so much later, elsewhere."""


class Share(Struct, frozen=True):
    """Who asks, and who else does; `everybody` names both."""

    own: str = ""
    everybody: tuple[str, ...] = ("",)

    def has(self, name: str) -> bool:
        """Whether that name is ours to ask."""
        return len(self.everybody) < 2 or max(self.everybody, key=lambda who: _weight(who, name)) == self.own


ALONE: Final = Share()


def _weight(who: str, name: str) -> tuple[bytes, str]:
    return hashlib.blake2b(f"{who}\0{name}".encode(), digest_size=8).digest(), who


def round_s(within_s: float, questions: int, enactors: int = 1) -> float:
    """Seconds in which so many questions are asked once, by all enactors together."""
    part = ALONE_PART if enactors < 2 else SHARED_PART
    return max(part * within_s, questions / (RATE_MAX * enactors))


class Turns:
    """The names that are ours, by when each is due. `questions` is for each name of the zone how many it takes."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._share = Share()
        self._questions: Mapping[str, int] = {}
        self._known: set[str] | None = None
        self._due: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []
        self._period = within_s

    def take(self, questions: Mapping[str, int], share: Share, now: float) -> None:
        """The zone's names, and who is there, if either is another than before."""
        if questions is self._questions and share == self._share:
            return
        before, self._questions, self._share = self._known, questions, share
        self._period = round_s(self._within_s, sum(questions.values()), len(share.everybody))
        mine = [name for name in questions if share.has(name)]
        due: dict[str, float] = {}
        for place, name in enumerate(mine):
            spread = now + self._period * (place + 1) / len(mine)
            if before is None or name not in before:
                due[name] = spread  # at the start, and who is new in the plan
            else:
                due[name] = min(self._due.get(name, now), spread + self._period)
        self._known, self._due = set(questions), due
        self._queue = [(at, name) for name, at in due.items()]
        heapq.heapify(self._queue)

    def due(self, now: float, most: int) -> list[str]:
        """The names whose turn it is, the longest overdue first: `most` questions at most, and one name at least."""
        found: list[str] = []
        used = 0
        while self._queue and self._queue[0][0] <= now:
            at, name = self._queue[0]
            if self._due.get(name) != at:
                heapq.heappop(self._queue)  # put off, or not ours any more
                continue
            used += self._questions[name]
            if found and used > most:
                break
            heapq.heappop(self._queue)
            found.append(name)
        return found

    def asked(self, names: Iterable[str], now: float, *, answered: bool) -> None:
        """These were asked. Without an answer nothing is known of them, and they are asked again soon."""
        pause = self._period if answered else min(RETRY_S, self._period)
        for name in names:
            self._due[name] = now + pause
            heapq.heappush(self._queue, (now + pause, name))

    def next_at(self, now: float) -> float:
        """When the next one is due."""
        return self._queue[0][0] if self._queue else now + 1.0
