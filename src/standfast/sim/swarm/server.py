"""One zone's DNS server in virtual time: the executable specification, and what a server does on bad days.

It remembers its last states: a reading may come from one of them (a lagging secondary behind a balanced address, a
server that reloads), or each of its values from another (`Read` is atomic per key only). Whoever relies on a reading
asserts it in the change, so neither may do harm.
"""

from collections import deque
from typing import Final

from standfast.model.rrset import RRset
from standfast.ports import provider_spec, trees_spec
from standfast.ports.provider import (
    Changes,
    ChangesReply,
    Confirm,
    ProviderReply,
    Read,
    ReadChanges,
    Readings,
    Refused,
    Replace,
    Unknown,
)
from standfast.ports.provider_spec import ZoneState
from standfast.ports.trees import CollectTree, ListPointers, ListTree, TreeReply

from .mishaps import Mishaps

REMEMBERED: Final = 64
"""States that a stale reading may come from."""
DIFFERENCES: Final = 200
"""Steps that the server's journal can tell (IXFR, RFC 1995); before those, everything may have changed."""
THROTTLE_S: Final = 2.0
"""A throttled zone takes one change in so many seconds."""


class Server:
    """The server of one zone. `writes` counts the changes it took."""

    def __init__(self, apex: str, mishaps: Mishaps) -> None:
        self.state = ZoneState(apex, {})
        self.mishaps = mishaps
        self.writes = 0
        self.past: deque[ZoneState] = deque(maxlen=REMEMBERED)
        self._steps: deque[tuple[int, frozenset[str]]] = deque(maxlen=DIFFERENCES)
        self._taken_at = -THROTTLE_S

    @property
    def apex(self) -> str:
        """The zone's name."""
        return self.state.apex

    def put(self, state: ZoneState) -> frozenset[str]:
        """This is what the zone holds now, by whomever. Gives the owner names that changed."""
        was, now = self.state.rrsets, state.rrsets
        changed = frozenset(
            [key[0] for key, rrset in now.items() if was.get(key) is not rrset and was.get(key) != rrset]
            + [key[0] for key in was if key not in now]
        )
        self.past.append(self.state)
        if state.serial <= self.state.serial:
            self._steps.clear()
        self._steps.append((state.serial, changed))
        self.state = state
        return changed

    def look(self, request: Read | Confirm | ReadChanges, now: float) -> ProviderReply:
        """The answer to a request that changes nothing."""
        if self.mishaps.on("outage", self.apex):
            self.mishaps.fire("outage")
            return Unknown(f"{self.apex}: no answer")
        match request:
            case Read():
                return self._readings(request)
            case ReadChanges():
                return self._changes(request)
            case Confirm() if self.mishaps.on("refusing", self.apex):
                self.mishaps.fire("refusing")
                return Refused("REFUSED: the server reloads its configuration")
        return provider_spec.apply(self.state, request)[1]

    def list(self, request: ListTree | ListPointers) -> TreeReply:
        """A page of what stands there, or of what stood there a while ago."""
        if self.mishaps.on("outage", self.apex):
            self.mishaps.fire("outage")
            return Unknown(f"{self.apex}: no answer")
        state = self.state
        if (draw := self.mishaps.hits("stale reading", self.apex)) and self.past:
            self.mishaps.fire("stale reading")
            state = draw.choice(tuple(self.past))
        return trees_spec.apply(state, request)[1]

    def refusal(self, now: float) -> Refused | None:
        """Why a change is not even looked at; None if it is."""
        if self.mishaps.on("refusing", self.apex):
            self.mishaps.fire("refusing")
            return Refused("REFUSED: the server reloads its configuration")
        if self.mishaps.on("throttled", self.apex):
            if now - self._taken_at < THROTTLE_S:
                self.mishaps.fire("throttled")
                return Refused("REFUSED: too many updates")
            self._taken_at = now
        return None

    def _readings(self, request: Read) -> Readings:
        _, reply = provider_spec.apply(self.state, request)
        if not isinstance(reply, Readings):
            raise AssertionError("the specification answers a Read with Readings")
        values: tuple[RRset | Unknown | None, ...] = reply.values
        if (draw := self.mishaps.hits("stale reading", self.apex)) and self.past:
            _, old = provider_spec.apply(draw.choice(tuple(self.past)), request)
            if isinstance(old, Readings) and old != reply:
                self.mishaps.fire("stale reading")
                values = old.values
        elif (draw := self.mishaps.hits("torn reading", self.apex)) and self.past:
            _, old = provider_spec.apply(draw.choice(tuple(self.past)[-8:]), request)
            if isinstance(old, Readings) and old != reply:
                mixed = tuple(draw.choice(pair) for pair in zip(old.values, values, strict=True))
                if mixed not in (old.values, values):
                    self.mishaps.fire("torn reading")
                values = mixed
        elif values and (draw := self.mishaps.hits("partial reading", self.apex)):
            self.mishaps.fire("partial reading")
            share = draw.random()
            values = tuple(Unknown("SERVFAIL") if draw.random() < share else value for value in values)
        return Readings(values)

    def _changes(self, request: ReadChanges) -> ChangesReply:
        """As an incremental transfer tells them."""
        serial = self.state.serial
        if request.serial == serial:
            return Changes(serial, ())
        steps = list(self._steps)
        place = next((number for number, (then, _) in enumerate(steps) if then == request.serial), None)
        if place is None:
            return Changes(serial, None)
        return Changes(serial, tuple(sorted(frozenset().union(*(owners for _, owners in steps[place + 1 :])))))

    def take(self, change: Replace | CollectTree) -> tuple[ZoneState, ZoneState, object]:
        """The change arrives: the zone before and after, and the answer. Collections are not among `writes`."""
        before = self.state
        after: ZoneState
        reply: object
        if isinstance(change, CollectTree):
            after, reply = trees_spec.apply(before, change)
        else:
            after, reply = provider_spec.apply(before, change)
        if after is not before:
            self.put(after)
            self.writes += not isinstance(change, CollectTree)
        return before, after, reply
