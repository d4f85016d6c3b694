"""Journals of runs in the invented world, as the processes of production would have written them; and their doctoring."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from standfast.model.plan import Plan
from standfast.ports.local import RecordIntent, Unrecorded
from standfast.runtime.journal import Journal
from standfast.runtime.recording import intent_facts, outcome_facts
from world.invented import STREAM, Actor, World

Line = dict[str, Any]


class JournalingWorld(World):
    """The invented world, in which every actor keeps its journal in `folder`."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        plans: list[Plan],
        *,
        enactors: int = 2,
        make: Callable[[str], Actor] = Actor,
    ) -> None:
        super().__init__(seed, plans, enactors=enactors, make=make)
        self._journals = {actor.name: Journal(folder, "enactor", actor.name) for actor in self.actors}
        self._lives: dict[str, object] = {}

    def answer(self, actor: Actor, request: object, *, faults: bool) -> object:
        """An intent is on disk before the change is sent."""
        reply = super().answer(actor, request, faults=faults)
        if isinstance(request, RecordIntent) and not isinstance(reply, Unrecorded):
            self._journals[actor.name].write("intent", **intent_facts(request))
        return reply

    def step(self, actor: Actor, *, faults: bool) -> None:
        """With `started` after each crash, and outcomes."""
        if not actor.started:
            self._journals[actor.name].write("started", stream=STREAM, observe=False)
        told = len(self.outcomes)
        super().step(actor, faults=faults)
        if not self.journal_broken:
            facts = [outcome_facts(one, 0.01) for one in self.outcomes[told:] if one.nonce]
            self._journals[actor.name].write_all("outcome", facts)

    def close(self) -> None:
        """All files."""
        for journal in self._journals.values():
            journal.close()


class Doctored:
    """The lines of a folder's journals, to be changed and put back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, list[Line]] = {
            path.name: [json.loads(line) for line in path.read_text().splitlines()]
            for path in sorted(folder.glob("*.jsonl"))
        }

    def lines(self, event: str) -> Iterator[tuple[str, int, Line]]:
        """(file, number from 1, line) of all lines of one event."""
        for name, lines in self.files.items():
            for number, line in enumerate(lines, 1):
                if line["event"] == event:
                    yield name, number, line

    def writes(self, act: str = "write", kind: str = "live") -> Iterator[tuple[str, int, Line, Line]]:
        """(file, number, intent, write) of all endpoints of all intents."""
        for name, number, line in self.lines("intent"):
            for write in line["writes"]:
                if write["act"] == act and write["kind"] == kind:
                    yield name, number, line, write

    def save(self) -> None:
        """Back to disk."""
        for name, lines in self.files.items():
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (self.folder / name).write_text(text, encoding="utf-8")
