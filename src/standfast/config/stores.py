"""Where plans are kept: `sqlite:PATH`, or a mapping that says `in:` what."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from standfast.config import keys, scalars, secrets
from standfast.config.document import Mapping, Scalar, shown
from standfast.config.scalars import BadValue
from standfast.config.section import Section
from standfast.config.store_kinds import (
    KINDS,
    TLS,
    PluginStoreConfig,
    PostgresqlStoreConfig,
    S3StoreConfig,
    SqliteStoreConfig,
    StoreConfig,
    Tls,
)
from standfast.errors import SecretError

_KEYS: Final = {"sqlite": keys.STORE_SQLITE, "s3": keys.STORE_S3, "postgresql": keys.STORE_POSTGRESQL}
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*\Z")
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]+(,[A-Za-z0-9_.:-]+)*\Z|/[!-~]*\Z")
_NAME: Final = re.compile(r"[!-~]{1,63}\Z")
_timeout: Final = scalars.duration(0.5, 60)
_REMEDY: Final = "Give sqlite:PATH, or {in: s3, bucket: …}; kinds are sqlite, s3, postgresql and plug-ins."


def bind_store(root: Section, base: Path, state_dir: Path, stream: str) -> StoreConfig:
    """The store; the default wherever there is a problem."""
    default = SqliteStoreConfig(state_dir / "store.sqlite")
    node = root.get("store")
    if not isinstance(node, Mapping):
        path = root.read("store", _sqlite, None)
        return SqliteStoreConfig(base / path) if path else default
    value = next((value for key, value in node.entries if key.text == "in"), None)
    if not isinstance(value, Scalar) or not _KIND.match(value.text):
        mark = value.mark if value is not None else root.at("store")
        message = "It is not said where the plans are kept." if value is None else "This is not a kind of store."
        root.findings.problem(mark, "store.in", message, f"Give in: with one of {', '.join(KINDS)}, or a plug-in.")
        return default
    section = root.section("store", _KEYS.get(value.text, keys.STORE_PLUGIN))
    if section is None:
        return default
    match value.text:
        case "sqlite":
            path = section.read("path", scalars.path, None)
            return SqliteStoreConfig(base / path) if path else default
        case "s3":
            return _s3(section, stream) or default
        case "postgresql":
            return _postgresql(section, base, stream) or default
    return _plugin(section, value.text)


def _sqlite(text: str) -> str:
    kind, _, path = text.partition(":")
    if kind != "sqlite" or not path:
        raise BadValue(f"{shown(text)} is not a store.", _REMEDY)
    return scalars.path(path)


def _s3(section: Section, stream: str) -> S3StoreConfig | None:
    bucket = section.require("bucket", _matching(_BUCKET, "a bucket's name"), "Name it: bucket: example-plans.")
    prefix = section.read("prefix", _prefix, f"standfast/{stream}")
    endpoint = section.read("endpoint", _endpoint, "")
    if endpoint.startswith("http:") and urlsplit(endpoint).hostname not in ("127.0.0.1", "::1", "localhost"):
        section.note("endpoint", "Plans go over the network in clear text.", "Use https.")
    region = section.read("region", scalars.identifier, "")
    look, timeout = section.read("look", scalars.duration(0.1, 60), 1.0), section.read("timeout", _timeout, 5.0)
    if bucket is None:
        return None
    return S3StoreConfig(bucket, prefix, region, endpoint, look, timeout)


def _postgresql(section: Section, base: Path, stream: str) -> PostgresqlStoreConfig | None:
    host = section.require("host", _host, "Name the server: host: db1.example.com, or a socket's directory.")
    name, local = _matching(_NAME, "a name"), host is not None and host.startswith("/")
    tls: Tls = section.read("tls", scalars.choice("a use of TLS", TLS), "disable" if local else "verify-full")
    reference = section.read("password", str, None)
    password = _secret(section, reference, base) if reference is not None else None
    ca, certificate, key = (_file(section, one, base) for one in ("ca", "certificate", "key"))
    if ("certificate" in section.given) != ("key" in section.given):
        section.problem("", "certificate and key belong together.", "Give both, or neither.")
    if not local and host is not None and tls in ("require", "disable"):
        message = "Nobody checks whose server answers." if tls == "require" else "Everything goes in clear text."
        section.note("tls", message, "Use tls: verify-full with ca: FILE.")
    config = PostgresqlStoreConfig(
        host=host or "",
        database=section.read("database", name, "standfast"),
        user=section.read("user", name, "standfast"),
        schema=section.read("schema", _matching(_SCHEMA, "a schema"), f"standfast_{stream.replace('-', '_')}"),
        port=section.read("port", scalars.port, 5432),
        password=password,
        tls=tls,
        ca=ca,
        certificate=certificate,
        key=key,
        look_s=section.read("look", scalars.duration(0.05, 60), 0.2),
        timeout_s=section.read("timeout", _timeout, 5.0),
    )
    return config if host is not None else None


def _plugin(section: Section, kind: str) -> PluginStoreConfig:
    options = []
    for key, node in section.children("options") or ():
        if isinstance(node, Scalar):
            options.append((key.text, node.text))
        else:
            section.findings.problem(node.mark, section.below("options"), "An option is one value.", "Write a text.")
    return PluginStoreConfig(kind, tuple(sorted(options)))


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.match(text):
            raise BadValue(f"{shown(text)} is not {what}.", "docs/stores.md has an example.")
        return text

    return read


def _prefix(text: str) -> str:
    trimmed = text.strip("/")
    if not _PREFIX.match(trimmed) or len(trimmed) > 512:
        raise BadValue(f"{shown(text)} is not a prefix.", "Use letters, digits and !_.*'()- between slashes.")
    return trimmed


def _host(text: str) -> str:
    if not _HOST.match(text) or len(text) > 1024:
        raise BadValue(f"{shown(text)} is not a host.", "Give a name, an address, or a socket's directory.")
    return text


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        fine = False
    if not fine or parts.username or parts.password or len(text) > 2048:
        raise BadValue("This is not the URL of a service.", "Give https://HOST[:PORT]; credentials stand elsewhere.")
    return text.rstrip("/")


def _secret(section: Section, reference: str, base: Path) -> secrets.SecretReference | None:
    try:
        read = secrets.read_secret(reference, base)
    except SecretError as error:
        section.problem("password", error.message, error.remedy)
        return None
    for sentence, remedy in read.notes:
        section.note("password", sentence, remedy)
    return secrets.SecretReference(reference, base)


def _file(section: Section, key: str, base: Path) -> Path | None:
    text = section.read(key, scalars.path, None)
    if text is not None and not (base / text).is_file():
        section.problem(key, f"{text[:200]} is not a file.", "Give a PEM file that this user can read.")
    return base / text if text is not None else None
