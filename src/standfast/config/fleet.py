"""Load balancers, in the configuration or in a fleet file of their own.

A fleet file is watched and may be read while somebody writes it. What a cut-off file says may still be good YAML
with fewer load balancers, or with another capacity; so its *last* key must be `count`, the number of load
balancers above it. Any beginning of such a file lacks the count or has another one (G6: unknown is not empty).
"""

import hashlib
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import BYTES_MAX, Findings, Mapping, Mark, Node, Scalar, parse, shown
from standfast.config.files import Unreadable, read_text, shown_path
from standfast.config.scalars import BadValue
from standfast.config.schema import ADMIN_STATES, DEFAULT_POOL
from standfast.config.section import Section
from standfast.config.source_kinds import LoadBalancerConfig
from standfast.errors import Problem
from standfast.model.fleet import alias_address

CAPACITY_MAX: Final = 1_000_000
_ADDRESSES_MAX: Final = 100
_capacity: Final = scalars.whole("a capacity", 1, CAPACITY_MAX)
_admin: Final = scalars.choice("an admin state", ADMIN_STATES)
_count: Final = scalars.whole("a count", 0, 1_000_000)


@dataclass(frozen=True, slots=True)
class FleetReading:
    """A fleet file read whole. `revision` names its contents."""

    known: tuple[LoadBalancerConfig, ...]
    revision: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fleet file that says nothing now: what was known before stays. `problems` has every reason."""

    reason: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetDraft:
    """Load balancers as far as they could be read, and which of their facts are all known."""

    load_balancers: tuple[LoadBalancerConfig, ...] = ()
    azs_known: bool = False
    pools_known: bool = False
    addresses_known: bool = False


def bind_load_balancers(findings: Findings, entries: tuple[tuple[Scalar, Node], ...], path: str) -> FleetDraft:
    """Every load balancer of a mapping; problems of each, and addresses that two of them have."""
    bound: list[LoadBalancerConfig] = []
    azs_known = pools_known = addresses_known = True
    owners: dict[str, tuple[str, int]] = {}
    for key, node in entries:
        section = Section.of(findings, node, f"{path}.{key.text}"[:120], keys.LOAD_BALANCER, key.mark)
        if section is None:
            azs_known = pools_known = addresses_known = False
            continue
        one, addresses = _load_balancer(section, key)
        azs_known &= one.az != ""
        pools_known &= one.pool != ""
        addresses_known &= addresses is not None
        for address, mark in addresses or ():
            other, line = owners.setdefault(address, (one.id, mark.line))
            if other != one.id:
                message = f"{address} also belongs to {other} (line {line})."
                section.findings.problem(mark, section.below("ip"), message, "Give it to one load balancer only.")
        bound.append(one)
    _note_loopback(findings, bound, entries, path)
    return FleetDraft(tuple(bound), azs_known, pools_known, addresses_known)


def _load_balancer(section: Section, key: Scalar) -> tuple[LoadBalancerConfig, list[tuple[str, Mark]] | None]:
    """One load balancer; AZ or pool are empty if they are wrong. The addresses are None unless all are right."""
    try:
        scalars.identifier(key.text)
    except BadValue as bad:
        section.problem("", bad.message, bad.remedy)
    az = section.require("az", scalars.identifier, "Say in which availability zone it stands: az: a.")
    before = len(section.findings.problems)
    alias = section.get("alias") is not None
    addresses = _alias(section) if alias else section.read_list("ip", scalars.address)
    if alias and section.get("ip") is not None:
        section.problem("ip", "It has a name (alias) and addresses (ip).", "Keep one of the two.")
    if addresses is None and not alias:
        section.missing("ip", "Give its addresses: ip: [192.0.2.11].")
    elif addresses is None:
        pass
    elif len(addresses) > _ADDRESSES_MAX:
        section.problem("ip", f"These are {len(addresses)} addresses.", f"Give at most {_ADDRESSES_MAX}.")
    whole = len(section.findings.problems) == before
    texts = [address for address, _ in addresses or ()]
    one = LoadBalancerConfig(
        id=key.text,
        az=az or "",
        pool=section.read("pool", scalars.identifier, DEFAULT_POOL if section.get("pool") is None else ""),
        ipv4=tuple(sorted(text for text in texts if ":" not in text)),
        ipv6=tuple(sorted(text for text in texts if ":" in text)),
        capacity=section.read("capacity", _capacity, 100),
        admin=section.read("admin", _admin, "up"),
        port=section.read("port", scalars.port, None),
    )
    return one, addresses if whole else None


def _alias(section: Section) -> list[tuple[str, Mark]] | None:
    """A load balancer that is only a name: what stands for its addresses, one a family."""
    inner = section.section("alias", keys.ALIAS)
    if inner is None:
        return None
    name = inner.require("name", scalars.owner_name, "Give its name: name: lb-1.eu-west-1.elb.amazonaws.com.")
    zone = inner.require("zone", scalars.hosted_zone, "Give its hosted zone's id, as AWS says: zone: Z32O12XQLNTSW2.")
    families = inner.read_list("families", scalars.choice("a family", ("ipv4", "ipv6")))
    if name is None or zone is None:
        return None
    some = [family for family, _ in families or [("ipv4", inner.mark)]]
    return [(alias_address(name, zone, six=family == "ipv6"), inner.at("name")) for family in dict.fromkeys(some)]


def _note_loopback(
    findings: Findings, bound: Many[LoadBalancerConfig], entries: tuple[tuple[Scalar, Node], ...], path: str
) -> None:
    local = [one.id for one in bound if any(_is_loopback(text) for text in (*one.ipv4, *one.ipv6))]
    if local:
        names = ", ".join(local[:3]) + (f" and {len(local) - 3} more" if len(local) > 3 else "")
        message = f"Loopback addresses: {names[:200]}. Only this machine can reach them."
        findings.note(entries[0][0].mark, path, message, "Right for a trial; else give public addresses.")


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


def load_fleet(path: Path | str) -> FleetReading | Unknown:
    """What the fleet file says now, or that it says nothing and why. Never raises."""
    name = shown_path(Path(path))
    findings = Findings(name)
    try:
        text = read_text(Path(path), BYTES_MAX).text
    except Unreadable as error:
        return Unknown(f"{name} {error.why}.")
    return read_fleet(text, findings)


def read_fleet(text: str, findings: Findings) -> FleetReading | Unknown:
    """What the text of a fleet file says."""
    root = parse(text, findings)
    draft = _fleet_of(findings, root) if root is not None else None
    problems, _ = findings.in_order()
    if draft is None or problems:
        return Unknown("\n".join(str(problem) for problem in problems), problems)
    in_order = tuple(sorted(draft.load_balancers, key=lambda one: one.id))
    return FleetReading(in_order, hashlib.sha256(text.encode()).hexdigest())


def _fleet_of(findings: Findings, root: Node) -> FleetDraft | None:
    section = Section.of(findings, root, "", keys.FLEET_FILE)
    if section is None or not isinstance(root, Mapping):
        return None
    entries = section.children("load_balancers")
    if section.get("load_balancers") is None:
        section.missing("load_balancers", "Give the mapping of load balancers, or {} if there are none.")
    draft = bind_load_balancers(findings, entries or (), "load_balancers")
    remedy = "End the file with `count: N`, N the number of load balancers; else a file cut off could pass for whole."
    count = section.require("count", _whole_count, remedy)
    if count is None:
        return draft
    if root.entries[-1][0].text != "count":
        section.problem("count", "count is not the last key.", remedy)
    if count != len(entries or ()):
        message = f"count says {count}, but {len(entries or ())} load balancers stand here."
        section.problem("count", message, "Complete the file, or mend the count.")
    return draft


def _whole_count(text: str) -> int:
    if text != "0" and text.startswith(("0", "+", "-")):
        raise BadValue(f"{shown(text)} is not a count.", "Write a plain number, such as 12.")
    return _count(text)
