"""Several keys: which of them works while they are rotated, and whether those that only read may write. Reads only."""

from collections.abc import Iterator, Sequence
from typing import Final

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config import KeyRole, TsigKey, ZoneConfig
from standfast.runtime.phrases import capital
from standfast.runtime.signing import signing

from . import asking
from .asking import Server, Silent
from .findings import Finding
from .rights import endpoint_contents, examine, zone_contents

_TIMEOUT_S: Final = 5.0
_READERS: Final[tuple[KeyRole, ...]] = ("planner", "cleaner", "prober")


def working_key(zone: ZoneConfig, keys: Sequence[TsigKey]) -> tuple[TsigKey | None, list[Finding]]:
    """The key to go on with: the first that the server takes, else the first; and what is to be said of the others."""
    addresses = asking.resolved(zone.host) if len(keys) > 1 else ()
    if not addresses:
        return (keys[0] if keys else None), []
    server = Server(addresses[0], zone.port)
    answers = [(key, _why_not(server, zone.name, key)) for key in keys]
    good = next((key for key, why in answers if not why), None)
    if good is None:
        return keys[0], []
    return good, [
        Finding(
            "note",
            "keys",
            key.name,
            f"{capital(why)}; key {good.name} is used in its place.",
            "Right while keys are rotated: docs/security.md.",
        )
        for key, why in answers
        if why
    ]


def reader_findings(server: Server, zone: ZoneConfig, stream: str, names: Sequence[str]) -> Iterator[Finding]:
    """Keys of roles that only read: the server takes them, and they may change nothing."""
    writers = zone.keys.of("enactor")
    roles: dict[TsigKey, list[str]] = {}
    for role in _READERS:
        for place in zone.keys.of(role):
            if place not in writers and place.key is not None:
                roles.setdefault(place.key, []).append(role)
    for key, some in roles.items():
        yield _reader(server, zone.name, stream, names, key, f"{key.name} ({', '.join(some)})")


def _reader(server: Server, zone: str, stream: str, names: Sequence[str], key: TsigKey, subject: str) -> Finding:
    if why := _why_not(server, zone, key):
        return Finding("note", "keys", subject, f"{capital(why)}.", "Reading goes on without it.")
    if granted := _granted(server, zone, stream, names, key):
        text = f"This key may write ({', '.join(granted[:3])}), and its roles never do."
        return Finding("note", "keys", subject, text, "`standfast check --print-server-config` has no grant for it.")
    return Finding("ok", "keys", subject, "accepted; may change nothing")


def _granted(server: Server, zone: str, stream: str, names: Sequence[str], key: TsigKey) -> list[str]:
    """Owners that the key may change, of those that an enactor changes."""
    provider = Rfc2136Provider(zone, server.host, server.port, signing(key), timeout_s=_TIMEOUT_S)
    try:
        rights = examine(provider, zone, stream, names[:1])
    finally:
        provider.close()
    asked = [*zone_contents(zone, stream), *(one for name in names[:1] for one in endpoint_contents(zone, name))]
    missing = set(rights.missing)
    if rights.trouble:
        return []
    return list(dict.fromkeys(one.owner for one in asked if (one.owner, int(one.rtype)) not in missing))


def _why_not(server: Server, zone: str, key: TsigKey) -> str:
    """Why the server does not take the key; empty if it does, or does not say."""
    try:
        answer = asking.signature(server, zone, key)
    except Silent:
        return ""
    return "" if answer.accepted else answer.why
