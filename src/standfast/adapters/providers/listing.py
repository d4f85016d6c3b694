"""Everything that stands in a zone, by transfer (AXFR, RFC 5936): for people's commands, never for an enactor.

A transfer shows what literally stands there, wildcards unexpanded, and names that nobody asked for. Servers give it
only to whom they trust, so whoever uses it must do without.
"""

from typing import Final

import dns.exception
import dns.query
import dns.rdatatype
import dns.tsig
from msgspec import Struct

from standfast.adapters.providers.tsig import TsigKey
from standfast.model.rrset import RRset
from standfast.ports.provider import Unknown

RECORDS_MAX: Final = 500_000


class Listing(Struct, frozen=True):
    """The zone's rrsets by owner name (lower case, no dot at the end) and type, and its serial."""

    serial: int
    rrsets: dict[tuple[str, int], RRset]


def listing(zone: str, host: str, port: int, key: TsigKey | None, *, timeout_s: float = 5.0) -> Listing | Unknown:
    """The whole zone as the server gives it to this key, within 30 times `timeout_s`."""
    signing = dns.tsig.Key(key.name, key.secret, key.algorithm) if key is not None else None
    found: dict[tuple[str, int], tuple[int, set[bytes]]] = {}
    serial = 0
    try:
        messages = dns.query.xfr(
            host,
            zone,
            port=port,
            timeout=timeout_s,
            lifetime=30 * timeout_s,
            relativize=False,
            keyring={signing.name: signing} if signing is not None else None,
            keyname=signing.name if signing is not None else None,
            keyalgorithm=signing.algorithm if signing is not None else dns.tsig.default_algorithm,
        )
        count = 0
        for message in messages:
            for rrset in message.answer:
                owner = rrset.name.to_text(omit_final_dot=True).lower()
                kept = found.setdefault((owner, int(rrset.rdtype)), (rrset.ttl, set()))[1]
                for rdata in rrset:
                    kept.add(rdata.to_wire() or b"")
                    count += 1
                if rrset.rdtype == dns.rdatatype.SOA:
                    serial = rrset[0].serial
                if count > RECORDS_MAX:
                    return Unknown(f"no transfer of {zone}: it has more than {RECORDS_MAX:,} records")
    except OSError as error:
        return Unknown(f"no transfer of {zone}: {error.strerror or error or type(error).__name__}")
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        return Unknown(f"no transfer of {zone}: {error or type(error).__name__}")
    return Listing(serial, {key: RRset.of(key[1], ttl, tuple(rdata)) for key, (ttl, rdata) in found.items()})
