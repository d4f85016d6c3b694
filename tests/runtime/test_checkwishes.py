"""Which checks are wanted of whom: what Route 53 can't reach, or would judge otherwise than ours, takes nobody out."""

from __future__ import annotations

import pytest

from standfast.config import Config
from standfast.config import check as check_config
from standfast.runtime.checkwishes import SWITCH, kind_of, wishes_of


def config(checks: str = "auto", health: str = "{http: /healthz}", endpoints: str = "{www: {}}") -> Config:
    text = f"""
zone: {{name: lb.example.com, provider: route53, health_checks: {checks}}}
health: {health}
load_balancers:
  lb-a: {{az: a, ip: [198.51.44.1, "2a00:1450::1"], port: 8443}}
  lb-b: {{az: b, ip: 198.51.44.2, pool: other}}
  lb-c: {{az: c, ip: 10.0.0.3}}
endpoints: {endpoints}
"""
    made, problems, _ = check_config(text, "standfast.yaml")
    assert made is not None, problems
    return made


def wishes(*given: str) -> tuple[dict[str, dict[str, object]], dict[str, str]]:
    made = config(*given)
    found = wishes_of(made, made.zones[0], made.load_balancers)
    return {one.load_balancer: dict(one.parts) for one in found.wanted}, dict(found.without)


def test_each_address_that_can_be_reached() -> None:
    wanted, without = wishes()
    assert set(wanted) == {"lb-a", "lb-b"}
    assert "can't reach 10.0.0.3" in without["lb-c"]
    assert {text: one.port for text, one in wanted["lb-a"].items()} == {"198.51.44.1": 8443, "2a00:1450::1": 8443}  # type: ignore[attr-defined]
    assert set(wishes("all")[0]) == {"lb-a", "lb-b", "lb-c"}
    assert wishes("off") == ({}, dict.fromkeys(("lb-a", "lb-b", "lb-c"), "health_checks: off"))
    assert wishes("auto", "none")[1]["lb-a"] == "health: none"


def test_only_who_can_be_in_an_answer_with_a_place_for_it() -> None:
    assert set(wishes("all", "{http: /}", "{www: {pools: [other]}}")[0]) == {"lb-b"}
    assert wishes("all", "{http: /}", "{www: {layout: flat}}") == ({}, {})


def test_a_switch_is_turned_round_and_a_part_of_it() -> None:
    wanted, _ = wishes("{for: all, interval: 30s, fall: 2, switch: 'https://s.example.net:8443/lb/'}")
    switch = wanted["lb-b"][SWITCH]
    assert (switch.name, switch.port, switch.path) == ("s.example.net", 8443, "/lb/lb-b")  # type: ignore[attr-defined]
    assert switch.inverted  # type: ignore[attr-defined]
    assert (switch.interval_s, switch.fall) == (30, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("health", "kind"),
    [
        ("{http: /healthz}", "HTTP"),
        ("{https: /healthz, body: ok}", "HTTPS_STR_MATCH"),
        ("{http: /healthz, status: 200}", "HTTP"),
        ("{http: /healthz, status: [200, 401]}", "TCP"),
        ("{tcp: 443}", "TCP"),
        (f"{{http: /{'x' * 300}}}", "TCP"),
    ],
)
def test_what_route53_would_call_ill_and_we_do_not_is_not_asked(health: str, kind: str) -> None:
    made = config("all", health).health
    assert made is not None
    assert kind_of(made) == kind
