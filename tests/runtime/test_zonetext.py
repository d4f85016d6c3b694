"""What Route 53 holds, as other tools can have it: plain addresses, and what they have no form for as a remark."""

from __future__ import annotations

from standfast.model.routing import Variant
from standfast.model.rrset import RRset, RRType, address_rdata
from standfast.runtime.zonetext import octodns_lines, zone_lines

ZONE = "example"
SEVERAL = RRset.of(
    RRType.ROUTED_A,
    60,
    [
        Variant(f"lb-{number}", "multivalue", address=address_rdata(f"192.0.2.{number}"), ttl=60).encode()
        for number in (1, 2)
    ],
)
NAMED = RRset.of(
    RRType.ROUTED_AAAA,
    60,
    [
        Variant("lb-1", "weighted", 10, address=address_rdata("2001:db8::1"), ttl=60).encode(),
        Variant("lb-2", "weighted", 10, "edge.elb.example.net", target_zone="Z1", evaluates=True).encode(),
    ],
)
ONLY_A_NAME = RRset.of(RRType.ROUTED_A, 0, [Variant("", "alias", target="other.example").encode()])


def test_record_sets_become_plain_addresses() -> None:
    records = [("www.example", SEVERAL), ("www.example", NAMED), ("odd.example", ONLY_A_NAME)]
    assert zone_lines(records) == [
        "; odd.example. A is an alias to other.example.",
        "www.example. 60 IN A 192.0.2.1",
        "www.example. 60 IN A 192.0.2.2",
        "www.example. 60 IN AAAA 2001:db8::1",
        "; www.example. AAAA is an alias to edge.elb.example.net.",
    ]
    assert octodns_lines(ZONE, records) == [
        "---",
        '"odd": []',
        "# A is an alias to other.example.",
        '"www":',
        "- ttl: 60",
        "  type: A",
        '  values: ["192.0.2.1", "192.0.2.2"]',
        "# AAAA is an alias to edge.elb.example.net.",
        "- ttl: 60",
        "  type: AAAA",
        '  values: ["2001:db8::1"]',
    ]
