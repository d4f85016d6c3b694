"""What the page says of others: secondaries that lag, vantage points, operators, and a planner that is down."""

from __future__ import annotations

import re
import time

import pytest
from msgspec.structs import replace

from cli.stage import CLOCK
from standfast.config import load
from standfast.model.marker import Marker
from standfast.ports.store import PutSource
from standfast.runtime import observing
from standfast.runtime.looking import Watched, Watcher
from standfast.runtime.observing import Seen, observe
from standfast.runtime.registry.standing import RegistryStanding
from standfast.runtime.sharing import Judged, encode
from standfast.runtime.votes import SharedVotes, source_of
from standfast.web.chain import Link, chain
from standfast.web.fleetview import Balancer, columns
from web.scene import REFUSED, Scene, served

VANTAGE = "vantage: {a: {az: a}, c: {az: c}, office: {}}\n"
DOWN = Judged("down", "failed 3 checks in a row: port 443 timeout", 0.0)
UP = Judged("up", "6 checks passed", 0.0)


def text_of(html: str) -> str:
    """As people read it."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def balancer(scene: Scene, name: str, seen: Seen | None = None) -> Balancer:
    """One load balancer, as the page has it."""
    found = columns(seen or observe(scene.stage.config), scene.stage.config)
    return next(one for column in found for one in column.balancers if one.id == name)


def link(watched: Watched, key: str) -> Link:
    """One link of the chain."""
    return next(one for one in chain(watched, 1.0) if one.key == key)


def lagging(watched: Watched) -> Watched:
    """The same, with a second name server that still serves what was before."""
    zones = []
    for zone in watched.seen.zones:
        sights = []
        for sight in zone.endpoints:
            servers = (("ns1", sight.marker), ("ns2", sight.marker))
            if isinstance(sight.marker, Marker) and sight.entry.name.startswith("www."):
                servers = (servers[0], ("ns2", replace(sight.marker, since=sight.marker.since - 1)))
            sights.append(replace(sight, servers=servers))
        zones.append(replace(zone, endpoints=tuple(sights)))
    return replace(watched, seen=replace(watched.seen, zones=tuple(zones)))


def test_a_secondary_that_lags(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.stage.publish()
    with scene.stage.enactor(), scene.living():
        scene.stage.settled()
        scene.stage.publish(lb_b1=REFUSED)
        scene.stage.settled()
        late = link(lagging(Watched(observe(scene.stage.config))), "secondaries")
        assert (late.text, late.worst.tone, late.signs[0].tone) == ("ns2 1 late", "watch", "watch")
        look = Watcher.look
        monkeypatch.setattr(Watcher, "look", lambda self: lagging(look(self)))
        with served(scene.stage) as page:
            said = text_of(page.get().text)
    assert "secondaries ▲ ns2 1 late" in said


def test_who_sees_it_down(scene: Scene) -> None:
    """a sees it, c and the office do not; and the prober of this machine has the checks, the planner has none."""
    stage = scene.stage
    stage.file.write_text(stage.file.read_text() + VANTAGE)
    stage.config = load(stage.file)
    stage.publish(lb_b1=REFUSED)
    for name, judged in (("a", UP), ("c", DOWN), ("office", DOWN)):
        said = SharedVotes(name, name if len(name) == 1 else "", f"{name}0", time.time(), stage.config.digest,
                           {"lb-b1": judged, "lb-a1": UP}, {})  # fmt: skip
        stage.store.perform(PutSource(source_of(name), 1, encode(said)))
    scene.checks(lb_b1=9)
    stage.beat("planner", speaking=True)
    stage.beat("prober", pulses=scene.pulses.facts())
    one = balancer(scene, "lb-b1")
    assert one.votes == "seen from a ✓  c ✗  office ✗"
    assert one.spark is not None
    assert "failed" in one.spark.words
    assert balancer(scene, "lb-a1").votes == "", "all agree"
    with served(stage) as page:
        html = text_of(page.get().text)
    assert "seen from a ✓ c ✗ office ✗" in html


def test_whose_override_it_is_and_until_when(scene: Scene) -> None:
    stage = scene.stage
    stage.publish()
    scene.alive()
    given = stage.run("override", "az", "b", "drain", "--for", "30m", "--yes", "--reason", "smoke in the building")
    assert given.code == 0, given
    one = balancer(scene, "lb-b2")
    assert re.fullmatch(rf"drained with az b by \S+@\S+: smoke in the building, until {CLOCK}", one.said), one.said
    assert one.sign.word == "drained"
    assert balancer(scene, "lb-a1").said == ""
    with served(stage) as page:
        said = text_of(page.get().text)
    assert re.search(rf"drained with az b by \S+@\S+: smoke in the building, until {CLOCK}", said), said


def test_the_planner_is_down(scene: Scene) -> None:
    """Everything else works: the page says so, with the command, and the planner is the link that is broken."""
    scene.stage.publish()
    with scene.stage.enactor():
        scene.alive()
        scene.stage.settled()
        (scene.stage.place.presence / "planner-a.json").unlink()
        planner = link(Watched(observe(scene.stage.config)), "planner")
        assert (planner.worst.tone, "none is running" in planner.text) == ("bad", True)
        assert planner.first, "it is the one to look at, not the sources of which it would tell"
        with served(scene.stage) as page:
            said = text_of(page.get().text)
    assert "NEEDS YOU No planner is running" in said
    assert "standfast run" in said
    assert "planner ■ g1 none is running" in said


def test_the_script_asks_for_what_was_seen(scene: Scene) -> None:
    scene.stage.publish()
    with scene.stage.enactor(), scene.living(), served(scene.stage) as page:
        scene.stage.settled()
        page.renewed(2)
        script = page.get("state.nsupdate").text
    assert "prereq yxrrset www.lb.example.com. A 192.0.2.11" in script
    assert "prereq nxrrset www.lb.example.com. CNAME" in script
    assert "update add www.lb.example.com. 60 A 192.0.2.11" in script


def test_each_registry_has_its_line(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    standings = (
        RegistryStanding("ops1", 12, 11, 4360.0, 1.0, "", 3.0),
        RegistryStanding("ops2", 9, 3, 4120.0, 1.0, "only 3 of 9 holders are heard", 3950.0, 6200),
        RegistryStanding("ops3", 8, 8, 4000.0, 3 * 3600.0, ""),
    )
    monkeypatch.setattr(observing, "_registries", lambda store, config: standings)
    scene.stage.publish()
    with scene.living(), served(scene.stage) as page:
        text = page.get().text
    section = text[text.index('aria-label="registries"') :]
    for part in ("12 leases, 1 unheard", "they come back", "6200 turned away and still to come", "AWAY for 3 h"):
        assert part in section, part
    assert section.index("ops1") < section.index("ops2") < section.index("ops3")


def test_when_no_registry_is_at_work_somebody_is_needed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    standings = (RegistryStanding("ops3", 8, 8, 4000.0, 3 * 3600.0, ""),)
    monkeypatch.setattr(observing, "_registries", lambda store, config: standings)
    scene.stage.publish()
    with scene.living(), served(scene.stage) as page:
        text = page.get().text
        said = scene.stage.run("status", "--json")
    assert "is away, and there is no other: newcomers get no lease. 8 leases stay as they are" in text
    assert "standfast run --role registry --name ops3" in text
    assert (said.code, said.json["verdict"]["kind"]) == (2, "NEEDS YOU")
    assert said.json["verdict"]["sentence"].startswith("Registry ops3 (since ")
