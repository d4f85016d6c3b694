"""What every source of the fleet must do, whatever its world does: say all, or say that it doesn't know.

And what a planner makes of it, with the real threads, store and automaton: nobody leaves the fleet for a fault.
"""

import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from conformance.source_subject import Subject
from standfast.adapters.sources import FleetSeen, FleetSource, FleetUnknown, Sighting
from standfast.adapters.sources.vetting import vetted
from standfast.adapters.stores.memory import MemoryStore
from standfast.config import Config, check
from standfast.runtime.fleetkeeping import FleetKeeper, accept
from standfast.runtime.sharing import ACCEPTED, STANDINGS, Accepted, Board, standings_on
from standfast.runtime.sourcing import Sources

WITHIN_S = 60.0
ENDS_S = 90.0
"""Patience with a look as a whole on a busy machine; AWS's ends itself after 45 s."""


class _Tidings:
    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, Any]]] = []

    def event(self, event: str, **facts: Any) -> None:
        self.told.append((event, facts))

    def state(self, kind: str, why: str) -> None:
        if why:
            self.told.append((kind, {"why": why}))


class Keeping:
    """A planner's fleet, kept from one source."""

    def __init__(self, subject: Subject, store: MemoryStore | None = None) -> None:
        self.subject, self.store, self.tidings = subject, store or MemoryStore(), _Tidings()
        sources = Sources((subject.config,), lambda: None, open_=subject.open)
        self.keeper = FleetKeeper(
            "ops1", config_of(subject), self.store, self.tidings, lambda: None, sources  # type: ignore[arg-type]
        )  # fmt: skip
        self.keeper.start()
        assert self.keeper.begin()

    def turn(self) -> None:
        self.keeper.look()
        self.keeper.hear(time.monotonic(), may_put=True)

    @property
    def ids(self) -> list[str] | None:
        return None if self.keeper.fleet is None else sorted(one.id for one in self.keeper.fleet)

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.keeper.facts(time.monotonic())[self.subject.config.name]
        return found

    def until(self, true: Callable[[], object], what: str) -> None:
        end = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < end, f"not within {WITHIN_S:g} s: {what}; {self.facts}"
            self.turn()
            time.sleep(0.005)

    def end(self) -> None:
        self.keeper.close()


def config_of(subject: Subject) -> Config:
    text = "zone: {name: lb.example.com, provider: embedded}\nhealth: none\nendpoints: {www: {}}\n"
    config, problems, _ = check(text + "load_balancers: {lb: {az: a, ip: 192.0.2.1}}\n", "standfast.yaml")
    assert config is not None, problems
    object.__setattr__(config, "sources", (subject.config,))
    return config


def looked(source: FleetSource, kind: type[Sighting], within_s: float = WITHIN_S) -> Any:
    """Look, as a planner's thread does, until it says something of that kind."""
    end = time.monotonic() + within_s
    while True:
        began = time.monotonic()
        try:
            sighting: Sighting = vetted(source.look())
        except Exception as error:
            sighting = FleetUnknown(str(error))
        assert time.monotonic() - began < ENDS_S, "a look ends within its own time-outs"
        if isinstance(sighting, kind):
            return sighting
        assert time.monotonic() < end, sighting
        source.wait(0.05)


class SourceKit:
    """Mix in with a fixture `subject`."""

    def test_everybody_is_seen_and_so_is_what_changes(self, subject: Subject) -> None:
        subject.put(1, 2, 3)
        source = subject.open(subject.config)
        seen = looked(source, FleetSeen)
        assert [one.id for one in seen.load_balancers] == sorted(subject.identity(n) for n in (1, 2, 3))
        assert {one.ipv4 for one in seen.load_balancers} == {(f"192.0.2.{n}",) for n in (1, 2, 3)}
        subject.put(2, 3, 4)
        wanted = sorted(subject.identity(n) for n in (2, 3, 4))
        end = time.monotonic() + WITHIN_S
        while [one.id for one in looked(source, FleetSeen).load_balancers] != wanted:
            assert time.monotonic() < end
            source.wait(0.2)
        source.close()

    def test_every_fault_is_unknown_and_passes(self, subject: Subject) -> None:
        subject.put(1, 2, 3)
        source = subject.open(subject.config)
        looked(source, FleetSeen)
        for fault in subject.faults:
            subject.fault(fault)
            unknown = looked(source, FleetUnknown)
            assert unknown.why, fault
            assert "\n" not in unknown.why, fault
            assert "Traceback" not in unknown.why, fault
            assert "letmein" not in unknown.why, f"{fault}: the secret is told"
            subject.fault("")
            assert len(looked(source, FleetSeen).load_balancers) == 3, fault
        source.close()

    def test_no_fault_removes_anybody(self, subject: Subject) -> None:
        """G6: unknown is not empty."""
        numbers = (1, 2, 3, 4, 5, 6)
        everybody = sorted(subject.identity(n) for n in numbers)
        subject.put(*numbers)
        keeping = Keeping(subject)
        try:
            keeping.until(lambda: keeping.ids == everybody, "everybody is known")
            for fault in subject.faults:
                subject.fault(fault)
                keeping.until(lambda: keeping.facts["state"] == "unknown", f"{fault} is told")
                assert keeping.ids == everybody, fault
                subject.fault("")
                keeping.until(lambda: keeping.facts["state"] == "known", f"{fault} is over")
                assert keeping.ids == everybody, fault
        finally:
            keeping.end()
        told = [(facts["state"], facts["why"]) for event, facts in keeping.tidings.told if event == "source"]
        assert all(one != other for one, other in pairwise(told)), f"each once, with its end: {told}"
        states = [state for state, _ in told]
        assert states[-1] == "known"
        # More if the machine stood still: a look that came too late for its time-out is another reason, told too.
        assert states.count("unknown") >= len(subject.faults)

    def test_a_shrink_is_held_until_somebody_accepts_it(self, subject: Subject) -> None:
        numbers = (1, 2, 3, 4, 5, 6)
        everybody = sorted(subject.identity(n) for n in numbers)
        subject.put(*numbers)
        keeping = Keeping(subject)
        name = subject.config.name
        try:
            keeping.until(lambda: keeping.ids == everybody, "everybody is known")
            subject.put()
            keeping.until(lambda: keeping.facts["state"] == "held" and len(keeping.facts["lost"]) >= 3, "it is held")
            kept = keeping.ids or []
            assert len(kept) >= 4, "an empty list takes nobody out; a watch tells one by one, and stops at a third"
            subject.put(1, 2)
            keeping.until(lambda: keeping.facts["state"] == "held", "a third of them is no fleet either")
            assert keeping.ids == kept
            shown = standings_on(_read(keeping.store, STANDINGS))[name]
            assert (shown.state, shown.lost) == ("held", tuple(keeping.facts["lost"]))
            lost = tuple(sorted({*everybody} - {subject.identity(1), subject.identity(2)}))
            assert accept(_read(keeping.store, ACCEPTED), name, Accepted(lost, "moved", "alice@ops1"))
            left = [subject.identity(1), subject.identity(2)]
            keeping.until(lambda: keeping.ids == left, "what was accepted counts")
            keeping.until(lambda: _read(keeping.store, ACCEPTED).body == b'{"sources":{}}', "and is spent")
        finally:
            keeping.end()

    def test_what_was_known_outlives_the_process(self, subject: Subject) -> None:
        subject.put(1, 2, 3)
        first = Keeping(subject)
        everybody = sorted(subject.identity(n) for n in (1, 2, 3))
        first.until(lambda: first.ids == everybody, "everybody is known")
        first.end()
        subject.fault(subject.faults[0])
        second = Keeping(subject, first.store)
        try:
            second.until(lambda: second.facts["state"] == "unknown", "the fault is seen")
            assert second.ids == everybody
        finally:
            second.end()


def _read(store: MemoryStore, source: str) -> Board:
    board = Board(store, source)
    assert board.read()
    return board
