"""Transaction signatures: who sent a request, and proof that the answer is ours (RFC 8945).

Secrets stay inside dnspython's Key objects. Those print their secret in repr(), so a key is never formatted here, and
never logged.
"""

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

from standfast.adapters.nameserver.update import FORMERR, NOTAUTH
from standfast.adapters.nameserver.wire import Message
from standfast.adapters.nameserver.zone import NOERROR
from standfast.errors import StandfastError

BADSIG: Final = 16
BADKEY: Final = 17
BADTIME: Final = 18
FUDGE: Final = 300
"""Seconds by which clocks may differ (RFC 8945 §10)."""

Keyring: TypeAlias = Mapping[str, bytes] | Mapping[dns.name.Name, bytes | dns.tsig.Key]
"""Key name to secret; bare bytes mean hmac-sha256."""

_KEY_FILE_LIMIT: Final = 65536
_KEY = re.compile(r'key\s+"?([^\s"{]+)"?\s*\{([^}]*)\}\s*;')
_FIELD = re.compile(r'(algorithm|secret)\s+"?([^\s";]+)"?\s*;')
_COMMENT = re.compile(r'("[^"\n]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)
"""Comments, or a quoted text, which is left alone: base64 may contain "//"."""


class KeyFileError(StandfastError):
    """A key file that cannot be used; the text names the file and the remedy, never the secret."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Puts a TSIG on answers to one request. `key` is None for errors that go unsigned (RFC 8945 §5.3.2)."""

    owner: dns.name.Name
    algorithm: dns.name.Name
    key: dns.tsig.Key | None = field(repr=False)
    request_mac: bytes
    original_id: int
    now: int
    error: int = NOERROR
    other: bytes = b""

    @property
    def size(self) -> int:
        """Bytes the TSIG adds to a message."""
        names = len(self.owner.to_wire() or b"") + len(self.algorithm.to_wire() or b"")
        return names + 26 + dns.tsig.mac_sizes[self.algorithm] + len(self.other) if self.key else names + 26

    def sign(self, wire: bytes, context: object = None, multi: bool = False) -> tuple[bytes, object]:
        """The message with its TSIG, and the context for the next message of a transfer (RFC 8945 §5.3.1)."""
        blank = TSIG(  # type: ignore[no-untyped-call]
            dns.rdataclass.ANY,
            dns.rdatatype.TSIG,
            self.algorithm,
            self.now,
            FUDGE,
            b"",
            self.original_id,
            self.error,
            self.other,
        )
        signed = blank
        if self.key is not None:
            signed, context = dns.tsig.sign(  # type: ignore[no-untyped-call]
                wire, self.key, blank, self.now, self.request_mac, context, multi
            )
        rdata = signed.to_wire() or b""
        owner = self.owner.to_wire() or b""
        (count,) = struct.unpack_from("!H", wire, 10)
        head = wire[:10] + struct.pack("!H", count + 1) + wire[12:]
        fixed = struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(rdata))
        return head + owner + fixed + rdata, context


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request's signature is worth. `signer` is None if there was none, or none to answer with."""

    rcode: int
    signer: Signer | None

    @property
    def trusted(self) -> bool:
        return self.rcode == NOERROR and self.signer is not None


class Authenticator:
    """Checks requests against a set of keys."""

    def __init__(self, keys: Keyring) -> None:
        self._keys: dict[dns.name.Name, dns.tsig.Key] = {}
        for given, secret in keys.items():
            name = dns.name.from_text(given) if isinstance(given, str) else given
            key = dns.tsig.Key(name, secret) if isinstance(secret, bytes) else secret
            self._keys[name] = key

    def verify(self, message: Message, now: int) -> Verdict:
        """Judge a request at time `now`, seconds since 1970 (RFC 8945 §5.2)."""
        record = message.tsig
        if record is None:
            return Verdict(NOERROR, None)
        try:
            owner, _ = dns.name.from_wire(message.wire, message.tsig_at)
            tsig = dns.rdata.from_wire(
                dns.rdataclass.ANY, dns.rdatatype.TSIG, message.wire, record.rdata_at, record.rdata_size
            )
        except (dns.exception.DNSException, ValueError, struct.error):
            return Verdict(FORMERR, None)
        if not isinstance(tsig, TSIG) or record.rdclass != dns.rdataclass.ANY or record.ttl != 0:
            return Verdict(FORMERR, None)
        key = self._keys.get(owner)
        if key is None or key.algorithm != tsig.algorithm:
            return Verdict(NOTAUTH, Signer(owner, tsig.algorithm, None, b"", tsig.original_id, now, BADKEY))
        full = dns.tsig.mac_sizes[key.algorithm]
        if len(tsig.mac) > full or (len(tsig.mac) < max(10, full // 2) and not tsig.error):
            return Verdict(FORMERR, None)  # §5.2.2.1
        return self._verify_mac(message, Signer(owner, key.algorithm, key, tsig.mac, tsig.original_id, now), tsig)

    @staticmethod
    def _verify_mac(message: Message, signer: Signer, tsig: TSIG) -> Verdict:
        try:
            dns.tsig.validate(  # type: ignore[no-untyped-call]
                message.wire, signer.key, signer.owner, tsig, signer.now, b"", message.tsig_at
            )
        except dns.tsig.BadTime:  # signed, and with the client's time: §5.2.3
            other = signer.now.to_bytes(6, "big")
            late = Signer(
                signer.owner,
                signer.algorithm,
                signer.key,
                tsig.mac,
                tsig.original_id,
                tsig.time_signed,
                BADTIME,
                other,
            )
            return Verdict(NOTAUTH, late)
        except dns.tsig.PeerError:  # a request that reports an error is none
            return Verdict(FORMERR, None)
        except (dns.exception.DNSException, ValueError, NotImplementedError):
            bad = Signer(signer.owner, signer.algorithm, None, b"", tsig.original_id, signer.now, BADSIG)
            return Verdict(NOTAUTH, bad)
        return Verdict(NOERROR, signer)


def read_key_file(path: Path) -> dict[dns.name.Name, dns.tsig.Key]:
    """The keys in a file as `tsig-keygen` writes it. Raises KeyFileError."""
    remedy = "write one with: tsig-keygen NAME"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_KEY_FILE_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise KeyFileError(f"{path}: cannot be read ({reason}); {remedy}") from None
    keys: dict[dns.name.Name, dns.tsig.Key] = {}
    for name, body in _KEY.findall(_COMMENT.sub(lambda found: found[1] or " ", text)):
        fields = dict(_FIELD.findall(body))
        try:
            owner = dns.name.from_text(name)
            algorithm = dns.name.from_text(fields["algorithm"])
            secret = base64.b64decode(fields["secret"], validate=True)
        except (KeyError, binascii.Error, dns.exception.DNSException):
            raise KeyFileError(f"{path}: key {name}: needs algorithm and a base64 secret; {remedy}") from None
        if algorithm not in dns.tsig.mac_sizes or algorithm == dns.tsig.GSS_TSIG:
            raise KeyFileError(f"{path}: key {name}: unknown algorithm {fields['algorithm']}; use hmac-sha256")
        keys[owner] = dns.tsig.Key(owner, secret, algorithm)
    if not keys:
        raise KeyFileError(f"{path}: holds no key; {remedy}")
    return keys
