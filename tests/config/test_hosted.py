"""Zones at Route 53 in the configuration: what they mean, and every mistake with line and remedy."""

from typing import Any

import pytest

from standfast.config import check

ARN = "arn:aws:iam::123456789012:role/standfast"


def text(zone: str, endpoints: str = "www: {}") -> str:
    return (
        f"zone: {{name: lb.example.com, {zone}}}\n"
        "health: none\n"
        "load_balancers: {lb-1: {az: a, ip: 192.0.2.1}, lb-2: {az: b, ip: 192.0.2.2}}\n"
        f"endpoints: {{{endpoints}}}\n"
    )


def test_a_hosted_zone_needs_its_name_alone() -> None:
    config, problems, _ = check(text("provider: route53"), "f.yaml")
    assert not problems
    assert config is not None
    (zone,) = config.zones
    assert zone.hosted is not None
    assert (zone.hosted.zone_id, zone.hosted.rate, zone.hosted.burst, zone.look_seconds) == ("", 2.0, 10, 5.0)
    assert (zone.hosted.patrol_seconds, zone.hosted.found_seconds) == (60.0, 60.0)
    assert "hosted zone of that name" in zone.where
    assert config.endpoints[0].layout == "auto"


def test_all_that_can_be_said() -> None:
    more = (
        f"provider: route53, hosted_zone: /hostedzone/Z0A1, region: eu-west-1, assume_role: {{enactor: '{ARN}', "
        f"prober: '{ARN}-x'}}, endpoint: 'http://127.0.0.1:4566', requests_per_second: 0.5, burst: 3, "
        "patrol: 10m, found_within: 1h"
    )
    config, problems, _ = check(text(more, "www: {layout: tree}, api: {layout: flat}"), "f.yaml")
    assert not problems
    assert config is not None
    hosted = config.zones[0].hosted
    assert hosted is not None
    assert (hosted.zone_id, hosted.region, hosted.endpoint) == ("Z0A1", "eu-west-1", "http://127.0.0.1:4566")
    assert (hosted.patrol_seconds, hosted.found_seconds) == (600.0, 3600.0)
    assert [hosted.role(one) for one in ("enactor", "planner", "cleaner", "prober")] == [ARN, ARN, ARN, f"{ARN}-x"]
    assert {one.name: one.layout for one in config.endpoints} == {
        "www.lb.example.com": "tree",
        "api.lb.example.com": "flat",
    }


@pytest.mark.parametrize(
    ("zone", "path", "message", "remedy"),
    [
        ("provider: route53, server: ns1.example.com", "zone.server", "no meaning with Route 53", "Leave it out"),
        ("provider: route53, tsig: 'file:x.key'", "zone.tsig", "no meaning with Route 53", "own credentials"),
        ("provider: route53, hosted_zone: lb", "zone.hosted_zone", "not a hosted zone's id", "Z0123456789ABC"),
        ("provider: route53, assume_role: enactor", "zone.assume_role", "is not a role", "Give its ARN"),
        ("provider: route53, assume_role: {editor: x}", "zone.assume_role", "is not a key here", ""),
        ("provider: route53, region: Ireland", "zone.region", "is not a region", "eu-west-1"),
        ("provider: route53, requests_per_second: 11", "zone.requests_per_second", "requests a second", "0.1 to 10"),
        ("provider: route53, burst: 0", "zone.burst", "is not a number of requests", ""),
        ("provider: route53, patrol: 500ms", "zone.patrol", "is out of range", "from 1s to 1d"),
        ("provider: route53, found_within: never", "zone.found_within", "is not a duration", "5s or 10m"),
        ("provider: embedded, patrol: 5m", "zone.patrol", "is for zones at Route 53", "Leave it out"),
        ("provider: route53, endpoint: here", "zone.endpoint", "is not a URL", "https://"),
        ("provider: embedded, hosted_zone: Z1", "zone.hosted_zone", "is for zones at Route 53", "provider: route53"),
        ("provider: embedded, burst: 5", "zone.burst", "is for zones at Route 53", "Leave it out"),
    ],
)
def test_mistakes_in_the_zone(zone: str, path: str, message: str, remedy: str) -> None:
    _, problems, _ = check(text(zone), "f.yaml")
    found = [one for one in problems if one.path == path]
    assert found, problems
    assert (found[0].line, message in found[0].message, remedy in found[0].remedy) == (1, True, True), found


@pytest.mark.parametrize("layout", ["tree", "multivalue"])
def test_a_layout_that_the_provider_cannot_hold_is_refused(layout: str) -> None:
    _, problems, _ = check(text("provider: embedded", f"www: {{layout: {layout}}}"), "f.yaml")
    (found,) = problems
    assert (found.line, found.path) == (4, "endpoints.www.layout")
    assert "needs Route 53" in found.message
    assert "plain records" in found.remedy
    config, problems, _ = check(text("provider: embedded", "www: {layout: flat}"), "f.yaml")
    assert not problems
    assert config is not None


def test_all_problems_at_once() -> None:
    zone = "provider: route53, server: x, burst: 0, hosted_zone: '?'"
    _, problems, _ = check(text(zone, "www: {layout: round}"), "f.yaml")
    assert {one.path for one in problems} == {"zone.server", "zone.burst", "zone.hosted_zone", "endpoints.www.layout"}


def test_health_checks_are_a_word_or_a_mapping() -> None:
    def problems(value: str) -> list[str]:
        text = (
            f"zone: {{name: lb.example.com, provider: route53, health_checks: {value}}}\n"
            "health: {http: /}\nload_balancers: {lb-a: {az: a, ip: 192.0.2.1}}\nendpoints: {www: {}}\n"
        )
        return [str(one) for one in check(text, "standfast.yaml")[1]]

    for fine in ("auto", "all", "off", "{for: all, interval: 30s, fall: 10, switch: 'https://s.example.net/lb'}", "{}"):
        assert problems(fine) == []
    assert "Give auto, all or off." in problems("on")[0]
    several = problems("{for: some, interval: 20s, fall: 11, switch: 'ftp://x', every: 1s}")
    assert len(several) == 5
    assert all(":1: zone.health_checks" in one for one in several)
    assert "no meaning" in problems("{for: off, switch: 'https://s.example.net'}")[0]
    elsewhere = "zone: {name: a.example, provider: embedded, health_checks: auto}\nhealth: none\nload_balancers: {}\n"
    assert any("is for zones at Route 53" in str(one) for one in check(elsewhere, "standfast.yaml")[1])


def retained(
    words: str, endpoint: str = "www: {ttl: 120}", provider: str = "route53"
) -> tuple[Any, list[tuple[int, str, str]]]:
    whole = f"{text(f'provider: {provider}', endpoint)}retention: {{{words}}}\n"
    config, problems, _ = check(whole, "f.yaml")
    return config, [(one.line, one.path, f"{one.message} {one.remedy}") for one in problems]


def test_how_many_trees_are_kept_and_for_how_long() -> None:
    config, problems = retained("trees: 5, tree_grace: 30m")
    assert not problems
    assert (config.retention.trees, config.retention.tree_grace_s) == (5, 1800.0)
    config, problems = retained("tree_grace: auto")
    assert not problems
    assert (config.retention.trees, config.retention.tree_grace_s) == (2, None)


@pytest.mark.parametrize(
    ("words", "path", "said"),
    [
        ("tree_grace: 179s", "retention.tree_grace", "shorter than what is served: TTL 120 s, and 60 s"),
        ("tree_grace: soon", "retention.tree_grace", "neither auto nor a duration"),
        ("trees: 101", "retention.trees", "is not a number of trees"),
        ("trees: some", "retention.trees", "is not a number of trees"),
    ],
)
def test_a_grace_shorter_than_what_is_served_is_refused(words: str, path: str, said: str) -> None:
    _, ((line, where, what),) = retained(words)
    assert (line, where, said in what) == (5, path, True), what


def test_keeping_trees_where_there_can_be_none_is_a_mistake() -> None:
    _, problems = retained("trees: 1, tree_grace: 1h", "www: {}", "embedded")
    assert [(one[1], "for zones at Route 53" in one[2]) for one in problems] == [
        ("retention.trees", True),
        ("retention.tree_grace", True),
    ]
