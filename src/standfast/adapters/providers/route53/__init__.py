"""Route 53 as a provider: targeted reading, one change batch a change, and a memory of what stands.

A change costs one call where what stands at its names is known from a reading or from our own last write; that memory
is never trusted, for the batch repeats it exactly and fails as a whole where it is old (batch.py).
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar, overload

from standfast.model.name import is_below, marker_owner, stream_of_floor, subtree, tree_subtree
from standfast.model.rrset import ROUTED_TYPES, RRset
from standfast.model.tree import read_tree_name
from standfast.ports.provider import (
    Changes,
    ChangesReply,
    Confirm,
    ConfirmReply,
    Conflict,
    Content,
    Fails,
    Holds,
    Key,
    Prerequisite,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    Readings,
    ReadReply,
    Refused,
    Replace,
    ReplaceReply,
    Room,
    Unknown,
    Written,
)
from standfast.ports.trees import (
    ListPointers,
    ListTree,
    PointersListed,
    TreeListed,
    TreeReply,
    TreeRequest,
    pointers_of,
)

from ..listing import Listing
from .batch import CHARACTERS_MAX, ELEMENTS_MAX, Batch, batch_of, holds, reading_of
from .calls import NO_ZONE, PAGE, Access, CallFailed, Calls, Page, installed
from .pace import Pace
from .reading import Standing, read_names
from .records import TYPES, Inexpressible, Raw, leads_to, local, own_name, rrset_of, their_name

READ_TRIES: Final = 4
"""Reading is asked again so often while AWS throttles; a change never is."""
LISTING_PAGES_MAX: Final = 4_000
TREES_KNOWN: Final = 6
"""Of so many trees of an endpoint, the newest, it is remembered what stands there: more are never asserted."""
KNOWN_MANY: Final = 10_000
"""So many names are remembered before anybody looks which of them are old trees'."""
_T = TypeVar("_T")


class Route53Provider:
    """One hosted zone. Blocking, for one thread; AWS's answers are replies, never exceptions.

    `zone_id` empty: looked up by name at the first request. Raises ProviderError if the library is not installed, and
    ValueError for a request about another zone.
    """

    def __init__(
        self,
        zone: str,
        zone_id: str = "",
        access: Access | None = None,
        *,
        pace: Pace | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        installed()
        self.zone, self._zone_id = zone, zone_id
        self._looked_up = not zone_id
        self.calls = Calls(access or Access(), pace or Pace(), timeout_s=timeout_s)
        self._known: Standing = {}
        self._known_many = KNOWN_MANY
        self._marked: dict[str, str] = {}
        self._doubtful: frozenset[str] = frozenset()

    def close(self) -> None:
        """Let go of connections."""
        self.calls.close()

    @property
    def room(self) -> Room:
        """What a batch holds, but for the floor."""
        return Room(octets=10 * CHARACTERS_MAX, records=ELEMENTS_MAX - 2, characters=CHARACTERS_MAX - 512)

    def prepare(self, request: Replace) -> None:
        """Nothing to do: what a batch repeats is known when the one before it is answered."""

    def post(self, request: Replace) -> bool:
        """Never: one change of a hosted zone at a time (PriorRequestNotComplete)."""
        return False

    @overload
    def perform(self, request: Read) -> ReadReply: ...
    @overload
    def perform(self, request: Confirm) -> ConfirmReply: ...
    @overload
    def perform(self, request: Replace) -> ReplaceReply: ...
    @overload
    def perform(self, request: ReadChanges) -> ChangesReply: ...
    def perform(self, request: ProviderRequest) -> ProviderReply:
        """Do what is asked. Raises ValueError if it concerns another zone."""
        if request.zone != self.zone:
            raise ValueError(f"this provider keeps {self.zone}, not {request.zone}")
        self._forget_old_trees()
        match request:
            case Read():
                return self._read(request.keys)
            case Confirm():
                return self._confirm(request.prerequisites)
            case Replace():
                return self._replace(request)
            case ReadChanges():
                # Nothing tells what changed: everything once, then what an audit or a look at DNS finds.
                return Changes(0, () if request.serial == 0 else None)
        raise AssertionError(f"unknown request {request!r}")

    def perform_tree(self, request: TreeRequest) -> TreeReply:
        """Trees: a page of the listing, or the deletion of some records of one."""
        if isinstance(request, ListTree):
            return self._tree_page(request)
        if isinstance(request, ListPointers):
            return self._pointers(request)
        if stray := request.outside:
            return Refused(f"{stray} is no record of a tree; nothing was sent")
        return self._replace(request.change)

    def _tree_page(self, request: ListTree) -> TreeReply:
        """Whole owner names only: the last one of a page that goes on there is left to the next page."""
        below = tree_subtree(self.zone)
        try:
            page = self._listed((their_name(request.start or below), "", ""), PAGE)
            last = page.following and own_name(page.following[0])
            raws = [raw for raw in page.raws if is_below(own_name(raw["Name"]), below)]
            groups: dict[tuple[str, str], list[Raw]] = {}
            for raw in raws:
                if own_name(raw["Name"]) != last:
                    groups.setdefault((own_name(raw["Name"]), raw["Type"]), []).append(raw)
            found = [
                (owner, local(rrset, self._zone_id))
                for (owner, kind), some in groups.items()
                if kind in TYPES and (rrset := rrset_of(kind, some)) is not None
            ]
        except CallFailed as failed:
            return Unknown(failed.why)
        except Inexpressible as problem:
            return Unknown(str(problem))
        more = last if last and is_below(last, below) else ""
        if more and more == request.start:
            return Unknown(f"{more} has more record sets than one page holds")
        return TreeListed(tuple(found), more)

    def _pointers(self, request: ListPointers) -> TreeReply:
        """A page of everything, as it is: also what has no form of ours may be an alias."""
        try:
            page = self._listed((their_name(request.start or self.zone), "", ""), PAGE)
        except CallFailed as failed:
            return Unknown(failed.why)
        found: list[tuple[str, str]] = []
        streams: list[str] = []
        for raw in page.raws:
            owner = own_name(raw["Name"])
            found += pointers_of(owner, leads_to(raw), request.parents, self.zone)
            if raw["Type"] == "TXT" and (stream := stream_of_floor(owner, self.zone)):
                streams.append(stream)
        more = own_name(page.following[0]) if page.following else ""
        if more and more == request.start:
            return Unknown(f"{more} has more record sets than one page holds")
        return PointersListed(tuple(dict.fromkeys(found)), tuple(streams), more)

    def zone_id(self) -> str:
        """The hosted zone's id. Raises CallFailed."""
        if not self._zone_id:
            named = self.calls.zones_named(self.zone)
            found = [zone_id for zone_id, private in named if not private]
            if len(found) != 1:
                what = f"there are {len(found)} public hosted zones" if found else "there is no public hosted zone"
                others = found or [f"private: {zone_id}" for zone_id, _ in named]
                some = f" ({', '.join(others[:5])}): give hosted_zone: the id of one" if others else ""
                raise CallFailed("refused", f"{what} {self.zone} in this account{some}")
            (self._zone_id,) = found
        return self._zone_id

    def listing(self) -> Listing | Unknown:
        """Everything in the zone, for people's commands. It takes a call for every 300 record sets."""
        groups: dict[tuple[str, str], list[Raw]] = {}
        start: tuple[str, str, str] | None = (their_name(self.zone), "", "")
        pages = 0
        try:
            while start is not None:
                if pages == LISTING_PAGES_MAX:
                    return Unknown(f"{self.zone} has more than {pages * PAGE:,} record sets")
                page = self._listed(start, PAGE)
                for raw in page.raws:
                    groups.setdefault((own_name(raw["Name"]), raw["Type"]), []).append(raw)
                start, pages = page.following, pages + 1
        except CallFailed as failed:
            return Unknown(failed.why)
        found: dict[Key, RRset] = {}
        for (owner, kind), raws in groups.items():
            rrset = rrset_of(kind, raws) if kind in TYPES else None
            if rrset is not None:
                found[owner, rrset.rtype] = local(rrset, self._zone_id)
        return Listing(0, found)

    # -- reading -------------------------------------------------------------------------------------------------

    def _read(self, keys: tuple[Key, ...]) -> ReadReply:
        inside = [owner for owner, _ in keys if is_below(owner, self.zone)]
        try:
            standing = self._looked(inside)
        except CallFailed as failed:
            return Unknown(failed.why)
        return Readings(tuple(self._reading(standing, key) for key in keys))

    def _reading(self, standing: Standing, key: Key) -> RRset | Unknown | None:
        owner, rtype = key
        if owner not in standing:
            return Unknown(f"{owner} is not in {self.zone}")
        try:
            return reading_of(standing, owner, rtype, self._zone_id)
        except Inexpressible as problem:
            return Unknown(str(problem))

    def _confirm(self, prerequisites: tuple[Prerequisite, ...]) -> ConfirmReply:
        if outside := self._outside(prerequisites):
            return outside
        try:
            standing = self._looked(one.owner for one in prerequisites)
            held = all(holds(standing, one, self._zone_id) for one in prerequisites)
        except CallFailed as failed:
            return Refused(failed.why) if failed.kind == "refused" else Unknown(failed.why)
        except Inexpressible as problem:
            return Refused(str(problem))
        return Holds() if held else Fails()

    def _looked(self, names: Iterable[str]) -> Standing:
        """What stands at these names now, remembered from now on. Raises CallFailed."""
        some = tuple(dict.fromkeys(names))
        found = read_names(some, self._listed) if some else {}
        for owner, raws in found.items():
            if self._known.get(owner, raws) != raws and owner in self._marked:
                self._known.pop(self._marked[owner], None)  # a new marker comes with new contents
        self._remember(found)
        return found

    def _remember(self, standing: Standing) -> None:
        for owner in standing.keys() - self._known.keys():
            if not is_below(owner, subtree(self.zone)):
                self._marked[marker_owner(owner, self.zone)] = owner
        self._known.update(standing)

    def _listed(self, start: tuple[str, str, str], items: int) -> Page:
        return self._patiently(lambda: self._there(lambda: self.calls.listed(self.zone_id(), start, items)))

    def _there(self, ask: Callable[[], _T]) -> _T:
        """A hosted zone that was found by its name and is gone may stand under another id: looked up next time."""
        try:
            return ask()
        except CallFailed as failed:
            if self._looked_up and failed.code == NO_ZONE:
                self._zone_id = ""
                self._known.clear()
                self._marked.clear()
            raise

    def _patiently(self, ask: Callable[[], _T]) -> _T:
        for _ in range(READ_TRIES - 1):
            try:
                return ask()
            except CallFailed as failed:
                if failed.kind not in ("throttled", "busy"):
                    raise
        return ask()

    # -- changing ------------------------------------------------------------------------------------------------

    def _replace(self, request: Replace) -> ReplaceReply:
        wanted = tuple(one for part in (request.floor, *request.writes) for one in part.prerequisites)
        contents = request.contents
        if outside := self._outside(wanted) or self._outside(contents):
            return outside
        owners = tuple(dict.fromkeys([one.owner for one in wanted] + [one.owner for one in contents]))
        try:
            batch = self._composed(owners, wanted, contents)
            if not isinstance(batch, Batch):
                return batch
            if batch.changes:
                changes = batch.changes
                self._there(lambda: self.calls.change(self.zone_id(), changes))
        except CallFailed as failed:
            self._forget(self._complained_of(failed, owners))
            match failed.kind:
                case "conflict":
                    return Conflict()
                case "refused":
                    return Refused(failed.why)
            return Unknown(failed.why)
        except Inexpressible as problem:
            return Refused(f"{problem}; nothing was sent")
        self._remember(batch.after)
        self._doubtful = frozenset()
        return Written()

    def _complained_of(self, failed: CallFailed, owners: tuple[str, ...]) -> Iterable[str]:
        """Those to be read anew. What AWS does not complain of is still believed, for the next batch repeats it all the
        same; if that is refused as well, nothing is."""
        named = {own_name(name) for name in failed.names}.intersection(owners) if failed.kind == "conflict" else set()
        again = not self._doubtful.isdisjoint(owners)
        self._doubtful = frozenset() if again or not named else frozenset(owners)
        return owners if again or not named else named

    def _composed(
        self, owners: tuple[str, ...], wanted: tuple[Prerequisite, ...], contents: tuple[Content, ...]
    ) -> Batch | Conflict | Refused:
        """The batch by what is known; what is not is read, and what does not fit is read anew before it is a conflict.
        Raises CallFailed, Inexpressible."""
        # A plain rrset is created only where none stands; a variant also beside others, of which it knows nothing.
        created = {(one.owner, one.rtype) for one in contents if one.rdata and one.rtype not in ROUTED_TYPES}
        unasserted = {one.owner for one in wanted if not one.rdata and (one.owner, one.rtype) not in created}
        fresh = {owner for owner in owners if owner not in self._known or owner in unasserted}
        self._looked(fresh)
        standing = {owner: self._known[owner] for owner in owners}
        if failing := [one.owner for one in wanted if not holds(standing, one, self._zone_id)]:
            if fresh.issuperset(failing):
                return Conflict()
            standing.update(self._looked(failing))
            if not all(holds(standing, one, self._zone_id) for one in wanted):
                return Conflict()
        self.zone_id()
        batch = batch_of(standing, wanted, contents, self._zone_id)
        if batch.oversize:
            return Refused(f"{batch.oversize}: fewer endpoints a change (nothing was sent)")
        return batch

    def _forget(self, owners: Iterable[str]) -> None:
        for owner in owners:
            self._known.pop(owner, None)

    def _forget_old_trees(self) -> None:
        """Each generation has a tree with names of its own: of those of long ago nothing is needed any more."""
        if len(self._known) < self._known_many:
            return
        trees: dict[str, dict[int, list[str]]] = {}
        for owner in self._known:
            if (tree := read_tree_name(owner, self.zone)) is not None:
                trees.setdefault(tree.parent, {}).setdefault(tree.since, []).append(owner)
        for some in trees.values():
            for since in sorted(some)[:-TREES_KNOWN]:
                self._forget(some[since])
        self._known_many = max(KNOWN_MANY, 2 * len(self._known))

    def _outside(self, parts: tuple[Prerequisite, ...] | tuple[Content, ...]) -> Refused | None:
        for part in parts:
            if not is_below(part.owner, self.zone):
                return Refused(f"NOTZONE: {part.owner} lies outside zone {self.zone}")
        return None
