"""Route 53's DNS servers: each answers over UDP and TCP with what has reached it so far."""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from standfast.laboratory.route53 import answers, names, values
from standfast.laboratory.route53.account import NAME_SERVERS, Account
from standfast.laboratory.route53.answers import Answer, Contents, Records
from standfast.laboratory.route53.faults import invalid_input, no_such_hosted_zone

PLAIN_BYTES_MAX = 512
IDLE_SECONDS = 10


class Resolver:
    """Answers from one server's view; `verdict` gives a health check's, by id."""

    def __init__(self, account: Account, server: int, verdict: Callable[[str], bool]) -> None:
        self.account = account
        self.view = account.views[server]
        self.verdict = verdict

    def ask(self, name: str, kind: str) -> tuple[str, Answer] | None:
        """The zone id and the answer for a canonical name; None if no zone of ours holds it."""
        with self.view.lock:
            self.view.refresh(self.account.clock())
            apex = name
            while apex not in self.view.apexes:
                apex = apex.partition(".")[2]
                if not apex:
                    return None
            zone = self.view.apexes[apex]
            contents = Contents(
                zone,
                apex,
                self.view.zones.get(zone, {}),
                self.view.names.get(zone, {}),
                self.verdict,
                self.account.service_record,
                self.account.chance,
            )
            return zone, answers.answer(contents, name, kind)

    def reply(self, wire: bytes, datagram: bool) -> bytes | None:
        """The reply to a message; None for what is not even a header."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _formerr(wire)
        if query.flags & dns.flags.QR:
            return None
        reply = dns.message.make_response(query)
        if query.opcode() != dns.opcode.QUERY:
            reply.set_rcode(dns.rcode.NOTIMP)
        elif len(query.question) != 1:
            reply.set_rcode(dns.rcode.FORMERR)
        elif query.question[0].rdclass != dns.rdataclass.IN:
            reply.set_rcode(dns.rcode.REFUSED)
        else:
            self._fill(reply, query.question[0])
        limit = max(PLAIN_BYTES_MAX, query.payload) if datagram else 65_535
        with contextlib.suppress(dns.exception.TooBig):
            return reply.to_wire(max_size=limit)
        for section in (reply.answer, reply.authority, reply.additional):
            section.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=limit)

    def _fill(self, reply: dns.message.Message, question: dns.rrset.RRset) -> None:
        kind = dns.rdatatype.to_text(question.rdtype)
        asked = self.ask(names.written(question.name.canonicalize()), kind)
        if asked is None:
            reply.set_rcode(dns.rcode.REFUSED)
            return
        found = asked[1]
        reply.answer += [_rrset(one, question.name) for one in found.records]
        reply.authority += [_rrset(one) for one in (found.referral, found.soa) if one]
        if not found.referral:
            reply.flags |= dns.flags.AA
        if not found.exists:
            reply.set_rcode(dns.rcode.NXDOMAIN)


def _rrset(records: Records, name: dns.name.Name | None = None) -> dns.rrset.RRset:
    made = dns.rrset.RRset(name or names.parsed(records.name), dns.rdataclass.IN, dns.rdatatype.from_text(records.type))
    for value in records.values:
        rdata = values.rdata(records.type, value)
        assert rdata is not None, f"{records.name} {records.type} holds {value!r}"
        made.add(rdata, records.ttl)
    return made


def _formerr(wire: bytes) -> bytes | None:
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + bytes((0x80 | (wire[2] & 0x79), dns.rcode.FORMERR)) + bytes(8)


class _Datagrams(socketserver.UDPServer):
    resolver: Resolver


class _Streams(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    resolver: Resolver


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Datagrams)
        wire, socket = self.request
        if reply := self.server.resolver.reply(wire, datagram=True):
            socket.sendto(reply, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        assert isinstance(self.server, _Streams)
        with contextlib.suppress(OSError):
            while len(size := self.rfile.read(2)) == 2:
                wire = self.rfile.read(struct.unpack("!H", size)[0])
                reply = self.server.resolver.reply(wire, datagram=False)
                if reply is None:
                    return
                self.wfile.write(struct.pack("!H", len(reply)) + reply)


class Asking:
    """TestDNSAnswer: the first server's answer without a resolver in between."""

    def __init__(self, account: Account, verdict: Callable[[str], bool]) -> None:
        self.account = account
        self.resolver = Resolver(account, 0, verdict)

    def test_dns_answer(self, given: dict[str, Any]) -> dict[str, Any]:
        """TestDNSAnswer, of this zone only (API Reference, TestDNSAnswer)."""
        zone = self.account.zones.get(given["HostedZoneId"])
        name, kind = names.canonical(given["RecordName"]), given["RecordType"]
        if zone is None:
            raise no_such_hosted_zone(given["HostedZoneId"])
        if not names.within(name, zone.apex):
            raise invalid_input(f"Invalid request: {name} does not lie in the hosted zone {zone.apex}")
        asked = self.resolver.ask(name, kind)
        records = asked[1].records if asked else ()
        return {
            "Nameserver": NAME_SERVERS[0].rstrip("."),
            "RecordName": name,
            "RecordType": kind,
            "RecordData": [value for one in records for value in one.values],
            "ResponseCode": "REFUSED" if asked is None else "NOERROR" if asked[1].exists else "NXDOMAIN",
            "Protocol": "UDP",
        }


class NameServer:
    """One DNS server on UDP and TCP of one port."""

    def __init__(self, address: tuple[str, int], resolver: Resolver) -> None:
        self.datagrams = _Datagrams(address, _Datagram)
        try:
            self.streams = _Streams((address[0], self.datagrams.server_address[1]), _Stream)
        except OSError:
            self.datagrams.server_close()
            raise
        self.datagrams.resolver = self.streams.resolver = resolver
        self.address = f"{address[0]}:{self.datagrams.server_address[1]}"

    def start(self) -> None:
        """Serve until the process ends or `stop`."""
        for one in (self.datagrams, self.streams):
            threading.Thread(target=one.serve_forever, name="dns", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        for one in (self.datagrams, self.streams):
            one.shutdown()
            one.server_close()
