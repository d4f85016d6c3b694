"""What a name server's answer is, beside the plan: whole, empty, mixed, foreign, behind or silent. Pure.

A reading that failed is `silent`, never empty. What is not whole is believed when it was read twice in a row: A, AAAA
and marker are three queries, and a change may have come between them.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.model.entry import Entry
from standfast.model.fleet import alias_of
from standfast.model.marker import Marker, MarkerReading
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Unknown

State: TypeAlias = Literal["whole", "empty", "mixed", "foreign", "behind", "silent"]
STATES: Final[tuple[State, ...]] = ("whole", "behind", "silent", "foreign", "mixed", "empty")
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


def answered(
    entry: Entry, past: Mapping[int, Addresses], marker: MarkerReading | Unknown, sets: tuple[Reading, ...]
) -> Answer:
    """`past` has the addresses of every since of this endpoint that is known, its entry's included; `sets` one reading
    for each of ADDRESS_TYPES."""
    for reading in (marker, *sets):
        if isinstance(reading, Unknown):
            return Answer("silent", reading.why)
    since = marker.since if isinstance(marker, Marker) else None
    known = [one for one in sets if isinstance(one, RRset)]
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
    if since is not None and since < entry.since and past.get(since, seen) == seen:
        return Answer("behind", f"it serves g{since}, and g{entry.since} is planned", since)
    if seen in past.values():
        return Answer("behind", f"it serves what was planned before g{entry.since}", since)
    if seen <= frozenset().union(*past.values()):
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
        self._known: dict[tuple[str, str], dict[int, Addresses]] = {}

    def learn(self, entry: Entry) -> None:
        """A plan has this entry."""
        some = self._known.setdefault((entry.zone, entry.name), {})
        some[entry.since] = addresses_of(entry)
        for old in sorted(some)[: -self.KEPT]:
            del some[old]

    def of(self, entry: Entry) -> Mapping[int, Addresses]:
        """By since."""
        return self._known.get((entry.zone, entry.name), {entry.since: addresses_of(entry)})


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
