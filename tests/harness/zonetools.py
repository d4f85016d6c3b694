"""Readings and writings of a test: queries, transfers and the real `nsupdate`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.zone

from harness.dnsservers import DnsServer, Key, program

Records = dict[tuple[str, str], frozenset[str]]


@dataclass(frozen=True)
class Update:
    """How an `nsupdate` run ended: `rcode` is NOERROR or what the server answered, `output` all it said."""

    rcode: str
    output: str


def query(
    server: DnsServer, name: str, rdtype: str, *, timeout: float = 5.0, port: int | None = None
) -> tuple[str, frozenset[str]]:
    """Rcode and the values of one rrset, asked over UDP, over TCP if truncated. A CNAME in the way is no value."""
    owner = dns.name.from_text(name)
    question = dns.message.make_query(owner, rdtype)
    reply, _ = dns.query.udp_with_fallback(question, server.host, timeout=timeout, port=port or server.port)
    wanted = dns.rdatatype.from_text(rdtype)
    values = frozenset(
        rdata.to_text() for rrset in reply.answer if rrset.rdtype == wanted and rrset.name == owner for rdata in rrset
    )
    return dns.rcode.to_text(reply.rcode()), values


def axfr(server: DnsServer, *, zone: str | None = None, key: Key | None = None, timeout: float = 30.0) -> Records:
    """Every rrset of a zone by transfer: (absolute name without final dot, type) to values."""
    key = key or server.key
    keyring = dns.tsigkeyring.from_text({key.name: (dns.tsig.HMAC_SHA256, key.secret)})
    held = dns.zone.Zone(dns.name.from_text(zone or server.zone), relativize=False)
    request, _ = dns.xfr.make_query(held, keyring=keyring, keyname=dns.name.from_text(key.name))
    dns.query.inbound_xfr(server.host, held, request, port=server.port, timeout=timeout, lifetime=timeout)
    return {
        (name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(rdataset.rdtype)): frozenset(
            rdata.to_text() for rdata in rdataset
        )
        for name, rdataset in held.iterate_rdatasets()
    }


def nsupdate(
    server: DnsServer,
    lines: Iterable[str],
    *,
    zone: str | None = None,
    key: Key | None = None,
    port: int | None = None,
    udp: bool = False,
    timeout: int = 20,
) -> Update:
    """Run the real `nsupdate` over TCP with a key file; `lines` need no `server`, `zone` or `send`."""
    script = [f"server {server.host} {port or server.port}", f"zone {zone or server.zone}", *lines, "send"]
    patience = ["-t", str(timeout), "-u", str(timeout), "-r", "0"]  # over UDP it would give up after 3 s
    command = [program("nsupdate"), "-k", str((key or server.key).file), *patience]
    done = subprocess.run(
        [*command, *([] if udp else ["-v"])],
        input="\n".join(script) + "\n",
        capture_output=True,
        text=True,
        timeout=timeout + 10,
        check=False,
    )
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return Update("NOERROR", output)
    _, found, rcode = output.rpartition("update failed: ")
    return Update(rcode.split()[0].rstrip(":").partition("(")[0] if found else "UNKNOWN", output)
