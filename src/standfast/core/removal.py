"""Who may leave an answer: one removal after the other, each judged after those before it. Pure.

1. Panic: where less than `hold_below` of the capacity that is checked is believed healthy, the checks are less
   credible than the answer that stands, so nothing is dropped. Drained load balancers and newcomers that were never
   admitted are no evidence, so they count on neither side.
2. `min_answers`: nobody leaves who would take a family below it. The worst leave first, so the least bad are kept.
3. Who is drained though healthy stays while others would have to use their reserve for it: see `load`.
4. A whole AZ goes by health alone only as `azloss` says.
5. Velocity: see `velocity`. Who an operator consented to goes beyond this limit, the reserve and that of the AZ, never
   beyond the first two.
"""

from collections.abc import Collection, Iterable, Mapping

from standfast.model.defaults import AZ_CONFIRM_S
from standfast.model.entry import Departure
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType

from . import velocity
from .azloss import Lost
from .decisions import Cause, HeldBack, Leaving, Refusal, Rule
from .outlook import Outlook
from .selection import Candidate, Least, answers, percent, share_in

Identity = tuple[str, tuple[str, ...]]


class Removals:
    """What has left so far, and what is kept and why.

    `past` are the departures that velocity counts, `installed` the capacity in the answer before any of this.
    """

    def __init__(
        self,
        policy: EndpointPolicy,
        outlook: Outlook,
        families: tuple[RRType, ...],
        least: Least,
        installed: int,
        healthy: float,
        served: list[Candidate],
        past: tuple[Departure, ...],
        spare: Collection[Identity],
        lost: Mapping[str, Lost],
        turn: Identity | None = None,
    ) -> None:
        self.policy, self.outlook, self.families, self.least = policy, outlook, families, least
        self.installed, self.healthy, self.served, self.departures = installed, healthy, served, past
        self.panic = panicking(policy, healthy)
        self.kept: dict[Identity, str] = {}
        self.held_back: list[HeldBack] = []
        self.leaving: list[Leaving] = []
        self.refusal: Refusal | None = None
        self._spare, self._lost, self._turn = spare, lost, turn
        self._gone = {one.az: one.gone for one in lost.values()}
        self._left = {one.az: one.left for one in lost.values()}
        self._rest_at = {one.az: one.rest_at for one in lost.values()}

    def consider(self, one: Candidate) -> None:
        """Let it go, or say why not."""
        rest = [other for other in self.served if other is not one]
        lost = None if one.asked or one.identity in self._spare else self._lost.get(one.load_balancer)
        cause: Cause = "configuration" if one.asked else "choice" if one.identity in self._spare else "health"
        if self.panic:
            why = (
                f"only {percent(self.healthy)} of capacity is believed healthy, under {percent(self.policy.hold_below)}"
            )
            self._keep(one, "panic", why)
        elif short := below_least(rest, one, self.families, self.least):
            family, count = short
            some = f"{count} {family.name} answer{'' if count == 1 else 's'}"
            self._keep(one, "min_answers", f"removing it would leave {some}, min_answers is {self.least[family]}")
        elif one.identity == self._turn:
            self.served = rest
            self.leaving.append(
                Leaving(one.load_balancer, one.installed or 0, self.installed, "rotation", "others' turn")
            )
        elif one.asked and (why := self.outlook.reserved.get(one.load_balancer, "")):
            self._keep(one, "reserve", why)
        elif lost is not None and not self._first_half(one, lost) and not self._consented(one):
            self._rest_of_an_az(one, lost, rest)
        elif lost is not None and not lost.against:
            self._go(one, rest, "az", lost)
        elif velocity.allows(self.departures, one.installed or 0, self.policy.removal_share, self.installed):
            self._go(one, rest, cause, lost)
        elif self._consented(one):
            self._go(one, rest, "consent", lost)
        else:
            share, window_s = self.policy.removal_share, self.policy.removal_window_s
            due = velocity.possible_at(self.departures, one.installed or 0, share, self.installed, window_s)
            self._keep(one, "velocity", f"{share_in(share, window_s)} is used up", due)

    def _consented(self, one: Candidate) -> bool:
        return one.load_balancer in self.outlook.context.consented

    def _first_half(self, one: Candidate, lost: Lost) -> bool:
        return _within_half(self._gone[lost.az], one, lost.capacity)

    def _rest_of_an_az(self, one: Candidate, lost: Lost, rest: list[Candidate]) -> None:
        rest_at, now = self._rest_at[lost.az], self.outlook.now
        if lost.against:
            why = f"AZ {lost.az} would be gone by health alone: {lost.against}"
            self._keep(one, "az_loss", why)
            remedy = f"if AZ {lost.az} is really down: `standfast evacuate az {lost.az}`"
            self.refusal = Refusal(self.policy.key, "az_loss", why, remedy)
        elif rest_at is not None and rest_at > now and not _within_half(self._left[lost.az], one, lost.serving):
            self._keep(one, "az_loss", f"half of AZ {lost.az} has just gone, the rest is confirmed first", rest_at)
        else:
            self._go(one, rest, "az", lost)

    def _keep(self, one: Candidate, rule: Rule, why: str, due: float | None = None) -> None:
        self.kept[one.identity] = why
        self.held_back.append(HeldBack(one.load_balancer, rule, why, due, one.asked))

    def _go(self, one: Candidate, rest: list[Candidate], cause: Cause, lost: Lost | None) -> None:
        now, weight = self.outlook.now, one.installed or 0
        az = lost.az if lost is not None and cause == "az" else ""
        if lost is not None:
            if _within_half(self._left[lost.az], one, lost.serving):
                self._rest_at[lost.az] = now + AZ_CONFIRM_S
            self._gone[lost.az] += one.capacity
            self._left[lost.az] += one.capacity
        if az:
            self.outlook.az_went(az, now)
        self.served = rest
        self.departures = (*self.departures, Departure(one.load_balancer, weight, now, self.installed, az))
        self.leaving.append(Leaving(one.load_balancer, weight, self.installed, cause, _said(one, cause, lost), az))


def _within_half(gone: int, one: Candidate, capacity: int) -> bool:
    return not gone or 2 * (gone + one.capacity) <= capacity


def _said(one: Candidate, cause: Cause, lost: Lost | None) -> str:
    match cause:
        case "consent":
            return f"an operator consented; {one.reason}"
        case "choice":
            return "others were chosen"
        case "az":
            return f"AZ {lost.az if lost else ''} is lost; {one.reason}"
        case _:
            return one.reason


def panicking(policy: EndpointPolicy, healthy: float) -> bool:
    """Whether nothing more may be dropped."""
    return healthy < policy.hold_below


def below_least(
    rest: Iterable[Candidate], leaver: Candidate, families: tuple[RRType, ...], least: Least
) -> tuple[RRType, int] | None:
    """The first family that `leaver`, going, would take below min_answers, and to how many; None: it may go."""
    some = tuple(rest)
    for family in families:
        count = answers(some, family)
        if count < least[family] and count < answers([*some, leaver], family):
            return family, count
    return None
