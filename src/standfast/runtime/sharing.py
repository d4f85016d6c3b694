"""What planners tell each other through the plan store: fleet, health and configuration, so that they don't alternate.

Each is a *source* with a rising revision, and a plan is published only if the store has no newer one than it names.
fleet:   source by source the last change that any planner saw. At its start a planner puts what it has, if different.
sources, accepted: how sources stand, and which loss an operator accepted: for people, and not asserted by plans.
policy:  the digest of the configuration of the planner started last. One with another digest stops planning.
health:  one planner speaks; the others plan by what it says. Who speaks repeats itself; if it is silent for three
         beats, or said good-bye, the next that looks takes over. Two that speak at once are found out by the revision,
         and by reading back: a race costs a pass, safety never rests on it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

import msgspec

from standfast.adapters.sources.vetting import believable
from standfast.config import LoadBalancerConfig
from standfast.model.fleet import Verdict, VerdictState
from standfast.ports.provider import Unknown
from standfast.ports.store import PutSource, ReadSource, SourceRead

from .probing import Outlook

if TYPE_CHECKING:
    from .enacting import Store

SILENT_BEATS: Final = 3
FLEET: Final = "fleet"
HEALTH: Final = "health"
POLICY: Final = "policy"
STANDINGS: Final = "sources"
ACCEPTED: Final = "accepted"
Put: TypeAlias = Literal["put", "overtaken", "unknown"]
_Shared = TypeVar("_Shared")


class Judged(msgspec.Struct, frozen=True):
    """A verdict as shared. `since` is when the state was first said, in seconds since the epoch.

    `outside` is as in `Verdict`, `flaps` how often it fell lately, `returns` when it will be up if it goes on passing
    (seconds since the epoch, for people alone; None if that can't be told).
    """

    state: VerdictState
    reason: str
    since: float
    outside: int = 0
    flaps: int = 0
    returns: float | None = None


class SharedHealth(msgspec.Struct, frozen=True):
    """What the speaking planner says. `instance` tells two processes of one name apart; empty: it said good-bye."""

    who: str
    instance: str
    verdicts: dict[str, Judged]


class SharedPart(msgspec.Struct, frozen=True):
    """What is believed of one source: `revision` as the source names it, `at` when that was first seen (seconds since
    the epoch, for people)."""

    name: str
    revision: str
    at: float
    load_balancers: tuple[LoadBalancerConfig, ...]


class SharedFleet(msgspec.Struct, frozen=True):
    """The fleet as the planner `who` saw it, and the part of it that each source named."""

    who: str
    load_balancers: tuple[LoadBalancerConfig, ...]
    sources: tuple[SharedPart, ...] = ()


class SharedStanding(msgspec.Struct, frozen=True):
    """How a source stood when that last changed. `lost` are the load balancers that a held reading lacks."""

    kind: str
    state: str
    why: str
    since: float
    count: int
    lost: tuple[str, ...] = ()


class SharedStandings(msgspec.Struct, frozen=True):
    """How the sources stand, as the planner `who` sees them. Nothing is planned by it."""

    who: str
    sources: dict[str, SharedStanding]


class Accepted(msgspec.Struct, frozen=True):
    """The loss of these load balancers from a source is meant: `by` says so."""

    load_balancers: tuple[str, ...]
    reason: str
    by: str


class SharedAccepted(msgspec.Struct, frozen=True):
    """By source, what was accepted and has not come to pass yet."""

    sources: dict[str, Accepted]


class SharedPolicy(msgspec.Struct, frozen=True):
    """The configuration that is in force, by its digest."""

    who: str
    digest: str


class Board:
    """One source: what the store held when it was last asked, and putting something newer there."""

    def __init__(self, store: "Store", source: str) -> None:
        self._store, self.source = store, source
        self.revision, self.body = 0, b""

    def read(self) -> bool:
        """Look. False if the store could not be read."""
        reply = self._store.perform(ReadSource(self.source))
        if not isinstance(reply, SourceRead):
            return False
        self.revision, self.body = reply.revision, reply.body
        return True

    def put(self, body: bytes) -> Put:
        """Put it above what was last read. Two may put the same revision: reading back says whose is there."""
        reply = self._store.perform(PutSource(self.source, self.revision + 1, body))
        if isinstance(reply, Unknown) or not self.read():
            return "unknown"
        return "put" if self.body == body else "overtaken"


def fleet_on(board: Board) -> tuple[LoadBalancerConfig, ...] | None:
    """The fleet there; None if there is none, or none that can be understood."""
    shared = read_fleet(board.body)
    return shared.load_balancers if shared is not None else None


def policy_on(board: Board) -> SharedPolicy | None:
    """The configuration in force."""
    return _decoded(board.body, SharedPolicy)


def read_policy(body: bytes) -> SharedPolicy | None:
    """The configuration in force; None if none is that can be understood."""
    return _decoded(body, SharedPolicy)


def read_health(body: bytes) -> SharedHealth | None:
    """What was last said of health; None if nothing was that can be understood."""
    return _decoded(body, SharedHealth)


def read_fleet(body: bytes) -> SharedFleet | None:
    """The fleet last put; None if none was that can be understood. It is held to the rules for sources: what was
    written over in the store must not be planned by."""
    shared = _decoded(body, SharedFleet)
    if shared is None or not believable(shared.load_balancers):
        return None
    return shared if all(believable(part.load_balancers) for part in shared.sources) else None


def standings_on(board: Board) -> dict[str, SharedStanding]:
    """How the sources stand; empty if nobody said."""
    shared = _decoded(board.body, SharedStandings)
    return shared.sources if shared is not None else {}


def accepted_on(board: Board) -> dict[str, Accepted]:
    """What was accepted, by source."""
    shared = _decoded(board.body, SharedAccepted)
    return shared.sources if shared is not None else {}


def encode(shared: msgspec.Struct) -> bytes:
    """As JSON, which people can read too."""
    return msgspec.json.encode(shared)


class HealthBoard:
    """Who speaks for health, and what is said. `now` is monotonic seconds, `wall` seconds since the epoch."""

    def __init__(self, store: "Store", who: str, instance: str, beat_s: float) -> None:
        self.board = Board(store, HEALTH)
        self._who, self._instance, self._beat_s = who, instance, beat_s
        self.said: SharedHealth | None = None
        self._rose_at: float | None = None
        self._spoke_at: float | None = None

    def look(self, now: float) -> bool:
        """What is said now? False if the store could not be read."""
        revision = self.board.revision
        if not self.board.read():
            return False
        self._heard(now, self.board.revision != revision)
        return True

    def _heard(self, now: float, risen: bool) -> None:
        if risen or self._rose_at is None:
            self._rose_at = now
        self.said = read_health(self.board.body)

    @property
    def speaking(self) -> bool:
        """Whether the last word was ours."""
        return self.said is not None and self.said.instance == self._instance

    def may_speak(self, now: float) -> bool:
        """Whether nobody else does. A process of our own name that we never heard stop was ours, before a restart."""
        said = self.said
        if said is None or not said.instance or said.instance == self._instance:
            return True
        if said.who == self._who and self._spoke_at is None:
            return True
        return self._rose_at is not None and now - self._rose_at > SILENT_BEATS * self._beat_s

    def settle(
        self, own: Mapping[str, Verdict], now: float, wall: float, outlooks: Mapping[str, Outlook] | None = None
    ) -> Put:
        """Say what we think, if it is for us to speak and it is new or time to repeat it."""
        if not self.may_speak(now):
            return "overtaken"
        before = self.said.verdicts if self.said is not None else {}
        verdicts = judged(own, outlooks or {}, before, now, wall)
        repeat = self._spoke_at is None or now - self._spoke_at >= self._beat_s
        if self.speaking and self.said is not None and self.said.verdicts == verdicts and not repeat:
            return "put"
        outcome = self.board.put(encode(SharedHealth(self._who, self._instance, verdicts)))
        if outcome != "unknown":
            self._heard(now, True)
        if outcome == "put":
            self._spoke_at = now
        return outcome

    def verdicts(self) -> dict[str, Verdict]:
        """As said last, by whomever."""
        said = self.said.verdicts if self.said is not None else {}
        return {name: verdict_of(one) for name, one in said.items()}

    def up_since(self) -> dict[str, float]:
        """Since when those are up that are, as said last."""
        said = self.said.verdicts if self.said is not None else {}
        return {name: one.since for name, one in said.items() if one.state == "up"}

    def flaps(self) -> dict[str, int]:
        """How often each fell lately, as said last."""
        said = self.said.verdicts if self.said is not None else {}
        return {name: one.flaps for name, one in said.items()}

    def leave(self) -> None:
        """Good-bye, so that another may speak at once."""
        if self.speaking and self.said is not None:
            self.board.put(encode(SharedHealth(self._who, "", self.said.verdicts)))


def verdict_of(shared: Judged) -> Verdict:
    """What was shared, as planners take it."""
    return Verdict(shared.state, shared.reason, shared.outside)


def judged(
    own: Mapping[str, Verdict],
    outlooks: Mapping[str, Outlook],
    before: Mapping[str, Judged],
    now: float,
    wall: float,
) -> dict[str, Judged]:
    """Verdicts to be shared. What differs from `before` by the clock's trembling alone stays as it was said then."""
    found = {}
    for name, verdict in sorted(own.items()):
        was, outlook = before.get(name), outlooks.get(name, Outlook())
        since = was.since if was is not None and was.state == verdict.state else round(wall, 3)
        returns = None if outlook.returns_at is None else float(round(outlook.returns_at - now + wall))
        if was is not None and was.returns is not None and returns is not None and abs(was.returns - returns) <= 1:
            returns = was.returns
        found[name] = Judged(verdict.state, verdict.reason, since, verdict.outside, outlook.flaps, returns)
    return found


def _decoded(body: bytes, kind: type[_Shared]) -> _Shared | None:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
