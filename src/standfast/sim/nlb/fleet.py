"""Load balancers as they really are, in scenarios of what was published of 20 October 2025.

New instances were taken into service before their network state had arrived, and their checks alternated between
failing and passing although node and target were healthy; the churn overloaded the checker and delayed checks; that set
off the automatic failover of AZs, which took capacity away that was healthy. Numbers were not published; those here are
ours, and the scenarios after the second isolate what a checker may get wrong besides.
"""

from typing import Final

from msgspec import Struct

AZS: Final = ("a", "b", "c")
PER_AZ: Final = 20
INTERVAL_S: Final = 5.0
REPLACED_EVERY_S: Final = 10.0
STATE_ARRIVES_S: Final = 150.0
"""So long after its launch an instance's network state arrives: launches were delayed, and so was their state."""
FLAP_BAD_S, FLAP_GOOD_S = 20.0, 45.0
CHECKS_A_SECOND: Final = 16
"""60 load balancers at 5 s want 12."""
NEVER: Final = (0.0, 0.0)


class Scenario(Struct, frozen=True):
    """What happens, from when to when in seconds. `seconds` is how long it is looked at.

    `churn`: instances are launched again and take the place of older ones. `slow`: the checker makes `slow_rate` checks
    a second. `cut`: checks of those AZs fail though all is well there, from one observer or from all (`everywhere`).
    `flapping`: those of `flappers` are bad for 20 s of every 65 s. At `death_at` those of `dead` die for good, so that
    a protection that sees nothing any more would show.
    """

    name: str
    seconds: int
    churn: tuple[float, float] = NEVER
    slow: tuple[float, float] = NEVER
    slow_rate: int = CHECKS_A_SECOND
    cut: tuple[float, float] = NEVER
    cut_azs: tuple[str, ...] = ("b",)
    everywhere: bool = False
    flapping: tuple[float, float] = NEVER
    flappers: tuple[str, ...] = ()
    death_at: float = 1e9
    dead: tuple[str, ...] = ("a-0", "c-1")


STATE_LATE: Final = Scenario("network state is late", 1500, churn=(200.0, 1100.0), death_at=1400.0)
OVERLOADED: Final = Scenario("checker overloaded", 900, slow=(200.0, 600.0), slow_rate=5, death_at=800.0)
PATH_CUT: Final = Scenario("one observer's path to an AZ cut", 800, cut=(200.0, 320.0), death_at=700.0)
BLINK: Final = Scenario("a blink of that path", 500, cut=(200.0, 220.0), death_at=400.0)
COMMON: Final = Scenario(
    "two AZs seen down by all, wrongly", 800, cut=(200.0, 500.0), cut_azs=("b", "c"), everywhere=True
)
FLAPPING: Final = Scenario("flapping", 1800, flapping=(200.0, 1700.0), flappers=("a-3", "b-4", "c-5"))
SCENARIOS: Final = (STATE_LATE, OVERLOADED, PATH_CUT, BLINK, COMMON, FLAPPING)


class Node(Struct, frozen=True):
    """One load balancer. Its place in the fleet is `slot`; who takes its place has another name."""

    name: str
    slot: str
    az: str
    launched: float

    def dead(self, scenario: Scenario, now: float) -> bool:
        """Whether it has died for good."""
        return now >= scenario.death_at and self.slot in scenario.dead

    def ready(self, scenario: Scenario, now: float) -> bool:
        """Whether it serves everybody."""
        if self.slot in scenario.flappers and within(scenario.flapping, now):
            return (now - scenario.flapping[0]) % (FLAP_BAD_S + FLAP_GOOD_S) >= FLAP_BAD_S
        return now >= self.launched + STATE_ARRIVES_S and not self.dead(scenario, now)

    def answers(self, scenario: Scenario, now: float, *, cut: bool) -> bool:
        """What a check finds; `cut`: by the observer whose path may be. While its state is on its way one check passes
        and the next one fails."""
        if (cut or scenario.everywhere) and self.az in scenario.cut_azs and within(scenario.cut, now):
            return False
        if now < self.launched + STATE_ARRIVES_S:
            return int((now - self.launched) / INTERVAL_S) % 2 == 0
        return self.ready(scenario, now)


def within(span: tuple[float, float], now: float) -> bool:
    """Whether that is on now."""
    return span[0] <= now < span[1]


class Fleet:
    """Who is there at each moment."""

    def __init__(self, scenario: Scenario) -> None:
        slots = [(f"{az}-{place}", az) for place in range(PER_AZ) for az in AZS]
        self._slots = [slot for slot, _ in slots]
        self.nodes = {slot: Node(f"{slot}.0", slot, az, -1e6) for slot, az in slots}
        self._churn = scenario.churn
        self._next, self._count = scenario.churn[0], 0

    def advance(self, now: float) -> list[tuple[Node, Node]]:
        """Who took whose place, up to now."""
        found = []
        while self._next < min(now, self._churn[1]):
            slot = self._slots[self._count * 7 % len(self._slots)]
            self._count += 1
            old = self.nodes[slot]
            new = Node(f"{slot}.{self._count}", slot, old.az, self._next)
            self.nodes[slot] = new
            found.append((old, new))
            self._next += REPLACED_EVERY_S
        return found
