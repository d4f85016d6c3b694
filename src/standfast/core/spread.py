"""How answers are spread over load balancers, against the capacity that could serve them. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from standfast.model.entry import Key


class Spread(Struct, frozen=True):
    """One endpoint: `able` are the load balancers that could serve it, with their capacity, `served` those that shall.
    `parts` is each one's part of the answers where they take turns (over time) or have weights, else empty."""

    key: Key
    able: tuple[tuple[str, int], ...]
    served: tuple[str, ...]
    parts: tuple[tuple[str, float], ...] = ()


class Share(Struct, frozen=True):
    """One load balancer's part of all answers, against its part of the capacity that could serve them.

    Both are averages over endpoints; where load balancers take turns, `answers` is what that comes to over time. Plain
    DNS answers every address equally often, so only the choice of a subset can follow weights; those of aliases follow
    them but for slow start. `deviation` is what remains.
    """

    load_balancer: str
    answers: float
    capacity: float

    @property
    def deviation(self) -> float:
        """answers − capacity: positive if it gets more than its share."""
        return self.answers - self.capacity


def shares(spreads: Iterable[Spread]) -> tuple[Share, ...]:
    """Each load balancer's part of the answers and of the capacity able to serve, averaged over these endpoints."""
    answered: dict[str, float] = {}
    able: dict[str, float] = {}
    endpoints = 0
    for one in spreads:
        capacity = sum(weight for _, weight in one.able)
        if not one.served or not capacity:
            continue
        endpoints += 1
        equally = ((name, 1 / len(one.served)) for name in one.served)
        for name, part in one.parts or equally:
            answered[name] = answered.get(name, 0.0) + part
        for name, weight in one.able:
            able[name] = able.get(name, 0.0) + weight / capacity
    names = sorted(answered.keys() | able.keys())
    return tuple(Share(n, answered.get(n, 0.0) / endpoints, able.get(n, 0.0) / endpoints) for n in names)
