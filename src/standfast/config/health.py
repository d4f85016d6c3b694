"""How load balancers are checked, and from where: the sections `health` and `vantage`."""

import re
import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import Scalar, shown
from standfast.config.files import Unreadable, read_text, shown_path
from standfast.config.scalars import BadValue
from standfast.config.schema import HEALTH_KINDS, HealthConfig, VantageConfig
from standfast.config.section import Section

CONCURRENT_MAX: Final = 4096
VANTAGES_MAX: Final = 15
_BODY_MAX: Final = 200
_CA_OCTETS_MAX: Final = 1 << 20
_checks: Final = scalars.whole("a number of checks", 1, 100)
_concurrent: Final = scalars.whole("a number of checks at once", 1, CONCURRENT_MAX)
_STATUS: Final = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?\Z")
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\Z")


def bind_health(root: Section, base: Path) -> HealthConfig | None:
    """The section `health`; None if nothing shall be checked, or there is a problem. Reads the file that `ca` names."""
    node = root.get("health")
    if isinstance(node, Scalar) and node.text == "none":
        message = "Nothing checks the load balancers: a dead one stays in the answer."
        root.note("health", message, "Give health: {http: /healthz} once they can be asked.")
        return None
    section = root.section("health", keys.HEALTH)
    if section is None:
        if node is None:
            root.missing("health", "Give health: {http: /healthz}, {https: …}, {tcp: PORT} or none.")
        return None
    kinds = [kind for kind in HEALTH_KINDS if section.get(kind) is not None]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "no kind of check"
        section.problem("", f"There is {found} here.", "Give exactly one of tcp: PORT, http: PATH, https: PATH.")
    kind = kinds[0] if kinds else "http"
    if kind == "tcp":
        path = None
        port = section.read("tcp", scalars.port, 1)
        for key in ("port", "host", "status", "body"):
            if section.get(key) is not None:
                remedy = "Leave it out: tcp: names the port." if key == "port" else "Leave it out, or check by http:."
                section.problem(key, f"{key} has no meaning beside tcp.", remedy)
    else:
        path = section.read(kind, scalars.url_path, "/")
        port = section.read("port", scalars.port, 443 if kind == "https" else 80)
    if kind != "https" and section.get("ca") is not None:
        section.problem("ca", f"ca has no meaning beside {kind}.", "Leave it out, or check by https:.")
    statuses = section.read_list("status", _status)
    health = HealthConfig(
        kind=kind,
        port=port,
        path=path,
        host=section.read("host", scalars.host_header, None),
        interval_s=section.read("interval", scalars.duration(0.1, 3600), 5.0),
        timeout_s=section.read("timeout", scalars.duration(0.05, 60), 2.0),
        fall=section.read("fall", _checks, 3),
        rise=section.read("rise", _checks, 6),
        warm_up_s=section.read("warm_up", scalars.duration(0, 3600), 60.0),
        damp_max_s=section.read("damp_max", scalars.duration(0, 86400), 900.0),
        concurrent=section.read("concurrent", _concurrent, 64),
        status=((200, 399),) if statuses is None else tuple(sorted(one for one, _ in statuses)),
        body=section.read("body", _body, None),
        ca=_authorities(section, base) if kind == "https" else None,
    )
    _note_times(section, health)
    return health


def _note_times(section: Section, health: HealthConfig) -> None:
    if health.timeout_s >= health.interval_s:
        message = f"A check may take {scalars.spelled(health.timeout_s)}, the whole interval or more."
        section.note("timeout", message, f"Keep it below {scalars.spelled(health.interval_s)}.")
    if health.damp_max_s == 0:
        message = "A load balancer that flaps comes back as quickly each time."
        section.note("damp_max", message, "Leave it out for at most 15m.")


def _status(text: str) -> tuple[int, int]:
    match = _STATUS.match(text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if low > high:
        raise BadValue(f"{shown(text)} is not a status.", "Give one such as 200, or some such as 200-299.")
    return low, high


def _body(text: str) -> str:
    if not 0 < len(text) <= _BODY_MAX:
        raise BadValue(f"This text has {len(text)} characters.", f"Give 1 to {_BODY_MAX} that the answer must contain.")
    return text


def _authorities(section: Section, base: Path) -> str | None:
    """The certificates in the file that `ca` names, as text."""
    name = section.read("ca", str, None)
    if name is None:
        return None
    path = base / name.removeprefix("file:")
    remedy = "Name a file of PEM certificates: ca: /etc/ssl/internal-ca.pem."
    try:
        text = read_text(path, _CA_OCTETS_MAX).text
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except Unreadable as error:
        section.problem("ca", f"{shown_path(path)} {error.why}.", remedy)
        return None
    except (ssl.SSLError, ValueError):
        section.problem("ca", f"{shown_path(path)} has no certificate that can be read.", remedy)
        return None
    return text


def bind_vantage(root: Section, azs: Collection[str] | None, *, checked: bool) -> tuple[VantageConfig, ...]:
    """The section `vantage`, by name; empty if each planner looks for itself.

    `azs` are those of the fleet, None while they are not known. `checked`: health is not `none`.
    """
    entries = root.children("vantage")
    if not entries:
        if entries is not None:
            root.problem("vantage", "There is no vantage point.", "Give ops1: {az: a} for each, or leave it out.")
        return ()
    if not checked:
        root.problem("vantage", "vantage has no meaning with health: none.", "Give health, or leave vantage out.")
    if len(entries) > VANTAGES_MAX:
        root.problem("vantage", f"These are {len(entries)} vantage points.", f"Give at most {VANTAGES_MAX}.")
    found: list[VantageConfig] = []
    for key, node in entries:
        section = Section.of(root.findings, node, f"vantage.{key.text}"[:120], keys.VANTAGE, key.mark)
        if section is None:
            continue
        if not _NAME.match(key.text):
            section.problem("", f"{shown(key.text)} is no name.", "Take 1 to 32 of a to z, 0 to 9 and hyphens.")
        az = section.read("az", scalars.identifier, "")
        if az and azs is not None and az not in azs:
            message = f"No load balancer stands in AZ {az}: this vantage point counts as outside of all of them."
            section.note("az", message, f"Right for an office; else give one of {', '.join(sorted(azs))[:80]}.")
        found.append(VantageConfig(key.text, az))
    _note_quorum(root, found)
    return tuple(sorted(found, key=lambda one: one.name))


def _note_quorum(root: Section, found: list[VantageConfig]) -> None:
    count = len(found)
    if count == 2:
        message = "With two vantage points both must agree: while one is silent nobody comes or goes."
        root.note("vantage", message, "Give three, of which one may fail.")
    elif count and count % 2 == 0:
        message = f"{count} vantage points bear no more failures than {count - 1}."
        root.note("vantage", message, "Take an odd number.")
