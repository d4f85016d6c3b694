"""Whether a whole AZ may leave an answer by health alone (G7). Pure.

In October 2025 health checks that were wrong about a whole AZ took its capacity away again and again. So the loss of an
AZ is not the loss of its load balancers one by one:

1. An AZ is lost for an endpoint if at least two load balancers there are eligible, and each is believed down or is
   out of the answer already without being healthy. One alone is a load balancer like any other.
2. Half of it (by capacity, or one load balancer) goes as load balancers do, however long ago others of it went.
3. The rest goes only if: the policy says `auto`; at least two observers outside the AZ see each of them down; at least
   60 % of the endpoint's capacity is healthy without it; no other AZ went in the last 30 minutes, in any endpoint. Else
   it is asked for, and stays. And it goes in two steps: half of what was in the answer lately, and 30 s later, if it is
   still down, the other half.
4. Where all that holds (but for the 30 s, which concern the rest) velocity's share does not bind it: what is left
   is bound by the 60 %. What went counts in its window for everybody after it.
"""

from collections.abc import Iterable

from msgspec import Struct

from standfast.model.defaults import AZ_AGAIN_S, AZ_CONFIRM_S, AZ_OBSERVERS, AZ_REMAINING
from standfast.model.entry import Departure
from standfast.model.fleet import LoadBalancer, Verdict
from standfast.model.policy import EndpointPolicy

from .outlook import Outlook
from .selection import Candidate, percent

_UNKNOWN = Verdict("unknown", "")


class Lost(Struct, frozen=True):
    """An AZ that is lost for one endpoint.

    `capacity` is that of all its load balancers here, `gone` of those that are out of the answer already; `serving` and
    `left` likewise of those that were in the answer lately. `against` is why it may not go by health alone, empty if it
    may. `rest_at` is when the other half may follow.
    """

    az: str
    load_balancers: frozenset[str]
    capacity: int
    gone: int
    serving: int
    left: int
    against: str
    rest_at: float | None = None


def lost_azs(
    policy: EndpointPolicy,
    outlook: Outlook,
    considered: Iterable[Candidate],
    healthy: float,
    departures: Iterable[Departure],
) -> dict[str, Lost]:
    """Every AZ that is lost, by each of its load balancers. Costs nothing while nobody is down."""
    some = tuple(considered)
    doubtful = {one.load_balancer for one in some if one.present and one.wish == "out" and not one.asked}
    if not doubtful:
        return {}
    # Who still answers only at addresses that it had before is out: those go because they changed, not with the AZ.
    present = {one.load_balancer for one in some if one.present and not one.asked}
    azs = {outlook.by_id[name].az for name in doubtful if name in outlook.by_id}
    found: dict[str, Lost] = {}
    for az in sorted(azs):
        there = [one for one in outlook.eligible(policy) if _counts(one, az, present, outlook)]
        if len(there) < 2 or any(_serves(one, present, outlook) for one in there):
            continue
        names = frozenset(one.id for one in there)
        out = [one for one in there if one.id not in present]
        left = {one.load_balancer: one.at for one in departures if one.load_balancer in names}
        lately = sum(one.capacity for one in out if one.id in left)
        capacity, gone = sum(one.capacity for one in there), sum(one.capacity for one in out)
        lost = Lost(
            az,
            names,
            capacity,
            gone,
            capacity - gone + lately,
            lately,
            _against(policy, outlook, az, there, healthy),
            min(max(left.values()), outlook.now) + AZ_CONFIRM_S if left else None,
        )
        found.update(dict.fromkeys(names, lost))
    return found


def _verdict(one: LoadBalancer, outlook: Outlook) -> Verdict:
    return outlook.verdicts.get(one.id, _UNKNOWN)


def _counts(one: LoadBalancer, az: str, present: set[str], outlook: Outlook) -> bool:
    """Drained ones and newcomers that were never admitted are no part of what is lost."""
    return one.az == az and one.admin == "up" and (one.id in present or _verdict(one, outlook).state != "warming")


def _serves(one: LoadBalancer, present: set[str], outlook: Outlook) -> bool:
    state = _verdict(one, outlook).state
    return state == "up" or (one.id in present and state != "down")


def _against(policy: EndpointPolicy, outlook: Outlook, az: str, there: list[LoadBalancer], healthy: float) -> str:
    if policy.az_loss == "ask":
        return "az_loss is ask"
    least = min(_verdict(one, outlook).outside if _verdict(one, outlook).state == "down" else 0 for one in there)
    if least < AZ_OBSERVERS:
        seen = "no vantage point" if not least else "one vantage point" if least == 1 else f"{least} vantage points"
        return f"{seen} outside it sees all of it down, {AZ_OBSERVERS} must"
    if healthy < AZ_REMAINING:
        return f"only {percent(healthy)} of capacity would be healthy without it, {percent(AZ_REMAINING)} must be"
    if other := outlook.other_az(az):
        return f"AZ {other[0]} went less than {AZ_AGAIN_S / 60:g} min ago"
    return ""
