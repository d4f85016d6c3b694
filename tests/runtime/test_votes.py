"""Several vantage points over one store: probers as threads with real load balancers, a planner that concludes."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.ports import free_port
from runtime.staging import Event, Seat, Stage, eventually
from standfast.adapters.probes import Refused, Result, TcpProbe
from standfast.config import Config, LoadBalancerConfig, VantageConfig
from standfast.errors import StandfastError
from standfast.model.fleet import Verdict
from standfast.recovery import health
from standfast.runtime.journal import Journal
from standfast.runtime.probing import Outlook, Prober, target_of
from standfast.runtime.sharing import HEALTH, read_health
from standfast.runtime.vantage import VantageProcess, vantage_of
from standfast.runtime.votes import (
    OCTETS_MAX,
    Panel,
    VoteBoard,
    look_at_votes,
    read_votes,
    source_of,
    target_key,
)

ALL = ["lb-1", "lb-2", "lb-3", "lb-4"]
THREE = "vantage: {ops1: {az: a}, ops2: {az: b}, office: }"


class Eyes:
    """A probe that may be made to see otherwise than it is."""

    def __init__(self) -> None:
        self._real = TcpProbe(1.0)
        self.lies: dict[str, Result] = {}
        self.cut = False

    async def check(self, address: str, port: int) -> Result:
        if self.cut:
            return Refused("timed out after 1 s")
        return self.lies.get(address) or await self._real.check(address, port)

    async def close(self) -> None:
        """Nothing is kept open."""


class Watcher:
    """A prober at work."""

    def __init__(self, world: Stage, config: Config, name: str) -> None:
        self.events: list[Event] = []
        self.eyes = Eyes()
        self.process = VantageProcess(
            vantage_of(config, name),
            config,
            world.store.seat(),
            Journal(world.folder, "prober", f"{name}-{id(self)}"),
            tell=lambda event, facts: self.events.append((event, facts)),
            prober=lambda wake: Prober(config.health, wake, probe=self.eyes),
        )
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.process.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()

    def notices(self, kind: str) -> list[Any]:
        return [facts["why"] for event, facts in list(self.events) if event == "notice" and facts["kind"] == kind]


class Region(Stage):
    """With vantage points."""

    watchers: list[Watcher]

    def wanted(self) -> Config:
        return self.config(extra=THREE, health=f"{{tcp: {self.port}, interval: 200ms, timeout: 1s, fall: 2, rise: 2}}")

    def watcher(self, name: str) -> Watcher:
        one = Watcher(self, self.wanted(), name)
        self.watchers.append(one)
        return one

    def health(self, name: str) -> Any:
        shared = read_health(self.store.state.source(HEALTH)[1])
        return shared.verdicts.get(name) if shared is not None else None


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    monkeypatch.setattr(health, "SILENT_INTERVALS", 15)  # else a machine that stands still for 0.6 s is silence
    region = Region(tmp_path, free_port())
    region.watchers = []
    try:
        yield region
    finally:
        for one in region.watchers:
            one.end()
        region.close()


def begun(world: Region) -> tuple[Any, dict[str, Watcher]]:
    """A planner and three probers in peace."""
    planner = world.planner(config=world.wanted())
    watchers = {name: world.watcher(name) for name in ("ops1", "ops2", "office")}
    eventually(lambda: world.served() == ALL, "a first plan")
    eventually(lambda: all(len(read_of(world, name)) == 4 for name in watchers), "all have voted")
    return planner, watchers


def read_of(world: Region, name: str) -> dict[str, Any]:
    said = read_votes(world.store.state.source(source_of(name))[1])
    return said.votes if said is not None else {}


def test_one_that_dies_leaves_by_the_votes_of_all_and_one_liar_changes_nothing(world: Region) -> None:
    planner, watchers = begun(world)
    watchers["ops1"].eyes.lies["127.0.0.12"] = Refused("connection refused")
    eventually(lambda: read_of(world, "ops1")["lb-2"].state == "down", "the liar's vote")
    world.balancers["lb-3"].kill()
    eventually(lambda: world.served() == ["lb-1", "lb-2", "lb-4"], "lb-3 out")
    down = world.health("lb-3")
    assert down.state == "down"
    assert ", seen from o" in down.reason
    eventually(lambda: world.health("lb-3").outside == 2, "the office and ops2 stand outside AZ a")
    assert world.health("lb-2").state == "up"
    world.balancers["lb-3"].start()
    eventually(lambda: world.served() == ALL, "lb-3 back")
    assert planner.of("probe") == [], "each prober tells its own"
    assert any(event == "probe" for event, _ in watchers["office"].events)


def test_a_cut_vantage_point_votes_unknown_and_says_why(world: Region) -> None:
    planner, watchers = begun(world)
    watchers["ops2"].eyes.cut = True
    eventually(lambda: {one.state for one in read_of(world, "ops2").values()} == {"unknown"}, "it sees nothing")
    assert watchers["ops2"].notices("checks")[0].startswith("Every load balancer fails its check here.")
    eventually(lambda: any("ops2" in one["why"] for one in planner.of("notice")), "the planner tells of it")
    world.balancers["lb-4"].kill()
    eventually(lambda: world.served() == ALL[:3], "two of three still decide")
    watchers["ops2"].eyes.cut = False
    eventually(lambda: read_of(world, "ops2")["lb-1"].state == "up", "its sight is back")
    assert world.served() == ALL[:3]


def test_absent_voters_are_unknown_and_a_minority_decides_nothing(world: Region) -> None:
    planner, watchers = begun(world)
    watchers["ops2"].end()
    watchers["office"].end()
    few = "1 of 3 vantage points is heard, and 2 must be: nobody comes or goes by health"
    eventually(lambda: few in [one["why"] for one in planner.of("notice")], "too few are heard")
    eventually(lambda: "vantage point ops2: it is silent" in [one["why"] for one in planner.of("notice")], "who")
    world.balancers["lb-1"].kill()
    eventually(lambda: read_of(world, "ops1")["lb-1"].state == "down", "one sees it")
    eventually(lambda: world.health("lb-1").state == "unknown", "and one of three is no majority")
    assert world.served() == ALL
    again = world.watcher("ops2")
    eventually(lambda: world.served() == ALL[1:], "a second one sees it")
    assert read_of(world, "ops2")["lb-1"].state == "down", "no newcomer: it was in the plan"
    assert again.notices("vantage") == []


def test_two_in_one_name_are_told_and_neither_counts(world: Region) -> None:
    planner, watchers = begun(world)
    twin = world.watcher("ops2")
    eventually(lambda: watchers["ops2"].notices("vantage") or twin.notices("vantage"), "they notice each other")
    eventually(lambda: any("spoke again" in one["why"] for one in planner.of("notice")), "neither counts")
    assert world.served() == ALL


def test_a_fleet_of_garbage_or_a_monstrous_vote_is_no_vote(world: Region) -> None:
    assert read_votes(b"") is None
    assert read_votes(b"{") is None
    assert read_votes(b"\xff") is None
    assert read_votes(b'{"vantage": 1}') is None
    assert read_votes(b" " * (OCTETS_MAX + 1)) is None


def load_balancer(*addresses: str) -> LoadBalancerConfig:
    return LoadBalancerConfig("lb-1", "a", "main", addresses, (), 100, "up", None)


def vote(store: Seat, names: list[str], addresses: str, state: Any, now: float) -> None:
    """Everybody of these says so of the load balancer at that address."""
    target = target_of(load_balancer(addresses), None)
    for name in names:
        board = VoteBoard(store, VantageConfig(name, "b"), f"process of {name}", "", 1.0)
        board.look()
        keys = {"lb-1": target_key(target)}
        said = {"lb-1": Verdict(state, f"{state} from {name}")}
        board.settle(said, {"lb-1": Outlook(3, now + 60.0)}, keys, "", now, 0.0)


def test_votes_about_other_addresses_do_not_count(world: Region) -> None:
    store = world.store.seat()
    names = ["ops1", "ops2", "office"]
    panel = Panel(store, [VantageConfig(name) for name in names], 1e6)
    panel.watch([target_of(load_balancer("192.0.2.2"), None)])
    assert panel.look(1.0)
    vote(store, names, "192.0.2.1", "up", 1.0)
    assert panel.look(2.0)
    assert panel.verdicts()["lb-1"].state == "unknown"
    assert "it does not look at these addresses yet" in panel.verdicts()["lb-1"].reason
    vote(store, names, "192.0.2.2", "up", 3.0)
    assert panel.look(3.0)
    assert panel.verdicts()["lb-1"] == Verdict("up", "up from ops1, seen from ops1, ops2 and office")
    assert panel.all_heard
    assert panel.outlooks()["lb-1"].flaps == 3


def test_what_a_prober_said_of_other_addresses_makes_nobody_known(world: Region) -> None:
    store = world.store.seat()
    vote(store, ["ops1"], "192.0.2.1", "down", 1.0)
    board = VoteBoard(store, VantageConfig("ops1"), "another process", "", 1.0)
    assert board.look()
    same, other = target_of(load_balancer("192.0.2.1"), None), target_of(load_balancer("192.0.2.9"), None)
    assert board.said_of([same]) == ({"lb-1": "down"}, {"lb-1": 3})
    assert board.said_of([other]) == ({}, {})


def test_a_prober_that_starts_again_does_not_repeat_what_is_old(world: Region) -> None:
    """Two of three that are started again and say what they said an hour ago would be a majority."""
    _, watchers = begun(world)
    watchers["ops1"].end()
    board = VoteBoard(world.store.seat(), VantageConfig("ops1", "a"), "an hour ago", "", 1.0)
    assert board.look()
    assert board.said is not None
    old = {name: Verdict("down", "old") for name in ALL}
    assert board.settle(old, {}, board.said.targets, "", 1.0, 0.0) == "put"
    again = world.watcher("ops1")

    def told() -> list[str]:
        return [facts["state"] for event, facts in list(again.events) if event == "verdict"]

    eventually(lambda: len(told()) >= 4, "it has looked itself")
    assert set(told()) == {"up"}
    eventually(lambda: {one.state for one in read_of(world, "ops1").values()} == {"up"}, "and says so")
    assert world.served() == ALL


def test_a_store_that_is_away_makes_nobody_heard(world: Region) -> None:
    store = world.store.seat()
    panel = Panel(store, [VantageConfig("ops1")], 1e6)
    panel.watch([target_of(load_balancer("192.0.2.1"), None)])
    assert panel.look(1.0)
    world.store.away = True
    assert not panel.look(2.0)
    assert panel.verdicts()["lb-1"].state == "unknown"
    (sight,) = look_at_votes(store, [VantageConfig("ops1", "a")], 1.0, 0.0)
    assert (sight.silent, sight.age_s, sight.vote("lb-1").state) == (True, None, "unknown")


def test_what_is_shown_of_a_vantage_point_is_what_stands_in_the_store(world: Region) -> None:
    store = world.store.seat()
    vote(store, ["ops1"], "192.0.2.1", "down", 1.0)
    fresh, old = (look_at_votes(store, [VantageConfig("ops1", "b")], 1.0, at)[0] for at in (2.0, 60.0))
    assert (fresh.silent, fresh.vote("lb-1").state, fresh.vote("lb-9").state) == (False, "down", "unknown")
    assert (old.silent, old.vote("lb-1").state) == (True, "unknown")


@pytest.mark.parametrize(
    ("name", "az", "says"),
    [
        ("ops9", "", "The configuration declares no vantage point ops9. Take one of office, ops1, ops2"),
        ("ops1", "b", "Vantage point ops1 stands in a by the configuration, not in b."),
        ("office", "a", "Vantage point office stands in no AZ by the configuration, not in a."),
    ],
)
def test_who_votes_is_declared(world: Region, name: str, az: str, says: str) -> None:
    with pytest.raises(StandfastError) as refused:
        vantage_of(world.wanted(), name, az)
    assert str(refused.value).startswith(says)


def test_without_vantage_points_there_is_nothing_for_a_prober_to_do(world: Region) -> None:
    with pytest.raises(StandfastError, match=r"Add to .*: vantage: \{ops1: \{az: a\}, …\}"):
        vantage_of(world.config(), "ops1")
    with pytest.raises(StandfastError, match="leaves nothing to check"):
        vantage_of(replace(world.config(), health=None), "ops1")
