"""What a process tells: every event to its journal and to whoever watches; a state of things once, until it changes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from standfast.core.decisions import Refusal

from .journal import Journal

Tell: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Called with each event and its facts, as the journal has them."""


def silent(event: str, facts: Mapping[str, Any]) -> None:
    """Tell nobody."""


class Tidings:
    """The journal, and what was told already."""

    def __init__(self, journal: Journal, tell: Tell = silent) -> None:
        self._journal, self._tell = journal, tell
        self._states: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._passed_at = time.monotonic()
        self._notes: frozenset[str] = frozenset()
        self._refusals: dict[tuple[str, str], tuple[str, str]] = {}

    def event(self, event: str, **facts: Any) -> None:
        """Something happened."""
        self._journal.write(event, **facts)
        self._tell(event, facts)

    def state(self, kind: str, why: str) -> None:
        """How something stands; empty: well. Told as a notice when it changes, its end included."""
        if kind == "store" and not why:
            self._passed_at = time.monotonic()
        was = self._states.get(kind, "")
        if why != was:
            self._states[kind] = why
            self.event("notice", kind=kind, why=why or f"no longer: {was}")

    def told(self, kind: str, why: str) -> None:
        """The same for what is worth a line but keeps nobody from working: `troubles` has none of it."""
        was = self._told.get(kind, "")
        if why != was:
            self._told[kind] = why
            self.event("notice", kind=kind.partition(" ")[0], why=why or f"no longer: {was}")

    def why(self, kind: str) -> str:
        """How that stands; empty: well."""
        return self._states.get(kind, "")

    def notes(self, notes: Iterable[str]) -> None:
        """All that is to be noted at present; new ones are told."""
        present = frozenset(notes)
        for note in sorted(present - self._notes):
            self.event("notice", kind="plan", why=note)
        self._notes = present

    def refusals(self, refusals: Iterable[Refusal]) -> None:
        """All refusals at present; each is told when it comes or changes."""
        present = {(one.key[0], one.key[1]): (one.rule, one.reason) for one in refusals}
        for one in refusals:
            if self._refusals.get(one.key) != (one.rule, one.reason):
                self.event(
                    "refused", zone=one.key[0], name=one.key[1], rule=one.rule, why=one.reason, remedy=one.remedy
                )
        for key, (rule, reason) in self._refusals.items():
            if key not in present:
                self.event("settled", zone=key[0], name=key[1], rule=rule, why=f"no longer: {reason}")
        self._refusals = present

    @property
    def facts(self) -> dict[str, Any]:
        """For presence: what is refused and not well, and since when the store last let a pass through."""
        ago = round(time.monotonic() - self._passed_at, 3)
        return {"refusals": self.refused[:20], "troubles": self.troubles[:20], "passed_ago_s": ago}

    @property
    def troubles(self) -> list[str]:
        """What is not well now, for presence."""
        return [why for why in self._states.values() if why] + sorted(self._notes)

    @property
    def refused(self) -> list[str]:
        """What is refused now, for presence."""
        return [f"{name}: {why}" for (_, name), (_, why) in sorted(self._refusals.items())]
