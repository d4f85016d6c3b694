"""Questions to name servers that only `check` and `plan` ask: who are you, what time is it, who else serves this."""

import ipaddress
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from standfast.config import TsigKey

if TYPE_CHECKING:
    import dns.message

TIMEOUT_S: Final = 3.0
DNS_PORT: Final = 53


class Silent(Exception):
    """No answer that is worth anything; the text says why, as the end of a sentence."""


@dataclass(frozen=True)
class Soa:
    """A zone's SOA. `negative_s` is how long a resolver may remember that something is not there (RFC 2308 §5)."""

    serial: int
    negative_s: int


@dataclass(frozen=True)
class Signature:
    """How the server liked our key. `off_s` bounds server's clock minus ours; None unless accepted."""

    accepted: bool
    why: str = ""
    off_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Server:
    """Where to ask."""

    host: str
    port: int

    def ask(
        self, name: str, rtype: str, *, rdclass: str = "IN", key: TsigKey | None = None, timeout_s: float = TIMEOUT_S
    ) -> "dns.message.Message":
        """The answer over TCP. Raises Silent, and dns.tsig's errors where the signature is not liked."""
        import dns.exception
        import dns.message
        import dns.query
        import dns.tsig

        question = dns.message.make_query(name, rtype, rdclass)
        if key is not None:
            signing = dns.tsig.Key(key.name, key.secret, key.algorithm)
            question.use_tsig(keyring={signing.name: signing}, keyname=signing.name)
        try:
            return dns.query.tcp(question, self.host, port=self.port, timeout=timeout_s)
        except (dns.tsig.PeerError, dns.tsig.BadTime, dns.tsig.BadSignature):
            raise
        except ConnectionRefusedError:
            raise Silent(f"nothing listens on TCP port {self.port} there") from None
        except dns.exception.Timeout:
            raise Silent(f"no answer within {timeout_s:g} s over TCP") from None
        except EOFError:
            raise Silent("the server closed the connection") from None
        except OSError as error:
            raise Silent(f"{(error.strerror or type(error).__name__).lower()}") from None
        except dns.exception.DNSException as error:
            raise Silent(f"the answer is malformed ({type(error).__name__})") from None


def resolved(host: str) -> tuple[str, ...]:
    """The host's addresses as this machine resolves them; empty if it has none."""
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def soa(server: Server, zone: str) -> Soa:
    """Raises Silent, with what the server said instead of an authoritative SOA."""
    import dns.flags
    import dns.rcode

    answer = server.ask(zone, "SOA")
    rcode = dns.rcode.to_text(answer.rcode())
    for rrset in answer.answer:
        if rrset.rdtype == 6 and answer.flags & dns.flags.AA:
            return Soa(rrset[0].serial, min(rrset.ttl, rrset[0].minimum))
    if answer.rcode() == 0:
        raise Silent("it is not authoritative for this zone")
    raise Silent(f"it answers {rcode}: it does not serve this zone")


def version(server: Server) -> str:
    """What the server calls itself (version.bind, CH TXT); empty if it does not tell."""
    from standfast.cli.texts import cleaned

    try:
        answer = server.ask("version.bind", "TXT", rdclass="CH")
    except Silent:
        return ""
    for rrset in answer.answer:
        if rrset.rdtype == 16 and rrset[0].strings:
            text = cleaned(b" ".join(rrset[0].strings).decode("utf-8", "replace"))
            return f"BIND {text}" if text[:2] in ("9.", "10") else text
    return ""


def kind_of(version_text: str) -> str:
    """bind, knot or pdns, if the version says so."""
    low = version_text.lower()
    words = (("bind", "bind"), ("knot", "knot"), ("powerdns", "pdns"))
    return next((kind for word, kind in words if word in low), "")


def signature(server: Server, zone: str, key: TsigKey) -> Signature:
    """Ask with our key. TSIG carries whole seconds (RFC 8945 §4.2), so clocks are told to a second. Raises Silent."""
    import dns.tsig

    sent = time.time()
    try:
        answer = server.ask(zone, "SOA", key=key)
    except dns.tsig.PeerBadKey:
        return Signature(False, f"the server does not know key {key.name} with {key.algorithm}")
    except dns.tsig.PeerBadSignature:
        return Signature(False, f"the server's secret for key {key.name} is another one")
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
        return Signature(False, "this machine's clock and the server's are more than 300 s apart")
    except (dns.tsig.PeerError, dns.tsig.BadSignature) as error:
        return Signature(False, f"the server and we do not agree on key {key.name} ({type(error).__name__})")
    received = time.time()
    if not answer.had_tsig or answer.tsig is None:
        return Signature(False, f"the server does not sign with key {key.name}")
    signed = answer.tsig[0].time_signed
    return Signature(True, off_s=(signed - received, signed + 1 - sent))


def is_signed(server: Server, zone: str) -> bool | None:
    """Whether the zone has keys for DNSSEC; None if nobody says."""
    try:
        answer = server.ask(zone, "DNSKEY")
    except Silent:
        return None
    return any(rrset.rdtype == 48 for rrset in answer.answer)


def name_servers(server: Server, zone: str) -> tuple[str, ...]:
    """The hosts of the zone's NS records, in order. Raises Silent."""
    answer = server.ask(zone, "NS")
    hosts = (rdata.target for rrset in answer.answer if rrset.rdtype == 2 for rdata in rrset)
    return tuple(sorted(str(host.to_text(omit_final_dot=True)).lower() for host in hosts))


def addresses_of(server: Server, host: str, zone: str) -> tuple[str, ...]:
    """The addresses of a name server: from the primary if it lies in the zone, else as this machine resolves it."""
    if not host.endswith("." + zone):
        return resolved(host)
    found: list[str] = []
    for rtype in ("A", "AAAA"):
        try:
            answer = server.ask(host, rtype)
        except Silent:
            continue
        found += [rdata.address for rrset in answer.answer if rrset.rdtype in (1, 28) for rdata in rrset]
    return tuple(found)


def may_transfer(server: Server, zone: str, serial: int, key: TsigKey) -> bool:
    """Whether the server would tell what changed since a serial (IXFR): asked from the present one, which costs
    nothing (RFC 1995 §2)."""
    import dns.exception
    import dns.message
    import dns.name
    import dns.query
    import dns.rdata
    import dns.rrset
    import dns.tsig

    signing = dns.tsig.Key(key.name, key.secret, key.algorithm)
    question = dns.message.make_query(zone, "IXFR")
    question.flags = 0
    question.authority.append(dns.rrset.from_text(f"{zone}.", 0, "IN", "SOA", f". . {serial} 0 0 0 0"))
    question.use_tsig(keyring={signing.name: signing}, keyname=signing.name)
    try:
        answer = dns.query.tcp(question, server.host, port=server.port, timeout=TIMEOUT_S, one_rr_per_rrset=True)
    except (OSError, EOFError, dns.exception.DNSException):
        return False
    return answer.rcode() == 0 and bool(answer.answer)


def owner_names(server: Server, zone: str, key: TsigKey) -> frozenset[str] | None:
    """Every owner name of the zone, by transfer; None if that is not allowed or does not end in time."""
    import dns.exception
    import dns.name
    import dns.query
    import dns.tsig
    import dns.xfr
    import dns.zone

    signing = dns.tsig.Key(key.name, key.secret, key.algorithm)
    held = dns.zone.Zone(dns.name.from_text(zone), relativize=False)
    request, _ = dns.xfr.make_query(held, keyring={signing.name: signing}, keyname=signing.name)
    try:
        dns.query.inbound_xfr(server.host, held, request, port=server.port, timeout=TIMEOUT_S, lifetime=10)
    except (OSError, EOFError, dns.exception.DNSException):
        return None
    return frozenset(name.to_text(omit_final_dot=True).lower() for name in held)


def serial_order(ours: int, theirs: int) -> int:
    """How far `theirs` lies behind `ours`; negative if ahead (RFC 1982)."""
    distance = (ours - theirs) % 2**32
    return distance if distance < 2**31 else distance - 2**32


def same_host(addresses: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two hosts share an address."""
    return bool(set(addresses) & set(others))
