"""Looking again: what did not change is not read again; clocks may be off; the store may go and come back."""

from __future__ import annotations

import json
import os
import time

import pytest

from e2e.roles import until
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.model.marker import Marker
from standfast.ports.provider import Read, ReadChanges
from standfast.runtime import looking, observing
from standfast.runtime.hindsight import seen_at
from standfast.runtime.looking import Watcher
from standfast.runtime.observing import observe
from standfast.runtime.tailing import KEPT, TAIL_OCTETS, Follower
from standfast.runtime.verdict import verdict
from web.scene import REFUSED, Scene, served


def test_an_idle_look_asks_for_the_serial_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    perform = Rfc2136Provider.perform

    def counted(self: Rfc2136Provider, request: object) -> object:
        asked.append(request)
        return perform(self, request)  # type: ignore[call-overload]

    scene.stage.publish()
    with scene.living():
        with scene.stage.enactor():  # it asks, too: not while is counted
            scene.stage.settled()
        monkeypatch.setattr(Rfc2136Provider, "perform", counted)
        watcher = Watcher(scene.stage.config)
        first = watcher.look()
        assert any(isinstance(one, Read) for one in asked)
        asked.clear()
        again = watcher.look()
        assert [type(one) for one in asked] == [ReadChanges]
        assert again.seen.zones == first.seen.zones
        assert again.seen.store is first.seen.store
        scene.stage.publish(lb_b1=REFUSED)
        with scene.stage.enactor():
            scene.stage.settled()
        asked.clear()
        newest = watcher.look()
        assert verdict(newest.seen) == verdict(observe(scene.stage.config))
        (zone,) = newest.seen.zones
        by_name = {one.entry.name: one.marker for one in zone.endpoints}
        marker = by_name["www.lb.example.com"]
        assert isinstance(marker, Marker)
        assert marker.since == 2
        watcher.close()


def test_in_a_large_zone_only_what_the_plan_changed_is_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LARGE", 2)
    asked: list[object] = []
    scene.stage.publish()
    with scene.living():
        with scene.stage.enactor():  # it reads, too: not while is counted
            scene.stage.settled()
            watcher = Watcher(scene.stage.config)
            watcher.look()
            scene.stage.publish(lb_b1=REFUSED)
            scene.stage.settled()
        perform = Rfc2136Provider.perform
        monkeypatch.setattr(
            Rfc2136Provider,
            "perform",
            lambda self, one: (asked.append(one), perform(self, one))[1],  # type: ignore
        )
        assert verdict(watcher.look().seen) == verdict(observe(scene.stage.config))
        first = next(one for one in asked if isinstance(one, Read))
        assert any(owner.startswith("www.") for owner, _ in first.keys)
        assert not any(owner.startswith("login.") for owner, _ in first.keys), "login did not change"
        watcher.close()


@pytest.mark.parametrize("days", [-2, 2])
def test_our_own_clock_days_off_is_found_out(scene: Scene, days: int) -> None:
    scene.stage.publish()
    off = days * 86_400
    with scene.stage.enactor(), scene.living():
        scene.stage.settled()
        with served(scene.stage, wall=lambda: time.time() + off) as page:
            page.gatherer.look_s = 0.5
            page.renewed(3)
            look = page.gatherer.now()
            assert look is not None
            assert look.found.kind == "FINE"
            assert look.watched.own_skew == pytest.approx(off, abs=30)
            assert abs(look.seen.at - time.time()) < 30
            assert look.watched.skews == ()
            text = page.get().text
            assert f"clock is 2 d {'ahead of' if days > 0 else 'behind'}" in text


def test_our_own_clock_is_known_between_two_beats_too(scene: Scene) -> None:
    """A look that falls between the beats of a second finds nobody who has just told the time."""
    scene.stage.publish()
    watcher = Watcher(scene.stage.config, lambda: time.time() + 172_800)
    with scene.living():
        until(lambda: watcher.look().own_skew, "it is found out")
    for _ in range(2):
        watched = watcher.look()
    assert watched.own_skew == pytest.approx(172_800, abs=30)
    watcher.close()


def test_another_process_with_its_clock_off_is_named_and_is_alive(scene: Scene) -> None:
    scene.stage.publish()
    with scene.living():
        watcher = Watcher(scene.stage.config)
        path = scene.stage.place.presence / "enactor-z.json"
        for _ in range(3):
            told = {"role": "enactor", "who": "z", "pid": 1, "at": time.time() - 172_800}
            path.write_text(json.dumps(told))
            watched = watcher.look()
            time.sleep(0.6)
        assert [who for who, _ in watched.skews] == ["enactor z"]
        assert watched.own_skew == 0
        (one,) = [one for one in watched.seen.running("enactor") if one.who == "z"]
        assert one.age_s < observing.LATE_S
        watcher.close()


def test_who_stopped_while_nobody_looked_is_silent_and_its_clock_is_right(scene: Scene) -> None:
    """While nobody watches, the page rests. A beat that came meanwhile did not come now."""
    scene.stage.publish()
    with scene.living():
        watcher = Watcher(scene.stage.config)
        path = scene.stage.place.presence / "enactor-z.json"
        began = time.time() - 60.0
        for at in (began, began + 30.0):  # it was stopped 30 s ago
            path.write_text(json.dumps({"role": "enactor", "who": "z", "pid": os.getpid(), "at": at}))
            watched = watcher.look()
            watcher._noted_at -= 60.0
        assert watched.skews == ()
        (one,) = [one for one in watched.seen.present if one.who == "z"]
        assert one.age_s >= 29.0
        assert "z" not in [one.who for one in watched.seen.running("enactor")]
        watcher.close()


def test_the_store_goes_and_comes_back(scene: Scene) -> None:
    stage = scene.stage
    stage.publish()
    with stage.enactor(), scene.living():
        stage.settled()
        watcher = Watcher(stage.config)
        assert not watcher.look().seen.store.trouble
        path = stage.config.store_file
        path.rename(path.with_suffix(".away"))
        gone = until(lambda: store if (store := watcher.look().seen.store).copy else None, "the copy is found")
        assert gone is not None
        assert "does not exist" in gone.trouble
        assert gone.copy == "a"
        assert gone.plan is not None
        path.with_suffix(".away").rename(path)
        back = watcher.look().seen.store
        assert not back.trouble
        assert back.plan == stage.plan
        watcher.close()


def test_journals_are_followed_and_bounded(scene: Scene) -> None:
    follower = Follower(scene.folder)
    assert follower.look() == ()
    scene.line(100.0, "planner", "p", "verdict", load_balancer="lb-1", state="down", was="up", reason="refused")
    (first,) = follower.look()
    assert (first.lane, first.tone, first.text) == ("health", "bad", "lb-1  DOWN  refused")
    assert follower.look() is follower.look()
    path = scene.folder / "planner-p.jsonl"
    with path.open("ab") as file:
        file.write(b'{"v":2,"at":"1970-01-01T00:00:50Z","role":"planner","event":"started"}\n{"cut off')
    assert [event.at for event in follower.look()] == [50.0, 100.0]
    with path.open("ab") as file:
        file.write(b'\n{"v":2,"at":"1970-01-01T00:01:20Z","role":"planner","event":"reloaded"}\n')
    path.rename(scene.folder / "planner-p.000001.1970-01-01.jsonl")  # closed between two looks
    scene.line(200.0, "planner", "p", "stopped")
    assert [event.kind for event in follower.look()] == ["started", "reloaded", "verdict", "stopped"]
    line = b'{"v":2,"at":"1970-01-01T00:10:00Z","role":"enactor","who":"e","event":"outcome","result":"written"}\n'
    (scene.folder / "enactor-e.jsonl").write_bytes(line * (KEPT + 5000))
    assert sum(event.lane == "writes" for event in follower.look()) == KEPT
    assert len(line) * (KEPT + 5000) < TAIL_OCTETS


def test_how_it_stood_is_said_by_the_same_words(scene: Scene) -> None:
    stage = scene.stage
    began = stage.now
    for role in ("planner", "enactor", "cleaner"):
        scene.line(began, role, "a", "started", stream="main", observe=False)
    first, scene_first = stage.publish(), stage.now
    second, scene_second = stage.publish(lb_b1=REFUSED), stage.now
    scene.line(stage.now, "planner", "a", "verdict", load_balancer="lb-b1", state="down", was="up", reason="refused")
    scene.line(stage.now + 1, "enactor", "a", "stopped")
    plans = {one.digest: one for one in (first, second)}
    with scene.living():
        watcher, follower = Watcher(stage.config), Follower(scene.folder)
        now, events = watcher.look().seen, follower.look()
        watcher.close()

    def said(moment: float) -> str:
        return verdict(seen_at(moment, now, events, plans.get)).line

    assert said(scene_first + 1).startswith("✓ FINE      All 4 endpoints are in step at g1.")
    assert said(scene_second + 0.5).startswith("▲ HANDLED   api serves 5 of 6 since ")
    assert said(scene_second + 5).startswith("■ NEEDS YOU No enactor is running")
    assert said(began - 60).startswith("■ NEEDS YOU Nothing was published yet")
