"""An operator in virtual time: freezes an endpoint or a zone by the production core, and thaws it again; says what load
balancers are, whatever health and configuration say."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from standfast.core.direct import Ended, begin
from standfast.core.freezer import Freezing
from standfast.model.fleet import AdminState
from standfast.model.override import Override, Scope, cleared, given
from standfast.ports.store import PutSource

from .processes import Process, Script, Surroundings
from .scenario import STREAM
from .sharing import OVERRIDES, OverrideBoard

NAME: Final = "operator"
AGAIN_S: Final = 5.0
"""How long people wait before they give the same command again."""
TRIES: Final = 3
_DONE: Final = frozenset({"sealed", "frozen", "thawed"})


class OperatorProcess(Process):
    """Whoever types the commands. A freeze that fails is given up after a few tries, a thaw never is."""

    def __init__(self, region: Surroundings, seed: int, names: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(region, NAME, seed)
        self._names = names
        self._orders: deque[tuple[Freezing, int]] = deque()

    def born(self) -> None:
        """Nothing to do yet."""
        self.busy = False

    def freeze(self, zone: str, endpoint: str = "") -> None:
        """One endpoint, or the whole zone."""
        self._order(Freezing("freeze", STREAM, zone, NAME, self._names[zone], endpoint), TRIES)

    def thaw(self, zone: str, endpoint: str = "") -> None:
        """And back."""
        self._order(Freezing("thaw", STREAM, zone, NAME, self._names[zone], endpoint), 0)

    def override(self, scope: Scope, target: str, state: AdminState, lasts_s: float, *, consented: bool) -> None:
        """From now on, by the operator's clock, which is right."""
        now, source = self.region.loop.now, OverrideBoard()
        source.body = self.region.depot.state.source(OVERRIDES)[1]
        new = Override(scope, target, state, "because", NAME, now, now + lasts_s, consented)
        self._put(given(source.overrides, new, now))

    def clear(self, scope: Scope, target: str) -> None:
        """And no longer."""
        source = OverrideBoard()
        source.body = self.region.depot.state.source(OVERRIDES)[1]
        self._put(cleared(source.overrides, scope, target, self.region.loop.now))

    def clear_all(self) -> None:
        """Nothing counts but health and configuration."""
        self._put(())

    def _put(self, overrides: tuple[Override, ...]) -> None:
        revision = self.region.depot.state.source(OVERRIDES)[0] + 1
        self.region.depot.perform(self.name, PutSource(OVERRIDES, revision, msgspec.json.encode(overrides)))

    def _order(self, command: Freezing, tries: int) -> None:
        self._orders.append((command, tries))
        if not self.busy:
            self._next()

    def _next(self) -> None:
        if self._orders:
            self.play(self._obeyed(*self._orders.popleft()))

    def _obeyed(self, command: Freezing, tries: int) -> Script:
        phase: Any = begin(command)
        while not isinstance(phase, Ended):
            reply: Any = yield phase.request
            phase = phase.heard(reply)
        what = f"{command.verb} {command.endpoint or command.zone}"
        self.region.note(self.name, f"{what}: {phase.result}")
        if phase.result not in _DONE and tries != 1:
            self._orders.append((command, tries - 1 if tries else 0))

    def rested(self) -> None:
        """The next command, if there is one."""
        self.ring(self.region.loop.now + AGAIN_S, self._next)
