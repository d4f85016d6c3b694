"""What each source of the fleet says when it is asked once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from standfast.adapters.sources import FleetSeen

from .findings import Finding

if TYPE_CHECKING:
    from standfast.runtime.asking import Asked

_UNSURE_MAX = 10


_NO_LEASES: Final = "No registry has kept leases here yet. `standfast run` starts one; then each agent takes a lease."


def source_findings(asked: "Asked", *, first: bool = False) -> Iterator[Finding]:
    """A file that says it all itself is not worth a line; a fleet file that is broken is noted with its lines. `first`:
    a registry of ours has not run yet, so that there can be no leases."""
    for source, sighting in asked.said:
        if source.kind == "declared":
            continue
        subject = f"source {source.name}"
        if not isinstance(sighting, FleetSeen):
            if first and source.kind == "leases":
                yield Finding("note", "sources", subject, _NO_LEASES)
                continue
            text = f"Unknown: {sighting.why.rstrip('.')}."
            yield Finding("note" if source.kind == "file" else "problem", "sources", subject, text)
            continue
        count = len(sighting.load_balancers)
        revision = f" ({sighting.revision})" if sighting.revision else ""
        text = f"{count} load balancer{'' if count == 1 else 's'}{revision}"
        yield Finding("ok" if count else "note", "sources", subject, text)
        for name, why in sighting.unsure[:_UNSURE_MAX]:
            yield Finding("note", "sources", name, f"Left out: {why}")
        if len(sighting.unsure) > _UNSURE_MAX:
            yield Finding("note", "sources", subject, f"{len(sighting.unsure) - _UNSURE_MAX} more are left out.")
    for conflict in asked.conflicts:
        yield Finding("note", "sources", "sources", f"{conflict}.")
