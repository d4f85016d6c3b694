"""Domain names as Route 53 writes, compares and sorts them."""

from __future__ import annotations

import dns.exception
import dns.name

from standfast.laboratory.route53.faults import ServiceError

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
NAME_CHARACTERS_MAX = 1024
LABEL_OCTETS_MAX = 63


def canonical(text: str) -> str:
    """A name with its final dot, in lower case, any character but a-z, 0-9, - and _ as a three-digit octal escape.

    Source: Developer Guide, "DNS domain name format": names are stored in lower case, a name without a final dot is
    taken as fully qualified, and `*` and other characters are given and returned as escape codes in octal.

    Raises ServiceError (InvalidDomainName) for what is no name of 255 octets at most with labels of 63 at most.
    """
    return written(parsed(text))


def parsed(text: str) -> dns.name.Name:
    """The name that a text of Route 53 stands for; raises as `canonical`."""
    shown = text[:NAME_CHARACTERS_MAX]
    if not text or len(text) > NAME_CHARACTERS_MAX:
        raise invalid_name("DomainNameTooLong (Domain name is empty or too long)", shown)
    try:
        return dns.name.Name(_labels(text)).canonicalize()
    except dns.name.LabelTooLong:
        label = next((one for one in text.split(".") if len(one) > LABEL_OCTETS_MAX), shown)
        raise invalid_name("DomainLabelTooLong (Domain label is too long)", label) from None
    except dns.name.EmptyLabel:
        raise invalid_name("DomainLabelEmpty (Domain label is empty)", shown) from None
    except (dns.exception.DNSException, ValueError, UnicodeEncodeError):
        raise invalid_name("DomainNameInvalid (Domain name is not valid)", shown) from None


def invalid_name(problem: str, text: str) -> ServiceError:
    """InvalidDomainName, with the message that AWS has for a name that is none."""
    return ServiceError("InvalidDomainName", f"FATAL problem: {problem} encountered with '{text}'")


def _labels(text: str) -> list[bytes]:
    labels, label, rest = [], bytearray(), text
    while rest:
        if rest[0] == "\\" and len(rest) >= 4 and all(one in "01234567" for one in rest[1:4]):
            label.append(int(rest[1:4], 8))
            rest = rest[4:]
        elif rest[0] == ".":
            if not label and rest != ".":
                raise dns.name.EmptyLabel
            labels.append(bytes(label))
            label.clear()
            rest = rest[1:]
        else:
            label += rest[0].encode("ascii")
            rest = rest[1:]
    if label:
        labels.append(bytes(label))
    return labels if labels == [b""] else [*labels, b""]


def written(name: dns.name.Name) -> str:
    """A name in Route 53's own writing."""
    return ".".join("".join(chr(one) if one in _PLAIN else f"\\{one:03o}" for one in label) for label in name.labels)


def order(name: str) -> str:
    """What names are sorted by: the labels reversed, with the trailing dot, in ASCII order.

    Source: API Reference, ListResourceRecordSets, "Sort order".
    """
    return ".".join(reversed(name.rstrip(".").split("."))) + "."


def within(name: str, apex: str) -> bool:
    """Whether a canonical name lies in a zone."""
    return name == apex or name.endswith(f".{apex}")
