"""The parts of journal lines that have facts of their own: see `events.py`."""

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

Families: TypeAlias = dict[str, int]
"""By `A` and `AAAA`."""
Act: TypeAlias = Literal["write", "refill", "mark", "take", "leave", "build", "collect"]
Found: TypeAlias = Literal["live", "frozen", "placeholder", "retired", "foreign", "absent", "unreadable", "unasserted"]


class Line(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="event"):
    """What every line has: version, the writer's own clock (UTC, RFC 3339), role, name among its like."""

    v: Literal[3]
    at: str
    role: str
    who: str


class Fact(Struct, forbid_unknown_fields=True):
    """A part of a line."""


class Head(Fact):
    """A head of the plan store."""

    generation: int
    digest: str


class Leaving(Fact):
    """A load balancer that a plan takes out of an answer."""

    load_balancer: str
    weight: float
    installed: float
    cause: str
    state: str
    why: str
    az: str | UnsetType = UNSET
    outside: int | UnsetType = UNSET


class Joining(Fact):
    """A load balancer that a plan brings into an answer."""

    load_balancer: str
    weight: float
    of: float
    cause: str


class Limits(Fact):
    """How much may leave (G7)."""

    share: float
    window_s: float
    hold_below: float
    az_loss: str
    adding_share: float
    adding_window_s: float
    rotation_s: float | UnsetType = UNSET


class PlannedChange(Fact, kw_only=True):
    """One endpoint of a plan."""

    zone: str
    name: str
    added: list[str]
    removed: list[str]
    why: str
    served: int
    of: int
    healthy: float
    window: list[float]
    leaving: list[Leaving]
    joining: list[Joining]
    since: int | UnsetType = UNSET
    least: Families | UnsetType = UNSET
    answers: Families | UnsetType = UNSET
    contents: str | UnsetType = UNSET
    departures: list[tuple[str, float, float, float]] | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET


class FloorFact(Fact):
    """What a change asserts of the floor and sets it to."""

    found: str
    generation: int | None
    over: str
    sets: int | None
    state: str | None
    goes: bool | UnsetType = UNSET


class WentBackFact(Fact):
    """A marker (`name` is its endpoint's) or the floor (no name) that went back: nonce and since, of a floor
    generation, that were known last, and those that were found."""

    name: str
    knew: str
    was: int
    found: str
    now: int


class PutFact(Fact, kw_only=True):
    """The marker a change puts."""

    since: int
    state: str
    generation: int | UnsetType = UNSET
    plan: str | UnsetType = UNSET


class WriteFact(Fact, kw_only=True):
    """One endpoint of a change."""

    name: str
    before: int | None
    over: str
    since: int
    why: str
    act: Act | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    found: Found | UnsetType = UNSET
    puts: PutFact | UnsetType | None = UNSET
    least: Families | UnsetType = UNSET
    answers: Families | UnsetType = UNSET
    partly: bool | UnsetType = UNSET
    had: Families | UnsetType = UNSET
    contents: str | UnsetType = UNSET


class ChangePoint(Fact):
    """A change as a checkpoint repeats it."""

    nonce: str
    stream: str
    zone: str
    generation: int
    plan: str
    floor: FloorFact | None
    landed: bool


class WritePoint(Fact, kw_only=True):
    """One endpoint of such a change, with its outcome so far."""

    name: str
    nonce: str
    before: int | None
    over: str
    since: int
    told: str
    act: Act | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    found: Found | UnsetType = UNSET
    puts: PutFact | UnsetType | None = UNSET
    contents: str | UnsetType = UNSET


class EntryPoint(Fact):
    """What the newest plan says of an endpoint."""

    stream: str
    zone: str
    name: str
    since: int
    contents: str


class DeparturesPoint(Fact):
    """Who left lately."""

    stream: str
    zone: str
    name: str
    window_s: float
    departures: list[tuple[str, float, float, float]]


class PlanPoint(Fact):
    """The last plan."""

    stream: str
    generation: int
    digest: str
    planned_at: float | None
    sources: dict[str, int] | None


class CollectedPoint(Fact):
    """The last collection."""

    generation: int
    lowest: int | None
    head: int | None


class Override(Fact):
    """What an operator said of load balancers."""

    scope: str
    target: str
    state: str
    reason: str
    by: str
    until: float
    consented: bool


class LeaseFact(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a load balancer says of itself with its lease."""

    az: str
    pool: str
    ip: list[str]
    capacity: int
    admin: str
    health: str
    port: int | None
    why: str
