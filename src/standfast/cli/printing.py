"""What `check --print-server-config` needs to know before it prints: which server it is, where each secret stands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from standfast.cli.checking import asking
from standfast.cli.server_config import KINDS, Grant, ServerKind, server_config
from standfast.config import Config, ZoneConfig
from standfast.config.document import BYTES_MAX, Findings, Node, Scalar, Sequence, parse
from standfast.config.document import Mapping as Section
from standfast.config.files import Unreadable, read_text
from standfast.errors import StandfastError

_UNTOLD: Final = "its place"


def printed_config(config: Config, wanted: str, *, ask: bool) -> str:
    """The text for one kind of server or for both. `ask`: let the servers say which they are."""
    sources = secret_sources(config)
    grants: dict[ServerKind, list[Grant]] = {"bind": [], "knot": []}
    for zone in config.zones:
        if zone.provider == "embedded" or zone.tsig is None:
            continue
        told, signed = _told(zone) if ask else ("", None)
        names = tuple(one.name for one in config.endpoints if one.zone == zone.name)
        grant = Grant(zone.name, config.stream, names, zone.tsig, sources.get(zone.name, _UNTOLD), signed)
        for kind in KINDS:
            if wanted == kind or (wanted in ("auto", "both") and told in ("", kind)):
                grants[kind].append(grant)
    parts = [server_config(kind, some) for kind, some in grants.items() if some]
    if not parts:
        message = "There is no zone at a server of yours: Standfast's own name server configures itself."
        raise StandfastError(message, "Nothing needs to be printed.")
    return "\n".join(parts)


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


def secret_sources(config: Config) -> Mapping[str, str]:
    """Where each zone's key comes from, as the file says it: a path, or an environment variable's name."""
    try:
        text = read_text(Path(config.file), BYTES_MAX).text
    except Unreadable:
        return {}
    root = parse(text, Findings(config.file))
    several = _at(root, "zones")
    nodes = several.items if isinstance(several, Sequence) else (_at(root, "zone"),)
    found = {}
    for node in nodes:
        name, tsig = _at(node, "name"), _at(node, "tsig")
        if isinstance(name, Scalar) and isinstance(tsig, Scalar):
            kind, _, place = tsig.text.partition(":")
            if kind in ("file", "env") and place.isprintable():
                found[name.text.lower().removesuffix(".")] = place if kind == "file" else f"${place}"
    return found


def _at(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, Section):
        return None
    return next((value for name, value in node.entries if name.text == key), None)
