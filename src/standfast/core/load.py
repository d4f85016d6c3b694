"""What endpoints that say what they `need` ask of the load balancers they share, planned once for all of them. Pure.

Plain DNS answers every address equally often, so an endpoint that needs 600 and answers with six load balancers asks
100 of each, whatever their capacities; a load balancer carries what all its endpoints ask of it together. `reserve` is
the share of its capacity that is to stay free of that, for retries and for the next one that dies.

Who is drained though it is healthy, and could go on serving, stays as long as others would have to use their reserve
for it, in all endpoints alike, unless an operator consented. Whoever is down or gone serves nobody, and is not kept.
"""

from collections.abc import Collection, Iterable, Mapping

from standfast.model.entry import Entry, Key
from standfast.model.fleet import Verdict
from standfast.model.policy import EndpointPolicy

from .decisions import Load
from .endpoint import Planned
from .outlook import Outlook
from .selection import percent

_ROUNDING = 1e-9
_UNKNOWN = Verdict("unknown", "")


def reserved(
    needing: Iterable[EndpointPolicy], outlook: Outlook, before: Mapping[Key, Entry], consented: Collection[str]
) -> dict[str, str]:
    """Who may not be drained now, and why; empty while no endpoint says what it needs."""
    needs = {one.key: one for one in needing if one.key in before and not before[one.key].held}
    if not needs:
        return {}
    reserve = max(one.reserve for one in needs.values())
    serving = {key: _serving(before[key], outlook) for key in needs}
    found: dict[str, str] = {}
    for one in sorted(outlook.fleet.load_balancers, key=lambda one: one.id):
        healthy = outlook.verdicts.get(one.id, _UNKNOWN).state == "up"
        if one.admin != "drain" or not healthy or not any(one.id in some for some in serving.values()):
            continue
        without = {key: some - {one.id} for key, some in serving.items()}
        why = "" if one.id in consented else _against(needs, serving, without, outlook, reserve)
        if why:
            found[one.id] = why
        else:
            serving = without
    return found


def loads(needing: Iterable[EndpointPolicy], outlook: Outlook, outcomes: Mapping[Key, Planned]) -> tuple[Load, ...]:
    """What each load balancer has to carry of what endpoints need, with these answers."""
    needs = {one.key: one for one in needing if outcomes[one.key].served}
    carried = _carried(needs, {key: outcomes[key].served for key in needs})
    reserve = max((one.reserve for one in needs.values()), default=0.0)
    return tuple(
        Load(name, load, outlook.by_id[name].capacity if name in outlook.by_id else 0, reserve)
        for name, load in sorted(carried.items())
    )


def _serving(entry: Entry, outlook: Outlook) -> frozenset[str]:
    """Those in the answer that are not believed down."""
    names = (member.load_balancer for member in entry.members if member.served)
    return frozenset(name for name in names if outlook.verdicts.get(name, _UNKNOWN).state != "down")


def _carried(needs: Mapping[Key, EndpointPolicy], served: Mapping[Key, Collection[str]]) -> dict[str, float]:
    carried: dict[str, float] = {}
    for key, policy in needs.items():
        for name in served[key]:
            carried[name] = carried.get(name, 0.0) + policy.need / len(served[key])
    return carried


def _against(
    needs: Mapping[Key, EndpointPolicy],
    serving: Mapping[Key, Collection[str]],
    without: Mapping[Key, Collection[str]],
    outlook: Outlook,
    reserve: float,
) -> str:
    """The first load balancer that would have to use its reserve, or more of it."""
    now, then = _carried(needs, serving), _carried(needs, without)
    for name in sorted(then):
        capacity = outlook.by_id[name].capacity if name in outlook.by_id else 0
        if then[name] > now.get(name, 0.0) + _ROUNDING and then[name] > (1 - reserve) * capacity + _ROUNDING:
            return f"{name} would carry {then[name]:g} of {capacity}, and {percent(reserve)} are to stay free"
    return ""
