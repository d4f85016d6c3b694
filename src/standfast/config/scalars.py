"""What single values mean: each reader takes the text and gives the value, or says what to write instead."""

import ipaddress
import re
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from standfast.config.document import shown, suggestion
from standfast.model.name import parse_name

C = TypeVar("C", bound=str)

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}\Z")
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|d)\Z")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%\Z")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")
_SIZE: Final = re.compile(r"([0-9]{1,9})\s*(KiB|MiB|GiB|TiB)\Z")
_SHIFTS: Final = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}
_HOSTED_ZONE: Final = re.compile(r"(?:/hostedzone/)?(Z[A-Z0-9]{1,31})\Z")
TTL_MIN: Final = 1
TTL_MAX: Final = 86400
PORT_MAX: Final = 65535
_NAME_TEXT_MAX: Final = 300


class BadValue(Exception):
    """A text that cannot mean what stands here: a sentence, and a sentence that helps."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy


def whole(what: str, least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` to `most`; `what` with its article, as in "a TTL"."""

    def read(text: str) -> int:
        if not _INTEGER.match(text) or not least <= int(text) <= most:
            unit = "seconds" if what == "a TTL" else "a whole number"
            raise BadValue(f"{shown(text)} is not {what}.", f"Give {unit} from {least} to {most}.")
        return int(text)

    return read


ttl: Final = whole("a TTL", TTL_MIN, TTL_MAX)
port: Final = whole("a port", 1, PORT_MAX)


def duration(least: float, most: float) -> Callable[[str], float]:
    """A reader of durations in seconds: a number and its unit, such as 500ms, 5s, 10m."""
    limits = f"from {spelled(least)} to {spelled(most)}"

    def read(text: str) -> float:
        match = _DURATION.match(text)
        if not match:
            remedy = f"Give a number with its unit, such as 500ms, 5s or 10m; {limits}."
            raise BadValue(f"{shown(text)} is not a duration.", remedy)
        seconds = float(match[1]) * _UNITS[match[2]]
        if not least <= seconds <= most:
            raise BadValue(f"{shown(text)} is out of range.", f"Give {limits}.")
        return seconds

    return read


def spelled(seconds: float) -> str:
    """A duration as one would write it."""
    for unit in ("d", "h", "m", "s"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


def size(least: int, most: int) -> Callable[[str], int]:
    """A reader of sizes in octets: a whole number and its unit, such as 64MiB, 1GiB."""

    def read(text: str) -> int:
        match = _SIZE.match(text)
        if not match:
            raise BadValue(f"{shown(text)} is not a size.", "Give a whole number with its unit, such as 64MiB or 1GiB.")
        octets = int(match[1]) << _SHIFTS[match[2]]
        if not least <= octets <= most:
            remedy = f"Give from {least >> 20} MiB to {most >> 20} MiB, as 64MiB or 1GiB."
            raise BadValue(f"{shown(text)} is out of range.", remedy)
        return octets

    return read


def percent(text: str) -> float:
    """A share such as `50%` as a fraction, above nothing and up to all."""
    match = _PERCENT.match(text)
    if not match or not 0 < float(match[1]) <= 100:
        raise BadValue(f"{shown(text)} is not a percentage.", "Give a number above 0 and up to 100 with its sign: 50%.")
    return float(match[1]) / 100


_window: Final = duration(10, 86400)


def share(text: str) -> float:
    """A share that may also be nothing: `0%`."""
    return 0.0 if text.replace(" ", "") == "0%" else percent(text)


def adding(text: str) -> tuple[float, float]:
    """As `removal`."""
    try:
        return removal(text)
    except BadValue as bad:
        raise BadValue(bad.message.replace("a removal limit", "a limit of adding"), "Give 34% in 60s.") from None


def removal(text: str) -> tuple[float, float]:
    """A velocity such as `34% in 10m`: a share and the window in seconds."""
    share, separator, window = text.partition(" in ")
    if not separator:
        raise BadValue(f"{shown(text)} is not a removal limit.", "Give a share and a time: 34% in 10m.")
    return percent(share.strip()), _window(window.strip())


def rotation(text: str) -> float:
    """A period such as `2m`, or `off`, which is 0."""
    return 0.0 if text == "off" else duration(2, 86400)(text)


def choice(what: str, options: tuple[C, ...], remedy: str = "") -> Callable[[str], C]:
    """A reader of one word out of `options`; `remedy` where it says more than these."""
    give = remedy or f"Give {' or '.join(options)}."

    def read(text: str) -> C:
        for option in options:
            if text == option:
                return option
        raise BadValue(f"{shown(text)} is not {what}.", suggestion(text, options, give))

    return read


def identifier(text: str) -> str:
    """The name of a load balancer, an AZ or a pool."""
    if not _IDENTIFIER.match(text):
        remedy = "Use 1 to 63 letters, digits, dots, hyphens and underscores, a letter or digit first."
        raise BadValue(f"{shown(text)} is not a name for this.", remedy)
    return text


def owner_name(text: str) -> str:
    """A DNS name: absolute, lower case, no trailing dot."""
    if len(text) > _NAME_TEXT_MAX:
        raise BadValue(f"{shown(text)} is too long for a name.", "A name has at most 255 octets.")
    try:
        return parse_name(text)
    except ValueError as error:
        what, _, remedy = str(error).partition("; ")
        remedy = remedy or "use letters, digits and hyphens between single dots, such as www.example.com"
        raise BadValue(f"{what[0].upper()}{what[1:]}.", f"{remedy[0].upper()}{remedy[1:]}.") from None


def zone_name(text: str) -> str:
    """A zone's apex: a name without wildcard."""
    name = owner_name(text)
    if name.startswith(("*", "_standfast")):
        raise BadValue(f"{shown(text)} cannot be a zone.", "Give the apex, such as lb.example.com.")
    return name


def address(text: str) -> str:
    """An address of a load balancer in canonical text. Loopback is allowed, for trying things out."""
    if "%" in text:
        raise BadValue(f"{shown(text)} has a scope.", "Give an address that others can reach.")
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        if re.search(r"[g-z]", text.lower()) and "." in text:
            remedy = "Give its addresses: a plain DNS server cannot follow another name here."
            raise BadValue(f"{shown(text)} is a name, not an address.", remedy) from None
        remedy = "Give IPv4 such as 192.0.2.11 or IPv6 such as 2001:db8::11, without port and prefix length."
        raise BadValue(f"{shown(text)} is not an address.", remedy) from None
    if found.is_loopback:
        return str(found)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        raise BadValue(f"{shown(text)} is IPv4 in disguise.", f"Give {found.ipv4_mapped}.")
    kinds = {
        "the unspecified address": found.is_unspecified,
        "a multicast address": found.is_multicast,
        "a link-local address": found.is_link_local,
        "a reserved address": found.is_reserved,
    }
    for kind, applies in kinds.items():
        if applies:
            raise BadValue(f"{shown(text)} is {kind}.", "Give an address that a client can connect to.")
    return str(found)


def network(text: str) -> str:
    """A network that may be published, in canonical text; an address alone is the network of that address."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        remedy = "Give networks such as 192.0.2.0/24 or 2001:db8::/32."
        raise BadValue(f"{shown(text)} is not a network.", remedy) from None
    raise BadValue(f"{shown(text)} has bits beyond its prefix length.", f"Did you mean {meant}?")


def path(text: str) -> str:
    """A path, relative to the configuration or absolute."""
    if "\0" in text or not text.strip():
        raise BadValue(f"{shown(text)} is not a path.", "Give a path, relative to this file or absolute.")
    return text


def server(default_port: int) -> Callable[[str], tuple[str, int]]:
    """A reader of `host`, `host:port`, `address:port` or `[IPv6]:port` as host and port."""

    def read(text: str) -> tuple[str, int]:
        host, tail = text, ""
        if text.startswith("["):
            host, bracket, tail = text[1:].partition("]")
            if not bracket or (tail and not tail.startswith(":")) or ":" not in host:
                raise BadValue(f"{shown(text)} is not a server.", "Write IPv6 with a port as [2001:db8::1]:53.")
            tail = tail[1:] if tail else ""
        elif text.count(":") == 1:
            host, _, tail = text.partition(":")
            if not tail:
                raise BadValue(f"{shown(text)} ends before the port.", f"Write {host[:60]}:53.")
        return _host(host), port(tail) if tail else default_port

    return read


def _host(text: str) -> str:
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise BadValue(f"{shown(text)} is not an address.", "Give a host name or an address.") from None
    name = owner_name(text)
    if name.startswith("*"):
        raise BadValue(f"{shown(text)} is not a host.", "Give a host name or an address.")
    return name


def host_header(text: str) -> str:
    """The name asked for in a health check."""
    return _host(text)


def url_path(text: str) -> str:
    """The path asked for in a health check."""
    if not re.fullmatch(r"/[!-~]{0,1023}", text):
        raise BadValue(f"{shown(text)} is not a path.", "Begin with / and use no spaces: /healthz.")
    return text


def url(text: str) -> str:
    """An HTTP or HTTPS URL without user and password."""
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= 2048 and text.isprintable()
        fine = fine and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise BadValue(f"{shown(text)} is not a URL.", "Give https://HOST/PATH.")
    if parts.username or parts.password:
        # The text itself is not repeated: it has a secret in it.
        raise BadValue("This URL has a user or password in it.", "Send them as a header, from env: or file:.")
    return text


def hosted_zone(text: str) -> str:
    """The id of a hosted zone."""
    if not (found := _HOSTED_ZONE.match(text)):
        raise BadValue(f"{shown(text)} is not a hosted zone's id.", "Give it as AWS does: Z0123456789ABC.")
    return found[1]
