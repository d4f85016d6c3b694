"""What a tired person with `nsupdate` does: signed updates by hand; and a look at the records themselves."""

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from standfast.config import TsigKey
from standfast.errors import ProviderError
from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.rrset import RRset, RRType

from .setting import ZONE

_WAIT_S = 5.0
GARBAGE = ('"standfast1 k=marker s=main n=281474976710655 g=281474976710655 c=0000000000000000"', '"\\000\\255?" "x"')
"""A forged generation at the end of the range, and rubbish of two strings."""


class Hand:
    """Somebody with the zone's key."""

    def __init__(self, port: int, key: TsigKey) -> None:
        self._port = port
        self._key = dns.tsig.Key(dns.name.from_text(key.name), key.secret, dns.name.from_text(key.algorithm))

    def delete_addresses(self, name: str) -> None:
        """As `update delete NAME A` and `… AAAA`."""
        update = self._update()
        for rtype in ("A", "AAAA"):
            update.delete(dns.name.from_text(name), rtype)
        self._send(update)

    def delete_marker(self, name: str) -> None:
        """The endpoint's marker."""
        self._delete(marker_owner(name, ZONE))

    def delete_floor(self) -> None:
        """The zone's floor."""
        self._delete(floor_owner("main", ZONE))

    def delete_everything(self, name: str) -> None:
        """All of the endpoint's rrsets, and its marker."""
        update = self._update()
        update.delete(dns.name.from_text(name))
        update.delete(dns.name.from_text(marker_owner(name, ZONE)))
        self._send(update)

    def spoil_marker(self, name: str) -> None:
        """Rubbish in the marker's place."""
        update = self._update()
        update.replace(dns.name.from_text(marker_owner(name, ZONE)), 60, "TXT", *GARBAGE)
        self._send(update)

    def marker(self, name: str) -> Marker | None:
        """The endpoint's marker, if one stands there that can be believed."""
        owner = marker_owner(name, ZONE)
        found = read_marker(self._read(owner), ZONE, owner)
        return found if isinstance(found, Marker) else None

    def floor(self) -> Floor | None:
        """The zone's floor, likewise."""
        owner = floor_owner("main", ZONE)
        found = read_floor(self._read(owner), ZONE, owner)
        return found if isinstance(found, Floor) else None

    def serves(self) -> bool:
        """Whether the name server answers for the zone."""
        question = dns.message.make_query(ZONE, "SOA")
        try:
            return bool(dns.query.udp(question, "127.0.0.1", timeout=0.3, port=self._port).answer)
        except (OSError, dns.exception.DNSException):
            return False

    def _read(self, owner: str) -> RRset | None:
        question = dns.message.make_query(owner, "TXT")
        try:
            reply = dns.query.udp(question, "127.0.0.1", timeout=_WAIT_S, port=self._port)
        except (OSError, dns.exception.DNSException):
            return None
        for rrset in reply.answer:
            if rrset.rdtype == dns.rdatatype.TXT:
                return RRset.of(RRType.TXT, rrset.ttl, [rdata.to_wire() or b"" for rdata in rrset])
        return None

    def _delete(self, owner: str) -> None:
        update = self._update()
        update.delete(dns.name.from_text(owner), "TXT")
        self._send(update)

    def _update(self) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage(ZONE, keyring=self._key)

    def _send(self, update: dns.update.UpdateMessage) -> None:
        try:
            reply = dns.query.tcp(update, "127.0.0.1", timeout=_WAIT_S, port=self._port)
        except (OSError, dns.exception.DNSException) as error:
            raise ProviderError(f"The name server did not take an update by hand: {error}.") from None
        if reply.rcode() != dns.rcode.NOERROR:
            raise ProviderError(f"The name server answered {dns.rcode.to_text(reply.rcode())} to an update by hand.")
