"""Where load balancers come from: `load_balancers:` as declared here, one source, or a list of them in their order.

Of what several sources have under one id, the first source's is taken.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from standfast.config import keys, scalars, secrets
from standfast.config.document import Findings, Mapping, Node, Scalar, Sequence, shown
from standfast.config.fleet import FleetDraft, Unknown, bind_load_balancers, load_fleet
from standfast.config.scalars import BadValue
from standfast.config.section import Section
from standfast.config.source_kinds import (
    KINDS,
    SCHEMES,
    TARGET_HEALTH,
    WHAT,
    AwsSource,
    DeclaredSource,
    FileSource,
    HttpSource,
    KubernetesSource,
    LeasesSource,
    LoadBalancerConfig,
    PluginSource,
    SourceConfig,
)
from standfast.errors import SecretError

_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_PRINTED: Final = re.compile(r"[ -~]{1,512}\Z")
_every: Final = scalars.duration(1, 60)
_timeout: Final = scalars.duration(0.1, 60)
SOURCES_MAX: Final = 16
_KEYS: Final = {
    "declared": keys.SOURCE_DECLARED,
    "file": keys.SOURCE_FILE,
    "http": keys.SOURCE_HTTP,
    "aws": keys.SOURCE_AWS,
    "kubernetes": keys.SOURCE_KUBERNETES,
    "leases": keys.SOURCE_LEASES,
}


def bind_sources(root: Section, base: Path) -> tuple[FleetDraft, tuple[SourceConfig, ...]]:
    """Every source, and what is known of their load balancers now: nothing for what has to be asked."""
    node = root.get("load_balancers")
    if node is None:
        remedy = "Give load_balancers: {lb-a1: {az: a, ip: [192.0.2.11]}} or {from: file, path: fleet.yaml}."
        root.missing("load_balancers", remedy)
        return FleetDraft(), ()
    if isinstance(node, Sequence):
        return _several(root, node, base)
    entries = root.children("load_balancers")
    if entries is None:
        return FleetDraft(), ()
    if any(key.text == "from" for key, _ in entries):
        draft, source = _one(root.findings, node, "load_balancers", base)
        return draft, (source,) if source else ()
    if not entries:
        root.problem("load_balancers", "There is no load balancer.", "Give at least one: lb-a1: {az: a, ip: […]}.")
        return FleetDraft(), ()
    draft = bind_load_balancers(root.findings, entries, "load_balancers")
    return draft, (DeclaredSource("declared", _in_order(draft)),)


def _in_order(draft: FleetDraft) -> tuple[LoadBalancerConfig, ...]:
    return tuple(sorted(draft.load_balancers, key=lambda one: one.id))


def _several(root: Section, node: Sequence, base: Path) -> tuple[FleetDraft, tuple[SourceConfig, ...]]:
    if not node.items or len(node.items) > SOURCES_MAX:
        message = "This list of sources is empty." if not node.items else f"These are {len(node.items)} sources."
        root.problem("load_balancers", message, f"Give 1 to {SOURCES_MAX}: - {{from: file, path: fleet.yaml}}.")
    drafts: list[FleetDraft] = []
    found: dict[str, SourceConfig] = {}
    for index, item in enumerate(node.items[:SOURCES_MAX]):
        path = f"load_balancers[{index}]"
        draft, source = _one(root.findings, item, path, base)
        drafts.append(draft)
        if source is None:
            continue
        if source.name in found:
            message = f"Two sources are called {source.name}."
            root.findings.problem(item.mark, path, message, "Give each a name of its own: name: edge.")
        found.setdefault(source.name, source)
    return _merged(drafts), tuple(found.values())


def _merged(drafts: list[FleetDraft]) -> FleetDraft:
    by_id = {one.id: one for draft in reversed(drafts) for one in draft.load_balancers}
    return FleetDraft(
        tuple(by_id.values()),
        all(one.azs_known for one in drafts),
        all(one.pools_known for one in drafts),
        all(one.addresses_known for one in drafts),
    )


def _one(findings: Findings, node: Node, path: str, base: Path) -> tuple[FleetDraft, SourceConfig | None]:
    """One source, even with problems in it; None if it can't be told what it is."""
    kind = _kind_of(findings, node, path)
    if kind is None:
        return FleetDraft(), None
    section = Section.of(findings, node, path, _KEYS.get(kind, keys.SOURCE_PLUGIN))
    if section is None:
        return FleetDraft(), None
    name = section.read("name", scalars.identifier, kind)
    match kind:
        case "declared":
            return _declared(section, name)
        case "file":
            return _file(section, name, base)
        case "http":
            return FleetDraft(), _http(section, name, base)
        case "aws":
            return FleetDraft(), _aws(section, name)
        case "kubernetes":
            return FleetDraft(), _kubernetes(section, name, base)
        case "leases":
            return FleetDraft(), _leases(section, name)
    return FleetDraft(), _plugin(section, name, kind)


def _kind_of(findings: Findings, node: Node, path: str) -> str | None:
    if not isinstance(node, Mapping):
        remedy = f"Give {{from: file, path: fleet.yaml}}; kinds are {', '.join(KINDS)} and plug-ins."
        findings.problem(node.mark, path, "A source must stand here.", remedy)
        return None
    value = next((value for key, value in node.entries if key.text == "from"), None)
    if not isinstance(value, Scalar) or not _KIND.match(value.text):
        mark = value.mark if value is not None else node.mark
        message = "It is not said where this comes from." if value is None else "This is not a kind of source."
        findings.problem(mark, f"{path}.from", message, f"Give from: with one of {', '.join(KINDS)}, or a plug-in.")
        return None
    return value.text


def _declared(section: Section, name: str) -> tuple[FleetDraft, SourceConfig | None]:
    entries = section.children("load_balancers")
    if not entries:
        section.missing("load_balancers", "Give at least one: load_balancers: {lb-a1: {az: a, ip: […]}}.")
        return FleetDraft(), None
    draft = bind_load_balancers(section.findings, entries, section.below("load_balancers"))
    return draft, DeclaredSource(name, _in_order(draft))


def _file(section: Section, name: str, base: Path) -> tuple[FleetDraft, SourceConfig | None]:
    text = section.require("path", scalars.path, "Name the file: path: fleet.yaml.")
    if text is None:
        return FleetDraft(), None
    source = FileSource(name, base / text)
    reading = load_fleet(source.path)
    if isinstance(reading, Unknown):
        message = f"The load balancers are unknown for now: {reading.reason}"
        section.note("path", message, "Nothing is planned until the file is whole.")
        return FleetDraft(), source
    return FleetDraft(reading.known, azs_known=True, pools_known=True, addresses_known=True), source


def _http(section: Section, name: str, base: Path) -> SourceConfig | None:
    url = section.require("url", scalars.url, "Say where: url: https://inventory.example.com/load-balancers.json.")
    headers = []
    for key, node in section.children("headers") or ():
        if not _HEADER.match(key.text):
            section.findings.problem(key.mark, section.below("headers"), f"{shown(key.text)} is no header.", "")
            continue
        text = node.text if isinstance(node, Scalar) else ""
        headers.append((key.text, _secret(section, "headers", text, base)))
    if url is None:
        return None
    if url.startswith("http:") and headers and not _local(url):
        section.note("url", "The headers go over the network in clear text.", "Use https.")
    return HttpSource(
        name,
        url,
        tuple((key, value) for key, value in headers if value is not None),
        _ca(section, base),
        section.read("every", _every, 10.0),
        section.read("timeout", _timeout, 10.0),
    )


def _aws(section: Section, name: str) -> SourceConfig | None:
    region = section.require("region", scalars.identifier, "Say which: region: eu-west-1.")
    tags = []
    for key, node in section.children("tags") or ():
        if not isinstance(node, Scalar):
            section.findings.problem(node.mark, section.below("tags"), "A tag has one value.", "Write role: edge.")
        else:
            tags.append((key.text, node.text))
    if region is None:
        return None
    if not tags:
        message = "Without tags every load balancer of the region is meant."
        section.note("", message, "Tag those that serve these names: tags: {standfast: edge}.")
    return AwsSource(
        name,
        region,
        section.read("scheme", scalars.choice("a scheme", SCHEMES), "internet-facing"),
        tuple(sorted(tags)),
        section.read("target_health", scalars.choice("a use of target health", TARGET_HEALTH), "advise"),
        section.read("endpoint", scalars.url, None),
        section.read("every", _every, 30.0),
        section.read("timeout", _timeout, 10.0),
    )


def _kubernetes(section: Section, name: str, base: Path) -> SourceConfig | None:
    what = section.require("what", scalars.choice("something to read", WHAT), "Say what: what: services.")
    server = section.read("server", scalars.url, None)
    reference = section.read("token", str, None)
    token = _secret(section, "token", reference, base) if reference is not None else None
    if server is not None and reference is None:
        section.missing("token", "Give token: file:/etc/standfast/cluster.token. Inside the cluster leave both out.")
    if what is None:
        return None
    return KubernetesSource(
        name,
        what,
        server,
        token,
        _ca(section, base),
        section.read("namespace", scalars.identifier, None),
        section.read("selector", _printed("a label selector"), ""),
        section.read("az", scalars.identifier, None),
        section.read("every", _every, 10.0),
        section.read("timeout", _timeout, 10.0),
    )


def _leases(section: Section, name: str) -> SourceConfig:
    pools = section.read_list("pools", scalars.identifier) or []
    return LeasesSource(
        name,
        section.read("local_health", scalars.choice("a use of local health", TARGET_HEALTH), "advise"),
        tuple(sorted(text for text, _ in pools)),
        section.read("every", _every, 2.0),
    )


def _plugin(section: Section, name: str, kind: str) -> SourceConfig:
    options = []
    for key, node in section.children("options") or ():
        if isinstance(node, Scalar):
            options.append((key.text, node.text))
        else:
            section.findings.problem(node.mark, section.below("options"), "An option is one value.", "Write a text.")
    return PluginSource(name, kind, tuple(sorted(options)), section.read("every", _every, 10.0))


def _secret(section: Section, key: str, text: str, base: Path) -> secrets.SecretReference | None:
    reference = secrets.SecretReference(text, base)
    try:
        read = secrets.read_secret(text, base)
    except SecretError as error:
        section.problem(key, error.message, error.remedy)
        return None
    for sentence, remedy in read.notes:
        section.note(key, sentence, remedy)
    return reference


def _ca(section: Section, base: Path) -> Path | None:
    text = section.read("ca", scalars.path, None)
    if text is not None and not (base / text).is_file():
        section.problem("ca", f"{text[:200]} is not a file.", "Give the PEM file of the authority that signed it.")
    return base / text if text is not None else None


def _printed(what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not _PRINTED.match(text):
            raise BadValue(f"{shown(text)} is not {what}.", "Use printable ASCII, at most 512 characters.")
        return text

    return read


def _local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
