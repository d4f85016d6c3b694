"""The enactors of one stream, as they tell each other through the plan store: who is there, and how far each has come.

They share an account's requests: so each keeps to a part of them, and what is new is begun by the first in line while
the others wait. Nothing else rests on it. One that can't be read is alone, as far as it knows: then AWS's throttling
tells, and conflicts do.
"""

import random
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from .nameturns import Share
from .sharing import Board, encode

if TYPE_CHECKING:
    from .enacting import Store

ENACTORS: Final = "enactors"
BEAT_S: Final = 10.0
"""How often one tells that it is there. With work at hand each second, if there is anything to tell."""
BUSY_S: Final = 1.0
AWAY_S: Final = 2 * BEAT_S + 2.0
"""Not heard of for so long, one's share of the names is asked for by the others. Being wrong costs questions."""
SILENT_S: Final = 45.0
"""And so long, it is not waited for with what is due."""
FORGOTTEN_S: Final = 600.0
PATIENCE_S: Final = 5.0
"""So long one in front may show no progress before the next in line begins."""
MEMBERS_MAX: Final = 64
FIRST_PART: Final = 0.5
"""Of the account's requests, for the first in line if there are others: it does what is due."""
Word: TypeAlias = Literal["begin", "wait", "done"]


class Member(msgspec.Struct, frozen=True):
    """What one enactor says. `beat` rises while it lives; `settled` is the generation that it has nothing left of, of
    the plan `plan`; `progress` rises with each change; `troubled`: it could not do what was due. `rounds` counts for
    each zone the patrol's rounds that it began."""

    instance: str
    beat: int = 0
    settled: int = 0
    plan: str = ""
    progress: int = 0
    troubled: bool = False
    rounds: dict[str, int] = {}


class Shared(msgspec.Struct, frozen=True):
    """All of them by name."""

    enactors: dict[str, Member]


class Heard(msgspec.Struct, frozen=True):
    """Another's last word, when it was new to us, and when it last showed progress."""

    member: Member
    at: float
    moved_at: float


class Company:
    """Ours and the others. `now` is monotonic seconds; others' clocks play no part. For one thread."""

    def __init__(self, store: "Store", who: str, instance: str) -> None:
        self._board = Board(store, ENACTORS)
        self._who = who
        self.own = Member(instance)
        self._heard: dict[str, Heard] = {}
        self._said: Member | None = None
        self._said_at = self._again_at = -FORGOTTEN_S
        self._waits: tuple[int, str, float] = (0, "", 0.0)
        self._patrolled: dict[str, float] = {}

    def turn(self, now: float, own: Member, *, busy: bool) -> None:
        """Look, and tell what is new or due to be told."""
        self.own = replace(own, beat=self.own.beat)
        if now < self._again_at or not self._board.read():
            return
        self._hear(now)
        lost = _read(self._board.body).get(self._who) != self._said
        if lost or (self.unsaid and (busy or now - self._said_at >= BUSY_S)) or now - self._said_at >= BEAT_S:
            self._tell(now)

    @property
    def unsaid(self) -> bool:
        """Whether there is something that the others have not been told; somebody may have spoken at the same time."""
        return self._said is None or replace(self._said, beat=0) != replace(self.own, beat=0)

    def leave(self) -> None:
        """Good-bye: the others need not wait for us."""
        if self._board.read():
            rest = {who: one for who, one in _read(self._board.body).items() if who != self._who}
            self._board.put(encode(Shared(rest)))

    def line(self, now: float) -> list[str]:
        """Who is there, the first in line in front: who is in no trouble, then by name."""
        known = {who: one.member.troubled for who, one in self._heard.items() if now - one.at <= SILENT_S}
        known[self._who] = self.own.troubled
        return sorted(known, key=lambda who: (known[who], who))

    def share(self, now: float) -> Share:
        """Who asks for names."""
        some = (who for who, one in self._heard.items() if now - one.at <= AWAY_S)
        return Share(self._who, tuple(sorted({self._who, *some})))

    def part(self, now: float) -> float:
        """Our part of the account's requests. The parts of all who see the same add up to 1."""
        line = self.line(now)
        if len(line) == 1:
            return 1.0
        return FIRST_PART if line[0] == self._who else (1 - FIRST_PART) / (len(line) - 1)

    def place(self, now: float) -> float:
        """Where in a zone our rounds begin, 0 to 1: spread evenly over those who are there."""
        return self.turn_of(now) / len(self.line(now))

    def turn_of(self, now: float) -> int:
        """Where in the order of names we stand among those who are there."""
        return sorted(self.line(now)).index(self._who)

    def patrolled_at(self, zone: str) -> float:
        """When another was last heard to begin a round in that zone."""
        return self._patrolled.get(zone, -float("inf"))

    def word(self, now: float, generation: int, plan: str) -> Word:
        """About what is due of this plan: begin it, wait for one in front, or another has done it."""
        line = self.line(now)
        others = [self._heard[who].member for who in line if who != self._who]
        if any((one.settled, one.plan) == (generation, plan) or one.settled > generation for one in others):
            return "done"
        if self._waits[:2] != (generation, plan):
            self._waits = (generation, plan, now)
        ahead = line[: line.index(self._who)]
        moved = max((self._heard[who].moved_at for who in ahead), default=now)
        since = max(self._waits[2], moved)
        return "begin" if not ahead or now - since >= PATIENCE_S * len(ahead) else "wait"

    def _hear(self, now: float) -> None:
        for who, member in _read(self._board.body).items():
            if who == self._who:
                continue
            was = self._heard.get(who)
            if was is None:
                # Somebody's last word may be days old: alive from its next one on, unless nothing was heard yet.
                self._heard[who] = Heard(member, now, -FORGOTTEN_S)
            elif was.member != member:
                moved = was.member.progress != member.progress or was.member.instance != member.instance
                self._heard[who] = Heard(member, now, now if moved else was.moved_at)
                began = {zone for zone, count in member.rounds.items() if count != was.member.rounds.get(zone)}
                self._patrolled |= dict.fromkeys(began, now)
        for who in self._heard.keys() - _read(self._board.body).keys():
            del self._heard[who]  # it said good-bye

    def _tell(self, now: float) -> None:
        """Beside what the others say; who was not heard for long is left out. Two at once: one of them again soon."""
        others = {
            who: one.member for who, one in self._heard.items() if now - one.at <= FORGOTTEN_S and who != self._who
        }
        newest = dict(sorted(others.items(), key=lambda item: -self._heard[item[0]].at)[: MEMBERS_MAX - 1])
        said = replace(self.own, beat=self.own.beat + 1)
        if self._board.put(encode(Shared({**newest, self._who: said}))) == "put":
            self.own = self._said = said
            self._said_at = now
        else:
            self._hear(now)
            self._again_at = now + BUSY_S * random.uniform(0.1, 0.6)


def _read(body: bytes) -> dict[str, Member]:
    """What is there; nothing if it can't be understood, or if more are there than there may be."""
    try:
        found = msgspec.json.decode(body, type=Shared).enactors
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if len(found) <= MEMBERS_MAX else {}
