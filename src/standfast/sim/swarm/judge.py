"""Who checks: every change that a zone takes, every collection, publication and report, and convergence at the end.

The properties are those of `sim/properties.py`, and G7 here. What people did by hand is told to the judge, so that the
ghosts of G2 are those of what stands.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from standfast.core.task import Outcome
from standfast.model.defaults import AZ_AGAIN_S
from standfast.model.entry import Departure, Entry, Key
from standfast.model.fleet import LoadBalancer
from standfast.model.marker import Marker
from standfast.model.name import first_name
from standfast.model.plan import Head, Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType
from standfast.ports.provider import Replace
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store_spec import StoreState
from standfast.sim.properties import (
    NEVER,
    InEffect,
    in_effect,
    not_reached,
    remembered,
    wrong_with_collection,
    wrong_with_report,
    wrong_with_write,
)
from standfast.sim.tree_properties import marker_in, unneeded_in, wrong_with_tree_collection

from .scenario import STREAM, Scenario, endpoint_names, zone_names

_DONE: Final = frozenset({"written", "refilled"})


class Violation(Exception):
    """A property is broken. `endpoint` is whose, empty if nobody's in particular."""

    def __init__(self, rule: str, what: str, endpoint: str = "") -> None:
        super().__init__(f"{rule}: {what}")
        self.rule, self.what, self.endpoint = rule, what, endpoint


class _Left(Struct, frozen=True):
    """Capacity that left an endpoint, by the clock of the planner that let it go."""

    at: float
    weight: int
    installed: int
    bounded: bool = True


class Judge:
    """Raises Violation at the first thing that is wrong.

    `plans` are all that were ever published, by digest. `restored` is set when people put old records back: a marker
    may then stand below what a cleaner has rightly read.
    """

    def __init__(self, scenario: Scenario, policies: tuple[EndpointPolicy, ...]) -> None:
        self.plans: dict[str, Plan] = {}
        self.newest: Plan | None = None
        self.restored = False
        self.clocks_agree = True
        self.one_history = True
        self.failed: set[str] = set()
        """Load balancers of which any check ever failed; silence is no failure."""
        self.consented: set[str] = set()
        """Load balancers to whose leaving, beyond the budget, an operator ever consented."""
        self.agreed: set[str] = set()
        """Load balancers that enough vantage points outside their AZ ever saw down."""
        self.checked = 0
        self._policies = {policy.key: policy for policy in policies}
        self._names: dict[str, list[str]] = {zone: [first_name(STREAM, zone)] for zone in zone_names(scenario)}
        for zone, name in endpoint_names(scenario):
            self._names[zone].append(name)
        self._effects: dict[str, dict[str, InEffect]] = {
            zone: dict.fromkeys(names, NEVER) for zone, names in self._names.items()
        }
        self._applied: set[str] = set()
        self._left: dict[Key, list[_Left]] = {}
        self._azs: dict[str, float] = {}

    # -- zones -----------------------------------------------------------------------------------------------------

    def written(self, before: ZoneState, after: ZoneState, change: Replace, *, operator: bool = False) -> None:
        """A change of ours has been made; `operator`: it is a step of freezing or thawing."""
        self.checked += 1
        effects = self._effects[after.apex]
        found = wrong_with_write(before, after, change, effects, self.plans, STREAM, operator=operator)
        _raise(found, change)
        for write in change.writes:
            effects[write.name] = in_effect(after, write.name, effects.get(write.name, NEVER))
        self._applied.add(nonce_of(change))

    def tree_gone(self, before: ZoneState, after: ZoneState) -> None:
        """Records of a tree have been collected."""
        self.checked += 1
        names = self._names[after.apex]
        _raise(wrong_with_tree_collection(before, after, names, self.plans.values(), STREAM))

    def uncollected(self, head: Head | None, zones: Iterable[ZoneState], keep: int) -> str:
        """Which endpoint has more trees than it may, though all had time to go; empty: none."""
        plan = self.plans.get(head.digest) if head is not None else None
        for zone in zones if plan is not None else ():
            for entry in plan.by_zone.get(zone.apex, ()) if plan is not None else ():
                marker = marker_in(zone, entry.name)
                if isinstance(marker, Marker) and marker.frozen:
                    continue  # people's, with all that stands there, until they thaw it
                left = unneeded_in(zone, entry.name)
                if len(left) > (keep if entry.has_tree else 0):
                    return f"{zone.apex}: of {entry.name} the trees of since {left} stand, and nothing needs them"
        return ""

    def damaged(self, after: ZoneState) -> None:
        """People have changed the zone.

        If they left neither floor nor marker, and the store was lost or set back before, nothing anywhere remembers
        what its lost plans said: whatever the newest plan says is news.
        """
        effects = self._effects[after.apex]
        forgotten = not self.one_history and remembered(after, effects, STREAM) == 0
        for name in self._names[after.apex]:
            effects[name] = NEVER if forgotten else in_effect(after, name, effects[name])

    # -- store -----------------------------------------------------------------------------------------------------

    def stored(self, before: StoreState, after: StoreState, zones: Iterable[ZoneState]) -> None:
        """The store has taken a publication or a collection."""
        if len(after.plans) < len(before.plans) and not self.restored:
            _raise(wrong_with_collection(before, after, zones))
        if after.head != before.head and after.plans and after.plans[-1].head == after.head:
            self._published(after.plans[-1], before.head)

    def _published(self, plan: Plan, over: Head | None) -> None:
        self._follows(plan, over)
        known = self.plans.get(plan.digest)
        self.plans[plan.digest] = plan
        if known is not None or (self.newest is not None and plan.generation <= self.newest.generation):
            return
        if self.newest is not None and self.clocks_agree:
            for before, after in plan.shards.changes(self.newest.shards):
                if before is not None and after is not None:
                    self._bounded(before, after, plan.record.at)
        self.newest = plan

    def forget_departures(self) -> None:
        """A planner can't know what a store that was lost or set back has forgotten."""
        self._left.clear()
        self._azs.clear()
        self.clocks_agree = self.one_history = False

    def _follows(self, plan: Plan, over: Head | None) -> None:
        """G2 among plans: an entry's `since` is the generation in which it last changed from the plan before."""
        base = self.plans.get(over.digest) if over is not None else None
        if base is None or not self.one_history:
            return
        for was, now in plan.shards.changes(base.shards):
            if was is None or now is None:
                continue
            step = f"{now.name} from plan {base.generation} to {plan.generation}"
            if now.since < was.since:
                raise Violation("G2", f"{step}: since went from {was.since} to {now.since}", now.name)
            if not now.same_contents(was) and now.since != plan.generation:
                raise Violation("G2", f"{step}: the contents changed, and since stayed {now.since}", now.name)

    def left(self, over: Head | None, held: Plan | None, after: Plan, fleet: Iterable[LoadBalancer]) -> None:
        """G6: nobody that the planner's fleet has leaves an answer with room while no check of it ever failed.

        G7: nobody goes with a whole AZ whom no two outside it ever saw down. Both only of what leaves from the plan at
        the head that was published `over`, and from the one the planner `held` (of a store set back they differ).
        """
        before = self.plans.get(over.digest) if over is not None else None
        if before is None or held is None:
            return
        there = {one.id: one for one in fleet if one.admin == "up"}
        for was, now in after.shards.changes(before.shards):
            policy = self._policies.get(now.key) if now is not None else None
            known = held.entry(now.key) if now is not None else None
            if was is None or now is None or policy is None or known is None:
                continue
            for gone in now.departures:
                if gone.az and gone not in (*was.departures, *known.departures):
                    if gone.load_balancer in self.agreed:
                        continue
                    what = f"{now.name}: {gone.load_balancer} went with AZ {gone.az}, and nobody outside saw it down"
                    raise Violation("G7", what, now.name)
            serving = _serving(now)
            for name in sorted(_serving(was) & _serving(known) - serving):
                wanted = name in there and (not policy.azs or there[name].az in policy.azs)
                if wanted and name not in self.failed and len(serving) < policy.max_answers:
                    raise Violation("G6", f"{now.name}: {name} left, though no check of it ever failed", now.name)

    def _bounded(self, before: Entry, after: Entry, at: float) -> None:
        """G7, by what plans contain: in a window no more leaves than the share, or one load balancer."""
        policy = self._policies.get(after.key)
        if policy is None:
            return
        served = {(member.load_balancer, member.addresses) for member in after.members if member.served}
        was = [member for member in before.members if member.served]
        self._turns(before, after, at)
        turn = self._went(before, after)
        installed = sum(member.weight for member in was)
        left = [one for one in self._left.get(after.key, []) if one.at + policy.removal_window_s > at]
        left += [
            _Left(at, m.weight, installed, m.load_balancer not in self.consented)
            for m in was
            if (m.load_balancer, m.addresses) not in served and m.load_balancer != turn
        ]
        self._left[after.key] = left
        total = sum(one.weight for one in left if one.bounded)
        if gone := [one for one in after.departures if one.az and one not in before.departures]:
            self._azs_go(after, gone, at)
        elif (
            left[-1:]
            and left[-1].at == at
            and sum(one.bounded for one in left) > 1
            and total > policy.removal_share * left[0].installed + 1e-6
        ):
            what = (
                f"{total} of {left[0].installed} of {after.name}'s capacity left within {policy.removal_window_s:g} s"
            )
            raise Violation("G7", what, after.name)

    @staticmethod
    def _went(before: Entry, after: Entry) -> str:
        """Who changed places by turns: not limited, for one came for the one that went."""
        if after.turn is None or before.turn is None or after.turn == before.turn:
            return ""
        was, now = ({m.load_balancer for m in entry.members if m.served} for entry in (before, after))
        return next(iter(was - now)) if len(was - now) == 1 == len(now - was) else ""

    def _turns(self, before: Entry, after: Entry, at: float) -> None:
        """G7: a turn is one out and one in, and not before two TTLs are over."""
        if before.turn is None or after.turn in (None, before.turn) or not before.turn.credits:
            return
        least = 2 * max(rrset.ttl for rrset in before.rrsets)
        if 0 <= at - before.turn.at < least:
            raise Violation("G7", f"{after.name}: a turn {at - before.turn.at:g} s after another", after.name)
        if not self._went(before, after):
            raise Violation("G7", f"{after.name}: a turn is not one out and one in", after.name)

    def _azs_go(self, entry: Entry, gone: Iterable[Departure], at: float) -> None:
        """G7: no second AZ goes by itself within half an hour of another. (`left` judges on what evidence.)"""
        for one in gone:
            for other, then in self._azs.items():
                if other != one.az and then <= at < then + AZ_AGAIN_S:
                    what = f"{entry.name}: AZ {one.az} goes {at - then:g} s after AZ {other}"
                    raise Violation("G7", what, entry.name)
            self._azs[one.az] = at

    # -- reports and the end ---------------------------------------------------------------------------------------

    def told(self, outcomes: tuple[Outcome, ...], who: str) -> None:
        """G10: what is reported as written has been."""
        for one in outcomes:
            if one.result in _DONE and one.nonce not in self._applied:
                _raise(wrong_with_report((one,), witnessed=False))

    def unconverged(self, head: Head | None, zones: Mapping[str, ZoneState], fleet: tuple[LoadBalancer, ...]) -> str:
        """How what stands differs from the head's plan, and that from what it should be; empty if nothing does.

        The head counts, not the highest number that ever was: a store may be lost with plans that nobody has kept.
        All of the fleet serves again: nobody else may be in an answer, and each has as many addresses as it may.
        """
        plan = self.plans.get(head.digest) if head is not None else None
        if plan is None:
            return "the store has no plan"
        for zone, state in zones.items():
            if why := not_reached(state, plan):
                return f"{zone}: {why[:200]}"
        for key, policy in self._policies.items():
            entry = plan.entry(key)
            if entry is None:
                return f"{key[1]} is in no plan"
            able = [one for one in fleet if not policy.azs or one.az in policy.azs]
            if gone := sorted({m.load_balancer for m in entry.members if m.served} - {one.id for one in able}):
                return f"{key[1]} still answers with {', '.join(gone)}, which it should not have"
            rrset = entry.rrset(RRType.A)
            has, full = rrset.count if rrset is not None else 0, min(len(able), policy.max_answers)
            if has < full:
                return f"{key[1]} has {has} IPv4 addresses, and all {len(able)} load balancers serve"
        return ""


def nonce_of(change: Replace) -> str:
    """The nonce of a change of ours, as its first marker or its floor has it."""
    for part in (*change.writes, change.floor):
        for content in part.contents:
            for rdata in content.rdata:
                at = rdata.find(b" x=")
                if at >= 0:
                    return rdata[at + 3 : at + 19].decode("latin-1")
    return ""


def _raise(sentences: list[str], change: Replace | None = None) -> None:
    if not sentences:
        return
    rule, _, what = sentences[0].partition(": ")
    names = [write.name for write in change.writes] if change is not None else []
    words = what.split()
    raise Violation(rule, what, next((name for name in names if name in words), names[0] if names else ""))


def _serving(entry: Entry) -> set[str]:
    return {member.load_balancer for member in entry.members if member.served}
