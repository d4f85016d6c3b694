"""What `check --print-server-config` needs to know before it prints: which server it is, which keys there are."""

from collections.abc import Iterable
from typing import Final

from standfast.cli.checking import asking
from standfast.cli.server_config import KINDS, Grant, ServerKind, Signer, server_config
from standfast.config import Config, KeyPlace, KeyRole, ZoneConfig
from standfast.errors import StandfastError

_READERS: Final[tuple[KeyRole, ...]] = ("planner", "cleaner", "prober")


def printed_config(config: Config, wanted: str, *, ask: bool) -> str:
    """The text for one kind of server or for all. `ask`: let the servers say which they are."""
    grants: dict[ServerKind, list[Grant]] = {kind: [] for kind in KINDS}
    unread: dict[str, None] = {}
    for zone in config.zones:
        if zone.provider != "rfc2136":
            continue
        writers = zone.keys.of("enactor")
        readers = [one for role in _READERS for one in zone.keys.of(role) if one not in writers]
        unread |= {one.shown: None for one in (*writers, *readers) if one.key is None}
        if not (signers := _signers(writers)):
            continue
        told, signed = _told(zone) if ask else ("", None)
        names = tuple(one.name for one in config.endpoints if one.zone == zone.name)
        grant = Grant(zone.name, config.stream, names, signers, _signers(readers), signed)
        for kind in KINDS:
            if wanted == kind or (wanted in ("auto", "all") and told in ("", kind)):
                grants[kind].append(grant)
    parts = [server_config(kind, some) for kind, some in grants.items() if some]
    if unread:
        remedy = "Print it where the keys of all roles can be read; nothing was printed, for it would lack some."
        raise StandfastError(f"These keys can't be read here: {', '.join(unread)}.", remedy)
    if not parts:
        message = "There is no zone at a server of yours: Standfast's own name server configures itself."
        raise StandfastError(message, "Nothing needs to be printed.")
    return "\n".join(parts)


def _signers(places: Iterable[KeyPlace]) -> tuple[Signer, ...]:
    some = (Signer(one.key, one.shown if one.shown.isprintable() else "its place") for one in places if one.key)
    return tuple(dict.fromkeys(some))


def _told(zone: ZoneConfig) -> tuple[str, bool | None]:
    """What the server says it is, and whether it signs the zone."""
    addresses = asking.resolved(zone.host)
    if not addresses:
        return "", None
    server = asking.Server(addresses[0], zone.port)
    kind = asking.kind_of(asking.version(server))
    try:
        asking.soa(server, zone.name)
    except asking.Silent:
        return kind, None
    return kind, asking.is_signed(server, zone.name)
