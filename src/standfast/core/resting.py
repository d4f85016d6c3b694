"""Endpoints at rest need not be planned anew at each pass: cost follows change, not size. Pure.

An endpoint is at rest if its entry was kept as it is, nobody is held in it who is believed down, and no turn may come.
What comes of it then depends on its policy, its preceding entry, the load balancers that its policy admits, what is
thought of them and said about them, and the provider's checks in its zone; and on the hour only when a departure or an
arrival passes out of its window. As long as all these are the same, so is what comes of it (a test compares with
planning everything anew).

A memory changes nothing but what a pass costs, so two of them are always equal. It serves a planner whose policies are
the same object as before; another plan than the last one costs what differs.
"""

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from standfast.model.check import BalancerCheck
from standfast.model.defaults import AZ_AGAIN_S
from standfast.model.entry import Entry, Key
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy

from .decisions import HeldBack
from .endpoint import Planned
from .outlook import Outlook
from .spread import Spread

Shape: TypeAlias = tuple[object, ...]
"""What policies must share to be given the same load balancers."""


def _shape(policy: EndpointPolicy) -> Shape:
    return (policy.azs, policy.pools, policy.families, policy.prefixes)


class Wanted:
    """What is configured: policies by key in the order of keys, alike ones together, who follows whom, and those that
    say what they need."""

    __slots__ = ("alike", "by_key", "followers", "given", "needs")

    def __init__(self, given: tuple[EndpointPolicy, ...]) -> None:
        self.given = given
        self.by_key = {policy.key: policy for policy in sorted(given, key=lambda policy: policy.key)}
        self.alike: dict[Shape, list[Key]] = {}
        for key, policy in self.by_key.items():
            self.alike.setdefault(_shape(policy), []).append(key)
        follows = {key: (one.zone, one.follows) for key, one in self.by_key.items() if one.follows}
        self.followers: Mapping[Key, Key] = follows
        self.needs = tuple(policy for policy in self.by_key.values() if policy.need)


class Memory:
    """What the next draft may use of this one, made at `at` on the planner's wall clock.

    `rests` says until when each is at rest by the clock; `until`: before then a pass that sees the same comes to the
    same; -inf if somebody was not at rest.
    """

    __slots__ = ("at", "checks", "entries", "outcomes", "plan", "rests", "seen", "spreads", "until", "wanted")

    def __init__(self, at: float, wanted: Wanted) -> None:
        self.at, self.wanted, self.until = at, wanted, -math.inf
        self.plan: Plan | None = None
        self.entries: Mapping[Key, Entry] = {}
        self.outcomes: dict[Key, Planned] = {}
        self.spreads: dict[Key, Spread] = {}
        self.rests: dict[Key, float] = {}
        self.seen: dict[Shape, object] = {}
        self.checks: Mapping[str, tuple[BalancerCheck, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Memory)

    def __hash__(self) -> int:
        return 0


NOTHING = Memory(-math.inf, Wanted(()))
"""To begin with."""


def wanted_of(policies: tuple[EndpointPolicy, ...], memory: Memory | None) -> Wanted:
    """What is configured, sorted out."""
    return memory.wanted if memory is not None and memory.wanted.given is policies else Wanted(policies)


def entries_of(plan: Plan | None, memory: Memory | None) -> Mapping[Key, Entry]:
    """A plan's entries by key."""
    if plan is None:
        return {}
    if memory is None or memory.plan is None:
        return {entry.key: entry for entry in plan.shards}
    if memory.plan is plan:
        return memory.entries
    entries = dict(memory.entries)
    for was, now in plan.shards.changes(memory.plan.shards):
        if now is not None:
            entries[now.key] = now
        elif was is not None:
            entries.pop(was.key)
    return entries


class Recall:
    """One draft's use of a memory, and what the next draft may remember. Without a memory everything is planned.

    `outcomes` and `spreads` are in the order of keys, `stale` those that are to be planned. A clock that was set back
    may bring a window back: then nothing is recalled.
    """

    def __init__(self, memory: Memory | None, outlook: Outlook, wanted: Wanted, before: Mapping[Key, Entry]) -> None:
        self._outlook, self._wanted, self._keeps = outlook, wanted, memory is not None
        known = memory if memory is not None and memory.wanted is wanted and memory.at <= outlook.now else NOTHING
        self._known = known
        self._seen: dict[Shape, object] = {}
        if known is NOTHING:
            self.outcomes: dict[Key, Planned] = {}
            self.spreads: dict[Key, Spread] = {}
            self.rests: dict[Key, float] = {}
            self.stale = set(wanted.by_key)
            return
        self.outcomes, self.spreads, self.rests = dict(known.outcomes), dict(known.spreads), dict(known.rests)
        self.stale = self._news(before)
        for key in self.stale:
            self.rests.pop(key, None)

    def _news(self, before: Mapping[Key, Entry]) -> set[Key]:
        """Whoever was not at rest, or has something new to see."""
        known, outlook, wanted = self._known, self._outlook, self._wanted
        stale = set(wanted.by_key.keys() - known.rests.keys())
        for shape, keys in wanted.alike.items():
            if self._look(shape, wanted.by_key[keys[0]]) is not known.seen.get(shape):
                stale.update(keys)
        if before is not known.entries:
            outcomes = known.outcomes
            stale.update(key for key in known.rests if outcomes[key].entry is not before.get(key))
        stale.update(key for key, until in known.rests.items() if until <= outlook.now)
        checks = outlook.context.checks
        other = {zone for zone in known.checks.keys() | checks if known.checks.get(zone, ()) != checks.get(zone, ())}
        if other := other | outlook.context.unreadable:
            stale.update(key for key in wanted.by_key if key[0] in other)
        stale.update(key for key, leader in wanted.followers.items() if leader in stale)
        return stale

    def planned(self, key: Key, planned: Planned, was: Entry | None) -> None:
        """This came of it."""
        self.outcomes[key] = planned
        self.spreads[key] = Spread(planned.decision.key, planned.able, planned.served, planned.parts)
        policy = self._wanted.by_key[key]
        if not self._keeps or was is None or planned.entry is not was or not _rests(planned, policy):
            return
        if any(not self._undoubted(one) for one in planned.decision.held_back):
            return
        leader = self._wanted.followers.get(key)
        if leader is not None and (leader not in self.rests or leader in self._wanted.followers):
            return  # it is planned with the one that it follows
        until = self._until(planned, was, policy)
        admitted = {one.id for one in self._outlook.eligible(policy)}
        if until is not None and all(one.load_balancer in admitted for one in was.members if one.served):
            self.rests[key] = until

    def _undoubted(self, one: HeldBack) -> bool:
        """Who is kept in against a wish waits for a limit; who is kept in though it fails, for its whole AZ too."""
        verdict = self._outlook.verdicts.get(one.load_balancer)
        return one.asked or one.rule == "adding" or (verdict is not None and verdict.state == "up")

    def sort(self) -> None:
        """In the order of keys."""
        self.outcomes = {key: self.outcomes[key] for key in self._wanted.by_key}
        self.spreads = {key: self.spreads[key] for key in self._wanted.by_key}

    def memory(self, plan: Plan | None, entries: Mapping[Key, Entry], changed: Iterable[Key]) -> Memory | None:
        """For the next draft, which begins with that plan. `changed` have another entry there than was planned."""
        if not self._keeps:
            return None
        found = Memory(self._outlook.now, self._wanted)
        for key in changed:
            self.rests.pop(key, None)
        for shape, keys in self._wanted.alike.items():
            self._look(shape, self._wanted.by_key[keys[0]])
        found.plan, found.entries, found.seen = plan, entries, self._seen
        found.outcomes, found.spreads, found.rests = self.outcomes, self.spreads, self.rests
        found.checks = self._outlook.context.checks
        if len(self.rests) == len(self._wanted.by_key):
            found.until = min(self.rests.values(), default=math.inf)
        return found

    def _until(self, planned: Planned, entry: Entry, policy: EndpointPolicy) -> float | None:
        """When the hour will make a difference; None: it may at any moment."""
        now, decision = self._outlook.now, planned.decision
        ends = [one.at + policy.removal_window_s for one in entry.departures]
        ends += [one.at + policy.adding_window_s for one in entry.arrivals]
        ahead = any(one.at > now for one in entry.departures) or any(one.at > now for one in entry.arrivals)
        if ahead or any(one.az and one.at + AZ_AGAIN_S > now for one in entry.departures):
            return None
        ends += [one for one in (decision.due, decision.until, decision.adding.until) if one is not None]
        return min((one for one in ends if one > now), default=math.inf)

    def _look(self, shape: Shape, policy: EndpointPolicy) -> object:
        """All that is seen of those whom such a policy admits: the same object as in the draft before if it says the
        same."""
        found = self._seen.get(shape)
        if found is None:
            outlook, context = self._outlook, self._outlook.context
            some = outlook.eligible(policy)
            verdicts = tuple([outlook.verdicts.get(one.id) for one in some])
            away = [one.id for one in some if one.admin != "up"]
            said = tuple((name, outlook.reserved.get(name), name in context.consented) for name in away)
            found = (some, verdicts, said, outlook.strays(policy))
            known = self._known.seen.get(shape)
            self._seen[shape] = found = known if known == found else found
        return found


def _rests(planned: Planned, policy: EndpointPolicy) -> bool:
    """Whether it was kept as it is, and no turn can come."""
    decision, entry = planned.decision, planned.entry
    return (
        decision.action == "kept"
        and entry is not None
        and entry.kind == "live"
        and entry.turn is None
        and entry.had_tree == entry.knew_tree
        and not policy.rotation_s
        and not (decision.leaving or decision.joining or decision.panic or planned.refusal)
    )
