"""A scenario: the size of a region, and every fault with its moment, all drawn from one seed.

A run is a function of its scenario alone. What is drawn while it runs (latencies, which records a hand damages) comes
from streams of its own per process and per fault, so that leaving a fault out disturbs the others little: that is what
makes shrinking work.
"""

import random
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from standfast.errors import StandfastError

from .kinds import KINDS, Kind

FILE_OCTETS_MAX: Final = 4 << 20
VERSION: Final = 1
STREAM: Final = "main"
AZS: Final = ("a", "b", "c")
_DENSITIES: Final = (1.0, 3.0, 10.0, 30.0)
"""How many times as often as in `kinds` a scenario has faults, at most: from an ordinary bad day to a storm."""
_MOMENTS_HOURLY: Final = 6.0
_TOGETHER_S: Final = 60.0
"""Mean time by which faults of one moment follow each other."""
CALM_S: Final = 150.0
"""The first plan is enacted in peace: load balancers are checked for a minute before an endpoint enters."""


class Fault(Struct, frozen=True):
    """One fault: of which kind, when, for how long, whom it is aimed at, how many messages it may hit.

    `seed` is that of everything it draws itself.
    """

    kind: str
    at: float
    target: str
    lasts_s: float = 0.0
    messages: int = 0
    seed: int = 0


class Scenario(Struct, frozen=True):
    """What is run. `hours` are virtual and those of the safety phase; then faults stop and convergence is demanded.

    The first `hosted` of the zones are as Route 53's: their endpoints may have trees."""

    seed: int
    hours: float
    endpoints: int
    zones: int
    enactors: int
    load_balancers: int
    faults: tuple[Fault, ...]
    hosted: int = 0
    version: int = VERSION


class ScenarioError(StandfastError):
    """A file is no scenario of ours; the message says where and what to do."""


def drawn(seed: int, hours: float, endpoints: int) -> Scenario:
    """The scenario of that seed: which kinds of fault are on and how often is drawn first, then each fault.

    Leaving kinds out finds more than always having all of them: some faults hide others (Groce et al., "Swarm
    testing", ISSTA 2012).
    """
    draw = random.Random(f"standfast {seed}")
    zones = min(draw.randint(1, 3) if endpoints < 100 else draw.randint(2, 4), max(1, endpoints // 2))
    bare = Scenario(
        seed=seed,
        hours=hours,
        endpoints=endpoints,
        zones=zones,
        enactors=draw.randint(2, 4),
        load_balancers=3 * draw.randint(2, 6),
        faults=(),
        hosted=random.Random(f"hosted {seed}").choice((0, 0, 1)),
    )
    share, density, knot = draw.choice((0.15, 0.3, 0.5, 0.8)), draw.choice(_DENSITIES), _Knot(draw, bare)
    faults: list[Fault] = []
    for kind in KINDS.values():
        on, often = draw.random() < (0.9 if kind.change else share), draw.random() ** 2
        often = max(often, 0.3 if kind.change else 0.1)
        if not on:
            continue
        expected = density * kind.hourly * hours * often
        count = int(expected) + (draw.random() < expected % 1.0)
        faults.extend(knot.fault(kind) for _ in range(max(1, count)))
    return msgspec.structs.replace(bare, faults=tuple(sorted(faults, key=lambda fault: (fault.at, fault.kind))))


class _Knot:
    """Draws faults so that they meet: often about the same moments, and often aimed at the same few."""

    def __init__(self, draw: random.Random, scenario: Scenario) -> None:
        self._draw, self._scenario = draw, scenario
        self._end = scenario.hours * 3600.0
        self._begin = min(CALM_S, self._end / 2)
        moments = 1 + int(_MOMENTS_HOURLY * scenario.hours)
        self._moments = [draw.uniform(self._begin, self._end) for _ in range(moments)]
        self._share = draw.choice((0.0, 0.5, 0.8))
        self._favourites: dict[str, str] = {}

    def fault(self, kind: Kind) -> Fault:
        """One of this kind."""
        draw, (shortest, longest) = self._draw, kind.lasts_s
        at = draw.uniform(self._begin, self._end)
        if draw.random() < self._share:
            at = min(draw.choice(self._moments) + draw.expovariate(1 / _TOGETHER_S), self._end)
        some = targets(kind, self._scenario)
        target = draw.choice(some)
        if draw.random() < self._share:
            favourite = self._favourites.setdefault(kind.aim, target)
            target = favourite if favourite in some else target
        return Fault(
            kind=kind.name,
            at=round(at, 3),
            target=target,
            lasts_s=round(shortest * (longest / shortest) ** draw.random(), 3) if longest else 0.0,
            messages=draw.randint(1, kind.messages) if kind.messages else 0,
            seed=draw.getrandbits(32),
        )


def targets(kind: Kind, scenario: Scenario) -> tuple[str, ...]:
    """Whom such a fault may be aimed at, by name."""
    enactors = tuple(f"enactor-{place}" for place in range(scenario.enactors))
    planners = ("planner-0", "planner-1") if kind.name != "two planners" else ("planner-1",)
    match kind.aim:
        case "enactor":
            return enactors
        case "planner":
            return planners
        case "cleaner":
            return ("cleaner",)
        case "process" | "machine":
            return (*enactors, *planners, "cleaner")
        case "zone":
            return zone_names(scenario)
        case "endpoint":
            return tuple(name for _, name in endpoint_names(scenario))
        case "balancer":
            return tuple(load_balancer_name(place) for place in range(scenario.load_balancers))
        case "az":
            return AZS
        case "store" | "source":
            return (kind.aim,)


def zone_names(scenario: Scenario) -> tuple[str, ...]:
    """The zones' apexes."""
    return tuple(f"z{place}.example" for place in range(scenario.zones))


def hosted_zones(scenario: Scenario) -> tuple[str, ...]:
    """Those that are as Route 53's."""
    return zone_names(scenario)[: scenario.hosted]


def endpoint_names(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """(zone, name) of every endpoint. The first of each zone is its apex, the second a wildcard."""
    zones = zone_names(scenario)
    found = []
    for place in range(scenario.endpoints):
        zone, number = zones[place % len(zones)], place // len(zones)
        name = zone if number == 0 else f"*.w.{zone}" if number == 1 else f"e{number}.{zone}"
        found.append((zone, name))
    return tuple(found)


def load_balancer_name(place: int) -> str:
    """Its id, AZ first."""
    return f"{AZS[place % len(AZS)]}{place // len(AZS) + 1}"


def save(scenario: Scenario, path: Path) -> None:
    """Write it as JSON. Raises OSError."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(scenario), indent=1) + b"\n")


def load(path: Path) -> Scenario:
    """Read it back. Raises ScenarioError for anything that is not one, OSError if it can't be read."""
    with path.open("rb") as file:
        octets = file.read(FILE_OCTETS_MAX + 1)
    if len(octets) > FILE_OCTETS_MAX:
        raise ScenarioError(f"{path} is larger than {FILE_OCTETS_MAX} octets: no scenario is.", _REMEDY)
    try:
        scenario = msgspec.json.decode(octets, type=Scenario)
    except msgspec.MsgspecError as error:
        raise ScenarioError(f"{path} is not a scenario: {error}.", _REMEDY) from None
    if scenario.version != VERSION:
        raise ScenarioError(
            f"{path} has version {scenario.version}; this program reads version {VERSION}.", "Use the one that made it."
        )
    if problem := _problem(scenario):
        raise ScenarioError(f"{path}: {problem}.", _REMEDY)
    return scenario


_REMEDY: Final = "`standfast simulate --save DIR` writes such files when a seed fails."
HOURS_MAX: Final = 24 * 366.0
ENDPOINTS_MAX: Final = 10_000


def _problem(scenario: Scenario) -> str:
    if not (0 < scenario.hours <= HOURS_MAX and 1 <= scenario.zones <= scenario.endpoints / 2):
        return "its hours, zones or endpoints are out of range"
    if not 0 <= scenario.hosted <= scenario.zones:
        return "more of its zones are hosted than it has"
    if not (
        scenario.endpoints <= ENDPOINTS_MAX and 1 <= scenario.enactors <= 64 and 1 <= scenario.load_balancers <= 999
    ):
        return "its endpoints, enactors or load balancers are out of range"
    for fault in scenario.faults:
        kind = KINDS.get(fault.kind)
        if kind is None:
            return f"there is no kind of fault named {fault.kind!r}"
        if fault.target not in targets(kind, scenario):
            return f"{fault.kind!r} can't be aimed at {fault.target!r}"
        if not (0 <= fault.at <= HOURS_MAX * 3600 and 0 <= fault.lasts_s <= HOURS_MAX * 3600):
            return f"{fault.kind!r} at {fault.at} s for {fault.lasts_s} s is out of range"
    return ""
