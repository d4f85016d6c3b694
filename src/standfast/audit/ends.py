"""`--ends`: the markers as they stand in a zone now, as text: `dig AXFR` prints them, and so does a zone file."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from standfast.errors import JournalError
from standfast.model.name import marker_owner

from .record import Key

OCTETS_MAX: Final = 256 << 20
_RECORD: Final = re.compile(r'^(\S+)\s.*?"standfast1 k=marker s=(\S+) .*? x=([0-9a-f]{16}) c=[0-9a-f]+"')


def read_ends(path: Path) -> Mapping[tuple[str, str], str]:
    """The nonce of each marker by (stream, owner name). Raises JournalError if there is none in the file."""
    try:
        if path.stat().st_size > OCTETS_MAX:
            raise JournalError(f"{path} has more than {OCTETS_MAX >> 20} MiB.", "Give the markers' lines only.")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise JournalError(f"{path} can't be read: {error.strerror or error}.", "Give a file that can.") from None
    found = {}
    for line in text.splitlines():
        if match := _RECORD.match(line):
            owner, stream, nonce = match.groups()
            found[stream, owner.rstrip(".").lower()] = nonce
    if not found:
        raise JournalError(f"{path} has no marker.", "Give what `dig @SERVER ZONE AXFR` prints (add `-k KEYFILE`).")
    return found


def ends_of(markers: Mapping[tuple[str, str], str], keys: Iterable[Key]) -> Mapping[Key, str]:
    """The nonce under which each endpoint stands, where a marker was given."""
    found = {}
    for key in keys:
        stream, zone, name = key
        if nonce := markers.get((stream, marker_owner(name, zone))):
            found[key] = nonce
    return found
