"""What taking load balancers out would leave in each endpoint, and which guard would refuse it. Pure.

For a person who is about to drain one, or to evacuate an AZ: answered by the planner's own rules, in two drafts that
nobody publishes; one without consent, which says what would be asked, and one with it, which says what nothing lifts.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.entry import Entry, Key
from standfast.model.fleet import Fleet, Verdict
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy

from .decisions import Decision, HeldBack, Load, PlanContext, Refusal
from .planner import draft


class Left(Struct, frozen=True):
    """What one endpoint would be left with if all of them went.

    `healthy_before` and `healthy_after` are capacity in the answer that is believed up. `answers` has for each family
    how many addresses remain and how many must. `asks` is what needs consent (or, by time alone, a while), `refuses`
    what nothing lifts. `panic`: too little is believed healthy for anybody to leave.
    """

    key: Key
    leaving: tuple[str, ...]
    healthy_before: int
    healthy_after: int
    answers: tuple[tuple[int, int, int], ...]
    asks: tuple[HeldBack, ...] = ()
    refuses: tuple[HeldBack, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    panic: bool = False

    @property
    def share(self) -> float:
        """How much of the healthy capacity in its answer remains."""
        return self.healthy_after / self.healthy_before if self.healthy_before else 1.0


class Check(Struct, frozen=True):
    """All endpoints whose answer holds one of them, and what the load balancers that stay would have to carry."""

    endpoints: tuple[Left, ...]
    loads: tuple[Load, ...] = ()

    @property
    def worst(self) -> Left | None:
        """The endpoint of which the least remains."""
        return min(self.endpoints, key=lambda one: (one.share, one.key), default=None)

    @property
    def asks(self) -> bool:
        """Whether consent is needed."""
        return any(one.asks for one in self.endpoints)

    @property
    def refuses(self) -> bool:
        """Whether something would stay in spite of consent."""
        return any(one.refuses for one in self.endpoints)


def in_az(fleet: Fleet, az: str) -> frozenset[str]:
    """The load balancers of an AZ."""
    return frozenset(one.id for one in fleet.load_balancers if one.az == az)


def check_removal(
    names: Iterable[str],
    fleet: Fleet,
    verdicts: Mapping[str, Verdict],
    policies: tuple[EndpointPolicy, ...],
    plan: Plan,
    now: float,
    context: PlanContext,
) -> Check:
    """What is left if these go. `context` is that of the plan that would be made."""
    gone = frozenset(names)
    drained = Fleet(
        tuple(
            replace(one, admin="drain") if one.id in gone and one.admin == "up" else one for one in fleet.load_balancers
        ),
        fleet.sources,
    )
    known = tuple(one for one in policies if plan.entry(one.key) is not None)
    plain = draft(drained, verdicts, known, plan, now, context)
    beyond = replace(context, consented=context.consented | gone)
    agreed = draft(drained, verdicts, known, plan, now, beyond)
    hard = {decision.key: decision for decision in agreed.decisions}
    found = []
    for decision in plain.decisions:
        entry = plan.entry(decision.key)
        serving = _serving(entry) & gone
        if entry is not None and serving and decision.key in hard:
            found.append(_left(entry, serving, decision, hard[decision.key], verdicts, agreed.refusals))
    return Check(tuple(found), agreed.loads)


def _serving(entry: Entry | None) -> frozenset[str]:
    return frozenset(member.load_balancer for member in entry.members if member.served) if entry else frozenset()


def _left(
    entry: Entry,
    serving: frozenset[str],
    plain: Decision,
    agreed: Decision,
    verdicts: Mapping[str, Verdict],
    refusals: Iterable[Refusal],
) -> Left:
    def healthy(decision_members: Iterable[tuple[str, int]]) -> int:
        return sum(weight for name, weight in decision_members if name in verdicts and verdicts[name].state == "up")

    stay = [member for member in agreed.members if member.served and member.load_balancer not in serving]
    still = {member.load_balancer for member in agreed.members if member.served} & serving
    refuses = tuple(one for one in agreed.held_back if one.load_balancer in still)
    asks = tuple(one for one in plain.held_back if one.load_balancer in serving - still)
    answers = tuple(
        (family, sum((":" in address) == (family == 28) for member in stay for address in member.addresses), least)
        for family, least in entry.min_answers
    )
    return Left(
        key=entry.key,
        leaving=tuple(sorted(serving)),
        healthy_before=healthy((m.load_balancer, m.weight) for m in entry.members if m.served),
        healthy_after=healthy((m.load_balancer, m.weight) for m in stay),
        answers=answers,
        asks=asks,
        refuses=refuses,
        refusals=tuple(one for one in refusals if one.key == entry.key),
        panic=agreed.panic,
    )
