"""Every event of the journal with its facts: `standfast.journal.schema.json` is made of this, and `docs/journal.md`
lists the same (a test compares). Tests hold every line to it that any test's process writes.

Add an event here, to `Event` below, and a row to `docs/journal.md`; then `python -m standfast.runtime.events` writes
the schema anew.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

import msgspec
from msgspec import UNSET, UnsetType

from .event_facts import (
    ChangePoint,
    CollectedPoint,
    DeparturesPoint,
    EntryPoint,
    FloorFact,
    Head,
    Line,
    Override,
    PlannedChange,
    PlanPoint,
    WentBackFact,
    WriteFact,
    WritePoint,
)
from .event_leases import LeaseChanged, LeaseEnded, LeaseGranted


class Started(Line, tag="started"):
    """A process began. An enactor says whether it only observes, planner and prober the digest of their configuration,
    a prober from where it looks, the page where it listens."""

    stream: str
    observe: bool | UnsetType = UNSET
    policy: str | UnsetType = UNSET
    vantage: str | UnsetType = UNSET
    az: str | UnsetType = UNSET
    listen: str | UnsetType = UNSET


class Stopped(Line, tag="stopped"):
    """A clean end."""


class Planned(Line, tag="planned"):
    """A plan was published."""

    stream: str
    generation: int
    digest: str
    over: Head | None
    author: str
    reason: str
    planned_at: float
    sources: dict[str, int]
    changes: list[PlannedChange]


class Refused(Line, tag="refused"):
    """The planner refuses an endpoint; once until it changes."""

    zone: str
    name: str
    rule: str
    why: str
    remedy: str


class Settled(Line, tag="settled"):
    """A refusal is over."""

    zone: str
    name: str
    rule: str
    why: str


class VerdictChanged(Line, tag="verdict"):
    """A load balancer is thought of otherwise."""

    load_balancer: str
    state: str
    was: str
    reason: str


class SourceStanding(Line, tag="source"):
    """A source of the fleet stands otherwise. `state`: known; unknown, late (2 minutes), lost (15 minutes), held (it
    lacks much at once: `lost`). What was known of it stays, `load_balancers` of them."""

    source: str
    kind: str
    state: str
    revision: str
    load_balancers: int
    lost: list[str]
    why: str


class Probe(Line, tag="probe"):
    """A failed check that changed no verdict, the `count`th `of` those that would."""

    load_balancer: str
    count: int
    of: int
    reason: str


class Change(Line, kw_only=True):
    """A change of a zone, read off the very message."""

    zone: str
    generation: int
    plan: str
    nonce: str
    writes: list[WriteFact]
    stream: str | UnsetType = UNSET
    floor: FloorFact | UnsetType = UNSET


class Intent(Change, tag="intent"):
    """A change is about to be sent: on disk before it is."""


class WouldWrite(Change, tag="would_write"):
    """The same in observe mode: nothing is sent."""


class Outcome(Line, tag="outcome"):
    """What became of one endpoint of a change; without nonce nothing was sent. `unrecorded`: it was sent without an
    intent, a refill while the journal could not be written, and why it could not."""

    zone: str
    name: str
    result: str
    why: str
    before: int | None
    since: int | None
    nonce: str | None
    took_ms: float | None
    unrecorded: str | UnsetType = UNSET


class Stands(Line, tag="stands"):
    """What was written was read back, and stands. `serial` is the zone's, asked for after the change, if known."""

    zone: str
    names: list[str]
    serial: int | UnsetType = UNSET


class Notice(Line, tag="notice"):
    """How something stands; told once until it changes."""

    kind: str
    why: str


class SetBack(Line, tag="set_back"):
    """Markers or a floor were read that this process knew to have been replaced: somebody put an old state back."""

    zone: str
    records: list[WentBackFact]


class Collected(Line, tag="collected"):
    """Plans were collected; or why none were."""

    generations: list[int]
    stream: str | UnsetType = UNSET
    lowest: int | UnsetType | None = UNSET
    head: int | UnsetType | None = UNSET
    why: str | UnsetType = UNSET


class TreeCollected(Line, tag="tree_collected"):
    """All records of a tree were deleted."""

    zone: str
    name: str
    since: int
    stream: str


class HealthChecks(Line, tag="health_checks"):
    """Route 53's health checks of a zone's load balancers: so many were made or found made, these were edited by
    somebody and set back, these deleted. `why`: what ended the pass early."""

    zone: str
    made: int
    mended: list[str]
    deleted: list[str]
    why: str


class Operator(Line, tag="operator"):
    """A person's command, step by step."""

    stage: str
    stream: str
    action: str
    names: list[str]
    to: int | None
    reason: str
    by: str
    what: str
    zone: str | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    override: Override | UnsetType = UNSET
    why: str | UnsetType = UNSET
    generation: int | UnsetType | None = UNSET
    digest: str | UnsetType = UNSET


class Overridden(Line, tag="override"):
    """What an operator said of a load balancer, a pool or an AZ: it came into force or went out of it."""

    stage: str
    scope: str
    target: str
    state: str
    reason: str
    by: str
    until: float
    consented: bool


class Reloaded(Line, tag="reloaded"):
    """A process was told to read its configuration again, and what came of it."""

    stage: str
    file: str
    was: str
    now: str
    changes: list[str]
    problems: list[str]


class Deployed(Line, tag="deploy"):
    """Others told the page what they changed (POST /events): a mark in its lanes."""

    what: str
    by: str
    ref: str


class Served(Line, tag="served"):
    """Name servers serve what a plan has of an endpoint, as the monitor sees it."""

    zone: str
    name: str
    since: int
    servers: list[str]


class Secondaries(Line, tag="secondaries"):
    """These name servers of the zone serve every write of this enactor now, each so many seconds after the last."""

    zone: str
    servers: list[str]
    generation: int
    lag_s: dict[str, float | None]


class SecondaryBehind(Line, tag="secondary_behind"):
    """A name server has not served a write for longer than transfers take. Told once; `secondaries` tells the end."""

    zone: str
    server: str
    serves: int
    behind_s: float
    why: str


class Uncached(Line, tag="uncached"):
    """The TTL has passed since every name server served an answer without these load balancers."""

    zone: str
    name: str
    since: int
    load_balancers: list[str]
    ttl_s: int


class Answered(Line, tag="answer"):
    """What a name server answers is otherwise than it was: `whole`, `empty`, `mixed`, `foreign`, `behind`, `silent`."""

    zone: str
    name: str
    server: str
    state: str
    was: str
    why: str


class Verdict(Line, tag="standing"):
    """The one sentence on everything changed (`status` shows the same)."""

    kind: str
    sentence: str
    command: str


class Checkpoint(Line, tag="checkpoint"):
    """How a file but the very first begins: what an audit needs of the files before it."""

    stream: str
    file: int
    after: str
    began: str
    part: int
    of: int
    counts: dict[str, int]
    plan: PlanPoint | None
    collected: CollectedPoint | None
    changes: list[ChangePoint]
    writes: list[WritePoint]
    entries: list[EntryPoint]
    departures: list[DeparturesPoint]


Event: TypeAlias = (
    Started
    | Stopped
    | Planned
    | Refused
    | Settled
    | VerdictChanged
    | SourceStanding
    | LeaseGranted
    | LeaseChanged
    | LeaseEnded
    | Probe
    | Intent
    | WouldWrite
    | Outcome
    | Stands
    | Notice
    | SetBack
    | Collected
    | TreeCollected
    | HealthChecks
    | Operator
    | Overridden
    | Reloaded
    | Deployed
    | Served
    | Secondaries
    | SecondaryBehind
    | Answered
    | Uncached
    | Verdict
    | Checkpoint
)
SCHEMA: Final = Path(__file__).parents[1] / "standfast.journal.schema.json"
EVENTS: Final[Mapping[str, type[Line]]] = {one.__struct_config__.tag: one for one in get_args(Event)}
_decoder: "Final[msgspec.json.Decoder[Line]]" = msgspec.json.Decoder(Event)


def held(octets: bytes) -> Line:
    """The line as an event. Raises msgspec.ValidationError where it is none, or says what its event does not have."""
    return _decoder.decode(octets)


def schema() -> dict[str, Any]:
    """The JSON Schema of a line. Readers must pass over facts that they don't know: later versions may add some."""
    (root,), parts = msgspec.json.schema_components((Event,), ref_template="#/$defs/{name}")
    for part in parts.values():
        if part.get("properties"):
            part.pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://standfast.invalid/standfast.journal.schema.json",
        "title": "A line of a Standfast journal",
        "description": "Version 3. What the events mean stands in docs/journal.md.",
        **root,
        "$defs": dict(sorted(parts.items())),
    }


def schema_text() -> str:
    """As it is shipped."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
