"""What a plan says, and the tree of records that an enactor makes of it; names of everything in a zone.

A plan is one flat description of the whole region [TALK]: for each endpoint a set of load balancers with weights
[AWS]. Only its generation is ever compared, so its contents are a function of the generation here: the load
balancers differ from one to the next, as a drift of capacity would make them.

A tree has a leaf for each load balancer and one weighted set for each plan; the root, the name that customers ask
for, is an alias of the weighted set of the active plan; a second alias, for operators, is the way back [TALK]. That
the weights stand in alias records above the leaves is inferred; so is `plan-N` in a name: in truth these were UUIDs,
which slowed people on the night [TALK].
"""

from typing import Final

from .route53 import HostedZone, RecordSet

ENDPOINTS: Final = (
    "dynamodb.us-east-1.api.aws",
    "dynamodb.us-east-1.amazonaws.com",
    "dynamodb-fips.us-east-1.amazonaws.com",
)
"""Names of the region's endpoints [AWS]; each stands in a hosted zone of its own [TALK]; their order is not known."""

_FLEET: Final = 5
_IN_PLAN: Final = 3
_WEIGHTS: Final = (40, 35, 25)


def load_balancers(generation: int) -> tuple[int, ...]:
    """The numbers of those in the plan, a window that moves along the fleet."""
    return tuple((generation + place) % _FLEET + 1 for place in range(_IN_PLAN))


def tree_name(apex: str, tree: int) -> str:
    """The name of a plan's weighted set."""
    return f"plan-{tree}.{apex}"


def rollback_name(apex: str) -> str:
    """The operators' way back."""
    return f"rollback.{apex}"


def lock_name(apex: str) -> str:
    """The lock of this zone, hence of this endpoint; none spans endpoints [TALK]."""
    return f"lock.{apex}"


def queue_name(apex: str) -> str:
    """Not as built: who waits for the lock, in turn."""
    return f"queue.{apex}"


def marker_name(apex: str) -> str:
    """Not as built: the generation of what is installed, which a fence compares."""
    return f"generation.{apex}"


def leaves(apex: str, tree: int) -> tuple[RecordSet, ...]:
    """One record for each load balancer."""
    return tuple(
        RecordSet(f"lb-{number}.{tree_name(apex, tree)}", "A", values=(f"192.0.2.{number}",))
        for number in load_balancers(tree)
    )


def weighted(apex: str, tree: int) -> tuple[RecordSet, ...]:
    """The members of the weighted set above the leaves."""
    return tuple(
        RecordSet(tree_name(apex, tree), "A", identifier=leaf.name.split(".")[0], alias=leaf.name, weight=weight)
        for leaf, weight in zip(leaves(apex, tree), _WEIGHTS, strict=True)
    )


def alias(name: str, apex: str, tree: int) -> RecordSet:
    """An alias of a plan's weighted set: the root if `name` is the apex."""
    return RecordSet(name, "A", alias=tree_name(apex, tree))


def text(name: str, value: str) -> RecordSet:
    """A TXT record: a lock, a marker."""
    return RecordSet(name, "TXT", values=(value,))


def referred(zone: HostedZone, name: str) -> int:
    """The generation of the tree that an alias refers to, whether that is there or not; 0 without an alias."""
    found = zone.named(name)
    return int(found[0].alias.split(".")[0].removeprefix("plan-")) if found else 0


def root(zone: HostedZone) -> int:
    """The generation that customers are sent to; 0 before the first."""
    return referred(zone, zone.apex)


def rollback(zone: HostedZone) -> int:
    """The generation that an operator's one-step return leads to."""
    return referred(zone, rollback_name(zone.apex))


def trees(zone: HostedZone) -> tuple[int, ...]:
    """The generations whose weighted set exists, ascending."""
    found = {record.name.split(".")[0] for record in zone.records if record.identifier}
    return tuple(sorted(int(name.removeprefix("plan-")) for name in found))


def queue(zone: HostedZone) -> tuple[str, ...]:
    """The tickets of those who wait for the lock, first come first."""
    found = zone.named(queue_name(zone.apex), "TXT")
    return found[0].values if found else ()


def written(zone: HostedZone, name: str) -> str:
    """The text of a TXT record; empty if there is none."""
    found = zone.named(name, "TXT")
    return found[0].values[0] if found else ""
