"""Looking after a zone of which nobody tells what changed: everything by turns, in the zone's order.

Each request is about one page of a listing. What differs from the plan is a *suspicion*: whoever runs the patrol lets
the enactor verify these endpoints by a reading of their own (`standing_by.suspecting`). Nothing is ever written on a
patrol's word, so a page that is old costs a reading and no more.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, structs

from standfast.model.entry import Entry, Key
from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.model.tree import rollback_keys
from standfast.ports.provider import Read, Readings, ReadReply, Unknown

from .judgement import damage_of
from .reach import Contents, open_keys
from .reach import Key as TreeKey

PAGE_MAX: Final = 280
"""Record sets that a request is about at most: a page has 300, and others' names may lie between."""
TREE_CALLS: Final = 4
"""Requests for a tree: its root, its records, and its rollback's."""
_TYPES: Final = tuple(int(rtype) for rtype in ADDRESS_TYPES)


class Seen(Struct, frozen=True):
    """What one page said: endpoints that differ from the plan, and the markers that stand."""

    suspects: tuple[Key, ...] = ()
    markers: tuple[tuple[str, RRset | None], ...] = ()


class Patrol(Struct, frozen=True):
    """Where the patrol of one zone is. `at` counts the endpoints passed in this round; `ahead` are those of the page
    of markers last read, whose contents are next. A tree is read by itself: `contents` stand at its endpoint's name,
    `known` below, `following` is to be read yet. `offset` is the part of the zone, 0 to 1, at which rounds begin: by
    different ones, several enactors' rounds are not in step. `rounds` counts the whole rounds."""

    zone: str
    offset: float = 0.0
    at: int = 0
    ahead: tuple[Entry, ...] = ()
    asked: tuple[Entry, ...] = ()
    contents: Contents = ()
    known: tuple[tuple[TreeKey, RRset | None], ...] = ()
    following: tuple[TreeKey, ...] = ()
    rounds: int = 0

    def begun(self, entries: tuple[Entry, ...]) -> "tuple[Patrol, Read | None]":
        """What is asked next; None if there is nothing to look after. `entries` are the zone's, in its order."""
        if not entries:
            return self, None
        if not self.ahead:
            markers = _from(entries, self.offset, self.at, PAGE_MAX)
            owners = [marker_owner(one.name, one.zone) for one in markers]
            owners += (floor_of(one) for one in markers if one.kind == "first")
            keys = tuple((owner, int(RRType.TXT)) for owner in owners)
            return structs.replace(self, asked=markers), Read(self.zone, keys)
        if self.following:
            return structs.replace(self, asked=self.ahead[:1]), Read(self.zone, self.following)
        page = contents_page(self.ahead)
        contents = [(one.name, rtype) for one in page for rtype in _TYPES]
        contents += (key for one in page if one.knew_tree and not one.has_tree for key in rollback_keys(one))
        return structs.replace(self, asked=page), Read(self.zone, tuple(contents))

    def heard(self, reply: ReadReply, plan: Plan, count: int) -> "tuple[Patrol, Seen]":
        """After that page; `count` is how many endpoints the zone has. A page that could not be read is asked again."""
        if isinstance(reply, Unknown) or not isinstance(reply, Readings):
            return structs.replace(self, asked=()), Seen()
        if not self.ahead:
            seen = _markers(self.asked, reply.values, plan)
            # First entries have no name that anybody resolves; their markers are all there is of them.
            named = tuple(one for one in self.asked if one.kind != "first")
            return self._on(len(self.asked) - len(named), named, count), seen
        if self.ahead[0].has_tree:
            return self._below(reply.values, plan, count)
        suspects = _damaged(self.asked, reply.values, plan)
        return self._on(len(self.asked), self.ahead[len(self.asked) :], count), Seen(suspects)

    def _below(self, values: tuple[RRset | Unknown | None, ...], plan: Plan, count: int) -> "tuple[Patrol, Seen]":
        """A tree, level by level."""
        entry = self.ahead[0]
        read = tuple(one for one in values if not isinstance(one, Unknown))
        if len(read) < len(values):
            return self._on(1, self.ahead[1:], count), Seen()  # the next round's
        contents, known = (self.contents, self.known) if self.following else (read, ())
        if self.following:
            known = (*known, *zip(self.following, read, strict=True))
        if following := open_keys(entry, contents, dict(known)):
            return structs.replace(self, asked=(), contents=contents, known=known, following=following), Seen()
        now = plan.entry(entry.key)
        same = now is not None and now.since == entry.since
        damaged = same and damage_of(entry, contents, dict(known))
        return self._on(1, self.ahead[1:], count), Seen((entry.key,) if damaged else ())

    def _on(self, passed: int, ahead: tuple[Entry, ...], count: int) -> "Patrol":
        at = self.at + passed
        whole = at >= count and not ahead
        rest = structs.replace(self, contents=(), known=(), following=(), asked=(), ahead=ahead)
        return structs.replace(rest, at=0 if whole else at, rounds=self.rounds + whole)


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """As a listing has them: by their labels from the right."""
    return tuple(sorted(entries, key=lambda one: one.name.split(".")[::-1]))


def contents_page(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """As many of the first of them as fill a page, and at least one. A tree goes alone."""
    sets = 0
    for place, one in enumerate(entries):
        sets += record_sets(one)
        if place and (sets > PAGE_MAX or one.has_tree or entries[0].has_tree):
            return entries[:place]
    return entries


def record_sets(entry: Entry) -> int:
    """How many record sets stand at its name."""
    return sum(1 if rrset.rtype == rrset.answers else max(1, len(rrset.rdata)) for rrset in entry.rrsets)


def calls_of_a_round(endpoints: int, sets_of_each: float, trees: int = 0) -> int:
    """About how many requests a whole round takes; besides so many endpoints there are trees."""
    pages = -(-(endpoints + trees) // PAGE_MAX) + TREE_CALLS * trees
    fit = max(1, int(PAGE_MAX // max(1.0, sets_of_each)))
    whole, rest = divmod(endpoints, PAGE_MAX)
    return pages + whole * -(-PAGE_MAX // fit) + -(-rest // fit)


def _from(entries: tuple[Entry, ...], offset: float, at: int, most: int) -> tuple[Entry, ...]:
    """The next of them; a page ends where the zone does, and where the round does."""
    begin = (int(offset * len(entries)) + at) % len(entries)
    left = min(len(entries) - at, most) if at < len(entries) else most
    return entries[begin : begin + left]


def floor_of(first: Entry) -> str:
    """Where the floor stands that a zone's first entry answers for: whoever finds it gone suspects that entry."""
    return floor_owner(first.name.partition(".")[0], first.zone)


def _markers(entries: tuple[Entry, ...], values: tuple[RRset | Unknown | None, ...], plan: Plan) -> Seen:
    floors = zip((one for one in entries if one.kind == "first"), values[len(entries) :], strict=True)
    suspects = [one.key for one, value in floors if not isinstance(value, Unknown) and _lost(one, value)]
    stands: list[tuple[str, RRset | None]] = []
    for entry, value in zip(entries, values, strict=False):
        if isinstance(value, Unknown):
            continue
        stands.append((entry.name, value))
        marker = read_marker(value, entry.zone, marker_owner(entry.name, entry.zone))
        now = plan.entry(entry.key)
        if now is None or now.since != entry.since:
            continue  # it changed meanwhile: the next round's
        kept = isinstance(marker, Marker) and (marker.frozen or marker.stream != plan.record.stream)
        if not kept and (not isinstance(marker, Marker) or marker.since != entry.since):
            suspects.append(entry.key)
    return Seen(tuple(suspects), tuple(stands))


def _lost(first: Entry, floor: RRset | None) -> bool:
    return not isinstance(read_floor(floor, first.zone, floor_of(first)), Floor)


def _damaged(entries: tuple[Entry, ...], values: tuple[RRset | Unknown | None, ...], plan: Plan) -> tuple[Key, ...]:
    """Where there was a tree, rollback aliases come after the contents; one that still stands is damage."""
    found: list[Key] = []
    width, rest = len(_TYPES), iter(values[len(entries) * len(_TYPES) :])
    for place, entry in enumerate(entries):
        contents = values[place * width : place * width + width]
        known = tuple(one for one in contents if not isinstance(one, Unknown))
        further = zip(rollback_keys(entry), rest, strict=False) if entry.knew_tree else ()
        beyond = {key: one for key, one in further if not isinstance(one, Unknown)}
        now = plan.entry(entry.key)
        same = now is not None and now.since == entry.since
        if same and len(known) == width and damage_of(entry, known, beyond):
            found.append(entry.key)
    return tuple(found)
