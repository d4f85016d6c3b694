"""What a step looks like: its scene beside the one before it, as a tree, with what is new, changed and gone.

A part that was deleted is a *ghost*: shown in the step in which it went, and for as long as anything that still stands
refers to it. So an alias that dangles is seen to dangle.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from .story import Answer, Moment, Record, Scene, Story

State: TypeAlias = Literal["stands", "new", "changed", "gone"]
_Key: TypeAlias = tuple[str, str, int]
_LONE = frozenset({"marker", "floor", "lock"})


class Part(Struct, frozen=True):
    """A record as a step shows it. `fresh`: it became so in this very step. `dangling`: what it refers to is gone."""

    record: Record
    state: State = "stands"
    fresh: bool = False
    dangling: bool = False

    @property
    def ghost(self) -> bool:
        """Whether it is shown although it is not there."""
        return self.state == "gone"


class Branch(Struct, frozen=True):
    """A part with what it refers to. `again`: it stands elsewhere in this tree, with its own branches."""

    part: Part
    below: tuple["Branch", ...] = ()
    again: bool = False


class Noted(Struct, frozen=True):
    """A line of text about the world, and whether this step changed it."""

    text: str
    fresh: bool


class Belief(Struct, frozen=True):
    """What an actor holds to be true."""

    actor: str
    text: str
    fresh: bool


class Frame(Struct, frozen=True):
    """One step; step 0 is the beginning, which has no moment."""

    step: int
    moment: Moment | None
    scene: Scene
    tree: tuple[Branch, ...]
    lone: tuple[Part, ...]
    """Markers, floors and locks: what stands beside the tree."""
    beliefs: tuple[Belief, ...]
    store: tuple[Noted, ...]
    flights: tuple[Noted, ...]
    answers: tuple[tuple[Answer, bool], ...]
    """Each with whether this step changed it."""

    @property
    def notable(self) -> bool:
        """Whether `j` and `k` stop here: something was refused, or a property broke."""
        return self.moment is not None and bool(self.moment.refused or self.moment.violation)


def frames(story: Story) -> tuple[Frame, ...]:
    """The beginning and every step."""
    found: list[Frame] = []
    before, graves = story.beginning, dict[_Key, Record]()
    for step, moment in enumerate((None, *story.moments)):
        scene = story.beginning if moment is None else moment.scene
        was, now = _keyed(before), _keyed(scene)
        went = {key: record for key, record in was.items() if key not in now}
        graves = {key: record for key, record in {**graves, **went}.items() if key not in now}
        parts = _parts(was, now, went, graves)
        found.append(
            Frame(
                step,
                moment,
                scene,
                _tree(tuple(part for part in parts if part.record.what not in _LONE)),
                tuple(part for part in parts if part.record.what in _LONE),
                _beliefs(scene, before),
                tuple(Noted(line, line not in before.store) for line in scene.store),
                tuple(Noted(line, line not in before.flights) for line in scene.flights),
                tuple((answer, answer not in before.answers) for answer in scene.answers),
            )
        )
        before = scene
    return tuple(found)


def lanes(story: Story) -> tuple[str, ...]:
    """The actors, then what they act upon, in the order in which the story first names each."""
    named = (name for moment in story.moments for name in (moment.actor, moment.to) if name)
    return tuple(dict.fromkeys((*story.actors, *named)))


def common_zone(story: Story) -> str:
    """The domain that all owner names of the story share, to be left out where names are short; else empty."""
    scenes = (story.beginning, *(moment.scene for moment in story.moments))
    names = {record.owner for scene in scenes for record in scene.zone}
    rows = [name.split(".")[::-1] for name in names]
    if not rows or any(" " in name for name in names):
        return ""
    shared: list[str] = []
    for labels in zip(*(row[:-1] for row in rows), strict=False):
        if len(set(labels)) > 1:
            break
        shared.append(labels[0])
    return ".".join(reversed(shared))


def short(name: str, zone: str) -> str:
    """The name without that domain."""
    return name.removesuffix(f".{zone}") if zone else name


def lane_label(name: str, zone: str) -> str:
    """What a lane is called: a domain name is a DNS zone that is acted upon."""
    return f"zone {short(name, zone)}" if "." in name else name


def titled(record: Record, zone: str) -> str:
    """Its owner in short, without a first label that repeats what it is."""
    return short(record.owner, zone).removeprefix(f"{record.what}.")


def _keyed(scene: Scene) -> dict[_Key, Record]:
    found: dict[_Key, Record] = {}
    for record in scene.zone:
        place = 0
        while (record.owner, record.what, place) in found:
            place += 1
        found[record.owner, record.what, place] = record
    return found


def _parts(
    was: dict[_Key, Record], now: dict[_Key, Record], went: dict[_Key, Record], graves: dict[_Key, Record]
) -> tuple[Part, ...]:
    """What stands, then the ghosts that are shown."""
    owners = {owner for owner, _, _ in now}
    lost = {record.owner for record in graves.values()} - owners
    parts = []
    for key, record in now.items():
        state: State = "new" if key not in was else "changed" if was[key] != record else "stands"
        fresh = state != "stands"
        parts.append(Part(record, state, fresh, bool(_refers(record) & lost)))
    haunted = _reached(tuple(now.values()), tuple(graves.values()))
    for key, record in graves.items():
        if key in went or record.owner in haunted:
            parts.append(Part(record, "gone", key in went))
    return tuple(parts)


def _refers(record: Record) -> set[str]:
    """Owner names that it may refer to: the alias's target, and whatever of its contents is a name."""
    return {record.points_to, *record.contents} - {"", record.owner}


def _reached(standing: tuple[Record, ...], graves: tuple[Record, ...]) -> set[str]:
    """Owners of graves that something standing refers to, directly or through another grave."""
    reached: set[str] = set()
    edge = set().union(*(_refers(record) for record in standing)) if standing else set()
    while edge:
        reached |= edge
        edge = {name for grave in graves if grave.owner in reached for name in _refers(grave)} - reached
    return reached


def _tree(parts: tuple[Part, ...]) -> tuple[Branch, ...]:
    by_owner: dict[str, list[Part]] = {}
    for part in parts:
        by_owner.setdefault(part.record.owner, []).append(part)
    below = {name for part in parts for name in _refers(part.record)}
    shown: set[str] = set()

    def branch(part: Part, above: frozenset[str]) -> Branch:
        owner = part.record.owner
        again = owner in shown and len(by_owner[owner]) == 1
        shown.add(owner)
        if again:
            return Branch(part, (), again=True)
        refers = _refers(part.record) - above - {owner}
        following = [child for name in by_owner if name in refers for child in by_owner[name]]
        return Branch(part, tuple(branch(child, above | {owner}) for child in following))

    roots = [part for part in parts if part.record.owner not in below]
    roots.sort(key=lambda part: not part.record.points_to)  # what users resolve in front of what nothing refers to
    found = [branch(part, frozenset()) for part in roots]
    # A ring of aliases has no root: begin it anywhere.
    found.extend(branch(part, frozenset()) for part in parts if part.record.owner not in shown)
    return tuple(found)


def _beliefs(scene: Scene, before: Scene) -> tuple[Belief, ...]:
    held = dict(before.beliefs)
    return tuple(Belief(actor, text, held.get(actor) != text) for actor, text in scene.beliefs)
