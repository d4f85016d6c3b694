"""The TSIG keys of a process: those of its role, read anew when their files change, told about when they fail."""

from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Final

from standfast.adapters.providers.keyring import KeyRing
from standfast.adapters.providers.tsig import TsigKey as SigningKey
from standfast.config import KeyPlace, TsigKey
from standfast.errors import SecretError
from standfast.model.name import SUBTREE
from standfast.model.rrset import RRType
from standfast.ports.provider import Confirm, Prerequisite

PROVE_S: Final = 60.0


class KeyFiles:
    """The keys at these places, as a ring reads them: a few stat calls each time.

    What can't be read or makes no sense leaves the key as it was; `trouble` says so, until it is mended.
    """

    def __init__(self, places: Iterable[KeyPlace]) -> None:
        self._places = tuple(places)
        self._held = {place: place.key for place in self._places}
        self._stamps = {place: _stamp(place.path) for place in self._places}
        self._troubles = {place: place.why for place in self._places}

    def __call__(self) -> tuple[SigningKey, ...]:
        """Those that are known, in the order of the configuration."""
        for place in self._places:
            stamp = _stamp(place.path)
            if stamp != self._stamps[place]:
                self._stamps[place] = stamp
                self._read(place)
        return tuple(signing(key) for key in self._held.values() if key is not None)

    @property
    def trouble(self) -> str:
        """What is wrong with the places now."""
        return "; ".join(why for why in self._troubles.values() if why)

    def _read(self, place: KeyPlace) -> None:
        try:
            key, open_to_all = place.read()
        except SecretError as error:
            kept = self._held[place]
            after = f" Key {kept.name} is used as it was." if kept else ""
            self._troubles[place] = f"{error}{after}"
            return
        self._held[place], self._troubles[place] = key, open_to_all


def signing(key: TsigKey) -> SigningKey:
    """A key of the configuration as the adapters take it."""
    return SigningKey(key.name, key.algorithm, key.secret)


class Signers:
    """The rings of one process, a zone each, and what there is to tell of them.

    Reading needs no key, so a quiet server could have forgotten ours for days, until a load balancer dies. So each
    zone's is tried once in a while (`prove`).
    """

    def __init__(self) -> None:
        self._prove_at: float | None = None
        self._zones: dict[str, tuple[KeyRing, KeyFiles]] = {}
        self._told: dict[str, str] = {}

    def ring(self, zone: str, places: Iterable[KeyPlace]) -> KeyRing:
        """The zone's ring, from now on looked after."""
        files = KeyFiles(places)
        ring = KeyRing(files)
        self._zones[zone] = (ring, files)
        return ring

    def news(self) -> list[str]:
        """What is new since the last time: a key gave way, a file can't be read, all is well again."""
        found = []
        for zone, (ring, files) in self._zones.items():
            while ring.news:
                found.append(f"{zone}: {ring.news.popleft()}")
            trouble = files.trouble
            if trouble != self._told.get(zone, ""):
                self._told[zone] = trouble
                found.append(f"{zone}: {trouble or 'its key files are in order again'}")
        return found

    def prove(self, now: float, perform: Callable[[str, Confirm], object], closed: Container[str] = ()) -> None:
        """Whether each server takes what we sign, by an update that changes nothing; what comes of it the ring knows.
        Not in zones that are `closed`: nothing was answered there lately. `now` is monotonic seconds."""
        if self._prove_at is None or now < self._prove_at:
            self._prove_at = self._prove_at or now + PROVE_S
            return
        self._prove_at = now + PROVE_S
        for zone, (ring, _) in self._zones.items():
            if zone not in closed and ring.in_order() != (None,):
                perform(zone, Confirm(zone, (Prerequisite(f"_nobody.{SUBTREE}.{zone}", RRType.TXT, ()),)))

    @property
    def locked(self) -> list[str]:
        """Zones whose servers take none of our keys, a clause each."""
        return [f"{zone}: {why}" for zone, (ring, _) in self._zones.items() if (why := ring.locked)]

    @property
    def standing(self) -> list[str]:
        """What people should know now, a sentence a zone without its full stop; nothing if all is as configured."""
        texts = ((zone, ring.standing or files.trouble) for zone, (ring, files) in self._zones.items())
        return [f"{zone}: {text}" for zone, text in texts if text]


def _stamp(path: Path | None) -> tuple[int, int, int, int] | None:
    """What changes when the file does; None if it is not there."""
    if path is None:
        return None
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode
