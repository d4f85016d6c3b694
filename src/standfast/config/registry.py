"""The section `registry`: where leases are granted, to whom, and for how long. Nobody gets one without a key."""

import ipaddress
from pathlib import Path
from typing import Final

from standfast.config import keys, scalars, web
from standfast.config.document import Mapping, Node, Scalar, shown
from standfast.config.leasing import PORT, LeaseKey, RegistryConfig
from standfast.config.scalars import BadValue
from standfast.config.secrets import read_secret
from standfast.config.section import Section
from standfast.errors import SecretError

KEYS_MAX: Final = 64
LEASES_MAX: Final = 1_000_000
CONNECTIONS_MAX: Final = 100_000
_term: Final = scalars.duration(5, 3600)
_within: Final = scalars.duration(0.2, 30)


def bind_registry(root: Section, base: Path) -> RegistryConfig | None:
    """The section; None if it is absent: then no registry runs."""
    section = root.section("registry", keys.REGISTRY)
    if section is None:
        return None
    default = RegistryConfig()
    host, port = section.read("listen", web.listening(PORT), (default.host, default.port))
    certificate, key = web.bind_tls(section, base, host, None)
    clear = section.read("clear_text", scalars.choice("a yes or no", ("true", "false")), "false") == "true"
    if not (clear or ipaddress.ip_address(host).is_loopback) and section.get("certificate") is None:
        message = f"{host} can be reached from other machines, and keys would travel in clear text."
        remedy = "Give certificate: and key:, or listen at 127.0.0.1 behind a proxy with TLS, or say clear_text: true."
        section.problem("listen", message, remedy)
    operator = web.bind_secret(section, base, "operator")
    found = _keys(section, base)
    return RegistryConfig(
        host,
        port,
        found,
        operator,
        section.read("term", _term, default.term_s),
        section.read("answer_within", _within, default.answer_within_s),
        section.read("limit", scalars.whole("a number of leases", 1, LEASES_MAX), default.limit),
        section.read("connections", scalars.whole("a number of connections", 16, CONNECTIONS_MAX), default.connections),
        certificate,
        key,
    )


def _keys(section: Section, base: Path) -> tuple[LeaseKey, ...]:
    entries = section.children("keys")
    if not entries:
        remedy = "Make one (openssl rand -hex 24 > agents.key) and name it: keys: {agents: file:agents.key}."
        section.missing("keys", remedy)
        return ()
    if len(entries) > KEYS_MAX:
        section.problem(
            "keys", f"There are {len(entries)} keys.", f"Give at most {KEYS_MAX}; `derived` serves any number."
        )
    found = [_key(section, base, name, node) for name, node in entries[:KEYS_MAX]]
    return tuple(one for one in found if one is not None)


def _key(section: Section, base: Path, name: Scalar, node: Node) -> LeaseKey | None:
    path = f"{section.below('keys')}.{name.text}"
    try:
        scalars.identifier(name.text)
    except BadValue as bad:
        section.findings.problem(name.mark, path, bad.message, bad.remedy)
        return None
    if isinstance(node, Scalar):
        secret = _secret(section, base, node, path)
        return LeaseKey(name.text, secret) if secret is not None else None
    inner = (
        Section.of(section.findings, node, path, keys.REGISTRY_KEY, name.mark) if isinstance(node, Mapping) else None
    )
    if inner is None:
        section.findings.problem(name.mark, path, "A key must stand here.", "Give env:NAME, file:PATH or {secret: …}.")
        return None
    secret = web.bind_secret(inner, base, "secret")
    if inner.get("secret") is None:
        inner.missing("secret", "Give secret: file:agents.key.")
    holders = inner.read_list("load_balancers", _pattern) or []
    derived = inner.read("derived", scalars.choice("a yes or no", ("true", "false")), "false") == "true"
    if secret is None:
        return None
    return LeaseKey(name.text, secret, tuple(text for text, _ in holders), derived)


def _secret(section: Section, base: Path, node: Scalar, path: str) -> str | None:
    try:
        secret = read_secret(node.text, base)
    except SecretError as error:
        section.findings.problem(node.mark, path, error.message, error.remedy.replace(*web.MADE))
        return None
    for sentence, remedy in secret.notes:
        section.findings.note(node.mark, path, sentence, remedy)
    if why := web.unfit(secret.text.strip()):
        section.findings.problem(node.mark, path, f"The key {why}", "Make one: openssl rand -hex 24")
        return None
    return secret.text.strip()


def _pattern(text: str) -> str:
    try:
        scalars.identifier(text.removesuffix("*") or "x")
    except BadValue:
        raise BadValue(
            f"{shown(text)} is no id of a load balancer.", "Write lb-a1, or lb-a* for all that begin so."
        ) from None
    return text
