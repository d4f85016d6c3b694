"""What a process may ask of its own machine: a nonce, the journal, its own copy of the newest plan."""

from typing import TypeAlias

from msgspec import Struct

from standfast.model.entry import Key
from standfast.model.plan import Plan

from .provider import Replace, Unknown
from .store import PlanMissing, PlanRead


class DrawNonce(Struct, frozen=True):
    """A value that was never drawn before, anywhere: 16 lower-case hexadecimal characters."""


class Nonce(Struct, frozen=True):
    """The value drawn."""

    value: str


class IntendedWrite(Struct, frozen=True, array_like=True):
    """One endpoint of an intended change, for the journal: from which since to which, and why.

    `over` is the nonce of the marker whose exact value the change asserts, empty if it asserts none that can be read:
    with it the journals alone tell the order of all writes, whatever the clocks say (G10). `kind` and `least`
    (min_answers by family) are the entry's: what is sent is judged by them later (G1). `act` says what an operator
    does without a plan: `take` (over from another stream), `leave`.
    """

    name: str
    since_before: int | None
    since: int
    why: str
    over: str = ""
    kind: str = ""
    least: tuple[tuple[int, int], ...] = ()
    refill: bool = False
    act: str = ""


class RecordIntent(Struct, frozen=True):
    """Put the intention on disk before the change is sent (G10).

    `change` is the very change: what it asserts and puts goes into the journal, not what was meant by it. `plan` is
    the plan's digest, `stream` its stream.
    """

    zone: str
    generation: int
    plan: str
    nonce: str
    writes: tuple[IntendedWrite, ...]
    stream: str = ""
    change: Replace | None = None


class Recorded(Struct, frozen=True):
    """It is on disk."""


class Unrecorded(Struct, frozen=True):
    """The journal can't be written: only refills may go on."""

    why: str


class KeepCopy(Struct, frozen=True):
    """Keep this plan on the machine's own disk, for the time when the store is away."""

    plan: Plan


class Kept(Struct, frozen=True):
    """Done, or not possible: it is a precaution and decides nothing."""


class RecallCopy(Struct, frozen=True):
    """The plan kept last."""


class Admit(Struct, frozen=True):
    """Of these endpoints, which are out of date, which shall be begun now? `urgent` ones go before the `rest`; in each
    the first is the one to begin with."""

    urgent: tuple[Key, ...]
    rest: tuple[Key, ...]


class Admitted(Struct, frozen=True):
    """These. None: none for now; `over` ends the pass, so that whoever runs it can look after its other duties."""

    keys: tuple[Key, ...] = ()
    over: bool = False


RecordReply: TypeAlias = Recorded | Unrecorded
RecallReply: TypeAlias = PlanRead | PlanMissing | Unknown
LocalRequest: TypeAlias = DrawNonce | RecordIntent | KeepCopy | RecallCopy
LocalReply: TypeAlias = Nonce | Recorded | Unrecorded | Kept | PlanRead | PlanMissing | Unknown
