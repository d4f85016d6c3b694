"""What must hold of plans however they came about: checks that know nothing of how planning works.

A history is a row of steps: what the planner was told, what plan stood before and after. Each check returns the
violations it finds, by its own name, so that a mutant is killed by a check and not by a crash.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from standfast.core.decisions import Draft, Presence
from standfast.core.guard import plan_violations
from standfast.core.planner import draft
from standfast.model.entry import Entry, Key, Member
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy

from .planning import EMPTY, context


class Situation(Struct, frozen=True):
    """What a planner is told at one moment."""

    fleet: Fleet
    verdicts: Mapping[str, Verdict]
    policies: tuple[EndpointPolicy, ...]
    now: float


class Step(Struct, frozen=True):
    """One draft, with the plan that stood before it and the one that stands after."""

    told: Situation
    before: Plan | None
    drawn: Draft
    after: Plan | None


def told(situation: Situation, before: Plan | None, generation: int) -> Draft:
    """What the planner makes of it; nothing stands in DNS."""
    present: dict[Key, Presence] = {one.key: EMPTY for one in situation.policies}
    zones = tuple(sorted({one.zone for one in situation.policies}))
    given = context(generation, situation.policies, zones=zones or ("lb.example.com",), present=present)
    return draft(situation.fleet, situation.verdicts, situation.policies, before, situation.now, given)


def history(situations: Sequence[Situation], start: Plan | None = None) -> list[Step]:
    """One draft after the other, each published."""
    steps: list[Step] = []
    plan = start
    for situation in situations:
        drawn = told(situation, plan, (plan.generation if plan else 0) + 1)
        after = drawn.plan or plan
        steps.append(Step(situation, plan, drawn, after))
        plan = after
    return steps


def _pairs(step: Step) -> list[tuple[Entry | None, Entry]]:
    """Live entries before and after."""
    if step.after is None:
        return []
    before = {entry.key: entry for entry in step.before.shards} if step.before else {}
    return [(before.get(entry.key), entry) for entry in step.after.shards if entry.kind == "live"]


def _configured(step: Step, key: Key) -> EndpointPolicy | None:
    return next((one for one in step.told.policies if one.key == key), None)


def never_below_min_answers(steps: Sequence[Step]) -> list[str]:
    """G1: the answer of no family that is served falls below min_answers by a plan, as configured and as promised."""
    found = []
    for step in steps:
        for before, after in _pairs(step):
            policy = _configured(step, after.key)
            for family, least in before.min_answers if before else ():
                had, has = (len(r.rdata) if r else 0 for r in (before and before.rrset(family), after.rrset(family)))
                wanted = policy.min_answers if policy and policy.min_answers is not None else 0
                wanted = wanted or _by_default(step, policy, family)
                if policy and policy.families and family not in policy.families:
                    continue
                if has < had and has < max(1, wanted if policy else least):
                    found.append(f"{after.name} {family}: {had} → {has}, wanted {wanted}")
            found += [f"{after.name}: empty" for _, least in after.min_answers if least < 1]
            for family, least in after.min_answers:
                rrset = after.rrset(family)
                if rrset is None or len(rrset.rdata) < least:
                    found.append(f"{after.name} {family}: fewer than promised")
    return found


def _by_default(step: Step, policy: EndpointPolicy | None, family: int) -> int:
    admitted = [one for one in step.told.fleet.load_balancers if not policy or not policy.azs or one.az in policy.azs]
    return 2 if sum(bool(one.ipv4 if family == 1 else one.ipv6) for one in admitted) >= 3 else 1


def within_velocity(steps: Sequence[Step]) -> list[str]:
    """G7: from any departure on, within a window no more leaves than the share of what was installed, or one.

    Judged from the plans alone: who was in the answer before and is not after.
    """
    found = []
    gone: dict[Key, list[tuple[float, int, int]]] = {}
    clock = 0.0
    for step in steps:
        clock = max(clock, step.told.now)
        for before, after in _pairs(step):
            policy = _configured(step, after.key)
            if before is None or policy is None or before.held:
                continue
            were = {m.load_balancer: m.weight for m in before.members if m.served}
            stay = {m.load_balancer for m in after.members if m.served}
            left = [weight for name, weight in were.items() if name not in stay]
            by_az = bool({gone.load_balancer for gone in after.departures if gone.az} & (were.keys() - stay))
            row = gone.setdefault(after.key, [])
            installed = sum(m.weight for m in before.members if m.served)
            row += [(clock, weight, installed) for weight in left]
            window = [one for one in row if one[0] + policy.removal_window_s > clock]
            gone[after.key] = window
            total = sum(weight for _, weight, _ in window)
            if left and not by_az and len(window) > 1 and total > policy.removal_share * window[0][2] + 1e-6:
                found.append(f"{after.name}: {total} of {window[0][2]} left in a window")
    return found


def azs_go_as_agreed(steps: Sequence[Step]) -> list[str]:
    """G7: with the last of two or more load balancers of an AZ, none of them healthy, the AZ goes by health alone only
    if two outside it see all of it down, 60 % is healthy without it, no other went in 30 minutes, and not at once."""
    found: list[str] = []
    went: list[tuple[str, float]] = []
    for step in steps:
        now, here = step.told.now, []
        for before, after in _pairs(step):
            policy = _configured(step, after.key)
            if before is None or policy is None or before.held or step.drawn.plan is None:
                continue
            now_at = {one.id: {*one.ipv4, *one.ipv6} for one in step.told.fleet.load_balancers}
            were = {m.load_balancer for m in before.members if m.served and _still_at(m, now_at)}
            left = were - {m.load_balancer for m in after.members if m.served}
            fit = [one for one in step.told.fleet.load_balancers if one.admin == "up" and _eligible(policy, one)]
            fit = [one for one in fit if not policy.families or {1: one.ipv4, 28: one.ipv6}[policy.families[0]]]
            said = {one.id: step.told.verdicts.get(one.id, Verdict("unknown", "")) for one in fit}
            fit = [one for one in fit if said[one.id].state != "warming" or one.id in were]
            healthy = [one for one in fit if said[one.id].state == "up"]
            share = sum(one.capacity for one in healthy) / max(1, sum(one.capacity for one in fit))
            for az in sorted({one.az for one in fit}):
                there = [one for one in fit if one.az == az]
                gone = [one for one in there if one.id in left and said[one.id].state == "down"]
                stay = [one for one in there if one.id in were - left]
                if len(there) < 2 or not gone or stay or any(one in healthy for one in there):
                    continue
                least = min(said[one.id].outside for one in there)
                others = [other for other, at in went if other != az and at + 1800 > now]
                if policy.az_loss == "ask" or least < 2 or share < 0.6 or others or len(gone) == len(there):
                    found.append(f"{after.name}: AZ {az} went ({policy.az_loss}, {least}, {share:.2f}, {others})")
            here += [(gone.az, gone.at) for gone in after.departures if gone.az]
        went = sorted({*went, *here})
    return found


def _still_at(member: Member, now_at: Mapping[str, set[str]]) -> bool:
    """Whoever has other addresses now goes for that, whatever its health."""
    return set(member.addresses) <= now_at.get(member.load_balancer, set())


def within_adding(steps: Sequence[Step]) -> list[str]:
    """In 60 s no more joins an answer than 34 % of what it then has, or one, unless min_answers needs it."""
    found: list[str] = []
    rows: dict[Key, list[tuple[float, int]]] = {}
    for step in steps:
        for before, after in _pairs(step):
            policy = _configured(step, after.key)
            if before is None or policy is None or before.held or step.drawn.plan is None:
                continue
            were = {(m.load_balancer, m.addresses) for m in before.members if m.served}
            serve = [m for m in after.members if m.served]
            new = [m.weight for m in serve if not _known(m, were)]
            row = [one for one in rows.get(after.key, []) if one[0] + policy.adding_window_s > step.told.now]
            row += [(step.told.now, weight) for weight in new]
            rows[after.key] = row
            total, all_of = sum(weight for _, weight in row), sum(m.weight for m in serve)
            fine = [a for m in serve if not m.reason.startswith("kept: ") for a in m.addresses]
            spare = min(sum((":" in a) == (f == 28) for a in fine) - n for f, n in after.min_answers)
            panic = any(one.key == after.key and one.panic for one in step.drawn.decisions)
            entering = any(not one.load_balancer for one in after.arrivals)
            needed = spare <= 0 or entering or (panic and policy.on_panic == "all")
            if (
                new
                and len(row) > 1
                and not needed
                and total > policy.adding_share * max(all_of, _wanting(step, policy))
            ):
                found.append(f"{after.name}: {total} of {all_of} joined in a window")
    return found


def _known(member: Member, were: set[tuple[str, tuple[str, ...]]]) -> bool:
    """It had these addresses, or those of one family while the other was not served."""
    return any(name == member.load_balancer and set(some) & set(member.addresses) for name, some in were)


def _wanting(step: Step, policy: EndpointPolicy) -> int:
    """The most that it could want: all that its AZs have."""
    return sum(one.capacity for one in step.told.fleet.load_balancers if not policy.azs or one.az in policy.azs)


def since_tells_changes(steps: Sequence[Step]) -> list[str]:
    """`since` is the generation of the last change: never lower, new with new contents, else carried on."""
    found = []
    for step in steps:
        if step.drawn.plan is None:
            continue
        for before, after in _pairs(step):
            fresh = step.drawn.plan.generation
            expected = before.since if before is not None and after.same_contents(before) else fresh
            if after.since != expected:
                found.append(f"{after.name}: since {after.since}, expected {expected}")
    return found


def nothing_vanishes(steps: Sequence[Step]) -> list[str]:
    """Absence from fleet or configuration deletes no entry."""
    found = []
    for step in steps:
        if step.before is not None and step.after is not None:
            now = {entry.key for entry in step.after.shards}
            found += [f"{entry.name} vanished" for entry in step.before.shards if entry.key not in now]
    return found


def held_stays(steps: Sequence[Step]) -> list[str]:
    """Held entries are carried on exactly."""
    return [
        f"{after.name} changed while held"
        for step in steps
        for before, after in _pairs(step)
        if before is not None and before.held and before != after
    ]


def unknown_stays(steps: Sequence[Step]) -> list[str]:
    """Who is up in administration, unchanged in address and of unknown health stays where it is."""
    found = []
    for step in steps:
        there = {one.id: one for one in step.told.fleet.load_balancers}
        for before, after in _pairs(step):
            policy = _configured(step, after.key)
            if before is None or policy is None or len(there) > policy.max_answers:
                continue
            for member in before.members:
                one = there.get(member.load_balancer)
                state = step.told.verdicts.get(member.load_balancer, Verdict("unknown", "")).state
                if one is None or one.admin != "up" or state != "unknown" or not member.served:
                    continue
                if {*one.ipv4, *one.ipv6} >= set(member.addresses) and _eligible(policy, one):
                    still = any(m.served and m.load_balancer == one.id for m in after.members)
                    found += [] if still else [f"{after.name}: {one.id} left on no evidence"]
    return found


def _eligible(policy: EndpointPolicy, one: LoadBalancer) -> bool:
    return (not policy.azs or one.az in policy.azs) and (not policy.families or len(policy.families) == 2)


def nobody_goes_in_panic(steps: Sequence[Step]) -> list[str]:
    """Where the believed healthy capacity of load balancers that are up in administration is under the threshold."""
    found = []
    for step in steps:
        for before, after in _pairs(step):
            policy = _configured(step, after.key)
            if before is None or policy is None:
                continue
            some = [one for one in step.told.fleet.load_balancers if one.admin == "up" and _eligible(policy, one)]
            state = {one.id: step.told.verdicts.get(one.id, Verdict("unknown", "")).state for one in some}
            if policy.families or any(value == "warming" for value in state.values()) or not some:
                continue
            healthy = sum(one.capacity for one in some if state[one.id] == "up") / sum(one.capacity for one in some)
            left = {m.load_balancer for m in before.members if m.served}
            left -= {m.load_balancer for m in after.members if m.served}
            if healthy < policy.hold_below and left:
                found.append(f"{after.name}: {sorted(left)} left at {healthy:.2f}")
    return found


def every_reason_is_given(steps: Sequence[Step]) -> list[str]:
    """Each eligible load balancer has a reason in the decision, and in an entry that was just made."""
    found = []
    for step in steps:
        for decision in step.drawn.decisions:
            policy = _configured(step, decision.key)
            if policy is None or decision.action not in ("entered", "changed", "kept"):
                continue
            wanted = {
                one.id for one in step.told.fleet.load_balancers if not policy.families and _eligible(policy, one)
            }
            told_of = {member.load_balancer for member in decision.members if member.reason}
            found += [f"{decision.key[1]}: nothing is said of {name}" for name in sorted(wanted - told_of)]
            entry = step.after.entry(decision.key) if step.after else None
            if step.drawn.plan and entry and entry.members != decision.members:
                found.append(f"{decision.key[1]}: the entry says otherwise than the decision")
    return found


def families_go_together(steps: Sequence[Step]) -> list[str]:
    """Whoever is served is served with all its addresses in the families of the entry, and nobody else is."""
    found = []
    for step in steps:
        for _, after in _pairs(step):
            for family, _ in after.min_answers:
                due = {a for m in after.members if m.served for a in m.addresses if (":" in a) == (family == 28)}
                rrset = after.rrset(family)
                if due != set(rrset.texts() if rrset else ()):
                    found.append(f"{after.name} {family}: members and answer differ")
    return found


def guard_agrees(steps: Sequence[Step]) -> list[str]:
    """The guard lets every plan pass."""
    return [
        str(violation)
        for step in steps
        if step.drawn.plan is not None
        for violation in plan_violations(step.drawn.plan, step.before)
    ]


def asking_again_changes_nothing(steps: Sequence[Step]) -> list[str]:
    """Planning again from the plan just made, with nothing new, gives none."""
    return [
        f"g{step.after.generation} again"
        for step in steps
        if step.after is not None and told(step.told, step.after, step.after.generation + 1).plan is not None
    ]


def order_is_irrelevant(steps: Sequence[Step]) -> list[str]:
    """The order in which fleet, verdicts and policies are given decides nothing."""
    found = []
    for step in steps:
        was = step.told
        turned = Situation(
            Fleet(tuple(reversed(was.fleet.load_balancers))),
            dict(reversed(list(was.verdicts.items()))),
            tuple(reversed(was.policies)),
            was.now,
        )
        other = told(turned, step.before, (step.before.generation if step.before else 0) + 1)
        if other != step.drawn:
            found.append(f"at {was.now}")
    return found


Check = Callable[[Sequence[Step]], list[str]]
CHECKS: Final[tuple[Check, ...]] = (
    never_below_min_answers,
    within_velocity,
    azs_go_as_agreed,
    within_adding,
    since_tells_changes,
    nothing_vanishes,
    held_stays,
    unknown_stays,
    nobody_goes_in_panic,
    every_reason_is_given,
    families_go_together,
    guard_agrees,
    asking_again_changes_nothing,
    order_is_irrelevant,
)
