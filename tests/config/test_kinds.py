"""Kinds of endpoints and endpoints that follow another: what they mean, and every mistake with line and remedy."""

import pytest

from standfast.config import check
from standfast.config.schema import Config
from standfast.runtime.place import policy_of

BASE = """\
zone: {name: lb.example.com, provider: embedded}
health: {http: /healthz}
load_balancers:
  lb-a1: {az: a, ip: [192.0.2.11, "2001:db8::11"], pool: fips}
  lb-b1: {az: b, ip: [192.0.2.21, "2001:db8::21"], pool: fips}
endpoints:
"""


def config(endpoints: str, policy: str = "") -> Config:
    found, problems, _ = check(BASE + endpoints + policy, "f.yaml")
    assert found is not None, problems
    return found


def test_what_kinds_mean() -> None:
    text = """\
  www: {kind: public}
  dual: {kind: dual-stack}
  six: {kind: ipv6-only}
  secure: {kind: fips, families: ipv4}
  "*.apps": {}
  4711: {follows: secure, zone: lb.example.com}
"""
    found = {one.name.split(".lb.")[0]: one for one in config(text).endpoints}
    assert found["www"].families == ("ipv4",)
    assert found["dual"].families == ("ipv4", "ipv6")
    assert found["six"].families == ("ipv6",)
    assert (found["secure"].pools, found["secure"].families) == (("fips",), ("ipv4",))
    follower = policy_of(found["4711"])
    assert (follower.kind, follower.follows, follower.pools) == ("account", "secure.lb.example.com", ("fips",))
    assert policy_of(found["*.apps"]).kind == "wildcard"


def test_settings_of_the_new_limits() -> None:
    policy = "policy: {adding: 50% in 2m, az_loss: ask, reserve: 0%, rotation: off, coalesce: 90s}\n"
    found = config(
        "  www: {az_loss: auto, on_panic: all, need: 150, rotation: 2m, adding: 10% in 30s}\n  x: {}\n", policy
    )
    www, other = found.endpoints
    assert (www.az_loss, www.on_panic, www.need, www.rotation_s) == ("auto", "all", 150, 120.0)
    assert (www.adding_share, www.adding_window_s) == (0.1, 30.0)
    assert (other.az_loss, other.adding_share, other.adding_window_s, other.need) == ("ask", 0.5, 120.0, 0)
    assert (found.policy.reserve, found.policy.coalesce_s) == (0.0, 90.0)


@pytest.mark.parametrize(
    ("endpoints", "line", "message", "remedy"),
    [
        ("  a: {follows: a}", 7, "It follows itself.", "another endpoint"),
        ("  a: {follows: wwww}\n  www: {}", 7, "There is no endpoint", "mean www.lb.example.com?"),
        ("  www: {}\n  a: {follows: www}\n  b: {follows: a}", 9, "a.lb.example.com follows www.", "Follow www.lb."),
        ("  a: {follows: b}\n  b: {follows: a}", 7, "They follow each other: a.lb.example.com → b.lb", "One must"),
        ("  a: {follows: x.example.org.}", 7, "No zone of this file covers", "Add its zone"),
        ("  www: {}\n  a: {follows: www, azs: [a]}", 8, "azs has no meaning beside follows", "Leave it out"),
        ("  www: {}\n  a: {follows: www, kind: fips}", 8, "kind fips does not follow", "account"),
        ("  www: {kind: account}", 7, "follows is missing", "follows: www"),
        ("  www: {kind: public, families: ipv6}", 7, "kind public has ipv4, and families says ipv6", "another kind"),
        ("  www: {kind: wildcard}", 7, "A wildcard's name begins with *", "another kind"),
        ("  www: {kind: dual}", 7, '"dual" is not a kind of endpoint', "dual-stack"),
        ("  www: {rotation: 90s}", 7, "shorter than two TTLs of 60 s", "Give 2m or more"),
        ("  www: {adding: 34}", 7, "not a limit of adding", "34% in 60s"),
        ("  www: {need: 0}", 7, '"0" is not a capacity', "from 1"),
    ],
)
def test_mistakes_with_line_and_remedy(endpoints: str, line: int, message: str, remedy: str) -> None:
    _, problems, _ = check(f"{BASE}{endpoints}\n", "f.yaml")
    assert problems, "no problem"
    found = problems[0]
    assert (found.line, message in found.message, remedy in found.remedy) == (line, True, True), found


def test_a_foreign_zone_is_not_followed() -> None:
    text = BASE.replace(
        "zone: {name: lb.example.com, provider: embedded}",
        """zones:
  - {name: lb.example.com, provider: embedded}
  - {name: other.example, provider: embedded}""",
    )
    _, problems, _ = check(text + "  a.lb.example.com: {follows: b.other.example}\n  b.other.example: {}\n", "f.yaml")
    assert [one.line for one in problems] == [9]
    assert "b.other.example is not in zone lb.example.com" in problems[0].message
    assert problems[0].remedy == "Follow an endpoint of the same zone."


def test_all_problems_at_once() -> None:
    _, problems, _ = check(f"{BASE}  a: {{follows: a}}\n  b: {{follows: nobody}}\n  www: {{kind: x}}\n", "f.yaml")
    assert [one.line for one in problems] == [7, 8, 9]
