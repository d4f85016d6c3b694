"""A journal's lines as `docs/journal.md` has them, versions 1 to 3. What is not of these shapes is a spoilt line.

A field that version 1 did not have is None or empty here: then nothing is concluded from it.
"""

from typing import Final, TypeAlias

from msgspec import Struct, field

VERSIONS: Final = (1, 2, 3)


class Header(Struct, gc=False):
    """What every line has."""

    v: int
    event: str
    role: str = ""
    who: str = ""
    stream: str = ""
    at: str = ""


class FloorLine(Struct, gc=False):
    """What a change asserts of its zone's floor and puts there.

    `found`: live, frozen, absent, unreadable, or unasserted. `sets` is the generation it is set to under the change's
    nonce, None if it is left as it is, or is taken away (`goes`).
    """

    found: str
    generation: int | None = None
    over: str = ""
    sets: int | None = None
    state: str | None = None
    goes: bool = False


class PutMarker(Struct, gc=False):
    """The marker that a change puts; generation and plan only where they are not those of the intent."""

    since: int
    state: str
    generation: int | None = None
    plan: str | None = None


class WriteLine(Struct, gc=False):
    """One endpoint of an intent. `found`: live, frozen, placeholder, retired, foreign, absent, unreadable,
    unasserted. `partly`: of a tree that it leads to, only what fits the change is asserted, and counted in `answers`.
    """

    name: str
    since: int
    over: str = ""
    before: int | None = None
    why: str = ""
    act: str = "write"
    kind: str = "live"
    found: str = ""
    puts: PutMarker | None = None
    least: dict[str, int] | None = None
    answers: dict[str, int] | None = None
    partly: bool = False
    had: dict[str, int] | None = None
    contents: str = ""


class IntentLine(Struct, gc=False):
    """A change that is about to be sent."""

    zone: str
    generation: int
    plan: str
    nonce: str
    writes: list[WriteLine]
    stream: str = ""
    floor: FloorLine | None = None


class OutcomeLine(Struct, gc=False):
    """What became of one endpoint of a change; without nonce nothing was sent, and if it is `unrecorded` without an
    intent."""

    zone: str
    name: str
    result: str
    why: str = ""
    before: int | None = None
    since: int | None = None
    nonce: str | None = ""
    unrecorded: str = ""


class WentBackLine(Struct, gc=False):
    """A marker (`name` is its endpoint's) or the floor (no name): the nonce known last and the one found."""

    name: str
    knew: str
    found: str


class SetBackLine(Struct, gc=False):
    """Records that a process knew to have been replaced, and read again."""

    zone: str
    records: list[WentBackLine]


class LeavingLine(Struct, gc=False):
    """A load balancer that a plan takes out of an answer."""

    load_balancer: str
    weight: float
    installed: float
    cause: str
    state: str
    why: str = ""
    az: str = ""
    outside: int = 0


class JoiningLine(Struct, gc=False):
    """A load balancer that a plan brings into an answer."""

    load_balancer: str
    weight: float
    of: float
    cause: str


class LimitsLine(Struct, gc=False):
    """How much may leave (G7), and how much may join. Plans of earlier programs have no limit of joining."""

    share: float
    window_s: float
    hold_below: float
    az_loss: str = ""
    adding_share: float | None = None
    adding_window_s: float = 0.0
    rotation_s: float = 0.0


class ChangeLine(Struct, gc=False):
    """One endpoint of a published plan."""

    name: str
    zone: str = ""
    removed: list[str] = field(default_factory=list)
    healthy: float = 1.0
    leaving: list[LeavingLine] | None = None
    joining: list[JoiningLine] | None = None
    since: int | None = None
    least: dict[str, int] | None = None
    answers: dict[str, int] | None = None
    contents: str = ""
    departures: list[tuple[str, float, float, float]] | None = None
    limits: LimitsLine | None = None


class HeadLine(Struct, gc=False):
    """A head of the plan store."""

    generation: int
    digest: str


class PlannedLine(Struct, gc=False):
    """A plan that was published. `over` is the head that publishing it asserted; None: there was none."""

    generation: int
    digest: str
    changes: list[ChangeLine]
    stream: str = ""
    over: HeadLine | None = None
    planned_at: float | None = None
    sources: dict[str, int] | None = None


class CollectedLine(Struct, gc=False):
    """Plans that were collected, below `lowest`, the least since of all markers read; `head` was the newest."""

    generations: list[int]
    stream: str = ""
    lowest: int | None = None
    head: int | None = None


class OperatorLine(Struct, gc=False):
    """A person's command. `to` is the generation of a rollback, a pin or an unpin."""

    stage: str
    action: str = ""
    to: int | None = None
    generation: int | None = None
    digest: str = ""
    stream: str = ""


class ChangePoint(Struct, gc=False):
    """A change as a checkpoint repeats it. `landed`: its sender was told so."""

    nonce: str
    stream: str
    zone: str
    generation: int
    plan: str
    landed: bool
    floor: FloorLine | None = None


class WritePoint(Struct, gc=False):
    """One endpoint of such a change; `told` is its outcome so far."""

    name: str
    nonce: str
    since: int
    told: str
    over: str = ""
    before: int | None = None
    act: str = "write"
    kind: str = "live"
    found: str = ""
    puts: PutMarker | None = None
    contents: str = ""


class EntryPoint(Struct, gc=False):
    """What the newest plan says of an endpoint."""

    stream: str
    zone: str
    name: str
    since: int
    contents: str = ""


class DeparturesPoint(Struct, gc=False):
    """Who left an endpoint's answer and still counts in its window."""

    stream: str
    zone: str
    name: str
    window_s: float
    departures: list[tuple[str, float, float, float]]


class PlanPoint(Struct, gc=False):
    """The last plan that was published."""

    stream: str
    generation: int
    digest: str
    planned_at: float | None = None
    sources: dict[str, int] | None = None


class CollectedPoint(Struct, gc=False):
    """The last collection: the highest generation of it."""

    generation: int
    lowest: int | None = None
    head: int | None = None


class CheckpointLine(Struct, gc=False):
    """How a file but the very first begins: what an audit needs of the files before it. `counts` of their lines by
    event; `began` is the moment of the journal's first line."""

    stream: str
    file: int
    began: str
    part: int
    of: int
    counts: dict[str, int]
    changes: list[ChangePoint]
    writes: list[WritePoint]
    entries: list[EntryPoint]
    departures: list[DeparturesPoint]
    plan: PlanPoint | None = None
    collected: CollectedPoint | None = None


Body: TypeAlias = IntentLine | OutcomeLine | SetBackLine | PlannedLine | CollectedLine | OperatorLine | CheckpointLine
BODIES: Final[dict[str, type[Body]]] = {
    "intent": IntentLine,
    "outcome": OutcomeLine,
    "set_back": SetBackLine,
    "planned": PlannedLine,
    "collected": CollectedLine,
    "operator": OperatorLine,
    "checkpoint": CheckpointLine,
}
