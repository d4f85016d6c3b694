"""G4 for trees: zones whose root, rollback alias, trees, marker and floor are each whole, or damaged in some way."""

from typing import Final

from standfast.model.entry import Entry
from standfast.model.name import rollback_owner
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.model.tree import alias_rrset, records, root_rrset, top_of

from .damaged import Family, Part, floors_of, markers_of
from .hands import ALIAS, FOREIGN
from .histories import ENDPOINTS, FIRST, ZONE, Rrsets
from .treehands import reweighted

_NAME: Final = ENDPOINTS[0]


class TreeFamily(Family, frozen=True):
    """The damages of a history whose last three plans have trees: now, before, and before that. `small` ones have their
    first entry as it should be, and a floor and a marker that are right, gone, or (the marker) older."""

    small: bool = False

    @property
    def parts(self) -> tuple[tuple[Part, ...], ...]:
        """Each with all ways in which it may stand."""
        newest, older, oldest = self.plans[-1], self.plans[-2], self.plans[-3]
        first, floors = markers_of(FIRST, newest, older), floors_of(newest, older)
        right, gone, garbage, earlier, alias = markers_of(_NAME, newest, older)
        now, before, long_ago = (plan.entry((ZONE, _NAME)) for plan in (newest, older, oldest))
        if now is None or before is None or long_ago is None:
            raise ValueError("every plan of the family has the endpoint")
        return (
            floors[:2] if self.small else floors,
            first[:1] if self.small else first,
            (right, gone, earlier) if self.small else (right, gone, garbage, earlier, alias),
            _roots(now, before),
            _rollbacks(now, before, long_ago),
            _trees(now),
            (("", _stands(before)), ("the tree before is gone", {})),
        )


def _stands(entry: Entry) -> Rrsets:
    return {(owner, rrset.rtype): rrset for owner, rrset in records(entry)}


def _root(entry: Entry, top: str) -> Rrsets:
    some = [rtype for rtype in ADDRESS_TYPES if root_rrset(entry, rtype) is not None]
    return {(entry.name, one.rtype): one for one in (alias_rrset(rtype, top) for rtype in some)}


def _roots(now: Entry, before: Entry) -> tuple[Part, ...]:
    nothing = f"{99:015d}.{top_of(now).partition('.')[2]}"
    return (
        ("", _root(now, top_of(now))),
        ("root is gone", {}),
        ("root points at the tree before", _root(now, top_of(before))),
        ("root dangles", _root(now, nothing)),
        ("root is an address", {(_NAME, int(RRType.A)): FOREIGN}),
        ("root is a CNAME", {(_NAME, int(RRType.CNAME)): ALIAS}),
    )


def _rollbacks(now: Entry, before: Entry, long_ago: Entry) -> tuple[Part, ...]:
    def at(entry: Entry) -> Rrsets:
        owner = rollback_owner(_NAME, ZONE)
        some = [rrset for rtype in ADDRESS_TYPES if (rrset := root_rrset(entry, rtype)) is not None]
        return {(owner, one.rtype): one for one in some}

    return (
        ("", at(before)),
        ("the rollback alias is gone", {}),
        ("the rollback alias dangles", at(long_ago)),
        ("the rollback alias points at the tree of now", at(now)),
        ("the rollback alias is a CNAME", {(rollback_owner(_NAME, ZONE), int(RRType.CNAME)): ALIAS}),
    )


def _trees(now: Entry) -> tuple[Part, ...]:
    whole = _stands(now)
    top = {key: rrset for key, rrset in whole.items() if key[0] == top_of(now)}
    leaves = {key: rrset for key, rrset in whole.items() if key not in top}
    heavier: dict[tuple[str, int], RRset] = {key: reweighted(rrset) for key, rrset in top.items()}
    strange = {key: RRset.of(rrset.rtype, rrset.ttl, FOREIGN.rdata) for key, rrset in leaves.items()}
    led_away: Rrsets = {(owner, int(RRType.CNAME)): ALIAS for owner, _ in leaves}
    return (
        ("", whole),
        ("its tree is gone", {}),
        ("the leaves are gone", top),
        ("the top is gone", leaves),
        ("weights were changed", whole | heavier),
        ("leaves have other addresses", whole | strange),
        ("its top is a CNAME", leaves | {(top_of(now), int(RRType.CNAME)): ALIAS}),
        ("its leaves are CNAMEs", top | led_away),
    )
