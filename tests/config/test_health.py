"""The sections `health` and `vantage`: what they mean, and every problem with line and remedy."""

import subprocess
from pathlib import Path

import pytest

from standfast.config import Config, check
from standfast.config.schema import VantageConfig
from standfast.errors import Problem

REST = """\
zone: {name: lb.example.com, provider: embedded}
load_balancers:
  lb-a1: {az: a, ip: 192.0.2.11}
  lb-b1: {az: b, ip: 192.0.2.21}
endpoints: {www: {}}
"""


def read(text: str, file: str = "f") -> tuple[Config | None, tuple[Problem, ...], tuple[Problem, ...]]:
    return check(REST + text, file)


def problems(text: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.path, f"{one.message} {one.remedy}") for one in read(text)[1]]


def notes(text: str) -> list[str]:
    return [f"{one.path}: {one.message}" for one in read(text)[2]]


def test_what_is_not_said_has_its_default() -> None:
    config, found, _ = read("health: {http: /healthz}")
    assert config is not None, found
    assert config.health is not None
    assert (config.health.status, config.health.body, config.health.ca) == (((200, 399),), None, None)
    assert (config.health.damp_max_s, config.health.concurrent, config.vantage) == (900.0, 64, ())


def test_everything_that_can_be_said_of_a_check() -> None:
    text = "health: {https: /h, status: [401, 200-299], body: ok, damp_max: 5m, concurrent: 200}\n"
    config, found, _ = read(text + "vantage: {ops2: {az: b}, office: , ops1: {az: a}}")
    assert config is not None, found
    assert config.health is not None
    assert config.health.status == ((200, 299), (401, 401))
    assert (config.health.body, config.health.damp_max_s, config.health.concurrent) == ("ok", 300.0, 200)
    assert config.vantage == (VantageConfig("office"), VantageConfig("ops1", "a"), VantageConfig("ops2", "b"))
    assert config.digest != (read(text)[0] or config).digest, "who votes is part of what the file means"


def test_authorities_are_read_from_their_file(tmp_path: Path) -> None:
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    subprocess.run([*make.split(), "-keyout", "k", "-out", "ca.pem"], cwd=tmp_path, check=True, capture_output=True)
    config, found, _ = read("health: {https: /, ca: ca.pem}", str(tmp_path / "standfast.yaml"))
    assert config is not None, found
    assert config.health is not None
    assert config.health.ca == (tmp_path / "ca.pem").read_text()
    (tmp_path / "ca.pem").write_text("not a certificate")
    _, (wrong,), _ = read("health: {https: /, ca: ca.pem}", str(tmp_path / "standfast.yaml"))
    assert wrong.message.endswith("ca.pem has no certificate that can be read.")
    assert wrong.line == 6
    _, (missing,), _ = read("health: {https: /, ca: none.pem}", str(tmp_path / "standfast.yaml"))
    assert "none.pem" in missing.message
    assert missing.remedy == "Name a file of PEM certificates: ca: /etc/ssl/internal-ca.pem."


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("health: {http: /, status: 299-200}", "health.status", '"299-200" is not a status. Give one such as 200'),
        ("health: {http: /, status: ok}", "health.status", '"ok" is not a status.'),
        ("health: {tcp: 443, status: 200}", "health.status", "status has no meaning beside tcp."),
        ("health: {tcp: 443, body: ok}", "health.body", "body has no meaning beside tcp."),
        ("health: {http: /, ca: x}", "health.ca", "ca has no meaning beside http."),
        ("health: {http: /, concurrent: 0}", "health.concurrent", '"0" is not a number of checks at once.'),
        ("health: {http: /, damp_max: 2}", "health.damp_max", '"2" is not a duration.'),
        ("health: none\nvantage: {a: }", "vantage", "vantage has no meaning with health: none."),
        ("health: {http: /}\nvantage: {}", "vantage", "There is no vantage point."),
        ("health: {http: /}\nvantage: {Ops_1: {az: a}}", "vantage.Ops_1", '"Ops_1" is no name.'),
        ("health: {http: /}\nvantage: {ops1: {zone: a}}", "vantage.ops1", '"zone" is not a key here. Did you mean az?'),
        ("health: {http: /}\nvantage: {ops1: {az: [a]}}", "vantage.ops1.az", "A list cannot stand here."),
    ],
)
def test_problems_name_the_place_and_the_remedy(text: str, path: str, says: str) -> None:
    found = problems(text)
    line = 6 + text.count("\n")
    assert [(one[0], one[1]) for one in found] == [(line, path)], found
    assert says in found[0][2], found


def test_too_many_vantage_points() -> None:
    many = ", ".join(f"v{number}: " for number in range(17))
    (found,) = problems(f"health: {{http: /}}\nvantage: {{{many}}}")
    assert found[2] == "These are 17 vantage points. Give at most 15."


def test_what_is_allowed_and_unwise_is_noted() -> None:
    two = notes("health: {http: /}\nvantage: {a1: {az: a}, b1: {az: b}}")
    assert two == ["vantage: With two vantage points both must agree: while one is silent nobody comes or goes."]
    four = notes("health: {http: /}\nvantage: {a1: {az: a}, b1: {az: b}, c1: {az: mgmt}, d1: }")
    assert four == [
        "vantage: 4 vantage points bear no more failures than 3.",
        "vantage.c1.az: No load balancer stands in AZ mgmt: this vantage point counts as outside of all of them.",
    ]
    assert notes("health: {http: /, damp_max: 0s}") == [
        "health.damp_max: A load balancer that flaps comes back as quickly each time."
    ]
