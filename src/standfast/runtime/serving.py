"""The embedded nameserver as a process of its own: for trying Standfast out, and for tests."""

import asyncio
import threading

from standfast.adapters.nameserver import Nameserver, ZoneStore

from .place import Place


def serve_embedded(place: Place, stop: threading.Event) -> None:
    """Serve the configuration's embedded zones until `stop` is set. Raises ZoneFileError."""
    zones = [zone for zone in place.config.zones if zone.provider == "embedded"]
    keys = {place.key(zone).name: place.key(zone).secret for zone in zones}
    stores = {zone.name: ZoneStore.open(place.root / f"zone-{zone.name}.sqlite", zone.name) for zone in zones}
    try:
        asyncio.run(_serve(stores, keys, zones[0].host, zones[0].port, stop))
    finally:
        for store in stores.values():
            store.close()


async def _serve(
    stores: dict[str, ZoneStore], keys: dict[str, bytes], host: str, port: int, stop: threading.Event
) -> None:
    server = Nameserver(stores, keys, host=host, port=port)
    await server.start()
    while not stop.is_set():
        await asyncio.sleep(0.05)
    await server.stop()
