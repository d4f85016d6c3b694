"""Secrets come from `env:NAME` or `file:PATH`, and never show in a repr, a message or a log.

TSIG keys (RFC 8945) are understood in three forms: as `tsig-keygen` writes them for BIND, as `keymgr -t` writes
them for Knot, and `algorithm:name:base64` on one line.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from standfast.config.files import Unreadable, read_text, shown_path
from standfast.errors import SecretError
from standfast.model.name import parse_name

_SECRET_BYTES_MAX: Final = 64 * 1024
_DIGEST_BITS: Final = {
    "hmac-sha256": 256,
    "hmac-sha384": 384,
    "hmac-sha512": 512,
}
_UNSAFE: Final = ("hmac-md5", "hmac-sha1", "hmac-sha224")
ALGORITHMS: Final = tuple(_DIGEST_BITS)

# A quoted text first: base64 may well contain //.
_QUOTED_OR_COMMENT: Final = re.compile(r'("[^"\n]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)
_WORD: Final = r'(?:"([^"\n]*)"|([^\s"{};]+))'
_BIND_KEY: Final = re.compile(rf"\bkey\s+{_WORD}\s*\{{([^{{}}]*)\}}\s*;?")
_BIND_OPTION: Final = re.compile(rf"\b(algorithm|secret)\s+{_WORD}\s*;")
_KNOT_OPTION: Final = re.compile(rf"^\s*(?:-\s*)?(id|algorithm|secret)\s*:\s*{_WORD}\s*$", re.MULTILINE)
_FORMS: Final = "Give what tsig-keygen or keymgr -t prints, or algorithm:name:base64 on one line."


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is: `env:NAME` or `file:PATH`, relative to `base`. Read each time, so that it may be renewed."""

    reference: str
    base: Path

    def read(self) -> str:
        """The secret without blanks at its ends. Raises SecretError."""
        return read_secret(self.reference, self.base).text.strip()


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A TSIG key (RFC 8945): `name` absolute and lower case, `algorithm` such as `hmac-sha256`."""

    name: str
    algorithm: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadSecret:
    """The text of a secret, and what is wrong with the place it came from (sentence, remedy): open to every user."""

    text: str = field(repr=False)
    notes: tuple[tuple[str, str], ...] = ()


def read_secret(reference: str, base: Path) -> ReadSecret:
    """The text behind `env:NAME` or `file:PATH` (relative to `base`). Raises SecretError."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        value = os.environ.get(rest) if "=" not in rest and "\0" not in rest else None
        if value is None:
            message = f"The environment variable {rest[:80]!a} is not set."
            raise SecretError(message, "Export it, or use file:PATH.", absent=True)
        return ReadSecret(value)
    if kind == "file" and rest:
        return _read_file(base / rest)
    # The text itself is not repeated: it may be the secret.
    raise SecretError("This is not a reference to a secret.", "Write env:NAME or file:PATH; never the secret itself.")


def _read_file(path: Path) -> ReadSecret:
    name = shown_path(path)
    try:
        read = read_text(path, _SECRET_BYTES_MAX)
    except Unreadable as error:
        remedy = (
            "Create it with: (umask 077; tsig-keygen NAME > FILE); or mend the path, which is relative to this file."
            if error.missing
            else "Name a file with the key alone that the user who runs Standfast can read."
        )
        raise SecretError(f"{name} {error.why}.", remedy, absent=error.missing or error.denied) from None
    if read.mode & 0o006:
        sentence = f"{name} is open to every user of this machine (mode {read.mode:04o})."
        return ReadSecret(read.text, ((sentence, f"Close it: chmod o= {name}"),))
    return ReadSecret(read.text)


def tsig_key(text: str) -> TsigKey:
    """The one key in `text`, in any of the three forms. Raises SecretError, which never quotes `text`."""
    bare = _QUOTED_OR_COMMENT.sub(lambda match: match[1] or " ", text)
    if keys := _BIND_KEY.findall(bare):
        if len(keys) > 1:
            raise SecretError("There is more than one key.", "Keep each key in a file of its own.")
        quoted, plain, body = keys[0]
        options = {option: one or other for option, one, other in _BIND_OPTION.findall(body)}
        return _key(quoted or plain, options.get("algorithm", ""), options.get("secret", ""))
    fields = [(option, one or other) for option, one, other in _KNOT_OPTION.findall(re.sub(r"#[^\n]*", "", text))]
    if {option for option, _ in fields} == {"id", "algorithm", "secret"}:
        if len(fields) > 3:
            raise SecretError("There is more than one key.", "Keep each key in a file of its own.")
        found = dict(fields)
        return _key(found["id"], found["algorithm"], found["secret"])
    parts = text.strip().split(":")
    if len(parts) == 3:
        return _key(parts[1], parts[0], parts[2])
    raise SecretError("No TSIG key is in it.", _FORMS)


def _key(name: str, algorithm: str, secret: str) -> TsigKey:
    chosen = algorithm.strip().lower().removesuffix(".")
    if chosen not in _DIGEST_BITS:
        # What stands in the place of the algorithm may be the secret: only known words are repeated.
        what = next((known for known in _UNSAFE if chosen.startswith(known)), "The algorithm")
        raise SecretError(f"{what} is missing, unknown or unsafe.", "Use hmac-sha256: tsig-keygen NAME")
    try:
        owner = parse_name(name)
    except ValueError:
        raise SecretError("The key's name is not a domain name.", "Use letters, digits, hyphens and dots.") from None
    try:
        octets = base64.b64decode("".join(secret.split()), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"The secret of key {owner} is not base64.", "Copy it whole, up to the last =.") from None
    if not octets:
        raise SecretError(f"The secret of key {owner} is empty.", "Make a key: tsig-keygen NAME")
    return TsigKey(owner, chosen, octets)


def weakness(key: TsigKey) -> tuple[str, str] | None:
    """What is weak about a usable key, as sentence and remedy (RFC 8945 §5.2.2.1, §6)."""
    if len(key.secret) * 8 < _DIGEST_BITS[key.algorithm] // 2:
        return f"The secret of key {key.name} has only {len(key.secret)} bytes.", "Make a new one: tsig-keygen NAME"
    return None
