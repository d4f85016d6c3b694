"""Health checks under churn, second by second: what they do to the answers, with some protections or none.

The automata are those of production: `health`, `sight`, `rota`, `quorum`, and `core/velocity` for what may leave. What
is modelled is the world around them: instances whose network state is late, a checker with little room, an answer with
all load balancers in it, and an automatic failover that takes a whole AZ out when half of it fails.
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from standfast.core.velocity import allows, remembered
from standfast.model.entry import Departure
from standfast.model.fleet import Verdict
from standfast.recovery.health import (
    PLAIN,
    Evidence,
    Failed,
    Health,
    HealthPolicy,
    Passed,
    observed,
    paced,
    started,
    verdict,
)
from standfast.recovery.quorum import Vantage, Vote, concluded
from standfast.recovery.sight import Sight, evidence, passed

from .checker import Checker
from .fleet import (
    AZS,
    BLINK,
    CHECKS_A_SECOND,
    COMMON,
    FLAPPING,
    INTERVAL_S,
    OVERLOADED,
    PATH_CUT,
    STATE_LATE,
    Fleet,
    Node,
    Scenario,
    within,
)

Protection: TypeAlias = Literal[
    "rise and fall",
    "warm-up",
    "damping",
    "late is unknown",
    "fair shedding",
    "confirmation",
    "quorum",
    "bounded change",
]
PROTECTIONS: Final[tuple[Protection, ...]] = get_args(Protection)
LATE_S: Final = INTERVAL_S
"""A check that is later than its interval: as built it counts as failed."""
AZ_OUT_S: Final = 300.0
"""So long an AZ stays out once it was failed over."""
SHARE: Final = 0.34
WINDOW_S: Final = 600.0
ENOUGH: Final = 0.6
VANTAGES: Final = (Vantage("one", "a"), Vantage("two", "b"), Vantage("office"))
"""The path of the first is what gets cut; the others see the same as each other, so one automaton stands for both."""


class Outcome(Struct, frozen=True):
    """What happened.

    `changes` of DNS by health, `wrongly` how many of them took a load balancer out that served well. `unready_s` is how
    many load-balancer-seconds an answer had members that did not serve. `lowest` is the least share of serving load
    balancers that were in the answer, `short_s` for how many seconds that was below 60 %. `failovers` of AZs; `worst_s`
    how late the latest check was; `noticed_s` after how long those that really died were out (None: never).
    """

    changes: int
    wrongly: int
    unready_s: int
    lowest: float
    short_s: int
    failovers: int
    worst_s: float
    noticed_s: float | None


class _Observer:
    """What one vantage point concludes."""

    def __init__(self, policy: HealthPolicy, confirming: bool) -> None:
        self._policy, self._confirming = policy, confirming
        self._sight = Sight()
        self.health: dict[str, Health] = {}

    def begin(self, name: str, health: Health) -> None:
        self.health[name] = health

    def hear(self, name: str, passes: bool, now: float, azs: dict[str, str], pace_s: float) -> None:
        before = paced(self.health[name], pace_s)
        if passes:
            self._sight = passed(self._sight, name, now)
            self.health[name] = observed(before, Passed(), now)
            return
        seen: Evidence = evidence(self._sight, name, self.health, azs, now) if self._confirming else PLAIN
        self.health[name] = observed(before, Failed("timed out"), now, seen)


class _Run:
    def __init__(self, scenario: Scenario, on: frozenset[Protection]) -> None:
        fall, rise = (3, 6) if "rise and fall" in on else (1, 1)
        warm_up_s = 60.0 if "warm-up" in on else 0.0
        self._policy = HealthPolicy(fall, rise, warm_up_s, INTERVAL_S, 60.0, 900.0 if "damping" in on else 0.0)
        self._scenario, self._on = scenario, on
        self._fleet, self._checker = Fleet(scenario), Checker(fair="fair shedding" in on)
        self._first, self._others = (_Observer(self._policy, "confirmation" in on) for _ in range(2))
        self._nodes: dict[str, Node] = {}
        self._azs: dict[str, str] = {}
        self._in: set[str] = set()
        self._before: dict[str, Verdict] = {}
        self._az_out: dict[str, float] = {}
        self._departures: tuple[Departure, ...] = ()
        self.changes = self.wrongly = self.unready_s = self.short_s = self.failovers = 0
        self.lowest = 1.0
        self.noticed_s: float | None = None
        for node in self._fleet.nodes.values():
            self._enter(node, 0.0, Health(self._policy, "up", "at the beginning", heard_at=0.0, up_since=-1e6))
            self._in.add(node.name)

    def _enter(self, node: Node, now: float, health: Health) -> None:
        self._nodes[node.name], self._azs[node.name] = node, node.az
        for observer in (self._first, self._others):
            observer.begin(node.name, health)
        self._checker.add(node.name, now)

    def _replace(self, old: Node, new: Node, now: float) -> None:
        for known in (self._nodes, self._azs, self._first.health, self._others.health, self._before):
            known.pop(old.name, None)
        self._checker.remove(old.name)
        self._in.discard(old.name)
        if "warm-up" in self._on:
            self._enter(new, now, started(self._policy, now, newcomer=True))
            return
        self._enter(new, now, Health(self._policy, "up", "registered", heard_at=now, up_since=now))
        self._in.add(new.name)  # as built: in service as soon as it is registered

    def second(self, now: float) -> None:
        for old, new in self._fleet.advance(now):
            self._replace(old, new, now)
        rate = self._scenario.slow_rate if within(self._scenario.slow, now) else CHECKS_A_SECOND
        for name, late_s in self._checker.second(now, rate):
            if name in self._nodes:
                self._check(name, late_s, now)
        self._answer(now)
        self._measure(now)

    def _check(self, name: str, late_s: float, now: float) -> None:
        if late_s > LATE_S and "late is unknown" in self._on:
            return
        node = self._nodes[name]
        for observer, cut in ((self._first, True), (self._others, False)):
            passes = late_s <= LATE_S and node.answers(self._scenario, now, cut=cut)
            observer.hear(name, passes, now, self._azs, self._checker.pace_s(now))

    def _states(self, now: float) -> dict[str, str]:
        if "quorum" not in self._on:
            return {name: verdict(health, now).state for name, health in self._first.health.items()}
        for name, node in self._nodes.items():
            first, others = (verdict(one.health[name], now) for one in (self._first, self._others))
            said = (first, others, others)
            votes = [Vote(vantage, one.state, one.reason) for vantage, one in zip(VANTAGES, said, strict=True)]
            self._before[name] = concluded(votes, node.az, self._before.get(name))
        return {name: one.state for name, one in self._before.items()}

    def _answer(self, now: float) -> None:
        """Who comes and who goes, and the automatic failover of a whole AZ."""
        states = self._states(now)
        self._fail_over(states, now)
        changes = 0
        for name, state in states.items():
            out = self._nodes[name].az in self._az_out
            if name in self._in and (out or state == "down") and self._may_leave(name, now):
                self._in.discard(name)
                changes += 1
                self.wrongly += self._nodes[name].ready(self._scenario, now)
            elif name not in self._in and not out and state == "up":
                self._in.add(name)
                changes += 1
        self.changes += changes
        self._checker.changed(changes)

    def _fail_over(self, states: dict[str, str], now: float) -> None:
        self._az_out = {az: until for az, until in self._az_out.items() if until > now}
        for az in AZS:
            there = [name for name, node in self._nodes.items() if node.az == az]
            down = [name for name in there if states[name] == "down"]
            if az in self._az_out or 2 * len(down) < len(there):
                continue
            if "bounded change" in self._on:
                left = sum(self._nodes[name].az != az for name in self._in)
                outside = min((self._before[name].outside for name in down if name in self._before), default=0)
                if len(down) < len(there) or left < ENOUGH * len(self._nodes) or self._az_out or outside < 2:
                    continue
            self._az_out[az] = now + AZ_OUT_S
            self.failovers += 1

    def _may_leave(self, name: str, now: float) -> bool:
        if "bounded change" not in self._on:
            return True
        past = remembered(self._departures, now, WINDOW_S)
        if not allows(past, 1, SHARE, len(self._in)):
            return False
        self._departures = (*past, Departure(name, 1, now, len(self._in)))
        return True

    def _measure(self, now: float) -> None:
        serving = [name for name, node in self._nodes.items() if node.ready(self._scenario, now)]
        share = sum(name in self._in for name in serving) / max(1, len(serving))
        self.lowest = min(self.lowest, share)
        self.short_s += share < ENOUGH
        self.unready_s += len(self._in.difference(serving))
        if now >= self._scenario.death_at and self.noticed_s is None:
            dead = [name for name, node in self._nodes.items() if node.dead(self._scenario, now)]
            if not self._in.intersection(dead):
                self.noticed_s = now - self._scenario.death_at

    @property
    def outcome(self) -> Outcome:
        return Outcome(
            self.changes,
            self.wrongly,
            self.unready_s,
            round(self.lowest, 3),
            self.short_s,
            self.failovers,
            self._checker.worst_s,
            self.noticed_s,
        )


def run(scenario: Scenario, on: Iterable[Protection]) -> Outcome:
    """What happens with these protections. The same each time: nothing is drawn."""
    going = _Run(scenario, frozenset(on))
    for second in range(1, scenario.seconds + 1):
        going.second(float(second))
    return going.outcome


ROWS: Final[dict[str, tuple[tuple[str, tuple[Protection, ...]], ...]]] = {
    STATE_LATE.name: (
        ("only rise and fall", ("rise and fall",)),
        ("only warm-up", ("warm-up",)),
        ("all but warm-up", ("warm-up",)),
    ),
    OVERLOADED.name: (
        ("only late is unknown", ("late is unknown",)),
        ("only fair shedding", ("fair shedding",)),
        ("all but these two", ("late is unknown", "fair shedding")),
    ),
    PATH_CUT.name: (("only quorum", ("quorum",)), ("all but quorum", ("quorum",))),
    BLINK.name: (
        ("all but quorum", ("quorum",)),
        ("all but quorum and confirmation", ("quorum", "confirmation")),
    ),
    COMMON.name: (("only bounded change", ("bounded change",)), ("all but bounded change", ("bounded change",))),
    FLAPPING.name: (("only damping", ("damping",)), ("all but damping", ("damping",))),
}
"""What is measured of each scenario besides none and all: which protections alone, or which are left out."""


def measured(scenario: Scenario) -> dict[str, Outcome]:
    """Without any protection, with those of `ROWS`, with all."""
    found = {"none": run(scenario, ())}
    for name, some in ROWS[scenario.name]:
        found[name] = run(scenario, some if name.startswith("only") else [p for p in PROTECTIONS if p not in some])
    found["all"] = run(scenario, PROTECTIONS)
    return found


def table(scenario: Scenario, outcomes: dict[str, Outcome]) -> str:
    """As `docs/recovery.md` has it."""
    heads = ("changes", "wrongly out", "unready s", "lowest", "s below 60 %", "AZ failovers", "dead are out after")
    lines = [f"**{scenario.name}**", "", f"| protections | {' | '.join(heads)} |", "|---|" + "--:|" * len(heads)]
    for name, one in outcomes.items():
        noticed = "–" if one.noticed_s is None else f"{one.noticed_s:g} s"
        cells = (one.changes, one.wrongly, one.unready_s, f"{one.lowest:.0%}", one.short_s, one.failovers, noticed)
        lines.append(f"| {name} | {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)
