"""The agent's own file, `agent.yaml`: held to the same rules as the configuration, every problem at once."""

import ipaddress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from standfast.config import keys, scalars
from standfast.config.document import BYTES_MAX, Findings, parse, shown
from standfast.config.files import Unreadable, read_text, shown_path
from standfast.config.fleet import CAPACITY_MAX
from standfast.config.leasing import AgentConfig, LocalCheck
from standfast.config.scalars import BadValue
from standfast.config.schema import ADMIN_STATES, DEFAULT_POOL, HEALTH_KINDS, AdminState
from standfast.config.secrets import SecretReference, read_secret
from standfast.config.section import Section
from standfast.errors import ConfigError, Problem, SecretError

REGISTRIES_MAX: Final = 8
DEFAULT_ADMIN: Final[AdminState] = "up"
_timeout: Final = scalars.duration(0.2, 30)
_port: Final = scalars.whole("a port", 1, scalars.PORT_MAX)
_rows: Final = scalars.whole("a number of checks", 1, 100)


def load_agent(path: Path | str) -> AgentConfig:
    """The agent's configuration in that file. Raises ConfigError with every problem there is."""
    name = shown_path(Path(path))
    try:
        text = read_text(Path(path), BYTES_MAX).text
    except Unreadable as error:
        problem = Problem(name, 0, 0, "", f"The file {error.why}.", "Start from examples/agent/agent.yaml.")
        raise ConfigError((problem,)) from None
    findings = Findings(name)
    root = parse(text, findings)
    section = Section.of(findings, root, "", keys.AGENT) if root is not None else None
    config = _agent(section, str(path)) if section is not None else None
    problems, _ = findings.in_order()
    if problems or config is None:
        raise ConfigError(problems)
    return config


def _agent(section: Section, file: str) -> AgentConfig | None:
    base = Path(file).absolute().parent
    holder = section.require("id", scalars.identifier, "Say which load balancer this is: id: lb-a1.")
    az = section.require("az", scalars.identifier, "Say where it stands: az: a.")
    registries = _registries(section)
    secret = _secret(section, base)
    addresses = [text for text, _ in section.read_list("ip", scalars.address) or []]
    if section.get("ip") is None:
        section.missing("ip", "Give its addresses: ip: [192.0.2.11].")
    port = section.read("port", _port, None)
    ca, drain = section.read("ca", scalars.path, None), section.read("drain_file", scalars.path, None)
    if ca is not None and not (base / ca).is_file():
        section.problem("ca", f"{shown(ca)} is not a file.", "Give the PEM file of the authority that signed it.")
    check = _check(section, addresses, port)
    capacity = section.read("capacity", scalars.whole("a capacity", 1, CAPACITY_MAX), 100)
    admin = section.read("admin", scalars.choice("an admin state", ADMIN_STATES), DEFAULT_ADMIN)
    pool = section.read("pool", scalars.identifier, DEFAULT_POOL)
    timeout_s = section.read("timeout", _timeout, 5.0)
    if holder is None or az is None or secret is None or not registries:
        return None
    return AgentConfig(
        file,
        holder,
        registries,
        secret,
        az,
        pool,
        tuple(sorted({text for text in addresses if ":" not in text})),
        tuple(sorted({text for text in addresses if ":" in text})),
        capacity,
        admin,
        port,
        base / ca if ca is not None else None,
        base / drain if drain is not None else None,
        check,
        timeout_s,
    )


def _registries(section: Section) -> tuple[str, ...]:
    found = [text for text, _ in section.read_list("registries", _url) or []]
    clear = section.read("clear_text", scalars.choice("a yes or no", ("true", "false")), "false") == "true"
    if section.get("registries") is None:
        section.missing("registries", "Say where: registries: [https://registry-1.example.com:8054].")
    if len(found) > REGISTRIES_MAX:
        section.problem("registries", f"There are {len(found)} registries.", f"Give at most {REGISTRIES_MAX}.")
    for url in found:
        host = urlsplit(url).hostname or ""
        if url.startswith("http:") and not _loopback(host) and not clear:
            message = f"The key would go to {host} in clear text."
            section.problem("registries", message, "Use https, or say clear_text: true.")
    return tuple(dict.fromkeys(found))


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and text.isprintable()
        fine = fine and len(text) <= 2048 and parts.path in ("", "/") and not parts.query and not parts.fragment
    except ValueError:
        fine = False
    if not fine or parts.username or parts.password:
        raise BadValue("This is no URL of a registry.", "Give https://HOST:8054, without path, user or password.")
    return text.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(section: Section, base: Path) -> SecretReference | None:
    reference = section.require("key", str, "Name its key: key: file:/etc/standfast/agent.key.")
    if reference is None:
        return None
    try:
        read = read_secret(reference, base)
    except SecretError as error:
        section.problem("key", error.message, error.remedy.replace("tsig-keygen NAME", "standfast lease key ID"))
        return None
    for sentence, remedy in read.notes:
        section.note("key", sentence, remedy)
    return SecretReference(reference, base)


def _check(section: Section, addresses: list[str], port: int | None) -> LocalCheck | None:
    inner = section.section("check", keys.AGENT_CHECK)
    if inner is None:
        return None
    said = [kind for kind in HEALTH_KINDS if inner.get(kind) is not None]
    if len(said) != 1:
        inner.problem(
            "", "It has to be said how it is checked, in one way.", "Give tcp: true, http: PATH or https: PATH."
        )
        return None
    kind = said[0]
    path = inner.read(kind, str if kind == "tcp" else scalars.url_path, "/")
    own = inner.read("port", _port, port or {"tcp": None, "http": 80, "https": 443}[kind])
    if own is None:
        inner.missing("port", "Say which: port: 443.")
    return LocalCheck(
        kind,
        path,
        addresses[0] if addresses else "127.0.0.1",
        own or 0,
        inner.read("host", scalars.host_header, None),
        inner.read("interval", scalars.duration(0.1, 60), 2.0),
        inner.read("timeout", scalars.duration(0.1, 30), 2.0),
        inner.read("fall", _rows, 3),
        inner.read("rise", _rows, 2),
    )
