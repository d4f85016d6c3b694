"""What planners share through the store, in virtual time: the rules of `runtime/sharing.py`, asked one by one.

fleet:  the last change that any planner saw.    health: one speaks, the others plan by what it says; whoever finds it
silent for three beats takes over. A race costs a pass: a plan is published only if no source is newer than it names.
"""

from collections.abc import Generator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from standfast.model.fleet import LoadBalancer, Verdict
from standfast.model.override import Override
from standfast.ports.provider import Unknown
from standfast.ports.store import PutSource, ReadSource, SourceRead

from . import cadence

Put: TypeAlias = Literal["put", "overtaken", "unknown"]
Asking: TypeAlias = Generator[Any, Any, Any]
FLEET, HEALTH, OVERRIDES = "fleet", "health", "overrides"


class Said(msgspec.Struct, frozen=True):
    """What one planner says of health; `life` tells its lives apart."""

    who: str
    life: int
    verdicts: dict[str, Verdict]


class Board:
    """One source: what the store held when it was last asked."""

    def __init__(self, source: str) -> None:
        self.source, self.revision, self.body = source, 0, b""

    def read(self) -> Asking:
        """Whether the store could be read."""
        reply = yield ReadSource(self.source)
        if not isinstance(reply, SourceRead):
            return False
        self.revision, self.body = reply.revision, reply.body
        return True

    def put(self, body: bytes) -> Asking:
        """Put it above what was last read; reading back says whose is there."""
        reply = yield PutSource(self.source, self.revision + 1, body)
        if isinstance(reply, Unknown) or not (yield from self.read()):
            return "unknown"
        return "put" if self.body == body else "overtaken"


class FleetBoard(Board):
    """The fleet as some planner saw it."""

    def __init__(self) -> None:
        super().__init__(FLEET)

    @property
    def fleet(self) -> tuple[LoadBalancer, ...] | None:
        """None if none was put yet."""
        return msgspec.json.decode(self.body, type=tuple[LoadBalancer, ...]) if self.body else None

    def share(self, fleet: tuple[LoadBalancer, ...]) -> Asking:
        """Put it, if it says something else than what is there."""
        if fleet == self.fleet:
            return "put"
        return (yield from self.put(msgspec.json.encode(fleet)))


class OverrideBoard(Board):
    """What operators said. A planner puts nothing there."""

    def __init__(self) -> None:
        super().__init__(OVERRIDES)

    @property
    def overrides(self) -> tuple[Override, ...]:
        """As last read; those that have expired included."""
        return msgspec.json.decode(self.body, type=tuple[Override, ...]) if self.body else ()


class HealthBoard(Board):
    """Who speaks for health, and what is said."""

    def __init__(self, who: str, life: int) -> None:
        super().__init__(HEALTH)
        self._who, self._life = who, life
        self.said: Said | None = None
        self._rose_at: float | None = None
        self._spoke_at: float | None = None

    def look(self, now: float) -> Asking:
        """What is said now? Whether the store could be read."""
        revision = self.revision
        if not (yield from self.read()):
            return False
        if self.revision != revision or self._rose_at is None:
            self._rose_at = now
        self.said = msgspec.json.decode(self.body, type=Said) if self.body else None
        return True

    def _may_speak(self, now: float) -> bool:
        said = self.said
        if said is None or (said.who, said.life) == (self._who, self._life):
            return True
        if said.who == self._who and self._spoke_at is None:
            return True
        silent = cadence.SILENT_BEATS * cadence.HEALTH_BEAT_S
        return self._rose_at is not None and now - self._rose_at > silent

    def settle(self, own: Mapping[str, Verdict], now: float) -> Asking:
        """Say what we think, if it is for us to speak and it is new or time to repeat it."""
        if not self._may_speak(now):
            return "overtaken"
        said = Said(self._who, self._life, dict(sorted(own.items())))
        repeat = self._spoke_at is None or now - self._spoke_at >= cadence.HEALTH_BEAT_S
        if self.said == said and not repeat:
            return "put"
        outcome: Put = yield from self.put(msgspec.json.encode(said))
        if outcome != "unknown":
            self._rose_at = now
            self.said = msgspec.json.decode(self.body, type=Said) if self.body else None
        if outcome == "put":
            self._spoke_at = now
        return outcome

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """As said last, by whomever."""
        return dict(self.said.verdicts) if self.said is not None else {}
