"""What is believed of the fleet, source by source, when sources fail, lie or fall silent. Pure; `now` is seconds.

Rule 1.  A source that is unknown keeps the part of the fleet that it named last, however long that lasts. Age is told,
         and removes nothing.
Rule 2.  A reading that lacks much at once is not believed: nobody left, or more than 34 % and more than one load
         balancer gone within ten minutes, or more than 34 % and more than one address gone from load balancers that
         are still named. A query that failed half-way looks like that, and so does one event after another. Who was
         drained or taken down before may go.
Rule 3.  Where a source exists but can't say all of a load balancer, what was known of it stays.
Rule 4.  Of what several sources name, the first source's is taken. An address that two different load balancers claim
         stays with the one that has it in the fleet at present, else with the first; the other is left out and told.
Rule 5.  As long as a source was never known, the fleet is not known.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, Literal, Protocol, TypeAlias, TypeVar

SHRINK_MAX: Final = 0.34
SHRINK_WINDOW_S: Final = 600.0
WARN_S: Final = 120.0
LOST_S: Final = 900.0
State: TypeAlias = Literal["known", "unknown", "late", "lost", "held"]


class Listed(Protocol):
    """A load balancer as far as it matters here."""

    @property
    def id(self) -> str: ...
    @property
    def ipv4(self) -> tuple[str, ...]: ...
    @property
    def ipv6(self) -> tuple[str, ...]: ...
    @property
    def admin(self) -> str: ...


L = TypeVar("L", bound=Listed)


@dataclass(frozen=True, slots=True)
class Reading(Generic[L]):
    """What a source said: `load_balancers` by id in id order, `revision` as the source names it, `unsure` (id, why)."""

    load_balancers: tuple[L, ...]
    revision: str = ""
    unsure: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Track(Generic[L]):
    """One source over time.

    `part` is what is believed of it; None: it was never known. `guarded`: rule 2 applies. `known_at`: when it last said
    what was believed. `why` it is not known now, since `unknown_since`; empty: it is known. `lost` are those that a
    held reading lacks. `gone` are (id, when) of those that left lately. `unsure` as in a Reading.
    """

    name: str
    guarded: bool = True
    part: tuple[L, ...] | None = None
    revision: str = ""
    began_at: float = 0.0
    known_at: float | None = None
    why: str = ""
    unknown_since: float | None = None
    lost: tuple[str, ...] = ()
    gone: tuple[tuple[str, float], ...] = ()
    unsure: tuple[tuple[str, str], ...] = ()

    def age(self, now: float) -> float:
        """Seconds since it was last known, or since it was first asked."""
        return max(0.0, now - (self.began_at if self.known_at is None else self.known_at))

    def state(self, now: float) -> State:
        """`late` after 2 minutes, `lost` after 15: ages are told and decide nothing."""
        if self.lost:
            return "held"
        age = self.age(now)
        if age >= LOST_S:
            return "lost"
        if age >= WARN_S:
            return "late"
        return "unknown" if self.why or self.known_at is None else "known"


def unheard(track: Track[L], why: str, now: float) -> Track[L]:
    """The source is unknown."""
    since = track.unknown_since if track.why else now
    return replace(track, why=why, unknown_since=since, lost=())


def heard(track: Track[L], reading: Reading[L], now: float, accepted: Collection[str] = ()) -> Track[L]:
    """The source said this. `accepted` are ids whose loss somebody consented to."""
    believed = {one.id: one for one in track.part or ()}
    said = {one.id: one for one in reading.load_balancers}
    for name, _ in reading.unsure:  # rule 3
        if name in believed and name not in said:
            said[name] = believed[name]
    now_there = tuple(said[name] for name in sorted(said))
    gone = tuple((name, at) for name, at in track.gone if now - at < SHRINK_WINDOW_S and name not in said)
    if track.guarded and track.part:
        why, lost = _shrunk(track.part, said, {name for name, _ in gone}, set(accepted))
        if why:
            since = track.unknown_since if track.why else now
            return replace(track, why=why, unknown_since=since, lost=lost, unsure=reading.unsure)
    left = sorted(name for name, one in believed.items() if name not in said and one.admin == "up")
    left = [name for name in left if name not in accepted]
    return replace(
        track,
        part=now_there,
        revision=reading.revision,
        known_at=now,
        why="",
        unknown_since=None,
        lost=(),
        gone=(*gone, *((name, now) for name in left)),
        unsure=reading.unsure,
    )


def _shrunk(
    before: tuple[L, ...], said: dict[str, L], gone: set[str], accepted: set[str]
) -> tuple[str, tuple[str, ...]]:
    """Why so little is not believed, and what is missing; empty if it is believed."""
    meant = accepted | {one.id for one in before if one.admin != "up"}
    lost = sorted({one.id for one in before} - said.keys() - meant)
    if lost and not said:
        return f"names no load balancer, where {len(before)} were known", tuple(lost)
    lately = {*lost, *gone} - accepted
    total = len({one.id for one in before} | gone)
    if lost and len(lately) > 1 and len(lately) / total > SHRINK_MAX:
        earlier = len(lately) - len(lost)
        more = f", after {earlier} that left within ten minutes" if earlier else ""
        return f"lacks {len(lost)} of {len(before)} load balancers ({_some(lost)}){more}", tuple(lost)
    thinned = {one.id: _missing(one, said[one.id]) for one in before if one.id in said and one.id not in meant}
    count, whole = sum(thinned.values()), sum(len(one.ipv4) + len(one.ipv6) for one in before)
    if count > 1 and count / whole > SHRINK_MAX:
        names = sorted(name for name, missing in thinned.items() if missing)
        return f"lacks {count} of {whole} addresses (of {_some(names)})", tuple(names)
    return "", ()


def _missing(before: Listed, now: Listed) -> int:
    """How many fewer addresses it has; others in their place are a change, which velocity limits."""
    return max(0, len(before.ipv4) + len(before.ipv6) - len(now.ipv4) - len(now.ipv6))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


@dataclass(frozen=True, slots=True)
class Merged(Generic[L]):
    """All sources together. `load_balancers` None: not known (rule 5). `conflicts` are sentences."""

    load_balancers: tuple[L, ...] | None
    conflicts: tuple[str, ...] = ()


def merged(tracks: Iterable[Track[L]], before: Iterable[L] = ()) -> Merged[L]:
    """The fleet, sources in the order of their precedence. `before` is the fleet at present."""
    some = tuple(tracks)
    if any(track.part is None for track in some):
        return Merged(None)
    present = {address: one.id for one in before for address in (*one.ipv4, *one.ipv6)}
    first: dict[str, tuple[L, str]] = {}
    for track in some:
        for one in track.part or ():
            first.setdefault(one.id, (one, track.name))
    claims: dict[str, list[str]] = {}
    for one, _ in first.values():
        for address in (*one.ipv4, *one.ipv6):
            claims.setdefault(address, []).append(one.id)
    out: set[str] = set()
    conflicts = []
    for address, names in sorted(claims.items()):
        left = [name for name in names if name not in out]
        if len(left) < 2:
            continue
        keeper = present[address] if present.get(address) in left else left[0]
        for name in left:
            if name != keeper:
                out.add(name)
                conflicts.append(
                    f"{address} belongs to {keeper} ({first[keeper][1]}) and to {name} ({first[name][1]}): "
                    f"{name} is left out"
                )
    fleet = tuple(first[name][0] for name in sorted(first) if name not in out)
    return Merged(fleet, tuple(conflicts))
