"""Whether a record's value is one of its type, and the record it stands for."""

from __future__ import annotations

import re

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

VALUE_CHARACTERS_MAX = 4000
"""API Reference, ResourceRecord, Value."""

_PROBLEMS = {
    "A": "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)",
    "AAAA": "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)",
    "CNAME": "CNAMERRDATAIllegalDomainName (Value is not a valid domain name)",
    "TXT": "InvalidCharacterString (Value should be enclosed in quotation marks)",
}
_QUOTED = re.compile(r'\s*("(?:[^"\\]|\\.)*"\s*)+')


def problem(kind: str, value: str) -> str | None:
    """The message AWS has for a value that is none of its type, or None.

    Source: Developer Guide, "Supported DNS record types"; the words of the A type are AWS's own, those of the others
    are made after them (`docs/route53-standin.md`).
    """
    if not 1 <= len(value) <= VALUE_CHARACTERS_MAX:
        return f"Invalid Resource Record: a value has 1 to {VALUE_CHARACTERS_MAX} characters"
    if rdata(kind, value) is not None:
        return None
    what = _PROBLEMS.get(kind, f"{kind}RRDATAIllegalValue (Value is not a valid {kind} value)")
    return f"Invalid Resource Record: 'FATAL problem: {what} encountered with '{value}''"


def rdata(kind: str, value: str) -> dns.rdata.Rdata | None:
    """The record a value stands for, or None if it is none; names in it are fully qualified, final dot or not."""
    if kind in ("TXT", "SPF") and not _QUOTED.fullmatch(value):
        return None
    try:
        return dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(kind), _octal(kind, value), dns.name.root, relativize=False
        )
    except (dns.exception.DNSException, ValueError, IndexError, UnicodeError):
        return None


def _octal(kind: str, value: str) -> str:
    """Route 53's octal escapes of a value as the decimal ones of master files (RFC 1035 §5.1).

    Source: Developer Guide, "DNS domain name format" and "TXT record type".
    """
    return re.sub(r"\\([0-7]{3})", lambda found: f"\\{int(found[1], 8) & 255:03d}", value)
