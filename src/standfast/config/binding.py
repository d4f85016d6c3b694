"""From the document to `Config`: every section is read, whatever the others say, so that all problems show at once."""

from pathlib import Path
from typing import Final

from standfast.config import keys, scalars
from standfast.config.document import BYTES_MAX, Findings, Mark, Node, Sequence, join, parse, shown
from standfast.config.endpoints import bind_endpoints, note_ttl
from standfast.config.files import Unreadable, read_text, shown_path
from standfast.config.fleet import FleetDraft, Unknown, bind_load_balancers, load_fleet
from standfast.config.health import bind_health, bind_vantage
from standfast.config.places import ZoneNames
from standfast.config.rolekeys import bind_keys
from standfast.config.scalars import BadValue
from standfast.config.schema import (
    AZ_LOSS,
    ON_PANIC,
    PROVIDERS,
    Config,
    FleetSource,
    PolicyConfig,
    ProviderKind,
    RetentionConfig,
    StoreConfig,
    ZoneConfig,
)
from standfast.config.secondaries import bind_secondaries
from standfast.config.section import Section
from standfast.config.signals import bind_signals
from standfast.config.web import bind_web
from standfast.errors import ConfigError, Problem
from standfast.model.name import parse_stream

ANSWERS_MAX: Final = 100
_EMBEDDED_PORT: Final = 5300
_answers: Final = scalars.whole("a number of answers", 1, ANSWERS_MAX)
_provider: Final = scalars.choice("a provider", PROVIDERS)


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
    state_dir = base / root.read("state", _path_text, "standfast.state")
    store = root.read("store", _store_path, None)
    zones, names = _zones(root, base)
    health = bind_health(root, base)
    policy = _policy(root)
    fleet, source = _fleet(root, base)
    endpoints = bind_endpoints(root, names, policy, fleet, from_file=source is not None)
    azs = {one.az for one in fleet.load_balancers} if fleet.azs_known else None
    vantage = bind_vantage(root, azs, checked=health is not None or root.get("health") is None)
    retention = _retention(root)
    signals = bind_signals(root, base)
    web = bind_web(root, base)
    if findings.problems:
        return None
    return Config(
        file=file,
        stream=stream,
        state_dir=state_dir,
        store=StoreConfig("sqlite", base / store if store else state_dir / "store.sqlite"),
        zones=zones,
        health=health,
        load_balancers=() if source else tuple(sorted(fleet.load_balancers, key=lambda one: one.id)),
        fleet_source=source,
        endpoints=tuple(sorted(endpoints, key=lambda one: (one.zone, one.name))),
        policy=policy,
        retention=retention,
        signals=signals,
        web=web,
        vantage=vantage,
    )


def _stream(text: str) -> str:
    try:
        return parse_stream(text)
    except ValueError:
        remedy = "Use 1 to 32 of a-z, 0-9 and hyphen, hyphens not first or last."
        raise BadValue(f"{shown(text)} is not a stream.", remedy) from None


def _path_text(text: str) -> str:
    if "\0" in text or not text.strip():
        raise BadValue(f"{shown(text)} is not a path.", "Give a path, relative to this file or absolute.")
    return text


def _store_path(text: str) -> str:
    kind, _, path = text.partition(":")
    if kind != "sqlite" or not path:
        raise BadValue(f"{shown(text)} is not a store.", "Give sqlite:PATH, or leave it out: it then lies in `state`.")
    return _path_text(path)


def _zones(root: Section, base: Path) -> tuple[tuple[ZoneConfig, ...], ZoneNames]:
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
        zone = _zone(section, base) if section else None
        if zone is None or section is None:
            known = False
        elif zone.name in zones:
            section.problem("name", f"Zone {zone.name} is here twice.", "Keep one of the two.")
        else:
            zones[zone.name] = zone
    return tuple(zones[name] for name in sorted(zones)), ZoneNames(tuple(sorted(zones)), known)


def _zone(section: Section, base: Path) -> ZoneConfig | None:
    """The zone, even with problems in it; None if it has no usable name."""
    name = section.require("name", scalars.zone_name, "Give the zone's apex: name: lb.example.com.")
    provider: ProviderKind | None = section.require("provider", _provider, "Give provider: rfc2136 or embedded.")
    embedded = provider == "embedded"
    reader = scalars.server(_EMBEDDED_PORT if embedded else 53)
    host, port = section.read("server", reader, ("127.0.0.1", _EMBEDDED_PORT))
    if provider == "rfc2136":
        if section.get("server") is None:
            section.missing("server", "Name the primary that takes updates: server: ns1.example.com.")
        if section.get("tsig") is None:
            section.missing("tsig", "Make a key with tsig-keygen and name its file: tsig: file:enactor.key.")
    signing = bind_keys(section, base)
    first = next((place.key for _, places in signing.places for place in places if place.key), None)
    look = section.read("look", scalars.duration(0.2, 60), 1.0 if embedded else 2.0)
    others = bind_secondaries(section)
    if name is None:
        return None
    return ZoneConfig(name, provider or "rfc2136", host, port, first, look, signing, others)


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
    )
    note_ttl(section, policy.ttl)
    if policy.min_answers is not None and policy.min_answers > policy.max_answers:
        message = f"min_answers {policy.min_answers} is above max_answers {policy.max_answers}."
        section.problem("min_answers", message, "Raise max_answers or lower min_answers.")
    return policy


def _fleet(root: Section, base: Path) -> tuple[FleetDraft, FleetSource | None]:
    entries = root.children("load_balancers")
    if entries is None:
        if root.get("load_balancers") is None:
            remedy = "Give load_balancers: {lb-a1: {az: a, ip: [192.0.2.11]}} or {from: file, path: fleet.yaml}."
            root.missing("load_balancers", remedy)
        return FleetDraft(), None
    if any(key.text == "from" for key, _ in entries):
        return _fleet_file(root, base)
    if not entries:
        root.problem("load_balancers", "There is no load balancer.", "Give at least one: lb-a1: {az: a, ip: […]}.")
        return FleetDraft(), None
    return bind_load_balancers(root.findings, entries, "load_balancers"), None


def _fleet_file(root: Section, base: Path) -> tuple[FleetDraft, FleetSource | None]:
    section = root.section("load_balancers", keys.FLEET_SOURCE)
    if section is None:
        return FleetDraft(), None
    section.read("from", scalars.choice("a source of load balancers", ("file",)), None)
    text = section.require("path", _path_text, "Name the file: path: fleet.yaml.")
    if text is None:
        return FleetDraft(), None
    source = FleetSource(base / text)
    reading = load_fleet(source.path)
    if isinstance(reading, Unknown):
        message = f"The load balancers are unknown for now: {reading.reason}"
        section.note("path", message, "Nothing is planned until the file is whole.")
        return FleetDraft(), source
    return FleetDraft(reading.known, azs_known=True, pools_known=True, addresses_known=True), source


def _retention(root: Section) -> RetentionConfig:
    default = RetentionConfig()
    section = root.section("retention", keys.RETENTION)
    if section is None:
        return default
    return RetentionConfig(
        plans=section.read("plans", scalars.whole("a number of plans", 1, 1000), default.plans),
        days=section.read("days", scalars.whole("a number of days", 0, 3650), default.days),
    )
