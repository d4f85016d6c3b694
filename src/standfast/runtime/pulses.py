"""The last checks of each load balancer, one character each, for people to look at: nothing is decided by it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

KEPT: Final = 60
"""So many checks are kept of each: five minutes at the default interval."""
SHOWN_MAX: Final = 400
"""So many load balancers are told of in a sign of life, which is written each second."""
PASSED: Final = "."
FAILED: Final = "x"
NOTHING: Final = "?"
"""A check that says nothing about the other side."""
_WORDS_MAX: Final = 120


class Pulse(Struct, frozen=True):
    """The last checks, oldest first; how long the last one that passed took, in milliseconds; the last failure."""

    checks: str = ""
    took_ms: float | None = None
    error: str = ""

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return self.checks.count(FAILED)


class Pulses:
    """Those of all load balancers."""

    def __init__(self) -> None:
        self._known: dict[str, Pulse] = {}

    def heard(self, name: str, passed: bool | None, took_s: float, why: str) -> None:
        """One more check. `passed` None: no evidence. `why` in words if it did not pass."""
        was = self._known.get(name, Pulse())
        mark = NOTHING if passed is None else PASSED if passed else FAILED
        checks = (was.checks + mark)[-KEPT:]
        took = round(took_s * 1000, 1) if passed else was.took_ms
        self._known[name] = Pulse(checks, took, was.error if passed else why[:_WORDS_MAX])

    def forget(self, name: str) -> None:
        """It is not checked any more."""
        self._known.pop(name, None)

    def facts(self) -> dict[str, list[Any]]:
        """For a sign of life: those that failed lately first, if there are too many."""
        names = sorted(self._known, key=lambda name: (-self._known[name].failed, name))[:SHOWN_MAX]
        return {name: [one.checks, one.took_ms, one.error] for name in sorted(names) if (one := self._known[name])}


def read_pulses(facts: object) -> Mapping[str, Pulse]:
    """What a sign of life tells, as far as it can be understood."""
    found: dict[str, Pulse] = {}
    for name, told in facts.items() if isinstance(facts, Mapping) else ():
        if isinstance(told, list) and len(told) == 3 and isinstance(told[0], str):
            took = float(told[1]) if isinstance(told[1], int | float) else None
            found[str(name)] = Pulse(told[0][-KEPT:], took, str(told[2])[:_WORDS_MAX])
    return found
