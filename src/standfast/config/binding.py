"""From the document to `Config`: every section is read, whatever the others say, so that all problems show at once."""

import ipaddress
from pathlib import Path
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import BYTES_MAX, Findings, Mark, Node, Sequence, join, parse, shown
from standfast.config.endpoints import bind_endpoints, note_ttl
from standfast.config.files import Unreadable, read_text, shown_path
from standfast.config.fleet import FleetDraft
from standfast.config.health import bind_health, bind_vantage
from standfast.config.hosted import HOST, bind_hosted, refuse_hosted
from standfast.config.places import ZoneNames
from standfast.config.plugged import bind_plugged, provider_reader, refuse_plugged
from standfast.config.registry import bind_registry
from standfast.config.retention import bind_retention
from standfast.config.rolekeys import RoleKeys, bind_keys
from standfast.config.scalars import BadValue
from standfast.config.schema import (
    AZ_LOSS,
    ON_PANIC,
    PROVIDERS,
    Config,
    PolicyConfig,
    ZoneConfig,
)
from standfast.config.secondaries import bind_secondaries
from standfast.config.section import Section
from standfast.config.signals import bind_signals
from standfast.config.source_kinds import SourceConfig
from standfast.config.sources import bind_sources
from standfast.config.stores import bind_store
from standfast.config.web import bind_web
from standfast.errors import ConfigError, Problem
from standfast.model.fleet import alias_of
from standfast.model.name import parse_stream

ANSWERS_MAX: Final = 100
_EMBEDDED_PORT: Final = 5300
_answers: Final = scalars.whole("a number of answers", 1, ANSWERS_MAX)
_PROVIDERS: Final = "rfc2136 (BIND, Knot, PowerDNS), route53 or embedded."
_provider: Final = provider_reader(PROVIDERS, f"Give {_PROVIDERS}")


def load(path: Path | str) -> Config:
    """The configuration in the file. Raises ConfigError with every problem there is."""
    name = shown_path(Path(path))
    try:
        text = read_text(Path(path), BYTES_MAX).text
    except Unreadable as error:
        problem = Problem(name, 0, 0, "", f"The file {error.why}.", "Start from examples/bind.yaml.")
        raise ConfigError((problem,)) from None
    config, problems, _ = check(text, str(path))
    if config is None:
        raise ConfigError(problems)
    return config


def check(text: str, file: str) -> tuple[Config | None, tuple[Problem, ...], tuple[Problem, ...]]:
    """The configuration in `text`, every problem and every note; no configuration if there is a problem.

    `file` names the text in problems, and relative paths start at its directory. Never raises for what the
    text says. Reads the secrets and the fleet file that the text names.
    """
    findings = Findings(shown_path(Path(file)))
    root = parse(text, findings)
    config = _bind(findings, root, file) if root is not None else None
    problems, notes = findings.in_order()
    return (None if problems else config), problems, notes


def _bind(findings: Findings, node: Node, file: str) -> Config | None:
    root = Section.of(findings, node, "", keys.ROOT)
    if root is None:
        return None
    base = Path(file).absolute().parent
    stream = root.read("stream", _stream, "main")
    state_dir = base / root.read("state", scalars.path, "standfast.state")
    store = bind_store(root, base, state_dir, stream)
    zones, names = _zones(root, base, _prefixes(root))
    health = bind_health(root, base)
    policy = _policy(root)
    fleet, sources = bind_sources(root, base)
    asked = any(source.kind != "declared" for source in sources)
    endpoints = bind_endpoints(root, names, policy, fleet, from_file=asked)
    _judge_prefixes(root, fleet, zones, sources)
    azs = {one.az for one in fleet.load_balancers} if fleet.azs_known else None
    vantage = bind_vantage(root, azs, checked=health is not None or root.get("health") is None)
    hosted = frozenset(zone.name for zone in zones if zone.hosted is not None)
    retention = bind_retention(root, endpoints, hosted)
    signals = bind_signals(root, base)
    web, registry = bind_web(root, base), bind_registry(root, base)
    if findings.problems:
        return None
    return Config(
        file=file,
        stream=stream,
        state_dir=state_dir,
        store=store,
        zones=zones,
        health=health,
        sources=sources,
        endpoints=tuple(sorted(endpoints, key=lambda one: (one.zone, one.name))),
        policy=policy,
        retention=retention,
        signals=signals,
        web=web,
        registry=registry,
        vantage=vantage,
    )


def _stream(text: str) -> str:
    try:
        return parse_stream(text)
    except ValueError:
        remedy = "Use 1 to 32 of a-z, 0-9 and hyphen, hyphens not first or last."
        raise BadValue(f"{shown(text)} is not a stream.", remedy) from None


def _prefixes(section: Section) -> tuple[str, ...] | None:
    """The networks that may be published; None if nothing is said."""
    found = section.read_list("prefixes", scalars.network)
    return None if found is None else tuple(sorted(text for text, _ in found))


def _judge_prefixes(
    root: Section, fleet: FleetDraft, zones: tuple[ZoneConfig, ...], sources: tuple[SourceConfig, ...]
) -> None:
    """Load balancers that no zone may publish; and that nothing holds back what sources say."""
    asked = any(source.kind != "declared" for source in sources)
    remote = any(source.kind not in ("declared", "file") for source in sources)
    if remote and not all(zone.prefixes for zone in zones):
        message = "Any address that a source gives may be published."
        root.note("load_balancers", message, "Name the networks that are yours: prefixes: [192.0.2.0/24].")
    if not zones or not all(zone.prefixes for zone in zones):
        return
    networks = [ipaddress.ip_network(text) for zone in zones for text in zone.prefixes]
    for one in fleet.load_balancers:
        for text in (*one.ipv4, *one.ipv6):
            if alias_of(text) is None and not any(ipaddress.ip_address(text) in network for network in networks):
                message = f"{text} of {one.id} is outside the prefixes of every zone: it is never published."
                report = root.note if asked else root.problem
                report("load_balancers", message, "Mend the address, or add its network to prefixes.")


def _zones(root: Section, base: Path, prefixes: tuple[str, ...] | None) -> tuple[tuple[ZoneConfig, ...], ZoneNames]:
    nodes: list[tuple[Node, str, Mark | None]] = []
    single, several = root.get("zone"), root.get("zones")
    if single is not None:
        nodes.append((single, "zone", None))
    if several is not None:
        if single is not None:
            root.problem("zones", "zone and zones are both here.", "Keep one: zones is a list of what zone says.")
        if isinstance(several, Sequence) and several.items:
            nodes += [(item, join("zones", f"[{index}]"), item.mark) for index, item in enumerate(several.items)]
        else:
            root.problem("zones", "A list of zones must stand here.", "Give `- name: …` for each, or use zone.")
    elif single is None:
        root.missing("zone", "Give zone: {name: …, provider: rfc2136, server: …, tsig: file:…}.")
    known = bool(nodes)
    zones: dict[str, ZoneConfig] = {}
    for node, path, mark in nodes:
        section = Section.of(root.findings, node, path, keys.ZONE, mark)
        zone = _zone(section, base, prefixes) if section else None
        if zone is None or section is None:
            known = False
        elif zone.name in zones:
            section.problem("name", f"Zone {zone.name} is here twice.", "Keep one of the two.")
        else:
            zones[zone.name] = zone
    return tuple(zones[name] for name in sorted(zones)), ZoneNames(
        tuple(sorted(zones)),
        known,
        {name: zone.prefixes for name, zone in zones.items()},
        frozenset(name for name, zone in zones.items() if zone.hosted is not None),
    )


def _zone(section: Section, base: Path, prefixes: tuple[str, ...] | None) -> ZoneConfig | None:
    """The zone, even with problems in it; None if it has no usable name."""
    name = section.require("name", scalars.zone_name, "Give the zone's apex: name: lb.example.com.")
    provider = section.require("provider", _provider, f"Give provider: {_PROVIDERS}")
    embedded = provider == "embedded"
    reader = scalars.server(_EMBEDDED_PORT if embedded else 53)
    host, port = section.read("server", reader, ("127.0.0.1", _EMBEDDED_PORT))
    if provider == "rfc2136":
        if section.get("server") is None:
            section.missing("server", "Name the primary that takes updates: server: ns1.example.com.")
        if section.get("tsig") is None:
            section.missing("tsig", "Make a key with tsig-keygen and name its file: tsig: file:enactor.key.")
    hosted = bind_hosted(section, scalars.url) if provider == "route53" else None
    if hosted is not None:
        host, port = HOST, 443
    plugged = bind_plugged(section, provider) if provider is not None and provider not in PROVIDERS else None
    if plugged is not None:
        host, port = plugged.kind, 0
    elif provider is not None:
        refuse_plugged(section)
    if hosted is None and plugged is None:
        refuse_hosted(section)
    signing = bind_keys(section, base) if hosted is None and plugged is None else RoleKeys()
    first = next((place.key for _, places in signing.places for place in places if place.key), None)
    look = section.read("look", scalars.duration(0.2, 60), 5.0 if hosted or plugged else 1.0 if embedded else 2.0)
    others, own = bind_secondaries(section), _prefixes(section)
    may = (prefixes if own is None else own) or ()
    if name is None:
        return None
    return ZoneConfig(name, provider or "rfc2136", host, port, first, look, signing, others, may, hosted, plugged)


def _policy(root: Section) -> PolicyConfig:
    default = PolicyConfig()
    section = root.section("policy", keys.POLICY)
    if section is None:
        return default
    share, window = section.read("removal", scalars.removal, (default.removal_share, default.removal_window_s))
    adding = section.read("adding", scalars.adding, (default.adding_share, default.adding_window_s))
    policy = PolicyConfig(
        ttl=section.read("ttl", scalars.ttl, default.ttl),
        min_answers=section.read("min_answers", _answers, None),
        max_answers=section.read("max_answers", _answers, default.max_answers),
        hold_below=section.read("hold_below", scalars.percent, default.hold_below),
        removal_share=share,
        removal_window_s=window,
        on_panic=section.read("on_panic", scalars.choice("a way out of panic", ON_PANIC), default.on_panic),
        adding_share=adding[0],
        adding_window_s=adding[1],
        az_loss=section.read("az_loss", scalars.choice("a way to lose an AZ", AZ_LOSS), default.az_loss),
        reserve=section.read("reserve", scalars.share, default.reserve),
        rotation_s=section.read("rotation", scalars.rotation, default.rotation_s),
        coalesce_s=section.read("coalesce", scalars.duration(0, 3600), default.coalesce_s),
        slow_start_s=section.read("slow_start", scalars.duration(0, 3600), default.slow_start_s),
    )
    note_ttl(section, policy.ttl)
    if policy.min_answers is not None and policy.min_answers > policy.max_answers:
        message = f"min_answers {policy.min_answers} is above max_answers {policy.max_answers}."
        section.problem("min_answers", message, "Raise max_answers or lower min_answers.")
    return policy
