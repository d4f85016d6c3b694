"""The load balancers in columns of their AZ: health, the last checks, the last error, votes, and overrides."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.config import Config
from standfast.model.fleet import LoadBalancer, readable
from standfast.model.override import Override
from standfast.runtime.budgets import load_told
from standfast.runtime.hostedtold import told as hosted_told
from standfast.runtime.observing import Seen, declared_fleet
from standfast.runtime.pulses import FAILED, KEPT, PASSED, Pulse, read_pulses
from standfast.runtime.times import clock
from standfast.runtime.watching import votes_on

from . import signs
from .signs import Sign

SHOWN_MAX: Final = 12
"""So many load balancers of an AZ are shown, worst first; the others are counted."""
_TOPS: Final = {PASSED: 9, FAILED: 1, "": 6}
_HEIGHTS: Final = {PASSED: 3, FAILED: 11, "": 2}
_ORDER: Final = ("bad", "blind", "watch", "cold", "good", "plain")


class Spark(Struct, frozen=True):
    """The last checks as three paths in a box of 2 × KEPT by 12, and in words."""

    passed: str
    failed: str
    nothing: str
    words: str


class Balancer(Struct, frozen=True):
    """One load balancer. `reason` is what health says in words, `since` when it began to, `load` what it carries of
    what endpoints need, if they say so, `theirs` what Route 53's own checks say of it."""

    id: str
    sign: Sign
    reason: str
    since: float | None
    spark: Spark | None
    took: str
    error: str
    votes: str
    said: str
    addresses: str
    explain: str
    drain: str
    load: str = ""
    theirs: str = ""


class Column(Struct, frozen=True):
    """One AZ. `up` of `total` load balancers are up; `more` are not shown."""

    az: str
    sign: Sign
    up: int
    total: int
    balancers: tuple[Balancer, ...]
    more: int


def columns(seen: Seen, config: Config, *, every: bool = False) -> tuple[Column, ...]:
    """Every AZ, in the order of their names."""
    fleet = seen.store.fleet or declared_fleet(config)
    if fleet is None:
        return ()
    pulses = pulses_of(seen)
    used, ruling = _used(seen), seen.store.ruling(seen.at)
    loads = {one.load_balancer: load_told(one) for one in seen.loads}
    groups: dict[str, list[Balancer]] = {}
    for one in fleet.load_balancers:
        groups.setdefault(one.az, []).append(
            replace(
                _balancer(one, seen, pulses.get(one.id), used.get(one.id, ""), ruling.get(one.id)),
                load=loads.get(one.id, ""),
            )
        )
    found = []
    for az, some in sorted(groups.items()):
        some.sort(key=lambda one: (_ORDER.index(one.sign.tone), one.id))
        up = sum(one.sign.tone == "good" for one in some)
        shown = some if every else some[:SHOWN_MAX]
        found.append(Column(az, _whole(some, up), up, len(some), tuple(shown), len(some) - len(shown)))
    return tuple(found)


def pulses_of(seen: Seen) -> Mapping[str, Pulse]:
    """The last checks, as the planner tells that speaks for health, or else any."""
    found: dict[str, Pulse] = {}
    probers = [
        *seen.running("prober"),
        *sorted(seen.running("planner"), key=lambda one: bool(one.facts.get("speaking"))),
    ]
    for one in probers:
        found |= read_pulses(one.facts.get("pulses"))
    return found


def _whole(some: Iterable[Balancer], up: int) -> Sign:
    tones = {one.sign.tone for one in some}
    if up == 0 and "bad" in tones:
        return signs.BAD
    for sign in (signs.BLIND, signs.WATCH):
        if sign.tone in tones or (sign is signs.WATCH and "bad" in tones):
            return sign
    return signs.GOOD


def _used(seen: Seen) -> dict[str, str]:
    """An endpoint that considers each load balancer, for the command that explains it."""
    found: dict[str, str] = {}
    for sight in seen.endpoints[:1000]:
        for member in sight.entry.members:
            found.setdefault(member.load_balancer, seen.short(sight.entry.key))
    return found


def _balancer(one: LoadBalancer, seen: Seen, pulse: Pulse | None, name: str, override: Override | None) -> Balancer:
    judged = seen.store.judged(one.id)
    sign = signs.HEALTH[judged.state] if judged else signs.BLIND
    admin = override.state if override else one.admin
    if admin != "up":
        sign = signs.HEALTH["drain" if admin == "drain" else "taken"]
    votes = votes_on(seen, one.id)
    return Balancer(
        id=one.id,
        sign=sign,
        reason=judged.reason if judged else "nothing is known of its health",
        since=judged.since if judged else None,
        spark=spark(pulse) if pulse and pulse.checks else None,
        took=f"{pulse.took_ms:.0f} ms" if pulse and pulse.took_ms is not None and pulse.checks[-1:] == PASSED else "",
        error=pulse.error if pulse and pulse.error and pulse.failed else "",
        votes=f"seen from {votes}" if votes and ("✗" in votes or "?" in votes) else "",
        said=f"{override.why}, until {clock(override.until, seen.at)}" if override else _declared(one),
        addresses=" ".join(readable((*one.ipv4, *one.ipv6))),
        explain=f"standfast explain {name} {one.id}" if name else "",
        drain=f"standfast drain {one.id} --wait",
        theirs=hosted_told(seen.store.hosted.of(one.id)) if seen.store.hosted else "",
    )


def _declared(one: LoadBalancer) -> str:
    return "" if one.admin == "up" else one.why or f"admin: {one.admin} in the configuration"


def spark(pulse: Pulse) -> Spark:
    """Newest at the right. What passed is low, what failed is high: both shapes are seen without colour."""
    paths = {PASSED: "", FAILED: "", "": ""}
    x = 2 * (KEPT - len(pulse.checks))
    for mark, run in groupby(pulse.checks):
        kind = mark if mark in paths else ""
        width, top = 2 * len(list(run)), _TOPS[kind]
        paths[kind] += f"M{x} {top}h{width}v{_HEIGHTS[kind]}h-{width}z"
        x += width
    count = len(pulse.checks)
    words = f"all of the last {count} checks passed" if pulse.failed == 0 else f"{pulse.failed}/{count} failed"
    return Spark(paths[PASSED], paths[FAILED], paths[""], words)
