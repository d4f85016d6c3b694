"""The endpoint's DNS through the day as it was built: planner, three enactors and their clean-up, with remedies or not.

The cores are those of `sim/asbuilt`, in virtual time. What is given from outside is the coincidence itself: one enactor
loses the lock of the regional endpoint again and again (the published "unusual delay") and gets it in the very moment
in which another one's clean-up has made its list. Whatever follows is theirs: whether the root goes back, whether its
tree is deleted, whether anybody can mend it.

A history depends on the remedies and on what people did to DNS and on nothing else of the region, so it is made once
for each (`history`), as the moments at which the number of addresses in the answer changed.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

from standfast.sim.asbuilt import batches, plans
from standfast.sim.asbuilt.driving import Region
from standfast.sim.asbuilt.plans import ENDPOINTS
from standfast.sim.asbuilt.remedies import Built, Remedy
from standfast.sim.asbuilt.route53 import Applied, HostedZone, apply, resolve
from standfast.sim.swarm.loop import Loop

REGIONAL: Final = 1
NAME: Final = ENDPOINTS[REGIONAL]
PLAN_EVERY_S: Final = 120.0
DISTANCE: Final = 12
"""From so many generations on a tree is too old: not published."""
ASKING_S: Final = 1.0
"""What one request to the control API takes an enactor."""
_PHASE_S: Final = -29.0
"""So long before 23:48 the plan was published whose clean-up does it: a pass takes that long."""
BEGINS_S: Final = _PHASE_S - (DISTANCE + 6) * PLAN_EVERY_S
_LOSES_FROM_S: Final = _PHASE_S - DISTANCE * PLAN_EVERY_S
"""From here on the unlucky one loses the lock: its plan is too old just when the moment comes."""
SLEEPER: Final = "enactor C"
CLEANER: Final = "enactor A"
_EVENTS_MAX: Final = 2_000_000


class Hands(Struct, frozen=True):
    """What people do to DNS: when they put a whole tree in place by hand, and when they switch the automation off."""

    restored_at: float | None
    off_at: float | None


class History(Struct, frozen=True):
    """The endpoint's answer over the day.

    `changes`: moments and how many addresses the answer has from then on. `generations` that the root refers to then,
    `records` how many the zones hold.
    """

    changes: tuple[tuple[float, int], ...]
    generations: tuple[tuple[float, int], ...]
    records: tuple[tuple[float, int], ...]

    @property
    def outage_s(self) -> float:
        """For how long the answer was empty."""
        ends = [moment for moment, _ in self.changes[1:]]
        return sum(end - at for (at, count), end in zip(self.changes, ends, strict=False) if not count)


class Ledger:
    """Every record of every zone, by zone and tree. A load balancer of the cores' plan stands for a group of so many:
    each has a leaf and a member of the weighted set."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._trees: dict[tuple[str, int], dict[str, str]] = {}
        self._rest: dict[str, int] = {}
        self.count = 0

    def holds(self, zone: HostedZone) -> None:
        """What the zone holds now; only what is new is written, and only what is gone deleted."""
        there = set(plans.trees(zone))
        for tree in [tree for apex, tree in self._trees if apex == zone.apex and tree not in there]:
            self.count -= len(self._trees.pop((zone.apex, tree)))
        for tree in there:
            if (zone.apex, tree) not in self._trees:
                self._trees[zone.apex, tree] = records = dict(self._records(zone.apex, tree))
                self.count += len(records)
        singles = sum(not record.identifier and not record.name.startswith("lb-") for record in zone.records)
        self.count += singles - self._rest.get(zone.apex, 0)
        self._rest[zone.apex] = singles

    def _records(self, apex: str, tree: int) -> Iterator[tuple[str, str]]:
        name = plans.tree_name(apex, tree)
        for number in plans.load_balancers(tree):
            for one in range(self._group):
                leaf = f"lb-{number}-{one}.{name}"
                yield leaf, f"198.{18 + number % 2}.{one // 250}.{one % 250}"
                yield f"{name} {number}-{one}", leaf


class _Driving:
    """The region's DNS under virtual time."""

    def __init__(self, remedies: frozenset[Remedy], hands: Hands, until: float, group: int) -> None:
        self.loop = Loop()
        self.loop.now = BEGINS_S
        self.region = Region(Built(ENDPOINTS[:2], DISTANCE, remedies), ("enactor A", "enactor B", SLEEPER), latest=1)
        self.region.complete(CLEANER)
        self._hands, self._until = hands, until
        self._sleeps = self._woken = False
        self._off = False
        self._last: tuple[int, int, int] = (-1, -1, -1)
        self._ledger = Ledger(group)
        for zone in self.region.zones:
            self._ledger.holds(zone)
        self.changes: list[tuple[float, int]] = []
        self.generations: list[tuple[float, int]] = []
        self.records: list[tuple[float, int]] = []

    def run(self) -> History:
        """Everything."""
        self._note()
        self.loop.at(BEGINS_S, self._publish)
        if self._hands.restored_at is not None:
            self.loop.at(self._hands.restored_at, self._restore)
        if self._hands.off_at is not None:
            self.loop.at(self._hands.off_at, self._switch_off)
        self.loop.run(self._until, _EVENTS_MAX)
        return History(tuple(self.changes), tuple(self.generations), tuple(self.records))

    def _publish(self) -> None:
        if self._off:
            return
        self.region.latest += 1
        for place, name in enumerate(self.region.enactors):
            if self.region.enactors[name].phase == "idle":
                self.loop.after(ASKING_S * (1 + place / 3), lambda name=name: self._turn(name, start=True))  # type: ignore[misc]
        self.loop.after(PLAN_EVERY_S, self._publish)

    def _turn(self, name: str, *, start: bool = False) -> None:
        """One request. An enactor that is idle waits for the next plan."""
        if self._off:
            return
        enactor = self.region.enactors[name]
        if enactor.phase == "idle" and not start:
            return
        wait = ASKING_S
        if self._holds_back(name):
            return
        if name == CLEANER and self._is_the_moment():
            self._woken = True
            self.loop.after(ASKING_S, lambda: self._turn(SLEEPER))
            wait = 12 * ASKING_S  # a batch that deletes whole trees takes its time
            self.loop.after(wait, lambda: self._turn_now(name))
            return
        self._turn_now(name, wait)

    def _turn_now(self, name: str, wait: float = ASKING_S) -> None:
        before = tuple(self.region.zones)
        turn = self.region.turn(name)
        for old, new in zip(before, self.region.zones, strict=True):
            if old is not new:
                self._ledger.holds(new)
        self._note()
        if turn.after.phase == "idle" and turn.before.phase in ("idle", "checking"):
            return  # nothing newer than what is applied
        blocked = turn.before == turn.after
        self.loop.after(20 * wait if turn.refused or blocked else wait, lambda: self._turn(name))

    def _holds_back(self, name: str) -> bool:
        """The one that keeps losing: from its first pass that reaches the regional endpoint until the coincidence."""
        enactor = self.region.enactors[name]
        late = (enactor.endpoint, enactor.phase) == (REGIONAL, "locking")
        if name == SLEEPER and late and not self._woken and self.loop.now >= _LOSES_FROM_S:
            self._sleeps = True
        return name == SLEEPER and self._sleeps and not self._woken

    def _is_the_moment(self) -> bool:
        """The clean-up has made its list of the regional endpoint, and it is time."""
        enactor, sleeper = self.region.enactors[CLEANER], self.region.enactors[SLEEPER]
        listed = (enactor.endpoint, enactor.phase) == (REGIONAL, "sweeping") and sleeper.plan in enactor.doomed
        return not self._woken and self._sleeps and listed and self.loop.now > -PLAN_EVERY_S

    def _restore(self) -> None:
        """People put a whole tree of the latest plan in place. Which records they changed is not published."""
        zone = self.region.zones[REGIONAL]
        latest = self.region.latest
        reply = apply(zone, batches.built(NAME, latest) + batches.moved(NAME, latest))
        if not isinstance(reply, Applied):
            raise AssertionError(f"a tree built by hand is refused: {reply.found}")
        self.region.zones[REGIONAL] = reply.zone
        self._ledger.holds(reply.zone)
        self._note()

    def _switch_off(self) -> None:
        self._off = True

    def _note(self) -> None:
        zone = self.region.zones[REGIONAL]
        now, root = self.loop.now, plans.root(zone)
        seen = (len(resolve(zone, NAME)[1]), root, self._ledger.count)
        for place, series in enumerate((self.changes, self.generations, self.records)):
            if seen[place] != self._last[place]:
                series.append((now, seen[place]))
        self._last = seen


@lru_cache(maxsize=256)
def history(remedies: frozenset[Remedy], hands: Hands, until: float, group: int = 1) -> History:
    """The answer over the day, with `group` load balancers for each of the cores'. The same each time."""
    return _Driving(remedies, hands, until, group).run()
