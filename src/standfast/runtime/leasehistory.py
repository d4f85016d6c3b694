"""What befell leases, newest first, as the journals of registries on this machine tell it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .journal_files import read_journal

EVENTS: Final = ("lease_granted", "lease_changed", "lease_ended")


def lease_events(folder: Path, holder: str, limit: int) -> list[Mapping[str, Any]]:
    """The last `limit` events of that load balancer, of all if `holder` is empty; the newest first."""
    found = [
        line
        for line in read_journal(folder, events=EVENTS, roles=("registry",))
        if holder in ("", line.get("load_balancer"))
    ]
    return found[::-1][:limit]


def lease_text(event: Mapping[str, Any]) -> str:
    """What happened, in words."""
    if event.get("event") == "lease_ended":
        return f"ended: {event.get('why')}"
    said = event.get("said")
    told = _told(said) if isinstance(said, Mapping) else ""
    if event.get("event") == "lease_granted":
        return f"granted, number {event.get('number')}, to the key {event.get('key')}; {told}"
    return f"says: {told}"


def _told(said: Mapping[str, Any]) -> str:
    addresses = " ".join(str(one) for one in said.get("ip") or ())
    why = f" ({said['why']})" if said.get("why") else ""
    health = f", its own check says {said['health']}" if said.get("health") not in (None, "unknown") else ""
    return f"{said.get('admin')}{why}, AZ {said.get('az')}, {addresses}, capacity {said.get('capacity')}{health}"
