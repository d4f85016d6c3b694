"""TSIG: signing requests and verifying replies with a shared secret (RFC 8945)."""

import hashlib
import hmac
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .wire import (
    CLASS_ANY,
    HEADER,
    Record,
    WireError,
    encode_name,
    read_header,
    read_name,
    read_records,
    skip_questions,
)

TYPE_TSIG: Final = 250
FUDGE_S: Final = 300
"""How far two clocks may differ, seconds (RFC 8945 §10)."""
BADSIG: Final = 16
BADKEY: Final = 17
BADTIME: Final = 18
UNSIGNED_MAX: Final = 99
"""Messages of a stream that may follow one another without a signature (RFC 8945 §5.3.1)."""
_DIGESTS: Final = {"hmac-sha256": "sha256", "hmac-sha384": "sha384", "hmac-sha512": "sha512"}
ALGORITHMS: Final = tuple(_DIGESTS)


class TsigError(ValueError):
    """A message is not signed as it should be: its contents are nobody's word."""


@dataclass(frozen=True)
class TsigKey:
    """A key's name (as `parse_name` gives it), algorithm (one of ALGORITHMS) and secret octets, which are not shown."""

    name: str
    algorithm: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.algorithm not in _DIGESTS:
            raise ValueError(f"algorithm {self.algorithm!r} of key {self.name} is not one of {', '.join(ALGORITHMS)}")
        if not self.secret:
            raise ValueError(f"key {self.name} has an empty secret")

    @property
    def octets(self) -> int:
        """How much longer signing makes a message."""
        names = len(encode_name(self.name)) + len(encode_name(self.algorithm))
        return names + 26 + hashlib.new(_DIGESTS[self.algorithm]).digest_size

    def mac(self, octets: bytes) -> bytes:
        """The keyed digest."""
        return hmac.digest(self.secret, octets, _DIGESTS[self.algorithm])


@dataclass(frozen=True)
class Tsig:
    """A TSIG record as it was found at the end of a message; `start` is where it began."""

    start: int
    key: bytes
    algorithm: bytes
    time: int
    fudge: int
    mac: bytes
    original_id: int
    error: int
    other: bytes


def wall_clock() -> int:
    """Seconds since the epoch: what TSIG compares."""
    return int(time.time())


def sign(message: bytes, key: TsigKey, now: int, request_mac: bytes = b"") -> tuple[bytes, bytes]:
    """The message with its TSIG, and the MAC, which the reply's depends on.

    `request_mac` is empty for a request. Raises WireError if there is no header.
    """
    header = read_header(message)
    name, algorithm = encode_name(key.name), encode_name(key.algorithm)
    timers = now.to_bytes(6, "big") + struct.pack("!H", FUDGE_S)
    variables = name + struct.pack("!HI", CLASS_ANY, 0) + algorithm + timers + bytes(4)
    mac = key.mac(_prefixed(request_mac) + message + variables)
    rdata = algorithm + timers + _prefixed(mac) + struct.pack("!HHH", header.id, 0, 0)
    record = name + struct.pack("!HHIH", TYPE_TSIG, CLASS_ANY, 0, len(rdata)) + rdata
    return _counted(message, header.counts[3] + 1) + record, mac


def _prefixed(mac: bytes) -> bytes:
    return len(mac).to_bytes(2, "big") + mac if mac else b""


def _counted(message: bytes, additional: int) -> bytes:
    return message[: HEADER.size - 2] + additional.to_bytes(2, "big") + message[HEADER.size :]


def find_tsig(message: bytes) -> Tsig | None:
    """The TSIG at the end of a message, if there is one. Raises WireError, also if it is not the last record."""
    counts = read_header(message).counts
    at = skip_questions(message, counts[0])
    before, record = at, None
    for record in read_records(message, at, sum(counts[1:])):
        if record.rtype == TYPE_TSIG:
            break
        before = record.end
    if record is None or record.rtype != TYPE_TSIG:
        return None
    if record.end != len(message) or not counts[3]:
        raise WireError("a TSIG is not the last record")
    return _read_tsig(message, record, before)


def _read_tsig(message: bytes, record: Record, start: int) -> Tsig:
    algorithm, at = read_name(message, record.start)
    rest = message[at : record.end]
    if len(rest) < 10:
        raise WireError("a TSIG is cut off")
    fudge, size = struct.unpack_from("!HH", rest, 6)
    if len(rest) < 16 + size:
        raise WireError("a TSIG is cut off")
    original_id, error, other = struct.unpack_from("!HHH", rest, 10 + size)
    if record.rclass != CLASS_ANY or record.ttl != 0 or len(rest) != 16 + size + other:
        raise WireError("a TSIG is malformed")
    mac = rest[10 : 10 + size]
    signed_at = int.from_bytes(rest[:6], "big")
    return Tsig(start, record.owner, algorithm, signed_at, fudge, mac, original_id, error, rest[16 + size :])


def verify(message: bytes, key: TsigKey, request_mac: bytes, clock: Callable[[], int] = wall_clock) -> Tsig:
    """The TSIG of a reply, verified; `request_mac` is empty for a request.

    Raises TsigError if it is missing, says that the server could not verify ours (its `error` is in the text), or
    does not verify; WireError if it is malformed.
    """
    stream = Verifier(key, request_mac, clock)
    tsig = stream.take(message)
    if tsig is None:
        raise TsigError("it is not signed")
    return tsig


class Verifier:
    """Verifies the messages of one answer, in order: the first is signed, later ones may leave gaps (§5.3.1)."""

    def __init__(self, key: TsigKey, request_mac: bytes, clock: Callable[[], int] = wall_clock) -> None:
        self._key = key
        self._mac = request_mac
        self._clock = clock
        self._first = True
        self._pending = bytearray()
        self.unsigned = 0

    def take(self, message: bytes) -> Tsig | None:
        """Its TSIG if it has one; `unsigned` then is 0, and all messages before are verified with it.

        Raises TsigError and WireError.
        """
        tsig = find_tsig(message)
        if tsig is None:
            self.unsigned += 1
            if self._first or self.unsigned > UNSIGNED_MAX:
                raise TsigError("it is not signed")
            self._pending += message
            return None
        if (tsig.key, tsig.algorithm) != (encode_name(self._key.name), encode_name(self._key.algorithm)):
            raise TsigError("it is signed with another key")
        if tsig.error in (BADSIG, BADKEY):
            raise TsigError(f"it is not signed, as its error {tsig.error} forbids")
        bare = _counted(message[: tsig.start], read_header(message).counts[3] - 1)
        bare = tsig.original_id.to_bytes(2, "big") + bare[2:]
        timers = tsig.time.to_bytes(6, "big") + struct.pack("!H", tsig.fudge)
        variables = timers
        if self._first:
            error = struct.pack("!HH", tsig.error, len(tsig.other)) + tsig.other
            variables = tsig.key + struct.pack("!HI", CLASS_ANY, 0) + tsig.algorithm + timers + error
        expected = self._key.mac(_prefixed(self._mac) + self._pending + bare + variables)
        if not hmac.compare_digest(expected, tsig.mac):
            raise TsigError("its signature is wrong")
        if tsig.error != BADTIME and abs(self._clock() - tsig.time) > tsig.fudge:
            raise TsigError(f"it was signed {abs(self._clock() - tsig.time)} s away from this machine's clock")
        self._mac, self._first, self.unsigned = tsig.mac, False, 0
        self._pending.clear()
        return tsig
