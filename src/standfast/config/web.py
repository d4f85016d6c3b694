"""The section `web`: where the page listens, and who may ask. Beyond loopback nobody may without a secret."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import shown
from standfast.config.scalars import BadValue
from standfast.config.schema import WebConfig
from standfast.config.secrets import read_secret
from standfast.config.section import Section
from standfast.errors import SecretError

PORT: Final = 8053
SECRET_MIN: Final = 12
"""Characters: what is tried over a network must not be guessed."""
_SECRET_MAX: Final = 1024
MADE: Final = ("tsig-keygen NAME", "openssl rand -hex 24")
"""How a secret is made that is no TSIG key."""


def bind_web(root: Section, base: Path) -> WebConfig | None:
    """The section; None if it is absent: then no page is served."""
    section = root.section("web", keys.WEB)
    if section is None:
        return None
    default = WebConfig()
    host, port = section.read("listen", listening(PORT), (default.host, default.port))
    password, token = (bind_secret(section, base, key) for key in ("password", "token"))
    certificate, key = bind_tls(section, base, host, "The password travels in clear text.")
    hosts = section.read_list("hosts", _host_name) or []
    local = ipaddress.ip_address(host).is_loopback
    if not local and section.get("password") is None and section.get("token") is None:
        message = f"{host} can be reached from other machines, and nobody is asked for a password."
        section.problem("listen", message, "Give password: env:NAME or file:PATH, or listen at 127.0.0.1.")
    return WebConfig(host, port, password, token, certificate, key, tuple(name for name, _ in hosts))


def bind_tls(section: Section, base: Path, host: str, clear: str | None) -> tuple[Path | None, Path | None]:
    """`certificate` and `key`: both or neither. Beyond loopback, a note with `clear` (if any) if there is none."""
    certificate, key = (_file(section, base, one) for one in ("certificate", "key"))
    if (certificate is None) != (key is None) and None in (section.get("certificate"), section.get("key")):
        there, missing = ("certificate", "key") if key is None else ("key", "certificate")
        section.problem(there, f"{there} is here without {missing}.", "Give both files, or neither.")
    if (
        clear
        and not ipaddress.ip_address(host).is_loopback
        and certificate is None
        and section.get("certificate") is None
    ):
        section.note("listen", clear, "Give certificate: and key:, or put a proxy with TLS in front.")
    return certificate, key


def listening(port: int) -> Callable[[str], tuple[str, int]]:
    """A reader of an address of this machine, with `port` if none is said."""

    def read(text: str) -> tuple[str, int]:
        host, given = scalars.server(port)(text)
        host = "127.0.0.1" if host == "localhost" else host
        try:
            return str(ipaddress.ip_address(host)), given
        except ValueError:
            remedy = f"Give an address of this machine: 127.0.0.1:{port}."
            raise BadValue(f"{shown(text)} is not an address to listen at.", remedy) from None

    return read


def _host_name(text: str) -> str:
    return scalars.server(PORT)(text)[0]


def bind_secret(section: Section, base: Path, key: str) -> str | None:
    """A secret of one line, as passwords and tokens are; None if it is absent or wrong."""
    reference = section.read(key, str, None)
    if reference is None:
        return None
    try:
        secret = read_secret(reference, base)
    except SecretError as error:
        section.problem(key, error.message, error.remedy.replace(*MADE))
        return None
    text = secret.text.strip()
    if why := unfit(text):
        section.problem(key, f"The {key} {why}", "Make one: openssl rand -hex 24")
        return None
    for sentence, remedy in secret.notes:
        section.note(key, sentence, remedy)
    return text


def unfit(text: str) -> str:
    """Why that text is no such secret, as the end of a sentence; empty if it is one."""
    fits = SECRET_MIN <= len(text) <= _SECRET_MAX and text.isprintable()
    return "" if fits else f"must be one line of {SECRET_MIN} to {_SECRET_MAX} characters."


def _file(section: Section, base: Path, key: str) -> Path | None:
    text = section.read(key, str, None)
    if text is None:
        return None
    path = base / text
    try:
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name"
        section.problem(key, f"{shown(text)} cannot be read: {why}.", "Name a PEM file, relative to this one.")
        return None
