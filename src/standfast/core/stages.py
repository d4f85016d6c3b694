"""Where an enactor stands between two requests, and what it has to tell people."""

from typing import Literal, TypeAlias

from msgspec import Struct

from standfast.ports.local import Admit, KeepCopy, RecallCopy
from standfast.ports.provider import ReadChanges
from standfast.ports.store import ReadHead, ReadPlan

from .change import Asking, ChangeRequest
from .task import Task


class Idle(Struct, frozen=True):
    """Nothing to ask until the next occasion."""


class AskingHead(Struct, frozen=True):
    """Is there a newer plan?"""

    request: ReadHead = ReadHead()


class AskingPlan(Struct, frozen=True):
    """Fetching the plan that the head names."""

    request: ReadPlan


class Recalling(Struct, frozen=True):
    """At the start: the copy on one's own disk."""

    request: RecallCopy = RecallCopy()


class Keeping(Struct, frozen=True):
    """Everything due is written: the plan goes to one's own disk."""

    request: KeepCopy


class Admitting(Struct, frozen=True):
    """What of all that is due shall be begun now?"""

    request: Admit


class AskingChanges(Struct, frozen=True):
    """Which names of the zone changed since the last look?"""

    request: ReadChanges
    later: tuple[str, ...]


class Changing(Struct, frozen=True):
    """In the middle of one change."""

    phase: Asking
    task: Task

    @property
    def request(self) -> ChangeRequest:
        """That of the change."""
        return self.phase.request


Stage: TypeAlias = Idle | AskingHead | AskingPlan | Recalling | Keeping | Admitting | AskingChanges | Changing


class Notice(Struct, frozen=True):
    """Something about plan or store that people should know."""

    kind: Literal["plan", "fork", "store", "provider", "foreign_plan"]
    why: str
