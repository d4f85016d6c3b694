"""What a configuration means: defaults, digest, examples, and the schema that editors use."""

import json
from pathlib import Path
from typing import Any

import pytest

import standfast
from standfast.config import Config, EndpointConfig, HealthConfig, check, keys, load
from standfast.config.document import Findings, Mapping, Node, Scalar, Sequence, parse

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SCHEMA: dict[str, Any] = json.loads((Path(standfast.__file__).parent / "standfast.schema.json").read_text())

BASE = """\
zone: {name: LB.Example.Com., provider: rfc2136, server: ns1.example.com, tsig: env:STANDFAST_TSIG}
health: {https: /healthz, host: www.example.com}
load_balancers:
  lb-a1: {az: a, ip: [192.0.2.11, "2001:DB8:A::0011"]}
  lb-b1: {az: b, ip: 192.0.2.21}
endpoints:
  WWW: {}
  "*": {ttl: 30, min_answers: 1, azs: [b, a, b], families: ipv4, hold_below: 40 %, removal: 50% in 1h}
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDFAST_TSIG", "hmac-sha256:lb-enactor:" + "QUFB" * 11)


def _config(text: str, file: str = "/etc/standfast/standfast.yaml") -> Config:
    config, problems, _ = check(text, file)
    assert config is not None, "\n".join(map(str, problems))
    return config


def test_defaults() -> None:
    config = _config(BASE)
    assert (config.stream, config.state_dir) == ("main", Path("/etc/standfast/standfast.state"))
    assert config.store_file == Path("/etc/standfast/standfast.state/store.sqlite")
    zone = config.zones[0]
    assert (zone.name, zone.host, zone.port, zone.look_seconds) == ("lb.example.com", "ns1.example.com", 53, 2.0)
    assert config.health == HealthConfig("https", 443, "/healthz", "www.example.com", 5.0, 2.0, 3, 6, 60.0)
    first = config.load_balancers[0]
    assert (first.pool, first.capacity, first.admin, first.port) == ("default", 100, "up", None)
    assert (first.ipv4, first.ipv6) == (("192.0.2.11",), ("2001:db8:a::11",))
    zone_name = "lb.example.com"
    assert config.endpoints == (
        EndpointConfig("*.lb.example.com", zone_name, 30, 1, 8, ("a", "b"), (), ("ipv4",), 0.4, 0.5, 3600.0),
        EndpointConfig("www.lb.example.com", zone_name, 60, None, 8, (), (), (), 0.5, 0.34, 600.0),
    )
    assert (config.policy.on_panic, config.retention.plans, config.retention.days) == ("hold", 100, 30)


def test_the_policy_is_every_endpoints_default() -> None:
    policy = "policy: {ttl: 90, min_answers: 2, max_answers: 4, hold_below: 60%, removal: 20% in 5m, on_panic: all}\n"
    config = _config(
        policy + BASE.replace("families: ipv4", "families: [ipv4]").replace("WWW: {}", "www: {families: ipv4}")
    )
    www = config.endpoints[1]
    assert (www.ttl, www.min_answers, www.max_answers) == (90, 2, 4)
    assert (www.hold_below, www.removal_share, www.removal_window_s) == (0.6, 0.2, 300.0)
    assert config.endpoints[0].ttl == 30
    assert config.policy.on_panic == "all"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("ns1.example.com", "ns1.example.com", 53),
        ("NS1.example.com.:5353", "ns1.example.com", 5353),
        ("192.0.2.53", "192.0.2.53", 53),
        ("192.0.2.53:54", "192.0.2.53", 54),
        ("'[2001:db8::53]:54'", "2001:db8::53", 54),
        ("'[2001:db8::53]'", "2001:db8::53", 53),
        ("2001:db8::53", "2001:db8::53", 53),
        ("localhost", "localhost", 53),
    ],
)
def test_servers(text: str, host: str, port: int) -> None:
    zone = _config(BASE.replace("ns1.example.com", text)).zones[0]
    assert (zone.host, zone.port) == (host, port)


def test_an_embedded_zone_needs_nothing_else() -> None:
    zone = _config(BASE.replace(BASE.split("\n")[0], "zone: {name: z.test, provider: embedded}")).zones[0]
    assert (zone.host, zone.port, zone.tsig, zone.look_seconds) == ("127.0.0.1", 5300, None, 1.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LB.Example.Com.", "lb.example.com"),
        ("WWW: {}", "www.lb.example.com:"),
        ("[b, a, b]", "[a, b]"),
        ("2001:DB8:A::0011", "2001:db8:a::11"),
        ("1h", "60m"),
        ("health:", "# a comment\nhealth:"),
        ("health:", "stream: main\nstate: elsewhere\nhealth:"),
        ("az: b, ip: 192.0.2.21", "ip: 192.0.2.21, az: b, capacity: 100"),
    ],
)
def test_the_digest_is_of_the_meaning(old: str, new: str) -> None:
    assert old in BASE
    assert _config(BASE).digest == _config(BASE.replace(old, new), "/elsewhere/x.yaml").digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ttl: 30", "ttl: 31"),
        ("192.0.2.21", "192.0.2.22"),
        ("www.example.com", "example.com"),
        ("health:", "policy: {on_panic: all}\nhealth:"),
        ("health:", "retention: {days: 31}\nhealth:"),
        ("ip: 192.0.2.21", "ip: 192.0.2.21, admin: drain"),
    ],
)
def test_the_digest_follows_the_meaning(old: str, new: str) -> None:
    assert _config(BASE).digest != _config(BASE.replace(old, new, 1)).digest


def test_the_digest_does_not_depend_on_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _config(BASE).digest
    monkeypatch.setenv("STANDFAST_TSIG", "hmac-sha512:other:" + "QUFB" * 20)
    assert _config(BASE).digest == before


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_load(path: Path, tmp_path: Path) -> None:
    key = tmp_path / "enactor.key"
    key.write_text('key "lb-enactor" { algorithm hmac-sha256; secret "' + "QUFB" * 11 + '"; };')
    key.chmod(0o600)
    copy = tmp_path / path.name
    text = path.read_text()
    for name in ("enactor", "reader"):
        text = text.replace(f"/etc/standfast/{name}.key", str(key))
    copy.write_text(text)
    assert load(copy).endpoints


def test_there_are_examples() -> None:
    assert {path.name for path in EXAMPLES} >= {"bind.yaml", "knot.yaml", "powerdns.yaml", "embedded.yaml"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("zone", keys.ZONE),
        ("tsig", keys.TSIG),
        ("health", keys.HEALTH),
        ("vantage", keys.VANTAGE),
        ("load_balancer", keys.LOAD_BALANCER),
        ("source_declared", keys.SOURCE_DECLARED),
        ("source_file", keys.SOURCE_FILE),
        ("source_http", keys.SOURCE_HTTP),
        ("source_aws", keys.SOURCE_AWS),
        ("source_kubernetes", keys.SOURCE_KUBERNETES),
        ("source_plugin", keys.SOURCE_PLUGIN),
        ("store_sqlite", keys.STORE_SQLITE),
        ("store_s3", keys.STORE_S3),
        ("store_postgresql", keys.STORE_POSTGRESQL),
        ("store_plugin", keys.STORE_PLUGIN),
        ("fleet_file", keys.FLEET_FILE),
        ("policy", keys.POLICY),
        ("endpoint", keys.ENDPOINT),
        ("retention", keys.RETENTION),
        ("journal", keys.JOURNAL),
        ("metrics", keys.METRICS),
        ("monitor", keys.MONITOR),
        ("notify", keys.NOTIFY),
        ("web", keys.WEB),
    ],
)
def test_the_schema_has_the_same_keys(name: str, known: tuple[str, ...]) -> None:
    section = SCHEMA["$defs"][name]
    assert set(section["properties"]) == set(known)
    assert section["additionalProperties"] is False


def test_the_schema_has_the_same_sections() -> None:
    assert set(SCHEMA["properties"]) == set(keys.ROOT)
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_schema_accepts_the_examples(path: Path) -> None:
    node = parse(path.read_text(), Findings(path.name))
    assert node is not None
    _accept(node, SCHEMA, path.name)


def test_the_schema_refuses_what_is_unknown() -> None:
    node = parse(EXAMPLES[0].read_text().replace("  provider:", "  nme: x\n  provider:"), Findings("f"))
    assert node is not None
    with pytest.raises(AssertionError, match="f: zone: nme"):
        _accept(node, SCHEMA, "f")


def _accept(node: Node, schema: dict[str, Any], where: str) -> None:
    """Asserts keys, required keys and words of `node` against the part of JSON Schema that ours uses."""
    schema = {**SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], **schema} if "$ref" in schema else schema
    for part in schema.get("allOf", ()):
        _accept(node, part, where)
    choices = [one for one in schema.get("oneOf", ()) if set(one) != {"required"}]
    if choices:
        assert sum(_accepts(node, one, where) for one in choices) == 1, where
        return
    if isinstance(node, Scalar):
        wanted = schema.get("enum", [schema["const"]] if "const" in schema else None)
        assert wanted is None or node.text in wanted, where
        types = schema.get("type", ())
        assert node.empty or types not in ("object", "array"), where
        assert types != "integer" or node.text.isdigit(), where
    elif isinstance(node, Sequence):
        assert schema.get("type") == "array", where
        for item in node.items:
            _accept(item, schema.get("items", {}), where)
    elif isinstance(node, Mapping):
        _accept_mapping(node, schema, where)


def _accept_mapping(node: Mapping, schema: dict[str, Any], where: str) -> None:
    assert "const" not in schema, where
    assert schema.get("type", "object") in ("object", ["object", "null"]), where
    present = {key.text for key, _ in node.entries}
    assert present >= set(schema.get("required", ())), where
    for key, value in node.entries:
        inner = schema.get("properties", {}).get(key.text, schema.get("additionalProperties", {}))
        assert inner is not False, f"{where}: {key.text}"
        _accept(value, inner, f"{where}: {key.text}")


def _accepts(node: Node, schema: dict[str, Any], where: str) -> bool:
    try:
        _accept(node, schema, where)
    except AssertionError:
        return False
    return True
