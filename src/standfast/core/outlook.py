"""What all endpoints of one draft are planned from, with what is the same for many of them worked out once. Pure.

Endpoints mostly want the same AZs and pools, so who is eligible and what each load balancer wishes is kept here for the
length of one draft. `lately` says which AZs went by themselves a short while ago, in whatever endpoint: no second one
may follow it at once, so what a draft decides about one endpoint binds those after it, in the order of their names.
"""

from collections.abc import Callable, Iterable, Mapping

from standfast.model.defaults import AZ_AGAIN_S, COALESCE_S
from standfast.model.entry import Entry
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType

from .decisions import PlanContext
from .prefixes import Stray, strays
from .selection import Wish, addresses_in, eligible, families_wanted, least_answers

Wished = tuple[Wish, str, int]


class Outlook:
    """Fleet, verdicts, the moment and everything else that a draft is given."""

    def __init__(
        self,
        fleet: Fleet,
        verdicts: Mapping[str, Verdict],
        now: float,
        context: PlanContext,
        before: Iterable[Entry] = (),
        planned_at: float | None = None,
    ) -> None:
        self.fleet, self.verdicts, self.now, self.context = fleet, verdicts, now, context
        self.may_turn = planned_at is None or not 0 <= now - planned_at < COALESCE_S
        """Whether a rotation may spend a generation: `planned_at` is when the preceding plan was made."""
        self.by_id = {one.id: one for one in fleet.load_balancers}
        self._pools: dict[str, list[LoadBalancer]] = {}
        self._eligible: dict[object, tuple[LoadBalancer, ...]] = {}
        self._families: dict[object, tuple[RRType, ...]] = {}
        self._least: dict[object, Mapping[RRType, int]] = {}
        self._addresses: dict[tuple[str, tuple[RRType, ...]], tuple[str, ...]] = {}
        self._strays: dict[object, tuple[Stray, ...]] = {}
        self.reserved: Mapping[str, str] = {}
        """Who may not be drained now, and why (see `load`)."""
        self._wishes: dict[str, Wished] = {}
        self._lately: dict[str, float] = {}
        for entry in before:
            for gone in entry.departures:
                if gone.az and gone.at + AZ_AGAIN_S > now:
                    self.az_went(gone.az, min(gone.at, now))

    def eligible(self, policy: EndpointPolicy) -> tuple[LoadBalancer, ...]:
        """Those that the policy admits, in the order of their ids."""
        asked = (policy.azs, policy.pools, policy.families, policy.prefixes)
        found = self._eligible.get(asked)
        if found is None:
            found = self._eligible[asked] = eligible(policy, self._in_pools(policy.pools))
        return found

    def _in_pools(self, pools: tuple[str, ...]) -> Iterable[LoadBalancer]:
        """Everybody, or those of some pools: with many pools it would else cost fleet times pools to ask for each."""
        if not pools:
            return self.fleet.load_balancers
        if not self._pools:
            for one in self.fleet.load_balancers:
                self._pools.setdefault(one.pool, []).append(one)
        return (one for pool in dict.fromkeys(pools) for one in self._pools.get(pool, ()))

    def families(self, policy: EndpointPolicy) -> tuple[RRType, ...]:
        """The configured families, else those of which any eligible load balancer has an address."""
        asked = (policy.azs, policy.pools, policy.families, policy.prefixes)
        found = self._families.get(asked)
        if found is None:
            found = self._families[asked] = families_wanted(policy, self.eligible(policy))
        return found

    def least(self, policy: EndpointPolicy) -> Mapping[RRType, int]:
        """min_answers of each family."""
        asked = (policy.azs, policy.pools, policy.families, policy.prefixes, policy.min_answers)
        found = self._least.get(asked)
        if found is None:
            some, families = self.eligible(policy), self.families(policy)
            found = self._least[asked] = least_answers(policy, some, families)
        return found

    def addresses(self, one: LoadBalancer, families: tuple[RRType, ...]) -> tuple[str, ...]:
        """Its addresses in those families."""
        found = self._addresses.get((one.id, families))
        if found is None:
            found = self._addresses[one.id, families] = addresses_in(one, families)
        return found

    def wish(self, one: LoadBalancer, ask: Callable[[LoadBalancer, Verdict], Wished], verdict: Verdict) -> Wished:
        """Whether it wants in or out, worked out once by `ask`."""
        found = self._wishes.get(one.id)
        if found is None:
            found = self._wishes[one.id] = ask(one, verdict)
        return found

    def strays(self, policy: EndpointPolicy) -> tuple[Stray, ...]:
        """Those of its AZs and pools that have addresses outside its prefixes."""
        if not policy.prefixes:
            return ()
        asked = (policy.azs, policy.pools, policy.prefixes)
        found = self._strays.get(asked)
        if found is None:
            found = self._strays[asked] = strays(policy, self.fleet)
        return found

    def over(self, fleet: Fleet, verdicts: Mapping[str, Verdict]) -> "Outlook":
        """The same draft with another fleet, for one endpoint: what is decided there binds those after it too."""
        other = Outlook(fleet, verdicts, self.now, self.context)
        other._lately, other.reserved, other.may_turn = self._lately, self.reserved, self.may_turn
        return other

    def az_went(self, az: str, at: float) -> None:
        """An AZ went by itself."""
        self._lately[az] = max(at, self._lately.get(az, at))

    def other_az(self, az: str) -> tuple[str, float] | None:
        """The other AZ that went last within AZ_AGAIN_S, and when."""
        others = [(at, name) for name, at in self._lately.items() if name != az]
        return (max(others)[1], max(others)[0]) if others else None
