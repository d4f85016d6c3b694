"""What the plan store holds of Route 53's health checks: which are shared, which are doomed, what they say.

`route53.checks` and `route53.doomed` determine bytes of plans, so a plan names the revisions it was drawn by, and is
not published if the store has newer ones. `route53.verdicts` are for people.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from standfast.config import Config
from standfast.model.check import BalancerCheck
from standfast.model.override import Override
from standfast.ports.store import ReadSource, SourceRead

from .enacting import Store
from .sharing import Board

CHECKS: Final = "route53.checks"
DOOMED: Final = "route53.doomed"
VERDICTS: Final = "route53.verdicts"
OCTETS_MAX: Final = 8 << 20
ZoneChecks: TypeAlias = tuple[tuple[str, tuple[BalancerCheck, ...]], ...]
"""Zone by zone, as planning takes them."""
HostedState: TypeAlias = Literal["healthy", "unhealthy", "unknown"]
_Shared = TypeVar("_Shared")


class SharedChecks(Struct, frozen=True):
    """Zone by zone the checks by which is planned, as the planner `who` put them."""

    who: str
    zones: dict[str, tuple[BalancerCheck, ...]]


class SharedDoomed(Struct, frozen=True):
    """Zone by zone the ids that a cleaner deletes, or has deleted: never to be used again."""

    zones: dict[str, tuple[str, ...]]


class HostedVerdict(Struct, frozen=True):
    """What Route 53's checkers say of a load balancer, since when that was first seen (seconds since the epoch)."""

    state: HostedState
    why: str
    since: float


class ZoneVerdicts(Struct, frozen=True):
    """Of one zone. `why` says what keeps checks from being made or read; `without` who has no check, and why."""

    verdicts: dict[str, HostedVerdict] = {}
    without: dict[str, str] = {}
    why: str = ""


class SharedHostedVerdicts(Struct, frozen=True):
    """By zone. `at` is when the planner `who` last asked, by its clock."""

    who: str
    at: float
    zones: dict[str, ZoneVerdicts]


def read_checks(body: bytes) -> dict[str, tuple[BalancerCheck, ...]] | None:
    """The shared checks; None: what stands there can't be understood."""
    if not body:
        return {}
    found = _decoded(body, SharedChecks)
    return found.zones if found is not None else None


def read_doomed(body: bytes) -> dict[str, tuple[str, ...]] | None:
    """The doomed; None: what stands there can't be understood."""
    if not body:
        return {}
    found = _decoded(body, SharedDoomed)
    return found.zones if found is not None else None


def read_hosted_verdicts(body: bytes) -> SharedHostedVerdicts | None:
    """What Route 53's checks said last; None: unknown."""
    return _decoded(body, SharedHostedVerdicts) if body else None


def _decoded(body: bytes, kind: type[_Shared]) -> _Shared | None:
    if len(body) > OCTETS_MAX:
        return None
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def hosted_zones(config: Config) -> tuple[str, ...]:
    """The zones that could have such checks."""
    return tuple(zone.name for zone in config.zones if zone.hosted is not None)


def usable(
    shared: Mapping[str, tuple[BalancerCheck, ...]],
    doomed: Mapping[str, Collection[str]],
    ruling: Mapping[str, Override],
) -> ZoneChecks:
    """What may be planned by: nothing that is doomed or not whole, and nothing for whom an operator orders to count as
    up, since Route 53 would take it out against that order."""
    ordered = {name for name, one in ruling.items() if one.state == "up"}
    return tuple(
        (
            zone,
            tuple(
                one
                for one in checks
                if one.id and not one.ids & frozenset(doomed.get(zone, ())) and one.load_balancer not in ordered
            ),
        )
        for zone, checks in sorted(shared.items())
    )


def checks_in(store: Store, config: Config, ruling: Mapping[str, Override]) -> tuple[ZoneChecks, dict[str, int]]:
    """As the store has them now, for commands; with the revisions of both boards."""
    if not hosted_zones(config):
        return (), {}
    bodies, revisions = {}, {}
    for source in (CHECKS, DOOMED):
        reply = store.perform(ReadSource(source))
        bodies[source] = reply.body if isinstance(reply, SourceRead) else b""
        revisions[source] = reply.revision if isinstance(reply, SourceRead) else 0
    return usable(read_checks(bodies[CHECKS]) or {}, read_doomed(bodies[DOOMED]) or {}, ruling), revisions


class CheckBoards:
    """A planner's view of both boards; `checks` and `doomed` are what was last understood there."""

    def __init__(self, store: Store, who: str) -> None:
        self._who = who
        self._checks, self._doomed = Board(store, CHECKS), Board(store, DOOMED)
        self.checks: dict[str, tuple[BalancerCheck, ...]] = {}
        self.doomed: dict[str, tuple[str, ...]] = {}

    @property
    def sources(self) -> tuple[tuple[str, int], ...]:
        """What a plan names."""
        return tuple((board.source, board.revision) for board in (self._checks, self._doomed))

    def look(self) -> bool:
        """False if the store says nothing."""
        if not (self._checks.read() and self._doomed.read()):
            return False
        self._understand()
        return True

    def _understand(self) -> None:
        checks, doomed = read_checks(self._checks.body), read_doomed(self._doomed.body)
        self.checks = self.checks if checks is None else checks
        self.doomed = self.doomed if doomed is None else doomed

    def share(self, zone: str, checks: Iterable[BalancerCheck]) -> bool:
        """Put that zone's. False if another was quicker, or the store says nothing."""
        after = {**self.checks, zone: tuple(checks)}
        if self.checks.get(zone) == after[zone]:
            return True
        outcome = self._checks.put(msgspec.json.encode(SharedChecks(self._who, after)))
        if outcome != "unknown":
            self._understand()
        return outcome == "put"


def facts_of(verdicts: ZoneVerdicts, count: int) -> dict[str, Any]:
    """For a sign of life."""
    states = [one.state for one in verdicts.verdicts.values()]
    counted = {state: states.count(state) for state in ("healthy", "unhealthy", "unknown")}
    return {"checks": count, **counted, "without": len(verdicts.without), "why": verdicts.why}
