"""All sources of the fleet asked once, all at the same time: for commands, which people wait for."""

import queue
import threading
import time
from typing import Final

from msgspec import Struct

from standfast.adapters.sources import FleetSeen, FleetUnknown, Sighting
from standfast.adapters.sources.leases import StoreOpener
from standfast.adapters.sources.opening import opened
from standfast.adapters.sources.vetting import vetted
from standfast.config import Config, DeclaredSource, FileSource, LoadBalancerConfig, SourceConfig
from standfast.errors import StandfastError
from standfast.recovery.sources import Reading, Track, heard, merged, unheard

from .place import Place

PATIENCE_S: Final = 15.0


class Asked(Struct, frozen=True):
    """What each source said, in the order of their precedence. `load_balancers` None: one of them is unknown."""

    said: tuple[tuple[SourceConfig, Sighting], ...]
    load_balancers: tuple[LoadBalancerConfig, ...] | None
    conflicts: tuple[str, ...] = ()

    @property
    def unknown(self) -> str:
        """Which are unknown, and why; empty if none is."""
        some = [f"{source.name}: {one.why}" for source, one in self.said if isinstance(one, FleetUnknown)]
        return "; ".join(some)


def asked_fleet(config: Config, *, offline: bool = False) -> Asked:
    """Ask them all; `offline` only those that need no network."""
    place = Place(config)
    store = place.late_store if place.has_store else None
    asking = [_Asking(one, store, offline=offline) for one in config.sources]
    end = time.monotonic() + PATIENCE_S
    said = tuple((one.source, one.heard_by(end)) for one in asking)
    tracks: list[Track[LoadBalancerConfig]] = []
    for source, sighting in said:
        track: Track[LoadBalancerConfig] = Track(source.name)
        if isinstance(sighting, FleetSeen):
            tracks.append(heard(track, Reading(sighting.load_balancers, sighting.revision, sighting.unsure), 0.0))
        else:
            tracks.append(unheard(track, sighting.why, 0.0))
    together = merged(tracks)
    return Asked(said, together.load_balancers, together.conflicts)


class _Asking:
    """One question, in a thread that is left behind if it never ends."""

    def __init__(self, source: SourceConfig, store: StoreOpener | None, *, offline: bool) -> None:
        self.source = source
        self._answer: queue.Queue[Sighting] = queue.Queue()
        if isinstance(source, DeclaredSource | FileSource):
            self._answer.put(ask(source, store))
        elif offline:
            self._answer.put(FleetUnknown("it was not asked"))
        else:
            threading.Thread(target=lambda: self._answer.put(ask(source, store)), daemon=True).start()

    def heard_by(self, end: float) -> Sighting:
        try:
            return self._answer.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            return FleetUnknown(f"it has not answered within {PATIENCE_S:g} s")


def ask(source: SourceConfig, store: StoreOpener | None = None) -> Sighting:
    """One source, once. Raises nothing."""
    try:
        found = opened(source, store)
        try:
            return vetted(found.look())
        finally:
            found.close()
    except StandfastError as error:
        return FleetUnknown(" ".join(str(error).split()))
    except Exception as error:
        return FleetUnknown(f"it failed ({type(error).__name__}: {' '.join(str(error).split())[:300]})")
