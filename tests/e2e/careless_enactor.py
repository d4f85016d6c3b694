"""An enactor whose adapter leaves the prerequisites out of every change: what the held-write checks must catch.

python tests/e2e/careless_enactor.py standfast.yaml NAME
"""

from __future__ import annotations

import sys
from pathlib import Path

from msgspec.structs import replace

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import load
from standfast.ports.provider import ProviderReply, ProviderRequest, Replace
from standfast.runtime.enacting import EnactorProcess
from standfast.runtime.journal import Journal
from standfast.runtime.place import Place
from standfast.runtime.presence import Presence
from standfast.runtime.supervision import stop_on_signals


class Careless:
    """A provider that writes without asking whether what was read is still there."""

    def __init__(self, careful: Rfc2136Provider) -> None:
        self._careful = careful

    def prepare(self, request: Replace) -> None:
        """Not ahead of time: what is sent is another change."""

    def post(self, request: Replace) -> bool:
        """Likewise."""
        return False

    def perform(self, request: ProviderRequest) -> ProviderReply:
        """As the careful one does, but for the prerequisites."""
        if isinstance(request, Replace):
            floor = replace(request.floor, prerequisites=())
            writes = tuple(replace(write, prerequisites=()) for write in request.writes)
            request = Replace(request.zone, floor, writes)
        reply: ProviderReply = self._careful.perform(request)
        return reply


def main() -> None:
    """Run until SIGTERM."""
    config, name = load(Path(sys.argv[1])), sys.argv[2]
    place = Place(config)
    place.prepare()
    stop = stop_on_signals()
    opened = {zone.name: place.open_provider(zone) for zone in config.zones}
    providers = {zone: Careless(one) for zone, one in opened.items() if isinstance(one, Rfc2136Provider)}
    journal = Journal(place.journal, "enactor", name)
    looks = min(zone.look_seconds for zone in config.zones)
    copy, presence = place.open_copy(name), Presence(place.presence, "enactor", name)
    store = place.open_store()
    EnactorProcess(name, config.stream, store, providers, copy, journal, presence=presence, look_s=looks).run(stop)


if __name__ == "__main__":
    main()
