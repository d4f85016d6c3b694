"""What any source says, held to the rules of a configuration before anybody believes it: all problems at once.

Half a fleet is not a fleet: if one load balancer is wrong, the reading as a whole is unknown.
"""

from collections.abc import Iterator
from typing import Final

from standfast.config import LoadBalancerConfig, scalars
from standfast.config.fleet import CAPACITY_MAX
from standfast.config.scalars import BadValue
from standfast.config.schema import ADMIN_STATES
from standfast.model.fleet import Verdict, alias_of

from . import FleetSeen, FleetUnknown, Sighting

LOAD_BALANCERS_MAX: Final = 10_000
ADDRESSES_MAX: Final = 100
_SHOWN: Final = 5


def vetted(said: object) -> Sighting:
    """The sighting if all of it may be believed, in the order of ids; else unknown, with every reason."""
    if isinstance(said, FleetUnknown):
        return FleetUnknown(_one_line(said.why) or "it gives no reason")
    if not isinstance(said, FleetSeen):
        return FleetUnknown(f"it gave a {type(said).__name__}, where FleetSeen or FleetUnknown belongs")
    some = said.load_balancers
    if not isinstance(some, tuple) or not all(isinstance(one, LoadBalancerConfig) for one in some):
        return FleetUnknown("its load_balancers are not a tuple of LoadBalancerConfig")
    if len(some) > LOAD_BALANCERS_MAX:
        return FleetUnknown(f"it names {len(some)} load balancers; at most {LOAD_BALANCERS_MAX} are believed")
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in (*said.unsure, *said.told)):
        return FleetUnknown("its unsure and told are not pairs of an id and what is said of it")
    if not all(isinstance(verdict, Verdict) for _, verdict in said.told):
        return FleetUnknown("what it tells of health is no Verdict")
    problems = [*_repeated(some), *(text for one in some for text in _wrong(one))]
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        return FleetUnknown("; ".join(problems[:_SHOWN]) + more)
    in_order = tuple(sorted(some, key=lambda one: one.id))
    return FleetSeen(in_order, _one_line(said.revision)[:80], said.unsure, said.told)


def believable(some: tuple[LoadBalancerConfig, ...]) -> bool:
    """Whether these, as they were stored, have ids, addresses and capacities by which one can plan."""
    return len({one.id for one in some}) == len(some) and not any(text for one in some for text in _wrong(one))


def problems_of(one: LoadBalancerConfig) -> list[str]:
    """What is wrong with a single one, each as a sentence without its full stop."""
    return list(_wrong(one))


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:2000]


def _repeated(some: tuple[LoadBalancerConfig, ...]) -> Iterator[str]:
    ids: set[str] = set()
    owners: dict[str, str] = {}
    for one in some:
        if one.id in ids:
            yield f"{one.id} is there twice"
        ids.add(one.id)
        for address in (*one.ipv4, *one.ipv6):
            if (owner := owners.setdefault(address, one.id)) != one.id:
                yield f"{address} belongs to {owner} and to {one.id}"


def _wrong(one: LoadBalancerConfig) -> Iterator[str]:
    for what, value in (("id", one.id), ("AZ", one.az), ("pool", one.pool)):
        try:
            scalars.identifier(value)
        except (BadValue, TypeError):
            yield f"{str(one.id)[:80]!a}: {str(value)[:80]!a} is no {what}"
    if one.admin not in ADMIN_STATES:
        yield f"{one.id}: {str(one.admin)[:80]!a} is no admin state"
    if type(one.capacity) is not int or not 1 <= one.capacity <= CAPACITY_MAX:
        yield f"{one.id}: {str(one.capacity)[:80]!a} is no capacity from 1 to {CAPACITY_MAX}"
    if one.port is not None and (type(one.port) is not int or not 1 <= one.port <= scalars.PORT_MAX):
        yield f"{one.id}: {str(one.port)[:80]!a} is no port"
    addresses = [*((text, False) for text in one.ipv4), *((text, True) for text in one.ipv6)]
    if not addresses or len(addresses) > ADDRESSES_MAX:
        yield f"{one.id}: it has {len(addresses)} addresses, where 1 to {ADDRESSES_MAX} belong"
    for text, six in addresses[:ADDRESSES_MAX]:
        try:
            if isinstance(text, str) and (alias := alias_of(text)) is not None:
                if scalars.owner_name(alias[0]) != alias[0] or text.startswith("::") != six or not alias[1]:
                    yield f"{one.id}: {text} is no name of a load balancer"
                continue
            if scalars.address(text) != text or (":" in text) != six:
                yield f"{one.id}: {text} is not in canonical form, or in the wrong family"
        except BadValue as bad:
            yield f"{one.id}: {bad.message}"
        except TypeError:
            yield f"{one.id}: an address is not a text"
