"""The same cores on a schedule: whose turn it is is said from outside, all else is theirs and the provider's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from . import plans, telling
from .enactor import Enactor, Latest, Look, ReadLatest, Reply, Seen
from .remedies import Built
from .route53 import Applied, HostedZone, RecordSet, apply

TURNS_MAX: Final = 1_000
"""Requests in one stretch of a schedule; a pass of three endpoints has about thirty."""


class ScheduleError(AssertionError):
    """The schedule did not go as it is told: the cores have changed, and what is told of them must be told anew."""


class Turn(Struct, frozen=True):
    """What came of one request: a clause for people, and which precondition failed if one did."""

    text: str
    refused: str
    before: Enactor
    after: Enactor


class Region:
    """The pointer to the latest plan, a zone for each endpoint, and enactors by name."""

    def __init__(
        self, how: Built, actors: Iterable[str], *, latest: int = 0, zones: Sequence[HostedZone] | None = None
    ) -> None:
        self.how = how
        self.latest = latest
        self.zones = list(zones) if zones is not None else [HostedZone(apex) for apex in how.endpoints]
        self.enactors = {actor: Enactor(how) for actor in actors}
        self._stamps = 0

    def turn(self, actor: str, *, expired: bool = False) -> Turn:
        """One request of this enactor and its reply. `expired`: a lock that it finds held is found expired."""
        enactor = self.enactors[actor]
        self._stamps += 1
        stamp = f"{actor.replace(' ', '-').lower()} {self._stamps:04d}"
        request = enactor.request(stamp)
        reply: Reply
        if isinstance(request, ReadLatest):
            reply = Latest(self.latest)
        elif isinstance(request, Look):
            reply = Seen(self.zones[request.endpoint], expired)
        else:
            reply = apply(self.zones[request.endpoint], request.batch)
            if isinstance(reply, Applied):
                self.zones[request.endpoint] = reply.zone
        after = self.enactors[actor] = enactor.heard(reply, stamp)
        return Turn(telling.step(enactor, request, after, reply), telling.refusal(enactor, reply), enactor, after)

    def until(self, actor: str, reached: Callable[[Enactor], bool], what: str) -> list[Turn]:
        """Turns of one enactor until something is true of it. Raises ScheduleError if that never comes."""
        turns: list[Turn] = []
        while not reached(self.enactors[actor]):
            if len(turns) == TURNS_MAX:
                raise ScheduleError(f"{actor} never {what}")
            turns.append(self.turn(actor, expired=True))
        return turns

    def complete(self, actor: str) -> list[Turn]:
        """A pass: the latest plan, all endpoints, clean-up. Raises ScheduleError if it has no end."""
        first = self.turn(actor)
        return [first, *self.until(actor, lambda one: one.phase == "idle", "completes a pass")]

    def served(self) -> Mapping[str, tuple[int, tuple[int, ...]]]:
        """For each endpoint the tree its root refers to, and the trees there are."""
        return {zone.apex: (plans.root(zone), plans.trees(zone)) for zone in self.zones}


def behind(how: Built, plan: int, zones: Sequence[HostedZone]) -> str:
    """The first endpoint whose root does not lead to its tree of this plan; empty if all do."""
    for endpoint, zone in enumerate(zones):
        tree = how.tree(endpoint, plan)
        if plans.root(zone) != tree or tree not in plans.trees(zone):
            return zone.apex
    return ""


def is_stuck(how: Built, latest: int, zones: Sequence[HostedZone]) -> str:
    """What a fresh enactor, alone, with this plan and every lock expired, never brings to it; empty if it does.

    It is alone and deterministic, so nothing new comes once it asks in a world in which it has already asked the same.
    """
    region = Region(how, ("fresh",), latest=latest, zones=zones)
    seen = set()
    while late := behind(how, latest, region.zones):
        now = (_unstamped(region.enactors["fresh"]), *(_unlocked(zone) for zone in region.zones))
        if now in seen:
            return f"plan {latest} cannot be brought to {late}"
        seen.add(now)
        region.turn("fresh", expired=True)
    return ""


def _unstamped(enactor: Enactor) -> tuple[object, ...]:
    return (enactor.phase, enactor.endpoint, enactor.plan, bool(enactor.lock), enactor.also, enactor.doomed)


def _unlocked(zone: HostedZone) -> tuple[str | RecordSet, ...]:
    """What a zone holds, and whether it is locked, by whomever."""
    name = plans.lock_name(zone.apex)
    return tuple(record if record.name != name else name for record in zone.records)
