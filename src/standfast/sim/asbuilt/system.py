"""The system as built as a product of components: planner's pointer, one zone for each endpoint, enactors.

Everything may happen at any time and in any order: a plan is published, an enactor takes one step or is as slow as
you like, it crashes and starts again, a lock expires. A lock's expiry is no state of its own: whoever finds a lock of
somebody else's may find it expired, always.

Fused steps. What is read under a lock, or asserted by the batch that follows, is read and used in one step: if the
world moved in between, the batch would be refused and the same tried again. The same for giving the lock back. Other
readings stand by themselves, since the time between them and their use is where the event came from. `fused=False`
takes every request by itself; a test compares the two.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from standfast.sim.search.product import FRESH, Outcome, Property, Rule, Step, Symbol, Value

from . import plans, telling
from .driving import is_stuck
from .enactor import Enactor, Latest, Look, ReadLatest, Reply, Request, Seen, Send
from .remedies import Built
from .route53 import Applied, HostedZone, RecordSet, Refused, apply, resolve

STORE: Final = 0
FIRST_ZONE: Final = 1


class Scope(Struct, frozen=True):
    """How much of the world: enactors, plans ever published, endpoints; crashes are unbounded if there are any."""

    enactors: int
    plans: int
    endpoints: int
    crashes: bool = True

    def __str__(self) -> str:
        return f"{self.enactors} enactors × {self.plans} plans × {self.endpoints} endpoints" + (
            " + crashes" if self.crashes else ""
        )


class Publishing(Struct, frozen=True):
    """The planner replaces the pointer to the latest plan."""

    most: int
    name: str = "publish"
    reads: tuple[int, ...] = (STORE,)
    writes: tuple[int, ...] = (STORE,)

    def fire(self, *values: Value) -> Iterable[Outcome]:
        """One more generation, up to the scope's bound."""
        (latest,) = values
        assert isinstance(latest, int)
        if latest < self.most:
            yield Outcome(Step("planner", f"publishes plan {latest + 1}"), (latest + 1,))


class Taking(Struct, frozen=True):
    """An enactor reads the pointer."""

    actor: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    name: str = "take plan"

    def fire(self, *values: Value) -> Iterable[Outcome]:
        """The latest plan, whatever the enactor held before its last pass."""
        enactor, latest = values
        assert isinstance(enactor, Enactor)
        assert isinstance(latest, int)
        request = enactor.request(FRESH)
        if isinstance(request, ReadLatest) and latest:
            after = enactor.heard(Latest(latest))
            yield Outcome(Step(self.actor, telling.step(enactor, request, after)), (after,))


class Working(Struct, frozen=True):
    """An enactor asks one endpoint's zone: lock, tree, root, clean-up."""

    actor: str
    endpoint: int
    fused: bool
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    name: str = "work"

    def fire(self, *values: Value) -> Iterable[Outcome]:
        """What may come of its request; nothing where it would only try again in the same state."""
        enactor, zone = values
        assert isinstance(enactor, Enactor)
        assert isinstance(zone, HostedZone)
        request = enactor.request(FRESH)
        if not isinstance(request, Look | Send) or request.endpoint != self.endpoint:
            return
        for reply in _replies(enactor, request, zone):
            yield from self._outcome(enactor, zone, request, reply)

    def _outcome(self, enactor: Enactor, zone: HostedZone, request: Request, reply: Reply) -> Iterator[Outcome]:
        refused = telling.refusal(enactor, reply)
        after_zone = reply.zone if isinstance(reply, Applied) else zone
        after = enactor.heard(reply, FRESH)
        texts = [telling.step(enactor, request, after, reply)]
        while self.fused and is_sure(after) and not refused:
            following = after.request(FRESH)
            if not isinstance(following, Look | Send) or following.endpoint != self.endpoint:
                break
            (answer,) = _replies(after, following, after_zone)
            refused = telling.refusal(after, answer)
            after_zone = answer.zone if isinstance(answer, Applied) else after_zone
            now = after.heard(answer, FRESH)
            texts.append(telling.step(after, following, now, answer))
            after = now
        if after == enactor and after_zone == zone:
            return
        back = plans.root(after_zone) < plans.root(zone)
        moved = f"{zone.apex} went from plan {plans.root(zone)} to plan {plans.root(after_zone)}"
        step = Step(self.actor, telling.joined(texts), refused)
        yield Outcome(step, (after, after_zone), f"backwards: {moved}" if back else "")


class Crashing(Struct, frozen=True):
    """An enactor's process ends, at any point, and starts again with nothing in its memory; its lock stays behind."""

    actor: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    name: str = "crash"

    def fire(self, *values: Value) -> Iterable[Outcome]:
        """Idle again."""
        (enactor,) = values
        assert isinstance(enactor, Enactor)
        if enactor.phase != "idle":
            yield Outcome(Step(self.actor, "crashes and starts again"), (Enactor(enactor.how),))


class Emptied(Struct, frozen=True):
    """A name that was once served has no addresses: NOERROR without data."""

    reads: tuple[int, ...]
    name: str = "emptied"

    def broken(self, *values: Value) -> str:
        """The root leads nowhere."""
        (zone,) = values
        assert isinstance(zone, HostedZone)
        root = plans.root(zone)
        if not root or resolve(zone, zone.apex)[1]:
            return ""
        return f"{zone.apex} is an alias of plan {root}, which is gone: NOERROR, no addresses"


class Dangling(Struct, frozen=True):
    """The operators' way back leads nowhere."""

    reads: tuple[int, ...]
    name: str = "dangling"

    def broken(self, *values: Value) -> str:
        """Only the rollback alias; the root's is another property."""
        (zone,) = values
        assert isinstance(zone, HostedZone)
        back = plans.rollback(zone)
        gone = back and back not in plans.trees(zone)
        return f"rollback of {zone.apex} refers to plan {back}, which is gone" if gone else ""


class Unhealed(Struct, frozen=True):
    """The next plan does not heal: a fresh enactor, alone, cannot bring a newer plan than any to this endpoint.

    What it does at one endpoint does not depend on the others, so the others are empty here. Another enactor in the
    middle of an old plan may still change the verdict; `wedge.py` asks for the states in which nobody can.
    """

    how: Built
    reads: tuple[int, ...]
    name: str = "unhealed"

    def broken(self, *values: Value) -> str:
        """One that nobody has published yet, so that nothing of it is there."""
        latest, zone = values
        assert isinstance(latest, int)
        assert isinstance(zone, HostedZone)
        zones = [zone if zone.apex == apex else HostedZone(apex) for apex in self.how.endpoints]
        return is_stuck(self.how, latest + 1, zones)


class AsBuilt:
    """The system of `product.py`: all that may happen, and what must hold in every state."""

    def __init__(
        self,
        how: Built,
        scope: Scope,
        *,
        fused: bool = True,
        start: Sequence[Value] = (),
    ) -> None:
        """`start`: the state to begin in, if not the one in which nothing is published and nothing installed."""
        assert len(how.endpoints) == scope.endpoints
        places = tuple(range(FIRST_ZONE, FIRST_ZONE + scope.endpoints))
        members = tuple(range(FIRST_ZONE + scope.endpoints, FIRST_ZONE + scope.endpoints + scope.enactors))
        names = tuple(f"enactor-{'abcdefgh'[number]}" for number in range(scope.enactors))
        self.how = how
        self.scope = scope
        self.title = f"as built, {scope}" + (f", with {', '.join(sorted(how.remedies))}" if how.remedies else "")
        self.places = ("store", *how.endpoints, *names)
        empty = (0, *(HostedZone(apex) for apex in how.endpoints), *(Enactor(how),) * len(names))
        self.start: tuple[Value, ...] = tuple(start) or empty
        self.rules: Sequence[Rule] = tuple(_rules(scope, places, dict(zip(members, names, strict=True)), fused))
        self.properties: Sequence[Property] = (
            *(Emptied((place,)) for place in places),
            *(Dangling((place,)) for place in places),
            *(Unhealed(how, (STORE, place)) for place in places),
        )
        self.interchangeable: tuple[tuple[int, ...], ...] = (members,)

    def symbols(self, value: Value) -> tuple[Symbol, ...]:
        """Locks and tickets: in a zone, and those that an enactor believes in."""
        return tuple(dict.fromkeys(_symbols(value)))

    def renamed(self, value: Value, names: Mapping[Symbol, Symbol]) -> Value:
        """The same with locks and tickets exchanged."""
        if not any(names.get(one, one) != one for one in _symbols(value)):
            return value
        if isinstance(value, Enactor):
            queue = tuple(names.get(one, one) for one in value.queue)
            lock, ticket = names.get(value.lock, value.lock), names.get(value.ticket, value.ticket)
            return structs.replace(value, lock=lock, ticket=ticket, queue=queue)
        assert isinstance(value, HostedZone)
        return HostedZone(value.apex, tuple(_renamed(value.apex, one, names) for one in value.records))


def _symbols(value: Value) -> Iterator[Symbol]:
    if isinstance(value, HostedZone):
        lock, queue = plans.written(value, plans.lock_name(value.apex)), plans.queue(value)
        yield from (lock, *queue) if lock else queue
    elif isinstance(value, Enactor):
        yield from (one for one in (value.lock, value.ticket, *value.queue) if one)


def _renamed(apex: str, record: RecordSet, names: Mapping[Symbol, Symbol]) -> RecordSet:
    """There is one lock and one queue in a zone, so the order of its records does not change."""
    if record.name not in (plans.lock_name(apex), plans.queue_name(apex)):
        return record
    return structs.replace(record, values=tuple(names.get(one, one) for one in record.values))


def is_sure(enactor: Enactor) -> bool:
    """Whether what it does next asserts all that it has just read, or only gives back a lock."""
    if enactor.phase == "flipping":
        return enactor.lock_is_asserted
    return enactor.phase in ("queueing", "taking", "releasing")


def _replies(enactor: Enactor, request: Look | Send, zone: HostedZone) -> tuple[Seen | Applied | Refused, ...]:
    if isinstance(request, Send):
        return (apply(zone, request.batch),)
    if enactor.phase == "locking" and any(_symbols(zone)):
        return (Seen(zone), Seen(zone, expired=True))
    return (Seen(zone),)


def _rules(scope: Scope, zones: tuple[int, ...], enactors: Mapping[int, str], fused: bool) -> Iterator[Rule]:
    yield Publishing(scope.plans)
    for place, name in enactors.items():
        yield Taking(name, (place, STORE), (place,))
        for endpoint, zone in enumerate(zones):
            yield Working(name, endpoint, fused, (place, zone), (place, zone))
        if scope.crashes:
            yield Crashing(name, (place,), (place,))
