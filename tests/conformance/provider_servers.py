"""A zone at a real server, read by transfers of dnspython and cleared between tests."""

import base64

import dns.name
import dns.query
import dns.tsig
import dns.tsigkeyring
import dns.xfr
import dns.zone

from conformance.provider_subject import ZONE, Contents, Subject
from harness.dnsservers import DnsServer
from standfast.adapters.providers.keyring import KeyRing
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.adapters.providers.tsig import TsigKey
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Content, Replace, Write, Written

_CLEARED_AT_ONCE = 500
_SIGNING = frozenset({46, 47, 48, 50, 51, 59, 60, 65534})
"""RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, CDS, CDNSKEY, and BIND's notes on signing: the server's own."""


class ServerSubject(Subject):
    """The zone of a running server."""

    def __init__(self, server: DnsServer) -> None:
        self.server = server
        self.key = TsigKey(server.key_name, "hmac-sha256", base64.b64decode(server.key_secret))
        self._opened: list[Rfc2136Provider] = []

    def connect(self) -> Rfc2136Provider:
        return self.connect_as(self.key)

    def connect_as(self, key: TsigKey | KeyRing | None, *, port: int = 0, timeout_s: float = 10.0) -> Rfc2136Provider:
        """With another key, or by way of a proxy."""
        provider = Rfc2136Provider(ZONE, self.server.host, port or self.server.port, key, timeout_s=timeout_s)
        self._opened.append(provider)
        return provider

    def close(self) -> None:
        """Close every connection that a test opened."""
        for provider in self._opened:
            provider.close()

    def contents(self) -> Contents:
        keyring = dns.tsigkeyring.from_text({self.server.key_name: (dns.tsig.HMAC_SHA256, self.server.key_secret)})
        held = dns.zone.Zone(dns.name.from_text(ZONE), relativize=False)
        request, _ = dns.xfr.make_query(held, keyring=keyring, keyname=dns.name.from_text(self.server.key_name))
        dns.query.inbound_xfr(self.server.host, held, request, port=self.server.port, timeout=30, lifetime=30)
        found: Contents = {}
        for name, ttl, rdata in held.iterate_rdatas():
            if rdata.rdtype in _SIGNING:
                continue
            key = (name.to_text(omit_final_dot=True), int(rdata.rdtype))
            octets = rdata.to_wire()
            assert octets is not None
            before = found[key].rdata if key in found else ()
            found[key] = RRset.of(key[1], ttl, (*before, octets))
        del found[ZONE, int(RRType.SOA)]
        return found

    def clear(self) -> None:
        """Delete everything but SOA, NS and the address of `ns`."""
        kept = ((ZONE, int(RRType.NS)), (f"ns.{ZONE}", int(RRType.A)))
        doomed = [Content(*key, 0, ()) for key in self.contents() if key not in kept]
        for at in range(0, len(doomed), _CLEARED_AT_ONCE):
            change = Replace(ZONE, Write("", (), tuple(doomed[at : at + _CLEARED_AT_ONCE])), ())
            assert self.connect().perform(change) == Written()
