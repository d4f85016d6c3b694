"""What the DNS server's own configuration must say, printed so that nobody writes it by hand. Never a secret.

Each key gets the least that the server can give it. BIND's update-policy is checked record by record, so addresses and
markers have grants of their own. Knot wants one acl rule to cover *all* of an update: names and types stand in one
rule, each name in full. PowerDNS limits a key to zones: its Lua policies leave out of an update what they deny and
apply the rest, a marker without its addresses for instance, so none is printed.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.config import TsigKey
from standfast.model.name import first_name, floor_owner, marker_owner, subtree

ServerKind: TypeAlias = Literal["bind", "knot", "pdns"]
KINDS: Final[tuple[ServerKind, ...]] = ("bind", "knot", "pdns")
PLACEHOLDER: Final = "…"


class Signer(Struct, frozen=True):
    """A key, and where its secret stands, such as a file's path."""

    key: TsigKey
    source: str


class Grant(Struct, frozen=True):
    """What is to be granted in one zone: `writers` may change these names and transfer, `readers` only transfer.

    `signed` is whether the server signs the zone (None: not known).
    """

    zone: str
    stream: str
    names: tuple[str, ...]
    writers: tuple[Signer, ...]
    readers: tuple[Signer, ...] = ()
    signed: bool | None = None

    @property
    def everybody(self) -> tuple[str, ...]:
        """The names of all keys, writers first."""
        return tuple(dict.fromkeys(one.key.name for one in (*self.writers, *self.readers)))


def server_config(kind: ServerKind, grants: Sequence[Grant]) -> str:
    """The server's configuration for these zones, each key once."""
    every = [one for grant in grants for one in (*grant.writers, *grant.readers)]
    keys = {one.key.name: one for one in reversed(every)}
    ordered = [keys[name] for name in sorted(keys)]
    lines = {"bind": _bind, "knot": _knot, "pdns": _pdns}[kind](ordered, grants)
    return "\n".join(lines) + "\n"


def _bind(keys: Sequence[Signer], grants: Sequence[Grant]) -> list[str]:
    lines = ["// BIND 9, named.conf: add this to the zone that is there, or use it as it stands."]
    for one in keys:
        lines += [
            f'key "{one.key.name}" {{',
            f"    algorithm {one.key.algorithm};",
            f'    secret "{PLACEHOLDER}";  // from {one.source}',
            "};",
        ]
    for grant in grants:
        lines += [
            f'zone "{grant.zone}" {{',
            "    type primary;",
            f'    file "/var/lib/bind/{grant.zone}";',
            "    update-policy {",
            *(line for one in grant.writers for line in _bind_policy(grant, f'"{one.key.name}"')),
            "    };",
            _bind_transfer(grant),
            "    max-records-per-type 0;  // else 100 addresses at a name are the most (BIND 9.18.28 and newer)",
            "    notify-delay 1;  // seconds; 5 unless set",
            *_bind_signing(grant.signed),
            "};",
        ]
    return lines


def _bind_policy(grant: Grant, key: str) -> list[str]:
    names = (f'        grant {key} name "{name}" A AAAA CNAME;' for name in grant.names)
    return [*names, f"        grant {key} subdomain {subtree(grant.zone)} TXT;"]


def _bind_transfer(grant: Grant) -> str:
    keys = " ".join(f'key "{name}";' for name in grant.everybody)
    return f"    allow-transfer {{ {keys} }};  // to see what changed; add your secondaries"


def _bind_signing(signed: bool | None) -> list[str]:
    if signed is False:
        return []
    if signed:
        return ["    dnssec-policy default;  // or your own", "    inline-signing no;  // 9.20 changes its default"]
    return ["    // if BIND signs the zone, add: inline-signing no;  (9.20 changes its default)"]


def _knot(keys: Sequence[Signer], grants: Sequence[Grant]) -> list[str]:
    lines = ["# Knot DNS, knot.conf: add each part to the section of that name.", "key:"]
    for one in keys:
        lines += [
            f"  - id: {one.key.name}",
            f"    algorithm: {one.key.algorithm}",
            f'    secret: "{PLACEHOLDER}"  # from {one.source}',
        ]
    lines += ["", "acl:"]
    for number, grant in enumerate(grants, 1):
        lines += [
            "  # one rule must cover all of an update, so names, markers and the floor stand together",
            f"  - id: standfast-{number}",
            f"    key: {_listed(one.key.name for one in grant.writers)}",
            "    action: update",
            "    update-type: [A, AAAA, CNAME, TXT]",
            "    update-owner: name",
            "    update-owner-match: equal",
            f"    update-owner-name: [{', '.join(_quoted(name) for name in knot_owners(grant))}]",
            f"  - id: standfast-{number}-transfer",
            f"    key: {_listed(grant.everybody)}",
            "    action: transfer",
        ]
    lines += ["", "zone:"]
    for number, grant in enumerate(grants, 1):
        lines += [
            f"  - domain: {grant.zone}",
            f"    acl: [standfast-{number}, standfast-{number}-transfer]  # add your secondaries' rules",
        ]
    return lines


def _listed(names: Iterable[str]) -> str:
    some = tuple(names)
    return some[0] if len(some) == 1 else f"[{', '.join(some)}]"


def knot_owners(grant: Grant) -> list[str]:
    """Every owner name that an enactor changes."""
    first = first_name(grant.stream, grant.zone)
    markers = [marker_owner(name, grant.zone) for name in (first, *grant.names)]
    return [*grant.names, *markers, floor_owner(grant.stream, grant.zone)]


def _quoted(name: str) -> str:
    """A name in full, as Knot's language wants one that may begin with `*`."""
    return f'"{name}."'


PDNS_SETTINGS: Final = (
    ("launch=lmdb", "deletes in SQL backends read the whole zone"),
    ("lmdb-sync-mode=sync", "an answered update is on disk"),
    ("dnsupdate=yes", ""),
    ("allow-dnsupdate-from=", "else who may send to it may change, without a key, every zone that names none"),
    ("allow-axfr-ips=", "transfers by key; add your secondaries"),
    ("cache-ttl=0", "else who asks while an update lands may get, and put back for others, the answer of before"),
    ("query-cache-ttl=0", "likewise"),
    ("negquery-cache-ttl=0", "likewise"),
    ("max-tcp-connections=100", "20 unless set: each process of ours keeps one"),
    ("security-poll-suffix=", "else it asks its maker's servers about itself"),
)
"""Lines of pdns.conf, and why."""


def _pdns(keys: Sequence[Signer], grants: Sequence[Grant]) -> list[str]:
    lines = ["# PowerDNS. In pdns.conf:"]
    lines += [f"#     {line}" + (f"  ({why})" if why else "") for line, why in PDNS_SETTINGS]
    lines += [
        "# One pdns_server may write a zone. Then, where it runs (this shows the secret to who sees its processes):",
        *(
            f"pdnsutil import-tsig-key {one.key.name} {one.key.algorithm} '{PLACEHOLDER}'  # from {one.source}"
            for one in keys
        ),
    ]
    for grant in grants:
        lines += [
            f"# A key that may update {grant.zone} may change every name in it: keep nothing else there.",
            f"pdnsutil set-meta {grant.zone} ALLOW-DNSUPDATE-FROM 127.0.0.0/8 ::1  # add your enactors' addresses",
            f"pdnsutil set-meta {grant.zone} SOA-EDIT-DNSUPDATE INCREASE",
            f"pdnsutil set-meta {grant.zone} TSIG-ALLOW-DNSUPDATE {' '.join(one.key.name for one in grant.writers)}",
            f"pdnsutil set-meta {grant.zone} TSIG-ALLOW-AXFR {' '.join(grant.everybody)}",
        ]
    return lines
