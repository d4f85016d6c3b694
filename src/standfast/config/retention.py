"""What is kept: plans in the store, and trees in hosted zones, for people who look back and for caches."""

from collections.abc import Iterable
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import shown
from standfast.config.scalars import BadValue
from standfast.config.schema import EndpointConfig, RetentionConfig
from standfast.config.section import Section
from standfast.model.defaults import LAG_S

_TREE_GRACE_MAX_S: Final = 30 * 86_400.0
_grace: Final = scalars.duration(60, _TREE_GRACE_MAX_S)


def bind_retention(root: Section, endpoints: Iterable[EndpointConfig], hosted: frozenset[str]) -> RetentionConfig:
    """What the document says of it, with every problem. `hosted` are the zones that may hold trees."""
    default = RetentionConfig()
    section = root.section("retention", keys.RETENTION)
    if section is None:
        return default
    found = RetentionConfig(
        plans=section.read("plans", scalars.whole("a number of plans", 1, 1000), default.plans),
        days=section.read("days", scalars.whole("a number of days", 0, 3650), default.days),
        trees=section.read("trees", scalars.whole("a number of trees", 0, 100), default.trees),
        tree_grace_s=section.read("tree_grace", _tree_grace, None),
    )
    for key in ("trees", "tree_grace"):
        if section.get(key) is not None and not hosted:
            section.problem(key, f"{key} is for zones at Route 53.", "Leave it out: no zone here has trees.")
    served = max((one.ttl for one in endpoints if one.zone in hosted), default=0)
    least = served + LAG_S
    if found.tree_grace_s is not None and hosted and found.tree_grace_s < least:
        message = (
            f"tree_grace {scalars.spelled(found.tree_grace_s)} is shorter than what is served: TTL {served} s, and "
            f"{LAG_S:g} s in which name servers may lag."
        )
        remedy = f"Give auto, or at least {scalars.spelled(least)} and what the SOA lets caches remember."
        section.problem("tree_grace", message, remedy)
    return found


def _tree_grace(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return _grace(text)
    except BadValue as bad:
        raise BadValue(f"{shown(text)} is neither auto nor a duration that is meant.", bad.remedy) from None
