"""`standfast plan` against a real store, real zones and real load balancers: what it shows, and how it ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.given import Fleet, Ran, fleet, run, written_config
from harness.dnsservers import ZONE, BindServer, DnsServer, EmbeddedServer
from harness.zonetools import axfr, nsupdate
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.cli.consent import consented
from standfast.cli.plan import plan_command
from standfast.cli.previewing.drawing import draw, readers
from standfast.config import load
from standfast.errors import Refusal
from standfast.model.name import marker_owner
from standfast.ports.store import HeadRead, Publish, Published, ReadHead
from standfast.runtime.enacting import EnactorProcess
from standfast.runtime.journal import Journal
from standfast.runtime.place import Place

WWW = f"www.{ZONE}"
MARKER = marker_owner(WWW, ZONE)
ALL = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


@pytest.fixture
def lbs() -> Iterator[Fleet]:
    with fleet() as some:
        yield some


def planned(config: Path, *more: str) -> Ran:
    return run(plan_command, "--config", config, *more)


def endpoint(ran: Ran, name: str = WWW) -> dict[str, Any]:
    (found,) = (one for one in ran.json["endpoints"] if one["name"] == name)
    assert isinstance(found, dict)
    return found


def publish(file: Path, *take: str) -> None:
    """What `plan` shows is published, by the same compare-and-set as a planner's."""
    config = load(file)
    place = Place(config)
    place.prepare()
    providers = readers(config)
    plan = draw(config, providers, take).plan
    for provider in providers.values():
        assert isinstance(provider, Rfc2136Provider)
        provider.close()
    assert plan is not None
    store = place.open_store()
    head = store.perform(ReadHead())
    assert isinstance(head, HeadRead)
    assert isinstance(store.perform(Publish(head.head, plan)), Published)
    store.close()


def enact(file: Path) -> None:
    """An enactor runs until its plan is in the zone."""
    config = load(file)
    place = Place(config)
    stop = threading.Event()

    def work() -> None:
        store, copy = place.open_store(), place.open_copy("a")
        providers = {zone.name: place.open_provider(zone) for zone in config.zones}
        EnactorProcess("a", config.stream, store, providers, copy, Journal(place.journal, "enactor", "a")).run(stop)
        for provider in providers.values():
            provider.close()
        copy.close()
        store.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        end = time.monotonic() + 60
        while any(one["differs"] for one in planned(file, "--json").json["endpoints"]):
            assert time.monotonic() < end, planned(file).text
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join()


def test_a_new_name_is_shown_and_nothing_is_written(dns_server: DnsServer, tmp_path: Path, lbs: Fleet) -> None:
    config = written_config(tmp_path, dns_server, lbs.port)
    before = axfr(dns_server)
    ran = planned(config, "--json")
    assert (ran.code, ran.json["exit"], ran.json["generation"], ran.json["head"]) == (2, 2, 1, None)
    www = endpoint(ran)
    assert www["types"] == {"A": {"stay": [], "added": ALL, "removed": [], "ttl_before": None, "ttl_after": 60}}
    assert www["marker"] == {"before": None, "state": "absent", "after": 1}
    assert {one["load_balancer"] for one in www["reasons"]} == {"lb-a1", "lb-b1", "lb-c1"}
    assert ran.json["health_from"] == "probes"
    others = {name for name, _ in before}
    assert ran.json["not_touched"] == [{"zone": ZONE, "names": len(others)}]
    text = planned(config).text
    assert f"{WWW}   (no marker) → g1" in text
    assert "A    + 127.0.0.1 .2 .3" in text
    assert "Nothing was written." in text
    assert axfr(dns_server) == before
    assert not (tmp_path / "state").exists()


def test_a_name_that_exists_needs_consent(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    lines = [f"update add {WWW} 300 A 127.0.0.1", f"update add {WWW} 300 A 192.0.2.9"]
    assert nsupdate(bind, lines).rcode == "NOERROR"
    config = written_config(tmp_path, bind, lbs.port, endpoints="{www: {}, api: {}}")
    ran = planned(config, "--json")
    assert (ran.code, ran.json["consent"]) == (3, [WWW])
    assert endpoint(ran)["types"]["A"] == {
        "stay": ["127.0.0.1"],
        "added": ["127.0.0.2", "127.0.0.3"],
        "removed": ["192.0.2.9"],
        "ttl_before": 300,
        "ttl_after": 60,
    }
    text = planned(config).text
    assert f"--take {WWW}" in text
    assert "TTL    300 → 60" in text
    assert "− 192.0.2.9" in text
    for name in ("www", WWW, f"{WWW.upper()}."):
        taken = planned(config, "--take", name, "--json")
        assert (taken.code, taken.json["consent"]) == (2, [])
    assert planned(config, "--take", "unknown").code == 1
    with pytest.raises(Refusal) as refused:
        consented(load(config), (), quiet=True)
    told = f"{refused.value.message} {refused.value.remedy}"
    assert f"Nothing was started: {WWW} exists in DNS and has no marker of ours." in told
    assert f"standfast run --take {WWW}" in told


def test_in_step_then_drift_then_damage(dns_server: DnsServer, tmp_path: Path, lbs: Fleet) -> None:
    config = written_config(tmp_path, dns_server, lbs.port, endpoints="{www: {}, api: {ttl: 30}}")
    publish(config)
    ran = planned(config, "--json")
    assert (ran.code, ran.json["head"], ran.json["generation"]) == (2, 1, None)
    enact(config)
    ran = planned(config, "--json")
    assert (ran.code, ran.json["in_sync"]) == (0, True), ran.text
    assert "In step" in planned(config).text

    assert nsupdate(dns_server, [f"update delete {WWW} A 127.0.0.2"]).rcode == "NOERROR"
    ran = planned(config, "--json")
    assert (ran.code, endpoint(ran)["types"]["A"]["added"]) == (2, ["127.0.0.2"])
    assert not endpoint(ran, f"api.{ZONE}")["differs"]
    assert "g1, to be repaired" in planned(config).text

    lines = [f"update delete {MARKER} TXT", f'update add {MARKER} 60 TXT "garbage"']
    assert nsupdate(dns_server, lines).rcode == "NOERROR"
    ran = planned(config, "--json")
    assert (ran.code, endpoint(ran)["marker"]["state"]) == (2, "damaged")


def test_a_dead_load_balancer_leaves_and_panic_holds(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    config = written_config(tmp_path, bind, lbs.port)
    publish(config)
    enact(config)
    lbs.kill("lb-b1")
    ran = planned(config, "--json")
    assert (ran.code, ran.json["generation"]) == (2, 2)
    assert endpoint(ran)["types"]["A"]["removed"] == ["127.0.0.2"]
    (reason,) = endpoint(ran)["reasons"]
    assert reason["load_balancer"] == "lb-b1"
    assert "connection refused" in reason["reason"]
    lbs.kill("lb-c1")
    ran = planned(config, "--json")
    assert ran.code == 3
    assert {one["load_balancer"] for one in ran.json["held_back"]} == {"lb-b1", "lb-c1"}
    assert "Guards: HOLD" in planned(config).text


def test_nobody_healthy_is_a_refusal(bind: BindServer, tmp_path: Path, lbs: Fleet) -> None:
    lbs.kill("lb-a1", "lb-b1", "lb-c1")
    ran = planned(written_config(tmp_path, bind, lbs.port), "--json")
    assert ran.code == 3
    assert [one["rule"] for one in ran.json["refusals"]] == ["healthy"]
    assert "Guards: REFUSED" in planned(tmp_path / "standfast.yaml").text


def test_what_cannot_be_read_is_an_error(tmp_path: Path, lbs: Fleet) -> None:
    server = BindServer(tmp_path / "bind")
    config = written_config(tmp_path, server, lbs.port)
    ran = planned(config)
    assert ran.code == 1
    assert f"zone {ZONE} could not be read" in ran.text
    assert "In step" not in ran.text

    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "store.sqlite").write_bytes(b"this is no store" * 100)
    ran = planned(config)
    assert ran.code == 1
    assert "The plan store cannot be read" in ran.text

    config.write_text("zone: {}\n", encoding="utf-8")
    ran = planned(config, "--json")
    assert ran.code == 1
    assert json.loads(ran.text)["written"] is False


def test_load_and_shares_are_shown_before_an_edit_is_in_force(
    embedded: EmbeddedServer, tmp_path: Path, lbs: Fleet
) -> None:
    """Narrowed to two of three, each has 90 of 100 to carry: no guard keeps the third, but the plan says so."""
    config = written_config(tmp_path, embedded, lbs.port, endpoints="{www: {need: 180}}")
    text = planned(config).text
    assert "Load of what endpoints need: lb-a1 60 of 100, lb-b1 60 of 100, lb-c1 60 of 100; 20 % stay free." in text
    publish(config)
    written_config(tmp_path, embedded, lbs.port, endpoints="{www: {need: 180, azs: [a, b]}}")
    ran = planned(config, "--json")
    assert (ran.code, endpoint(ran)["types"]["A"]["added"]) == (2, ALL[:2])
    assert ran.json["loads"] == [
        {"load_balancer": name, "load": 90.0, "capacity": 100, "reserve": 0.2, "within": False}
        for name in ("lb-a1", "lb-b1")
    ]
    assert [one["deviation"] for one in ran.json["shares"]] == [0.0, 0.0]
    markdown = planned(config, "--output", "markdown").text
    assert "Load of what endpoints need: lb-a1 90 of 100 (uses its reserve), lb-b1 90 of 100" in markdown
    assert "Removal budget: 33 of 34 % used until" in markdown
