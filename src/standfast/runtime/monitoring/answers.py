"""What a name server's answer is, beside the plan: whole, empty, mixed, foreign, behind or silent. Pure.

A reading that failed is `silent`, never empty. What is not whole is believed when it was read twice in a row: A, AAAA
and marker are three queries, and a change may have come between them. Where Route 53 draws an answer (a tree, weights,
more than eight, those whom its checks call well), any part of what is planned is whole, if it is not empty.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.model.entry import Entry
from standfast.model.fleet import alias_of
from standfast.model.marker import Absent, Marker, MarkerReading
from standfast.model.routing import MULTIVALUE_ANSWERS
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Unknown

State: TypeAlias = Literal["whole", "empty", "mixed", "foreign", "behind", "silent"]
STATES: Final[tuple[State, ...]] = ("whole", "behind", "silent", "foreign", "mixed", "empty")
COMING_S: Final = 60.0
"""So long a name that a plan has just begun with may be written and brought to name servers; Route 53 takes as long."""
BAD: Final = frozenset({"empty", "mixed", "foreign"})
Reading: TypeAlias = RRset | Unknown | None
Addresses: TypeAlias = frozenset[tuple[int, bytes]]


class Answer(Struct, frozen=True):
    """One endpoint at one name server. `why` is a clause; `since` that of its marker, if it could be read."""

    state: State
    why: str = ""
    since: int | None = None


def addresses_of(entry: Entry) -> Addresses:
    """What the entry puts into the answer."""
    return frozenset((int(rrset.answers), rdata) for rrset in entry.rrsets for rdata in rrset.octets())


class Had(Struct, frozen=True):
    """What an entry puts into its answers; `drawn`: into each a part of it."""

    addresses: Addresses
    drawn: bool

    def gives(self, seen: Addresses) -> bool:
        """Whether that may be an answer."""
        if not self.drawn:
            return seen == self.addresses
        return seen <= self.addresses and {rtype for rtype, _ in seen} == {rtype for rtype, _ in self.addresses}


def had(entry: Entry) -> Had:
    """Of this entry."""
    some = addresses_of(entry)
    if entry.layout != "multivalue":
        return Had(some, entry.layout == "tree")
    checked = any(member.health_check for member in entry.members)
    weighted = any(alias_of(text) for member in entry.members if member.served for text in member.addresses)
    many = any(len(rrset.octets()) > MULTIVALUE_ANSWERS for rrset in entry.rrsets)
    return Had(some, checked or weighted or many)


def answered(
    entry: Entry,
    past: Mapping[int, Had],
    marker: MarkerReading | Unknown,
    sets: tuple[Reading, ...],
    *,
    coming: bool = False,
) -> Answer:
    """`past` has what every since of this endpoint that is known had, its entry's included; `sets` one reading for each
    of ADDRESS_TYPES. `coming`: a plan has just begun with it, and nobody has seen it here."""
    for reading in (marker, *sets):
        if isinstance(reading, Unknown):
            return Answer("silent", reading.why)
    since = marker.since if isinstance(marker, Marker) else None
    known = [one for one in sets if isinstance(one, RRset)]
    if coming and not known and isinstance(marker, Absent):
        return Answer("behind", f"it is not there yet, and g{entry.since} begins with it")
    seen = frozenset((int(one.rtype), rdata) for one in known for rdata in one.rdata)
    wanted = addresses_of(entry)
    if any(alias_of(text) for member in entry.members if member.served for text in member.addresses):
        empty = [
            RRType(rtype).name for rtype in ADDRESS_TYPES if _empty(rtype, seen) and entry.rrset(rtype) is not None
        ]
        return Answer("empty", f"no {' and no '.join(empty)} record", since) if empty else Answer("whole", since=since)
    missing = [RRType(rtype).name for rtype in ADDRESS_TYPES if _empty(rtype, seen) and not _empty(rtype, wanted)]
    if missing:
        return Answer("empty", f"no {' and no '.join(missing)} record", since)
    if seen == wanted:
        return Answer("whole", since=since)
    old = past.get(since) if since is not None and since < entry.since else None
    if since is not None and since < entry.since and (old is None or old.gives(seen)):
        return Answer("behind", f"it serves g{since}, and g{entry.since} is planned", since)
    if had(entry).gives(seen):
        return Answer("whole", since=since)
    if any(one.gives(seen) for one in past.values()):
        return Answer("behind", f"it serves what was planned before g{entry.since}", since)
    if seen <= frozenset().union(*(one.addresses for one in past.values())):
        return Answer("mixed", "addresses of several plans together", since)
    strangers = len(seen - wanted)
    what = f"{strangers} addresses that no plan has" if strangers != 1 else "an address that no plan has"
    return Answer("foreign", what if strangers else "addresses are missing", since)


def _empty(rtype: int, some: Addresses) -> bool:
    return not any(one == rtype for one, _ in some)


class Past:
    """The addresses each endpoint had by plans that were seen, the newest few."""

    KEPT: Final = 8

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[int, Had]] = {}
        self._begun: dict[tuple[str, str], float] = {}

    def learn(self, entry: Entry, begun_at: float | None = None) -> None:
        """A plan has this entry; if it has just begun with it, since when (monotonic seconds)."""
        if begun_at is not None and entry.key not in self._known:
            self._begun[entry.key] = begun_at
        some = self._known.setdefault((entry.zone, entry.name), {})
        some[entry.since] = had(entry)
        for old in sorted(some)[: -self.KEPT]:
            del some[old]

    def coming(self, entry: Entry, now: float) -> bool:
        """Whether it may not be there yet."""
        return now - self._begun.get(entry.key, -COMING_S) < COMING_S

    def of(self, entry: Entry) -> Mapping[int, Had]:
        """By since."""
        return self._known.get((entry.zone, entry.name), {entry.since: had(entry)})


class Believed:
    """What is believed of one name server: what was seen twice in a row, or is whole."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], State] = {}
        self.now: dict[tuple[str, str], Answer] = {}

    def heard(self, key: tuple[str, str], answer: Answer) -> Answer | None:
        """The answer, if it is to be believed and another state than before."""
        twice = self._last.get(key) == answer.state
        self._last[key] = answer.state
        was = self.now.get(key)
        if answer.state != "whole" and not twice:
            return None
        self.now[key] = answer
        return answer if was is None or was.state != answer.state or was.since != answer.since else None

    def forget(self, kept: frozenset[tuple[str, str]]) -> None:
        """Endpoints that are in no plan any more."""
        for key in [key for key in self.now if key not in kept]:
            del self.now[key]
            self._last.pop(key, None)
