"""The chain from sources to what users are told, link by link: the first that is broken is the one to look at."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.marker import Absent, Floor, Marker
from standfast.ports.provider import Unknown
from standfast.runtime.looking import Watched
from standfast.runtime.observing import Seen, at_work
from standfast.runtime.phrases import listed
from standfast.runtime.presence import Present
from standfast.runtime.tailing import Event
from standfast.runtime.times import span
from standfast.runtime.zonesight import ZoneSight

from . import signs
from .signs import Sign

Key: TypeAlias = Literal["sources", "planner", "enactors", "primaries", "secondaries", "answers"]
KEYS: Final[tuple[Key, ...]] = get_args(Key)
LINES: Final = 20
"""So many journal lines of a link are shown."""
_SOURCES: Final = frozenset({"fleet", "sharing", "policy", "probe"})
_WRITES: Final = frozenset({"outcome", "intent", "would_write"})


class Link(Struct, frozen=True):
    """One link: `signs` has a shape for each part, `text` says more, `age` how old the knowledge is.

    `first` marks the first broken link: only that one is coloured.
    """

    key: Key
    label: str
    signs: tuple[Sign, ...]
    text: str
    age: str
    first: bool = False

    @property
    def worst(self) -> Sign:
        """Of its parts."""
        order = ("bad", "blind", "watch", "cold", "plain", "good")
        return min(self.signs, key=lambda sign: order.index(sign.tone))


def aged(seconds: float) -> str:
    """An age without fractions: 1 s is as fresh as it gets."""
    return span(max(seconds, 1.0)) if seconds >= 9.5 else f"{max(1, round(seconds))} s"


def chain(watched: Watched, look_age_s: float, *, past: bool = False) -> tuple[Link, ...]:
    """Every link. Of the `past` it is not known what secondaries served and users were told."""
    seen = watched.seen
    found = [_sources(seen), _planner(seen, past), _enactors(seen, past), _primaries(seen, look_age_s)]
    if past:
        found = [_unrecorded("sources"), *(replace(one, age="") for one in found[1:])]
    else:
        found += [*_secondaries(seen, look_age_s), _answers(watched)]
    silent = found[0].worst.tone == "blind" and found[1].worst.tone == "bad"  # who would tell of sources is gone
    some = [place for place, one in enumerate(found) if one.worst.tone not in ("good", "plain")]
    broken = next((place for place in some if place or not silent), None)
    return tuple(replace(one, first=place == broken) for place, one in enumerate(found))


def _unrecorded(key: Key) -> Link:
    return Link(key, key, (Sign("–", "plain", "not recorded"),), "not recorded", "")


def _sources(seen: Seen) -> Link:
    planners = [one for one in seen.running("planner") if isinstance(one.facts.get("sources"), dict)]
    if not planners:
        known = f"{len(seen.store.fleet.load_balancers)} load balancers as last stored" if seen.store.fleet else ""
        return Link("sources", "sources", (signs.BLIND,), known or "no planner tells of them", "")
    marks, texts, ages = [], [], []
    for name, told in planners[0].facts["sources"].items():
        why = str(told.get("why") or "") if isinstance(told, dict) else ""
        age = told.get("read_s") if isinstance(told, dict) else None
        marks.append(signs.WATCH if why else signs.GOOD)
        texts.append(f"{name}: {why}" if why else str(name))
        ages += [float(age) + planners[0].age_s] if isinstance(age, int | float) else []
    checks = seen.store.verdicts or ()
    if checks and all(one.state == "unknown" for _, one in checks):
        marks, texts = [*marks, signs.BLIND], [*texts, "no health check has come to a conclusion"]
    text = "; ".join(texts) if any(sign is not signs.GOOD for sign in marks) else ""
    return Link("sources", "sources", tuple(marks) or (signs.GOOD,), text, aged(max(ages)) if ages else "")


def _processes(seen: Seen, role: str) -> list[Present]:
    return [one for one in seen.present if one.role == role]


def _planner(seen: Seen, past: bool) -> Link:
    head = f"g{seen.store.head.generation}" if seen.store.head else ""
    link = _role(seen, "planner", "planner", head, past)
    if not seen.store.trouble:
        return link
    copy = f"; g{seen.store.plan.generation} is a copy" if seen.store.plan is not None else ""
    return replace(link, signs=(signs.BLIND,), text=f"its store can't be read{copy}")


def _enactors(seen: Seen, past: bool) -> Link:
    link = _role(seen, "enactor", "enactors", "", past)
    stuck = [
        str(text)
        for one in seen.running("enactor")
        for text in one.facts.get("troubles") or ()
        if isinstance(text, str)
    ]
    if stuck and link.worst.tone == "good":
        return replace(link, signs=(*link.signs[1:], signs.WATCH), text=stuck[0][:160])
    return link


def _role(seen: Seen, role: str, label: str, text: str, past: bool) -> Link:
    key: Key = "planner" if role == "planner" else "enactors"
    if seen.hidden and past:
        return replace(_unrecorded(key), label=label, text=f"{text} not recorded".strip())
    if seen.hidden:
        return Link(key, label, (signs.BLIND,), "this user may not see who is running", "")
    some = _processes(seen, role)
    if not some:
        return Link(key, label, (signs.BAD,), f"{text} none is running".strip(), "")
    silent = [one for one in some if not at_work(one)]
    marks = tuple(signs.GOOD if at_work(one) else signs.BAD for one in some)
    if silent and len(silent) < len(some):
        marks = tuple(signs.GOOD if at_work(one) else signs.WATCH for one in some)
    ages = [one.age_s for one in some if at_work(one)] or [one.age_s for one in some]
    gone = (
        f"{listed([one.who for one in silent], 4)} silent for {aged(min(one.age_s for one in silent))}"
        if silent
        else ""
    )
    return Link(key, label, marks, "; ".join(part for part in (text, gone) if part), aged(max(ages)))


def _primaries(seen: Seen, age_s: float) -> Link:
    if not seen.zones:
        return Link("primaries", "primary", (signs.BLIND,), "no zone", "")
    marks, texts = [], []
    for zone in seen.zones:
        label = zone.zone if len(seen.zones) > 1 else zone.primary
        if zone.trouble:
            marks.append(signs.BLIND)
            texts.append(f"{label} can't be read: {zone.trouble}")
        else:
            late = _behind(zone)
            frozen = isinstance(zone.floor, Floor) and zone.floor.frozen
            marks.append(Sign("❄", "cold", "frozen") if frozen else signs.WATCH if late else signs.GOOD)
            g = f"g{zone.floor.generation}" if isinstance(zone.floor, Floor) else "no floor"
            weaker = f", {'; '.join(zone.weaker)}" if zone.weaker else ""
            late_text = f", {late} on the way" if late else ""
            texts.append(f"{label} {g}{late_text}{', frozen' if frozen else ''}{weaker}")
    named = "primary" if len(seen.zones) == 1 else "primaries"
    return Link("primaries", named, tuple(marks), listed(texts, 3), aged(age_s))


def _behind(zone: ZoneSight) -> int:
    """How many names have not reached their entry."""
    return sum(
        not isinstance(one.marker, Marker) or one.marker.since < one.entry.since
        for one in zone.endpoints
        if one.entry.kind != "first"
    )


def _secondaries(seen: Seen, age_s: float) -> Iterable[Link]:
    servers: dict[str, list[int]] = {}
    for zone in seen.zones:
        for sight in zone.endpoints:
            for server, marker in sight.servers[1:]:
                late, dumb, asked = servers.setdefault(server, [0, 0, 0])
                dumb += isinstance(marker, Unknown)
                behind = isinstance(sight.marker, Marker) and not isinstance(marker, Unknown)
                ours = sight.marker.since if isinstance(sight.marker, Marker) else 0
                late += behind and (marker.since if isinstance(marker, Marker) else -1) < ours
                servers[server] = [late, dumb, asked + 1]
    notes = [note for zone in seen.zones for note in zone.notes]
    if not servers and not notes:
        return
    marks, texts = [], []
    for server, (late, dumb, asked) in sorted(servers.items()):
        if dumb == asked:
            marks.append(signs.BLIND)
            texts.append(f"{server} can't be read")
        else:
            marks.append(signs.WATCH if late else signs.GOOD)
            texts.append(f"{server} {late} late" if late else server)
    marks += [signs.BLIND] * len(notes)
    yield Link("secondaries", "secondaries", tuple(marks), listed([*texts, *notes], 4), aged(age_s))


def _answers(watched: Watched) -> Link:
    found = watched.answers
    if not found:
        return Link("answers", "seen by users", (signs.BLIND,), "nothing was asked yet", "")
    late = {
        (one.entry.zone, one.entry.name) for one in watched.seen.endpoints if not _arrived(one.marker, one.entry.since)
    }
    entering = {(one.entry.zone, one.entry.name) for one in watched.seen.endpoints if isinstance(one.marker, Absent)}
    empty = [one for one in found if one.standing == "empty" and (one.zone, one.name) not in entering]
    other = [one for one in found if one.standing == "differs" and (one.zone, one.name) not in late]
    dumb = {one.server for one in found if one.standing == "unknown"}
    age = aged(watched.answers_age_s)
    if empty:
        text = f"{empty[0].server} answers {empty[0].name} with nothing"
        return Link("answers", "seen by users", (signs.BAD,), text, age)
    if other:
        text = f"{other[0].server} answers {other[0].name} otherwise than planned"
        return Link("answers", "seen by users", (signs.WATCH,), text, age)
    if dumb:
        return Link("answers", "seen by users", (signs.BLIND,), f"no answer from {listed(sorted(dumb), 4)}", age)
    names = len({(one.zone, one.name) for one in found})
    return Link("answers", "seen by users", (signs.GOOD,), f"{names} asked", age)


def _arrived(marker: object, since: int) -> bool:
    return isinstance(marker, Marker) and marker.since >= since


def lines(key: Key, events: Iterable[Event]) -> list[Event]:
    """The newest journal lines of that link, newest first."""
    found: list[Event] = []
    for event in reversed(list(events)):
        if event.text and key == _link(event):
            found.append(event)
            if len(found) == LINES:
                break
    return found


def _link(event: Event) -> Key | None:
    kind = event.facts.get("kind") if event.kind == "notice" else None
    if event.lane == "health" or kind in _SOURCES:
        return "sources"
    if event.kind in ("served", "answer"):
        return "secondaries" if event.kind == "served" else "answers"
    if event.role == "planner" or event.lane == "people":
        return "planner"
    if event.role == "enactor":
        return "primaries" if event.kind in _WRITES else "enactors"
    return None
