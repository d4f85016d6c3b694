"""Executable specification of what may be asked about the trees of a zone."""

from standfast.model.name import is_below, name_from_wire, stream_of_floor, tree_subtree
from standfast.model.rrset import RRset, RRType
from standfast.model.tree import aliases_in

from . import provider_spec
from .provider import Refused
from .provider_spec import ZoneState
from .trees import CollectTree, ListPointers, ListTree, PointersListed, TreeListed, TreeReply, TreeRequest, pointers_of


def apply(state: ZoneState, request: TreeRequest) -> tuple[ZoneState, TreeReply]:
    """What the request does to the zone and what is answered. Pure."""
    if isinstance(request, CollectTree):
        if stray := request.outside:
            return state, Refused(f"{stray} is no record of a tree")
        after, reply = provider_spec.apply(state, request.change)
        return after, reply  # type: ignore[return-value]  # a change is answered as one
    if isinstance(request, ListPointers):
        return state, _pointers(state, request)
    return state, _page(state, request)


def listing_order(owner: str) -> tuple[str, ...]:
    """Owner names as Route 53 lists them: by labels, from the last one on."""
    return tuple(reversed(owner.split(".")))


def _page(state: ZoneState, request: ListTree) -> TreeListed:
    return TreeListed(*_some(state, request, tree_subtree(state.apex)))


def _some(state: ZoneState, request: ListTree | ListPointers, below: str) -> tuple[tuple[tuple[str, RRset], ...], str]:
    """A page of what stands there, and with which owner name the next one begins."""
    owners = sorted({owner for owner, _ in state.rrsets if is_below(owner, below)}, key=listing_order)
    left = [owner for owner in owners if not request.start or listing_order(owner) >= listing_order(request.start)]
    some = left[: request.most]
    found = tuple(
        (owner, state.rrsets[key]) for owner in some for key in sorted(key for key in state.rrsets if key[0] == owner)
    )
    return found, left[request.most] if len(left) > request.most else ""


def _pointers(state: ZoneState, request: ListPointers) -> PointersListed:
    records, more = _some(state, request, state.apex)
    pointers = [
        one for owner, rrset in records for one in pointers_of(owner, _leads(rrset), request.parents, state.apex)
    ]
    streams = (stream_of_floor(owner, state.apex) for owner, rrset in records if rrset.rtype == RRType.TXT)
    return PointersListed(tuple(dict.fromkeys(pointers)), tuple(stream for stream in streams if stream), more)


def _leads(rrset: RRset) -> tuple[str, ...]:
    """The names that it leads to."""
    if rrset.rtype != RRType.CNAME:
        return aliases_in(rrset)
    return tuple(name_from_wire(rdata).lower() for rdata in rrset.rdata)
