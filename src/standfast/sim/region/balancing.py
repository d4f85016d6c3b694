"""NLB: twenty balancers with a node and its targets in each of three AZs, and the health checks that move them.

As built (published): a new instance was taken into service before its network state had arrived; its checks failed and
passed in turn although it was healthy; each failure took the node out of DNS and the next pass brought it back; that
churn overloaded the checks and made them late; late checks set off the automatic failover of AZs; errors arose where
what remained was too small. Automata are those of production (`recovery/health.py`, `core/velocity.py`), the overloaded
checker is that of `sim/nlb`, one in each AZ; its numbers are ours. While the state is on its way
a node answers for five seconds, and for five it does not.
"""

from typing import Final

from standfast.core.velocity import allows, remembered
from standfast.model.entry import Departure
from standfast.model.fleet import VerdictState
from standfast.recovery.health import Failed, Health, HealthPolicy, Passed, observed, started, verdict
from standfast.recovery.slowstart import SlowStart
from standfast.sim.nlb.checker import Checker
from standfast.sim.nlb.fleet import AZS, CHECKS_A_SECOND, INTERVAL_S, PER_AZ
from standfast.sim.nlb.running import AZ_OUT_S, ENOUGH, SHARE, WINDOW_S

from .asking import Asking
from .day import Account, Measure
from .ec2 import EC2
from .network import NetworkManager
from .world import Service, World

NODES: Final = PER_AZ * len(AZS)
RATE: Final = CHECKS_A_SECOND // len(AZS)
"""Checks a second that the checker of an AZ makes; its nodes want four."""
AS_BUILT: Final = HealthPolicy(fall=1, rise=1, warm_up_s=0.0, interval_s=INTERVAL_S, damp_s=0.0)
PROTECTED: Final = HealthPolicy()
_SLOW: Final = SlowStart(300.0)
_SHOWN_S: Final = 60.0
"""Capacity is shown as its mean over about a minute: it goes up and down within seconds."""
_PASSED, _FAILED = Passed(), Failed("no network state")


class Node:
    """A balancer's node in one AZ. `ready_at`: when its network state is everywhere."""

    __slots__ = ("az", "back_at", "health", "name", "ready_at", "serves", "slot", "state")

    def __init__(self, slot: int, name: str, health: Health, ready_at: float) -> None:
        self.slot, self.name, self.health, self.ready_at = slot, name, health, ready_at
        self.az = AZS[slot % len(AZS)]
        self.serves = True
        self.state: VerdictState = health.state
        self.back_at: float | None = None


class Balancers(Service):
    """A sample of the region's. `capacity` is the share of nodes that are in service."""

    name, key, needs = "NLB", "nlb", ("ec2", "nm")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.policy = PROTECTED if world.on("warm-up") else AS_BUILT
        self.replacing = Asking("nlb nodes to replace", 1.0, world.parameters.retry_s)
        self._checkers = {az: Checker(fair=world.on("admission")) for az in AZS}
        self._nodes: dict[str, Node] = {}
        self._slots: list[str] = []
        self._due = 0.0
        self._count = 0
        self._az_out: dict[str, float] = {}
        self._departures: tuple[Departure, ...] = ()
        self.capacity = self._shown = 1.0
        self.failovers = self.changes = 0
        self._quiet = True
        for slot in range(NODES):
            self._slots.append("")
            self._enter(slot, world.now, world.now)
            node = self._node(slot)
            node.health, node.state, node.serves = self._well(world.now), "up", True

    # -- who is there ----------------------------------------------------------------------------------------------

    def _node(self, slot: int) -> Node:
        return self._nodes[self._slots[slot]]

    def _well(self, now: float) -> Health:
        return Health(self.policy, "up", "passes", heard_at=now, up_since=now)

    def _enter(self, slot: int, now: float, ready_at: float) -> None:
        """Another instance takes a node's place; as built it serves at once."""
        before = self._nodes.pop(self._slots[slot], None)
        if before is not None:
            self._checkers[before.az].remove(before.name)
        self._count += 1
        name = f"{slot}.{self._count}"
        warms = self.world.on("warm-up")
        node = Node(slot, name, started(self.policy, now, newcomer=True) if warms else self._well(now), ready_at)
        node.serves = not warms
        self._nodes[name] = node
        self._slots[slot] = name
        self._checkers[node.az].add(name, now)

    def _replace(self) -> None:
        """Nodes are replaced as often as instances are; while launches fail that waits."""
        p, ec2, network = self.world.parameters, self.of("ec2"), self.of("nm")
        assert isinstance(ec2, EC2)
        assert isinstance(network, NetworkManager)
        asked = self.replacing.ask(NODES * self.world.tick / p.member_life_s, self.world.tick)
        self._due += self.replacing.serve(asked * ec2.availability)
        while self._due >= 1.0:
            self._due -= 1.0
            wait_s = network.wait_s
            if self._quiet and wait_s >= INTERVAL_S:
                self._wake()
            if not self._quiet:
                self._enter(self._count * 7 % NODES, self.world.now, self.world.now + wait_s)
            else:
                self._count += 1

    # -- checks ----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Until now every check passed and none was late, so none was made."""
        self._quiet = False
        for node in self._nodes.values():
            node.health, node.state = self._well(self.world.now), "up"

    def step(self) -> None:
        """Replacements, then check after check."""
        self._replace()
        if not self._quiet:
            for second in range(round(self.world.tick)):
                self._second(self.world.now - self.world.tick + second + 1)
            self._calm_down()
        load = self.world.parameters.peak_load * self.world.demand / (1.0 + self.world.parameters.swing)
        firsts = range(0, NODES, len(AZS))
        shares = [(self._share(first), self._failing(first)) for first in firsts]
        self.capacity = sum(share for share, _ in shares) / len(firsts)
        self._shown += (self.capacity - self._shown) * self.world.tick / _SHOWN_S
        self.availability = sum(min(1.0, share / load) * (1.0 - bad) for share, bad in shares) / len(firsts)

    def _share(self, first: int) -> float:
        """Of one balancer's capacity, what is in service. If none of its nodes is, all are: Route 53 answers with all
        records when every health check fails (known)."""
        if self._quiet:
            return 1.0
        now, slow = self.world.now, self.world.on("slow-start")
        nodes = [self._node(first + place) for place in range(len(AZS))]
        serving = [one for one in nodes if one.serves] or nodes
        return sum((_SLOW.share(one.back_at, now) if slow else 1.0) for one in serving) / len(AZS)

    def _failing(self, first: int) -> float:
        """Of what one balancer is sent, the share that meets a node which does not answer now."""
        if self._quiet:
            return 0.0
        nodes = [self._node(first + place) for place in range(len(AZS))]
        serving = [one for one in nodes if one.serves] or nodes
        return sum(not self._answers(one, self.world.now) for one in serving) / len(serving)

    def _second(self, now: float) -> None:
        protected = self.world.on("admission")
        for checker in self._checkers.values():
            for name, late_s in checker.second(now, RATE):
                node = self._nodes.get(name)
                if node is None or (protected and late_s > INTERVAL_S):
                    continue
                passes = late_s <= INTERVAL_S and self._answers(node, now)
                node.health = observed(node.health, _PASSED if passes else _FAILED, now)
                node.state = verdict(node.health, now).state
        self._answer(now)

    @staticmethod
    def _answers(node: Node, now: float) -> bool:
        return now >= node.ready_at or int(now / INTERVAL_S) % 2 == 0

    @property
    def _switched_off(self) -> bool:
        return self.world.done("nlb-failover-off") and not self.world.done("nlb-failover-on")

    def _answer(self, now: float) -> None:
        """Who serves. With the failover switched off by people everybody does."""
        off = self._switched_off
        if not off:
            self._fail_over(now)
        warms, az_out = self.world.on("warm-up"), self._az_out
        for node in self._nodes.values():
            out = not off and (node.state == "down" or node.az in az_out)
            if node.serves == (not out):
                continue
            if out and self._may_leave(node.name, now):
                self._moved(node, False, now)
            elif not out and (off or node.state == "up" or not warms):
                self._moved(node, True, now)

    def _moved(self, node: Node, serves: bool, now: float) -> None:
        node.serves = serves
        if serves:
            node.back_at = now
        self.changes += 1
        self._checkers[node.az].changed(1)

    def _fail_over(self, now: float) -> None:
        """A whole AZ goes when half of it fails."""
        if self._az_out:
            self._az_out = {az: until for az, until in self._az_out.items() if until > now}
        for az in AZS:
            if az in self._az_out:
                continue
            down = sum(node.state == "down" for node in self._nodes.values() if node.az == az)
            if 2 * down < PER_AZ:
                continue
            if self.world.on("az-velocity"):
                left = sum(node.serves and node.az != az for node in self._nodes.values())
                if down < PER_AZ or left < ENOUGH * NODES or self._az_out:
                    continue
            self._az_out[az] = now + AZ_OUT_S
            self.failovers += 1

    def _may_leave(self, name: str, now: float) -> bool:
        if not self.world.on("az-velocity"):
            return True
        past = remembered(self._departures, now, WINDOW_S)
        serving = sum(node.serves for node in self._nodes.values())
        if not allows(past, 1, SHARE, serving):
            return False
        self._departures = (*past, Departure(name, 1, now, serving))
        return True

    def _calm_down(self) -> None:
        """Everybody serves, has its state, and no check is late: nothing more comes of checking."""
        network = self.of("nm")
        assert isinstance(network, NetworkManager)
        now = self.world.now
        self._quiet = (
            network.wait_s < INTERVAL_S
            and not self._az_out
            and all(checker.idle for checker in self._checkers.values())
            and all(node.serves and node.ready_at <= now - INTERVAL_S for node in self._nodes.values())
        )

    # -- what is to be seen ----------------------------------------------------------------------------------------

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Capacity and churn."""
        now = self.world.now
        late = sum(node.ready_at > now for node in self._nodes.values()) / NODES
        return {
            "capacity": (Measure(self.name, "nodes in service", "share"), self._shown),
            "stateless": (Measure(self.name, "nodes not yet connected", "share"), late),
            "changes": (Measure(self.name, "DNS changes by checks, so far", "changes"), float(self.changes)),
            "failovers": (Measure(self.name, "failovers of an AZ, so far", "failovers"), float(self.failovers)),
        }

    def accounts(self) -> list[Account]:
        """Nodes that wait for a new instance; those being put in place count as done."""
        return [self.replacing.account]
