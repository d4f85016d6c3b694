"""A story: what happened, step by step, with what the zone held and what each actor believed. Saved as JSON.

Every counterexample, every simulated failure and the race of October 2025 is one of these; terminal, SVG and page
show nothing that is not in it.
"""

from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from standfast.errors import StandfastError

Certainty: TypeAlias = Literal["published", "inferred", "ours"]
FILE_OCTETS_MAX: Final = 16 << 20


class Record(Struct, frozen=True):
    """One record set as people see it: `what` is a leaf, alias, weighted set, address, marker, floor or lock.

    `points_to` is the owner of what it refers to (aliases), empty for none.
    """

    owner: str
    what: str
    contents: tuple[str, ...]
    points_to: str = ""


class Answer(Struct, frozen=True):
    """What `dig` says about a name: status, addresses. NOERROR without addresses is what October 2025 looked like."""

    name: str
    status: str
    addresses: tuple[str, ...]
    below_minimum: bool = False


class Scene(Struct, frozen=True):
    """The world after a step. `beliefs`: actor → what it holds to be true ("holds 110, checked at step 1")."""

    zone: tuple[Record, ...]
    answers: tuple[Answer, ...]
    store: tuple[str, ...]
    beliefs: tuple[tuple[str, str], ...]
    flights: tuple[str, ...] = ()
    """Requests under way that may still arrive."""


class Moment(Struct, frozen=True):
    """One step: who, what, to whom (empty: to nobody), what was refused and why, and the world afterwards.

    `caption` says it in a sentence or two; `source` where that is published, `certainty` how sure it is; `violation`
    is the property broken here, `prevented_by` the rules that would have refused it. `waiting` are the actors that
    stand still while this happens (asleep, backing off, kept out of a lock): drawn hatched.
    """

    actor: str
    text: str
    scene: Scene
    to: str = ""
    refused: str = ""
    violation: str = ""
    caption: str = ""
    source: str = ""
    certainty: Certainty = "ours"
    prevented_by: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Story(Struct, frozen=True):
    """Beginning, steps, and the command that shows it again."""

    title: str
    actors: tuple[str, ...]
    beginning: Scene
    moments: tuple[Moment, ...]
    outcome: str = ""
    replayed_by: str = ""
    version: int = 1


class StoryError(StandfastError):
    """A file is no story of ours; the message says where and what to do."""


def save(story: Story, path: Path) -> None:
    """Write it as JSON. Raises OSError."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(story), indent=1) + b"\n")


def load(path: Path) -> Story:
    """Read it back, control characters replaced.

    Raises StoryError for anything that is not a story, OSError if it can't be read.
    """
    with path.open("rb") as file:
        octets = file.read(FILE_OCTETS_MAX + 1)
    if len(octets) > FILE_OCTETS_MAX:
        raise StoryError(f"{path} is larger than {FILE_OCTETS_MAX} octets: no story is. Was it made by `standfast`?")
    try:
        story = msgspec.json.decode(octets, type=Story)
    except msgspec.MsgspecError as error:
        raise StoryError(f"{path} is not a story: {error}. Make one with `standfast verify --save DIR`.") from None
    if story.version != 1:
        raise StoryError(f"{path} has version {story.version}; this program reads version 1. Use the one that made it.")
    return msgspec.convert(_printable(msgspec.to_builtins(story)), Story)


def _printable(value: object) -> object:
    """The same without control characters: a file must not be able to steer the terminal that shows it."""
    match value:
        case str():
            return "".join(c if c.isprintable() or c == "\n" else "�" for c in value)
        case list() | tuple():
            return [_printable(one) for one in value]
        case dict():
            return {key: _printable(one) for key, one in value.items()}
    return value
