"""Executable specification of what may be asked about the trees of a zone."""

from standfast.model.name import is_below, tree_subtree

from . import provider_spec
from .provider import Refused
from .provider_spec import ZoneState
from .trees import CollectTree, ListTree, TreeListed, TreeReply, TreeRequest


def apply(state: ZoneState, request: TreeRequest) -> tuple[ZoneState, TreeReply]:
    """What the request does to the zone and what is answered. Pure."""
    if isinstance(request, CollectTree):
        if stray := request.outside:
            return state, Refused(f"{stray} is no record of a tree")
        after, reply = provider_spec.apply(state, request.change)
        return after, reply  # type: ignore[return-value]  # a change is answered as one
    return state, _page(state, request)


def listing_order(owner: str) -> tuple[str, ...]:
    """Owner names as Route 53 lists them: by labels, from the last one on."""
    return tuple(reversed(owner.split(".")))


def _page(state: ZoneState, request: ListTree) -> TreeListed:
    below = tree_subtree(state.apex)
    owners = sorted({owner for owner, _ in state.rrsets if is_below(owner, below)}, key=listing_order)
    left = [owner for owner in owners if not request.start or listing_order(owner) >= listing_order(request.start)]
    some = left[: request.most]
    found = tuple(
        (owner, state.rrsets[key]) for owner in some for key in sorted(key for key in state.rrsets if key[0] == owner)
    )
    return TreeListed(found, left[request.most] if len(left) > request.most else "")
