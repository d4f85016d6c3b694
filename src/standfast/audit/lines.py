"""The lines of a journal, one after the other: a journal of any size takes the memory of its longest line."""

from collections.abc import Iterator
from typing import BinaryIO, Final, TypeAlias

import msgspec
import zstandard
from msgspec import Struct

from .files import Journal, open_lines, shown_name
from .format import BODIES, VERSIONS, Body, Header

LINE_OCTETS_MAX: Final = 4 << 20


class Place(Struct, frozen=True, array_like=True, gc=False):
    """A line of a file, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Told(Struct, frozen=True, gc=False):
    """A line that was understood. `body` is None for events that nothing is concluded from."""

    place: Place
    header: Header
    body: Body | None


class Spoilt(Struct, frozen=True):
    """A line, or the rest of a file, that was not."""

    place: Place
    why: str


Line: TypeAlias = Told | Spoilt
_header = msgspec.json.Decoder(Header)
_bodies = {event: msgspec.json.Decoder(body) for event, body in BODIES.items()}


def read(journal: Journal) -> Iterator[Line]:
    """Every line of a journal, oldest first. A file that can't be read is one spoilt line. Never raises."""
    for path in journal.files:
        name = shown_name(journal, path)
        try:
            with open_lines(path) as file:
                yield from _lines(name, file)
        except OSError as error:
            yield Spoilt(Place(name, 0), f"it can't be read: {error.strerror or error}")
        except zstandard.ZstdError as error:
            yield Spoilt(Place(name, 0), f"it can't be decompressed: {error}")


def _lines(name: str, file: BinaryIO) -> Iterator[Line]:
    number = 0
    while octets := file.readline(LINE_OCTETS_MAX + 1):
        number += 1
        place = Place(name, number)
        if len(octets) > LINE_OCTETS_MAX:
            while octets and not octets.endswith(b"\n"):
                octets = file.readline(LINE_OCTETS_MAX)
            yield Spoilt(place, f"it has more than {LINE_OCTETS_MAX >> 20} MiB")
        elif octets.strip():
            yield _line(place, octets)


def _line(place: Place, octets: bytes) -> Line:
    try:
        header = _header.decode(octets)
        if header.v not in VERSIONS:
            return Spoilt(place, f"it is of version {header.v}; this Standfast reads {VERSIONS[0]} to {VERSIONS[-1]}")
        decoder = _bodies.get(header.event)
        return Told(place, header, decoder.decode(octets) if decoder else None)
    except msgspec.ValidationError as error:
        return Spoilt(place, f"it is not as docs/journal.md says: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        end = "" if octets.endswith(b"\n") else ", and the file ends there"
        return Spoilt(place, f"it is cut off or garbled{end}")
