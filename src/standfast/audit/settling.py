"""Which changes landed: told so by whoever sent them, or shown by a later change that was made over them.

Whoever asserts a nonce has read it in the zone, so that change landed, whether or not its sender lived to tell. One
exception: a process prepares its next change while the present one is on its way, as if that had landed; what it then
asserts (`ahead`) shows something only if the later change landed itself.
"""

from collections.abc import Mapping

from .record import Change, Key, Record


def settle(record: Record, ends: Mapping[Key, str]) -> None:
    """Mark every change that is known to have landed. `ends`: nonces of the markers that stand now."""
    ahead: list[tuple[Change, Change]] = []
    for key, links in record.links.items():
        if (last := links.get(ends.get(key, ""))) is not None:
            last.change.landed = True
        for link in links.values():
            before = links.get(link.over)
            if before is not None and before.makes_marker:
                _evidence(before.change, link.change, ahead, sure=not link.ahead)
    for change in record.changes.values():
        if change.floor is not None and (before_floor := floor_before(record, change)) is not None:
            _evidence(before_floor, change, ahead, sure=not change.ahead)
    found = True
    while found:
        found = False
        for earlier, later in ahead:
            if later.landed and not earlier.landed:
                earlier.landed = found = True


def _evidence(earlier: Change, later: Change, ahead: list[tuple[Change, Change]], *, sure: bool) -> None:
    if sure:
        earlier.landed = True
    elif not earlier.landed:
        ahead.append((earlier, later))


def floor_before(record: Record, change: Change) -> Change | None:
    """The change that put the floor which this one asserts, if a journal has it."""
    before = record.changes.get(change.floor.over) if change.floor is not None and change.floor.over else None
    if before is None or before.floor is None or before.floor.sets is None:
        return None
    return before if (before.stream, before.zone) == (change.stream, change.zone) else None
