"""Planners and Route 53's health checks: shared through the store, asked for by one, told beside ours."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.checkdesk import Account
from standfast.config import Config
from standfast.config import check as check_config
from standfast.model.fleet import Verdict
from standfast.model.override import Override
from standfast.ports import store_spec
from standfast.ports.store import PutSource, StoreReply, StoreRequest
from standfast.ports.store_spec import StoreState
from standfast.runtime import checkkeeping, checkworking
from standfast.runtime.checkboards import DOOMED, SharedDoomed, read_hosted_verdicts
from standfast.runtime.checkkeeping import CheckKeeper
from standfast.runtime.journal import Journal
from standfast.runtime.journal_files import read_journal
from standfast.runtime.tidings import Tidings

ZONE = "lb.example.com"
UP = {"lb-a": Verdict("up", ""), "lb-b": Verdict("up", "")}


class Store:
    """A store by its specification."""

    def __init__(self) -> None:
        self.state = StoreState(None, ())

    def perform(self, request: StoreRequest) -> StoreReply:
        self.state, reply = store_spec.apply(self.state, request)
        return reply

    def changed(self) -> bool:
        return True


def config(checks: str = "all") -> Config:
    text = (
        f"zone: {{name: {ZONE}, provider: route53, health_checks: {checks}}}\nhealth: {{http: /}}\n"
        "load_balancers: {lb-a: {az: a, ip: 192.0.2.1}, lb-b: {az: b, ip: [192.0.2.2, '2001:db8::2']}}\n"
        "endpoints: {www: {}}\n"
    )
    made, problems, _ = check_config(text, "standfast.yaml")
    assert made is not None, problems
    return made


class Stage:
    """One account, one store, and planners that are turned by hand."""

    def __init__(self, folder: Path, checks: str = "all") -> None:
        self.folder, self.config, self.store, self.account = folder, config(checks), Store(), Account()
        self.now = 1000.0
        (folder / "journal").mkdir(parents=True, exist_ok=True)

    def keeper(self, who: str) -> CheckKeeper:
        tidings = Tidings(Journal(self.folder / "journal", "planner", who))
        one = CheckKeeper(who, self.config, self.store, tidings, lambda: None, lambda zone: self.account)
        assert one.look()
        return one

    def turn(self, one: CheckKeeper, times: int = 8, *, may: bool = True, ours: dict[str, Verdict] = UP) -> None:
        for _ in range(times):
            one.look()
            one.hear(self.config.load_balancers, None, ours, may=may)
            for zone, work in one._worker._zones.items():
                one._worker.turn(zone, work, self.now)
            self.now += 10
        one.hear(self.config.load_balancers, None, ours, may=may)

    def ids(self, one: CheckKeeper, ruling: dict[str, Override] | None = None) -> dict[str, str]:
        return {check.load_balancer: check.id for check in dict(one.checks(ruling or {})).get(ZONE, ())}

    def events(self, event: str) -> list[dict[str, Any]]:
        return [dict(one) for one in read_journal(self.folder / "journal", events=(event,))]

    def said(self) -> Any:
        shared = read_hosted_verdicts(self.store.state.source("route53.verdicts")[1])
        return shared.zones[ZONE] if shared else None


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_two_planners_share_one_set_and_only_the_speaker_asks(stage: Stage) -> None:
    one, other = stage.keeper("p1"), stage.keeper("p2")
    stage.turn(other, may=False)
    assert stage.account.asked == 0
    stage.turn(one)
    stage.turn(other, may=False)
    assert stage.ids(one) == stage.ids(other)
    assert set(stage.ids(one)) == {"lb-a", "lb-b"}
    asked = stage.account.made
    stage.turn(other)
    assert stage.account.made == asked == len(stage.account.checks) == 4
    assert sum(event["made"] for event in stage.events("health_checks")) == 4
    assert one.sources[0][0] == "route53.checks"


def test_what_is_doomed_or_ordered_up_is_not_planned_by(stage: Stage) -> None:
    one = stage.keeper("p1")
    stage.turn(one)
    before = stage.ids(one)
    order = Override("load_balancer", "lb-a", "up", "test", "me", 0.0, 1e12)
    assert set(stage.ids(one, {"lb-a": order})) == {"lb-b"}, "Route 53 would take it out against the order"
    doomed = msgspec.json.encode(SharedDoomed({ZONE: (before["lb-a"],)}))
    stage.store.perform(PutSource(DOOMED, 1, doomed))
    one.look()
    assert set(stage.ids(one)) == {"lb-b"}
    stage.turn(one)
    after = stage.ids(one)
    assert after["lb-b"] == before["lb-b"]
    assert after["lb-a"] not in (before["lb-a"], "")


def test_aws_that_is_away_blocks_nothing_and_is_told_once(stage: Stage) -> None:
    stage.account.away = "AWS is away"
    one = stage.keeper("p1")
    stage.turn(one)
    assert stage.ids(one) == {}
    assert stage.said().why == "AWS is away"
    assert len([event for event in stage.events("notice") if "AWS is away" in event["why"]]) == 1
    assert stage.account.asked <= 5, "with growing pauses"
    stage.account.away = ""
    stage.now += 1000
    stage.turn(one)
    assert set(stage.ids(one)) == {"lb-a", "lb-b"}


def test_verdicts_are_told_beside_ours_and_a_long_difference_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkkeeping, "DISAGREES_S", 0.0)
    one = stage.keeper("p1")
    stage.turn(one, 16)
    assert {name: verdict.state for name, verdict in stage.said().verdicts.items()} == dict.fromkeys(UP, "healthy")
    checks = stage.account.checks.items()
    part = next(one for one, check in checks if check.settings and check.settings.address == "2001:db8::2")
    stage.account.ill.add(part)
    stage.turn(one, 16)
    assert stage.said().verdicts["lb-b"].state == "unhealthy", "ill with one of its addresses, as ours"
    assert stage.said().verdicts["lb-a"].state == "healthy"
    time.sleep(0.01)
    stage.turn(one)
    assert any("lb-b is up by our checks and unhealthy by Route 53's" in e["why"] for e in stage.events("notice"))


def test_a_check_deleted_by_hand_is_found_by_its_status_and_made_anew(stage: Stage) -> None:
    one = stage.keeper("p1")
    stage.turn(one, 16)
    before = stage.ids(one)
    del stage.account.checks[before["lb-a"]]
    stage.turn(one, 16)
    after = stage.ids(one)
    assert after["lb-a"] not in (before["lb-a"], "")
    assert after["lb-b"] == before["lb-b"]


def test_switched_off_nobody_keeps_one_and_who_observes_asks_nobody(stage: Stage, tmp_path: Path) -> None:
    one = stage.keeper("p1")
    stage.turn(one)
    assert stage.ids(one)
    stage.config = config("off")
    one = stage.keeper("p1")
    stage.turn(one)
    assert stage.ids(one) == {}
    asked = stage.account.asked
    watching = Stage(tmp_path / "watching")
    watching.account = checkworking.unasked(ZONE)  # type: ignore[assignment]
    seen = watching.keeper("p1")
    watching.turn(seen)
    assert watching.ids(seen) == {}
    assert "observing" in watching.said().why
    assert stage.account.asked == asked
