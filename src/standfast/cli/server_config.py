"""What the DNS server's own configuration must say, printed so that nobody writes it by hand. Never a secret.

BIND's update-policy is checked record by record, so addresses and markers have grants of their own. Knot wants one acl
rule to cover *all* of an update: names and types stand in one rule, each name in full.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.config import TsigKey
from standfast.model.name import first_name, floor_owner, marker_owner, subtree

ServerKind: TypeAlias = Literal["bind", "knot"]
KINDS: Final[tuple[ServerKind, ...]] = ("bind", "knot")
PLACEHOLDER: Final = "…"


class Grant(Struct, frozen=True):
    """What is to be granted in one zone. `source` is where the secret stands, such as a file's path; `signed` whether
    the server signs the zone (None: not known)."""

    zone: str
    stream: str
    names: tuple[str, ...]
    key: TsigKey
    source: str
    signed: bool | None = None


def server_config(kind: ServerKind, grants: Sequence[Grant]) -> str:
    """The server's configuration for these zones, each key once."""
    keys = {grant.key.name: grant for grant in reversed(grants)}
    ordered = [keys[name] for name in sorted(keys)]
    return _bind(ordered, grants) if kind == "bind" else _knot(ordered, grants)


def _bind(keys: Sequence[Grant], grants: Sequence[Grant]) -> str:
    lines = ["// BIND 9, named.conf: add this to the zone that is there, or use it as it stands."]
    for grant in keys:
        lines += [
            f'key "{grant.key.name}" {{',
            f"    algorithm {grant.key.algorithm};",
            f'    secret "{PLACEHOLDER}";  // from {grant.source}',
            "};",
        ]
    for grant in grants:
        key = f'"{grant.key.name}"'
        lines += [
            f'zone "{grant.zone}" {{',
            "    type primary;",
            f'    file "/var/lib/bind/{grant.zone}";',
            "    update-policy {",
            *(f'        grant {key} name "{name}" A AAAA CNAME;' for name in grant.names),
            f"        grant {key} subdomain {subtree(grant.zone)} TXT;",
            "    };",
            f"    allow-transfer {{ key {key}; }};  // to see what changed; add your secondaries",
            "    max-records-per-type 0;  // else 100 addresses at a name are the most (BIND 9.18.28 and newer)",
            "    notify-delay 1;  // seconds; 5 unless set",
            *_bind_signing(grant.signed),
            "};",
        ]
    return "\n".join(lines) + "\n"


def _bind_signing(signed: bool | None) -> list[str]:
    if signed is False:
        return []
    if signed:
        return ["    dnssec-policy default;  // or your own", "    inline-signing no;  // 9.20 changes its default"]
    return ["    // if BIND signs the zone, add: inline-signing no;  (9.20 changes its default)"]


def _knot(keys: Sequence[Grant], grants: Sequence[Grant]) -> str:
    lines = ["# Knot DNS, knot.conf: add each part to the section of that name.", "key:"]
    for grant in keys:
        lines += [
            f"  - id: {grant.key.name}",
            f"    algorithm: {grant.key.algorithm}",
            f'    secret: "{PLACEHOLDER}"  # from {grant.source}',
        ]
    lines += ["", "acl:"]
    for number, grant in enumerate(grants, 1):
        lines += [
            "  # one rule must cover all of an update, so names, markers and the floor stand together",
            f"  - id: standfast-{number}",
            f"    key: {grant.key.name}",
            "    action: update",
            "    update-type: [A, AAAA, CNAME, TXT]",
            "    update-owner: name",
            "    update-owner-match: equal",
            f"    update-owner-name: [{', '.join(_quoted(name) for name in knot_owners(grant))}]",
            f"  - id: standfast-{number}-transfer",
            f"    key: {grant.key.name}",
            "    action: transfer",
        ]
    lines += ["", "zone:"]
    for number, grant in enumerate(grants, 1):
        lines += [
            f"  - domain: {grant.zone}",
            f"    acl: [standfast-{number}, standfast-{number}-transfer]  # add your secondaries' rules",
        ]
    return "\n".join(lines) + "\n"


def knot_owners(grant: Grant) -> list[str]:
    """Every owner name that an enactor changes."""
    first = first_name(grant.stream, grant.zone)
    markers = [marker_owner(name, grant.zone) for name in (first, *grant.names)]
    return [*grant.names, *markers, floor_owner(grant.stream, grant.zone)]


def _quoted(name: str) -> str:
    """A name in full, as Knot's language wants one that may begin with `*`."""
    return f'"{name}."'
