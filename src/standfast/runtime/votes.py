"""Votes of several vantage points in the plan store: each puts its own, planners conclude from all of them.

Every vantage point has a source of its own, `votes.<name>`, which its prober puts when something changes and repeats
each beat. A planner looks at all that its configuration declares and concludes by the rules of `recovery/quorum.py`:
the majority of all declared decides, and one that is absent, silent or late is unknown. A vote counts for the addresses
it was cast about: a prober that has not heard yet that a load balancer moved does not speak of the new place.
"""

import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from standfast.config import VantageConfig
from standfast.model.fleet import Verdict, VerdictState
from standfast.ports.store import ReadSource, SourceRead
from standfast.recovery.quorum import Standing, Vantage, Vote, Voter, concluded, heard, majority, returns_at, standing

from .enacting import Store
from .probing import FailedCheck, Outlook, Target, Trouble
from .sharing import SILENT_BEATS, Board, Judged, Put, judged

OCTETS_MAX: Final = 8 << 20
"""A larger body is not read: no fleet has so many load balancers."""
_STANDINGS: Final[Mapping[Standing, str]] = {
    "absent": "it has never voted",
    "silent": "it is silent",
    "late": "it spoke again a moment ago",
    "heard": "",
}


class SharedVotes(Struct, frozen=True):
    """What one vantage point says. `instance` tells two processes of one name apart.

    `votes` by load balancer, `targets` which addresses each is about (`target_key`). `condition` says what keeps its
    checks from saying anything, empty if nothing does. `at` is its wall clock, for people.
    """

    vantage: str
    az: str
    instance: str
    at: float
    policy: str
    votes: dict[str, Judged]
    targets: dict[str, str]
    condition: str = ""


def source_of(vantage: str) -> str:
    """Where that vantage point's votes stand in the store."""
    return f"votes.{vantage}"


def read_votes(body: bytes) -> SharedVotes | None:
    """What was last put; None if nothing was that can be understood."""
    if not body or len(body) > OCTETS_MAX:
        return None
    try:
        return msgspec.json.decode(body, type=SharedVotes)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def target_key(target: Target) -> str:
    """A short name for what is checked of a load balancer."""
    text = f"{target.port} {' '.join(target.addresses)}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


class VantageSight(Struct, frozen=True):
    """One vantage point as its votes stand in the store: for people.

    `age_s` is since it last spoke, by its clock and ours; None if it never did. `votes` by load balancer.
    """

    name: str
    az: str
    age_s: float | None = None
    silent: bool = True
    condition: str = ""
    votes: tuple[tuple[str, Judged], ...] = ()

    def vote(self, load_balancer: str) -> Vote:
        """What counts of it: nothing while it is silent."""
        found = None if self.silent else dict(self.votes).get(load_balancer)
        vantage = Vantage(self.name, self.az)
        return Vote(vantage, found.state, found.reason) if found else Vote(vantage, "unknown", "silent")


def look_at_votes(
    store: Store, vantages: Sequence[VantageConfig], beat_s: float, at: float
) -> tuple[VantageSight, ...]:
    """All that are declared, as the store has them now (`at`: wall seconds)."""
    found = []
    for one in vantages:
        reply = store.perform(ReadSource(source_of(one.name)))
        said = read_votes(reply.body) if isinstance(reply, SourceRead) else None
        if said is None:
            found.append(VantageSight(one.name, one.az))
            continue
        age = max(0.0, at - said.at)
        silent = age > SILENT_BEATS * beat_s
        found.append(VantageSight(one.name, one.az, age, silent, said.condition, tuple(sorted(said.votes.items()))))
    return tuple(found)


class VoteBoard:
    """A prober's own votes. `now` is monotonic seconds, `wall` seconds since the epoch."""

    def __init__(self, store: Store, vantage: VantageConfig, instance: str, policy: str, beat_s: float) -> None:
        self.board = Board(store, source_of(vantage.name))
        self._vantage, self._instance, self._policy, self._beat_s = vantage, instance, policy, beat_s
        self.said: SharedVotes | None = None
        self._spoke_at: float | None = None

    def look(self) -> bool:
        """What stands there? False if the store could not be read."""
        if not self.board.read():
            return False
        self.said = read_votes(self.board.body)
        return True

    @property
    def rival(self) -> bool:
        """Whether the last word in our name was another process's, after we had spoken."""
        return self._spoke_at is not None and self.said is not None and self.said.instance != self._instance

    def said_of(self, targets: Sequence[Target]) -> tuple[dict[str, VerdictState], dict[str, int]]:
        """States and falls, as this vantage point last said them of the same addresses."""
        said = self.said
        if said is None:
            return {}, {}
        same = [one.id for one in targets if said.targets.get(one.id) == target_key(one) and one.id in said.votes]
        return {name: said.votes[name].state for name in same}, {name: said.votes[name].flaps for name in same}

    def settle(
        self,
        own: Mapping[str, Verdict],
        outlooks: Mapping[str, Outlook],
        targets: Mapping[str, str],
        condition: str,
        now: float,
        wall: float,
    ) -> Put:
        """Put our votes, if they are new or it is time to repeat them."""
        said = self.said
        ours = said is not None and said.instance == self._instance
        before = said.votes if said is not None else {}
        votes = judged(own, outlooks, before, now, wall)
        same = ours and said is not None and (said.votes, said.targets, said.condition) == (votes, targets, condition)
        if same and self._spoke_at is not None and now - self._spoke_at < self._beat_s:
            return "put"
        vantage = self._vantage
        mine = SharedVotes(
            vantage.name, vantage.az, self._instance, round(wall, 3), self._policy, votes, dict(targets), condition
        )
        outcome = self.board.put(msgspec.json.encode(mine))
        if outcome != "unknown":
            self.said = read_votes(self.board.body)
            self._spoke_at = now
        return outcome


class Panel:
    """What a planner concludes from all vantage points: it stands where a prober of its own would (`checks.py`)."""

    def __init__(self, store: Store, vantages: Sequence[VantageConfig], beat_s: float, policy: str = "") -> None:
        self._policy = policy
        self._vantages = [Vantage(one.name, one.az) for one in vantages]
        self._boards = {one.name: Board(store, source_of(one.name)) for one in vantages}
        self._said: dict[str, SharedVotes | None] = {}
        self._voters: dict[str, Voter] = {one.name: Voter() for one in vantages}
        self._silence_s = SILENT_BEATS * beat_s
        self._targets: dict[str, Target] = {}
        self._keys: dict[str, str] = {}
        self._before: dict[str, Verdict] = {}

    def start(self) -> None:
        """Probers are processes of their own."""

    def close(self) -> None:
        """Nothing runs here."""

    def look(self, now: float) -> bool:
        """What do they say? False if a source could not be read."""
        read = True
        for name, board in self._boards.items():
            revision = board.revision
            if not board.read():
                read = False
                continue
            if board.revision != revision or name not in self._said:
                self._said[name] = read_votes(board.body)
            said = self._said[name]
            instance = said.instance if said is not None else ""
            self._voters[name] = heard(self._voters[name], board.revision, instance, now, self._silence_s)
        return read

    def watch(
        self,
        targets: Sequence[Target],
        *,
        seeds: Mapping[str, Verdict] | None = None,
        known: Collection[str] = (),
        first: bool = False,
        flaps: Mapping[str, int] | None = None,
    ) -> None:
        """Conclude about exactly these. Who is new is judged by the probers; `seeds` say what was concluded last."""
        changed = {one.id for one in targets if self._targets.get(one.id, one) != one}
        self._targets = {one.id: one for one in targets}
        self._keys = {one.id: target_key(one) for one in targets}
        before = {**(seeds or {}), **self._before}
        self._before = {name: before[name] for name in self._targets if name in before and name not in changed}

    def standings(self, now: float) -> dict[str, Standing]:
        """Who is heard."""
        return {name: standing(voter, now, self._silence_s) for name, voter in self._voters.items()}

    def verdicts(self) -> dict[str, Verdict]:
        """What is concluded of each."""
        standings = self.standings(time.monotonic())
        found = {}
        for name, target in self._targets.items():
            votes = [self._vote(one, name, standings[one.name]) for one in self._vantages]
            found[name] = concluded(votes, target.az, self._before.get(name))
        self._before = found
        return dict(found)

    def outlooks(self) -> dict[str, Outlook]:
        """By what each vantage point says; its moments are taken from when it was heard, for its clock is another."""
        found = {}
        for name in self._targets:
            told = [self._told(one.name, name) for one in self._vantages]
            moments = [moment for _, moment in told]
            flaps = sorted((count for count, _ in told), reverse=True)[majority(len(told)) - 1]
            outlook = Outlook(flaps, returns_at(moments, len(told)))
            if outlook != Outlook():
                found[name] = outlook
        return found

    def _told(self, vantage: str, name: str) -> tuple[int, float | None]:
        said, voter = self._said.get(vantage), self._voters[vantage]
        vote = said.votes.get(name) if said is not None else None
        if said is None or vote is None:
            return 0, None
        if vote.returns is None or voter.rose_at is None:
            return vote.flaps, None
        return vote.flaps, voter.rose_at + vote.returns - said.at

    @property
    def all_heard(self) -> bool:
        """Whether a majority has come to a conclusion about every target."""
        return all(one.state != "unknown" for one in self.verdicts().values())

    @property
    def condition(self) -> str:
        """Whether too few are heard; what is wrong with each is in `facts`."""
        heard_now = sum(how == "heard" for how in self.standings(time.monotonic()).values())
        needed = majority(len(self._vantages))
        if heard_now >= needed:
            return ""
        verb = "is" if heard_now == 1 else "are"
        heard_of = f"{heard_now} of {len(self._vantages)} vantage points {verb} heard"
        return f"{heard_of}, and {needed} must be: nobody comes or goes by health"

    @property
    def overload(self) -> str:
        """Each prober tells its own."""
        return ""

    def facts(self) -> dict[str, str]:
        """What is wrong with each vantage point; empty for those with which nothing is."""
        found = {}
        for name, how in sorted(self.standings(time.monotonic()).items()):
            said = self._said.get(name)
            if how != "heard" or said is None:
                found[name] = _STANDINGS[how] or "what it says can't be understood"
            elif self._policy and said.policy != self._policy:
                found[name] = f"it checks by another configuration ({said.policy[:8]})"
            else:
                found[name] = said.condition
        return found

    def news(self) -> list[FailedCheck | Trouble]:
        """Each prober tells its own."""
        return []

    def pulses(self) -> dict[str, list[Any]]:
        """Each prober tells its own."""
        return {}

    def _vote(self, one: Vantage, name: str, how: Standing) -> Vote:
        said = self._said.get(one.name)
        if how != "heard" or said is None:
            return Vote(one, "unknown", _STANDINGS[how] or "what it says can't be understood")
        vote = said.votes.get(name)
        if vote is None or said.targets.get(name) != self._keys[name]:
            return Vote(one, "unknown", "it does not look at these addresses yet")
        return Vote(one, vote.state, vote.reason)
