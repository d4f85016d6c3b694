"""Records as other tools take them: lines of a zone file (RFC 1035 §5.1), and octoDNS's YAML. Pure."""

from collections.abc import Iterable

from standfast.model.name import relative
from standfast.model.rrset import RRset, RRType

Named = tuple[str, RRset]
"""An owner name and one of its rrsets."""


def zone_lines(records: Iterable[Named]) -> list[str]:
    """One line a record, with absolute names."""
    return [
        f"{name}. {rrset.ttl} IN {RRType(rrset.rtype).name} {text}"
        for name, rrset in sorted(records, key=lambda one: (one[0], one[1].rtype))
        for text in rrset.texts()
    ]


def octodns_lines(zone: str, records: Iterable[Named]) -> list[str]:
    """What octoDNS's YamlProvider reads for the zone: names relative to it, one item a type."""
    owners: dict[str, list[RRset]] = {}
    for name, rrset in sorted(records, key=lambda one: (one[0], one[1].rtype)):
        owners.setdefault(relative(name, zone), []).append(rrset)
    lines = ["---"]
    for owner, rrsets in sorted(owners.items()):
        lines.append(f"'{owner}':")
        for rrset in rrsets:
            lines += [f"  - type: {RRType(rrset.rtype).name}", f"    ttl: {rrset.ttl}"]
            texts = rrset.texts()
            if rrset.rtype == RRType.CNAME:
                lines.append(f"    value: {texts[0]}")
            else:
                lines += ["    values:", *(f"      - '{text}'" for text in texts)]
    return lines
