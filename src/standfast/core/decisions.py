"""What planning is told beside fleet and policies, and what it answers: values only."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from standfast.model.check import BalancerCheck
from standfast.model.entry import Key, Member
from standfast.model.marker import ABSENT, MarkerReading
from standfast.model.plan import Plan
from standfast.model.rrset import RRset

from .spread import Share, Spread, shares

if TYPE_CHECKING:
    from .resting import Memory

Action: TypeAlias = Literal["entered", "changed", "kept", "held", "retired", "absent", "refused"]


Cause: TypeAlias = Literal["health", "az", "configuration", "consent", "choice", "rotation"]
"""Why somebody leaves an answer: see `Leaving`."""
Rule: TypeAlias = Literal["panic", "min_answers", "velocity", "az_loss", "reserve", "adding"]
"""Which limit holds somebody back."""


class Presence(Struct, frozen=True):
    """What stands in DNS at the name of an endpoint that is new to the plan.

    `rrsets` are its A, AAAA and CNAME as queries answer them (a wildcard's answer counts: users see it); None means
    that they could not be read. `marker` is the reading where its marker belongs.
    """

    rrsets: tuple[RRset, ...] | None
    marker: MarkerReading = ABSENT


class PlanContext(Struct, frozen=True):
    """Everything else a plan depends on.

    `generation` is the number the new plan would get. `present` and `consents` (name: who) concern endpoints that
    are new to the plan. In `unreadable` zones nothing changes, for nobody knows which generations were begun there.
    `raised` entries get since = generation whatever their contents (a fork, or a marker above them); `raise_all`
    does so for all, for want of a readable preceding plan. `above` publishes even if nothing else changes.
    `reason` is what the operator or configuration change says; without it the changes are the reason. `consented` are
    load balancers whose leaving an operator consented to beyond the velocity budget, never beyond min_answers or panic.
    `prefixes` are the networks that may be published in each zone, for what operators put back. `checks` are, zone by
    zone, the provider's own health checks of load balancers.
    """

    stream: str
    zones: tuple[str, ...]
    generation: int
    author: str
    reason: str = ""
    policy: str = ""
    sources: tuple[tuple[str, int], ...] = ()
    present: Mapping[Key, Presence] = {}
    consents: Mapping[str, str] = {}
    unreadable: frozenset[str] = frozenset()
    raised: frozenset[Key] = frozenset()
    raise_all: bool = False
    above: bool = False
    consented: frozenset[str] = frozenset()
    prefixes: Mapping[str, tuple[str, ...]] = {}
    checks: Mapping[str, tuple[BalancerCheck, ...]] = {}


class Refusal(Struct, frozen=True):
    """What planning would not do for one endpoint. Its previous entry is carried on, if it has one."""

    key: Key
    rule: str
    reason: str
    remedy: str


class Leaving(Struct, frozen=True):
    """A load balancer that this plan takes out of an answer, with its weight there.

    `cause`: `health` (it is believed down), `az` (it goes with its whole AZ), `configuration` (drained, gone, no longer
    eligible), `consent` (any of these, and an operator consented to it beyond the budget), `choice` (others have its
    place, for there are more than max_answers), `rotation` (it is another's turn). `installed` is what the answer held
    before the plan, `az` the AZ with which it goes.
    """

    load_balancer: str
    weight: int
    installed: int
    cause: Cause
    why: str
    az: str = ""


class Joining(Struct, frozen=True):
    """A load balancer that this plan brings into an answer of which it is a part of `of`.

    `cause`: `share` (the window had room for it), `needed` (for min_answers), `panic` (all are answered),
    `entering` (the endpoint entered within this window),
    `rotation` (it is its turn).
    """

    load_balancer: str
    weight: int
    of: int
    cause: Literal["share", "needed", "panic", "entering", "rotation"]


class HeldBack(Struct, frozen=True):
    """A load balancer that would leave the answer (by `adding`: join it) and may not yet, by which limit and why.

    `due` is the moment, on the clock of `now`, at which time alone will have lifted the limit; None if time does not.
    `asked` says that configuration or an operator wants it, so that consent may lift a limit of velocity.
    """

    load_balancer: str
    rule: Rule
    why: str
    due: float | None = None
    asked: bool = False


class Budget(Struct, frozen=True):
    """How much of a limit's window is used: `used` of `most`, both capacity; `most` is `share` of what is installed.
    `until` is when the oldest of it no longer counts, on the clock of `now`; None if nothing is used."""

    used: float = 0.0
    most: float = 0.0
    share: float = 0.0
    until: float | None = None

    @property
    def part(self) -> float:
        """What is used as a share of what is installed; `share` may be."""
        return self.share * self.used / self.most if self.most else 0.0


class Decision(Struct, frozen=True):
    """What was decided for one endpoint, in words and numbers.

    `members` has a reason for every load balancer considered, as of now (an entry keeps those of when it last
    changed). `healthy` is the share of eligible capacity believed healthy; `removed` and `removable` are capacity:
    what left in the present window, this plan included, and how much may; `until` is when the oldest of it no longer
    counts. `adding` is the same of who joined. `leaving` has one for each set of addresses that goes, `held_back` one
    for each that a limit keeps. `due` is when the next of these becomes possible by time alone, on the clock of `now`.
    """

    key: Key
    action: Action
    why: str
    members: tuple[Member, ...] = ()
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    panic: bool = False
    healthy: float = 1.0
    removed: float = 0.0
    removable: float = 0.0
    due: float | None = None
    leaving: tuple[Leaving, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    until: float | None = None
    joining: tuple[Joining, ...] = ()
    share: float = 0.0
    adding: Budget = Budget()

    @property
    def removal(self) -> Budget:
        """What left in the present window, of what may."""
        return Budget(self.removed, self.removable, self.share, self.until)


class Load(Struct, frozen=True):
    """What one load balancer has to carry of what endpoints need, in the unit of its capacity; `reserve` is the share
    of that which is to stay free."""

    load_balancer: str
    load: float
    capacity: int
    reserve: float

    @property
    def within(self) -> bool:
        """Whether the reserve is free."""
        return self.load <= (1 - self.reserve) * self.capacity + 1e-9


class Draft(Struct, frozen=True):
    """What planning came to. `plan` is None if nothing changed, so that no generation is spent.

    `memory` is for the next draft, if this one was given one (`resting.Memory`).
    """

    plan: Plan | None
    decisions: tuple[Decision, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    spreads: tuple[Spread, ...] = ()
    loads: tuple[Load, ...] = ()
    memory: "Memory | None" = None

    @property
    def shares(self) -> tuple[Share, ...]:
        """Of all endpoints together."""
        return shares(self.spreads)

    @property
    def due(self) -> float | None:
        """When to plan again although nothing was observed: a limit that holds something back will have passed."""
        return min((decision.due for decision in self.decisions if decision.due is not None), default=None)
