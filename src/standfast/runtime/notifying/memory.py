"""What the notifier knows besides its places in the journals, in a file: the open problems, and what waits to be sent.

So a reload or a restart of the monitor neither forgets a problem whose end it must tell, nor what the receiver has not
taken yet. A file that can't be read is as none: then a problem may be told again, which receivers know by its key.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from standfast.config import Level

from .news import Notification

OCTETS_MAX: Final = 8 << 20


class Remembered(Struct, frozen=True):
    """`open`: level and summary by key. `waiting`: oldest first."""

    open: dict[str, tuple[Level, str]] = {}
    waiting: tuple[Notification, ...] = ()


class Memory:
    """The file, written when it would say something else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.remembered = self._read()

    def _read(self) -> Remembered:
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(OCTETS_MAX), type=Remembered)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return Remembered()

    def keep(self, now: Remembered) -> None:
        """From now on this. Failure to keep it is not worth stopping for."""
        if now == self.remembered:
            return
        self.remembered = now
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(now))
            os.replace(draft, self._path)
        except OSError:
            return
