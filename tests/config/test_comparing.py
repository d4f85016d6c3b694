"""What differs between two readings of a file: in its own words, no secret, and what can't change while running."""

from dataclasses import replace
from pathlib import Path

import pytest

from standfast.config import Config, HttpSource, check
from standfast.config.comparing import differences, fixed

BASE = """\
zone: {name: lb.example.com, provider: rfc2136, server: 127.0.0.1, tsig: "file:zone.key"}
health: {http: /healthz}
load_balancers:
  lb-a1: {az: a, ip: 192.0.2.11}
  lb-b1: {az: b, ip: 192.0.2.21}
endpoints: {www: {}}
"""


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    def reading(text: str, secret: str = "QUFB" * 11) -> Config:
        key = tmp_path / "zone.key"
        key.write_text(f"hmac-sha256:k:{secret}")
        key.chmod(0o600)
        config, problems, _ = check(text, str(tmp_path / "standfast.yaml"))
        assert config is not None, problems
        return config

    return reading


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("www: {}", "www: {azs: [a]}", ["endpoints.www.lb.example.com.azs: [] → [a]"]),
        ("www: {}", "www: {ttl: 30}, api: {}", ["endpoints: + api.lb.example.com",
                                               "endpoints.www.lb.example.com.ttl: 60 → 30"]),
        ("  lb-b1: {az: b, ip: 192.0.2.21}\n", "", ["load_balancers: − lb-b1"]),
        ("192.0.2.21}", "192.0.2.22, capacity: 7}", ["load_balancers.lb-b1.ipv4: [192.0.2.21] → [192.0.2.22]",
                                                     "load_balancers.lb-b1.capacity: 100 → 7"]),
        ("/healthz}", "/alive, interval: 500ms, timeout: 100ms}", ["health.path: /healthz → /alive",
                                            "health.interval_s: 5 → 0.5", "health.timeout_s: 2 → 0.1"]),
        ("health: {http: /healthz}", "health: none", ["health: given → –"]),
    ],
)  # fmt: skip
def test_in_its_own_words(read, old: str, new: str, said: list[str]) -> None:  # type: ignore[no-untyped-def]
    was, now = read(BASE), read(BASE.replace(old, new))
    assert sorted(differences(was, now)) == sorted(said)
    assert not fixed(was, now)
    assert not differences(was, read(BASE))


def test_another_key_is_told_and_not_shown(read) -> None:  # type: ignore[no-untyped-def]
    was, now = read(BASE), read(BASE, "QkJC" * 11)
    said = differences(was, now)
    assert said == ("zones.lb.example.com.keys: other keys",)


def test_the_query_of_a_url_is_not_shown(read) -> None:  # type: ignore[no-untyped-def]
    was, now = read(BASE), read(BASE)
    text = "https://inventory.example.com/lb.json?token="
    before, after = (replace(one, file=one.file, sources=(HttpSource("inv", f"{text}{secret}"),))
                     for one, secret in ((was, "aaaa"), (now, "bbbb")))  # fmt: skip
    (said,) = differences(before, after)
    assert said == "sources.inv.url: https://inventory.example.com/lb.json?… → https://inventory.example.com/lb.json?…"


def test_what_can_not_change_while_running(read) -> None:  # type: ignore[no-untyped-def]
    was = read(BASE)
    assert fixed(was, read(BASE + "stream: cell-1\n")) == ("stream: main → cell-1",)
    assert "state: " in fixed(was, read(BASE + "state: elsewhere\n"))[0]
