"""The planner as a process, over the specifications of store and provider, with real HTTP servers to check."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from harness.ports import free_port
from runtime import staging
from runtime.staging import WWW, ZONE, Running, Stage, eventually, stage
from standfast.core.holding import Hold
from standfast.core.publisher import Assignment, Done, Phase, publish
from standfast.model.fleet import Fleet
from standfast.model.rrset import RRset, RRType, address_rdata
from standfast.ports.provider import Read, Unknown
from standfast.ports.store import PutSource, StoreReply, StoreRequest
from standfast.recovery import health
from standfast.runtime import planning
from standfast.runtime.journal_files import read_journal
from standfast.runtime.place import policy_of
from standfast.runtime.sharing import FLEET, HEALTH, SharedHealth, encode, read_fleet, read_health

ALL = ["lb-1", "lb-2", "lb-3", "lb-4"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(health, "SILENT_INTERVALS", 500)  # else a machine that stands still for 0.6 s is silence
    with stage(tmp_path, free_port()) as standing:
        yield standing


def test_the_first_plan_has_everybody_who_answers_and_does_not_wait_for_warm_up(world: Stage) -> None:
    slow = "{http: /healthz, interval: 10m, timeout: 10s, warm_up: 1h}"
    planner = world.planner(config=world.config(health=slow))
    eventually(lambda: planner.of("planned"), "a first plan, long before a second check")
    assert world.served() == ALL
    assert len(world.store.published) == 1
    (planned,) = planner.of("planned")
    assert planned["generation"] == 1
    assert planned["author"] == "ops1"
    assert [change["added"] for change in planned["changes"]] == [ALL]
    host, path = world.balancers["lb-1"].asked[0]
    assert (host.partition(":")[0], path) == ("127.0.0.11", "/healthz")


def test_a_store_that_opens_slowly_takes_nothing_from_the_time_of_the_first_checks(
    world: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not checked yet would be left out of an answer that may have held it until now."""
    perform, clock = world.store.perform, Leaping()

    def slow(request: StoreRequest) -> StoreReply:
        clock.ahead_s = 1_000.0  # so long it took
        return perform(request)

    def slower(handler: staging._Handler) -> None:
        if handler.headers["Host"].startswith("127.0.0.11"):
            time.sleep(0.4)
        answer(handler)

    answer = staging._Handler.do_GET
    monkeypatch.setattr(world.store, "perform", slow)
    monkeypatch.setattr(staging._Handler, "do_GET", slower)
    monkeypatch.setattr(planning, "time", clock)
    world.planner(config=world.config(health="{http: /healthz, interval: 30s, timeout: 20s, warm_up: 1h}"))
    eventually(world.served, "a first plan")
    assert world.served() == ALL
    assert len(world.store.published) == 1


class Leaping:
    """The clock of a planner, that may be set ahead."""

    ahead_s = 0.0
    time = staticmethod(time.time)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


def test_who_does_not_answer_is_not_in_the_first_plan(world: Stage) -> None:
    world.balancers["lb-2"].kill()
    world.planner()
    eventually(world.served, "a first plan")
    assert world.served() == ["lb-1", "lb-3", "lb-4"]


def test_a_killed_load_balancer_leaves_the_plan_and_returns(world: Stage) -> None:
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    world.balancers["lb-3"].kill()
    eventually(lambda: world.served() == ["lb-1", "lb-2", "lb-4"], "lb-3 out")
    (probe,) = planner.of("probe")
    assert (probe["load_balancer"], probe["count"], probe["of"]) == ("lb-3", 1, 2)
    assert probe["reason"].startswith(f"1 of 2  127.0.0.13:{world.port} connection re"), "refused, or reset by its end"
    down = planner.of("verdict")[-1]
    assert (down["load_balancer"], down["state"], down["was"]) == ("lb-3", "down", "up")
    assert down["reason"] == f"failed 2 checks in a row: 127.0.0.13:{world.port} connection refused"
    eventually(lambda: planner.of("planned")[-1]["changes"][0]["removed"] == ["lb-3"], "it is told")
    world.balancers["lb-3"].start()
    eventually(lambda: world.served() == ALL, "lb-3 back")
    planner.end()
    told = [line["event"] for line in read_journal(world.folder)]
    assert told[0] == "started"
    assert told[-1] == "stopped"


def test_health_and_fleet_are_in_the_store_for_all_to_read(world: Stage) -> None:
    world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    world.balancers["lb-1"].kill()
    eventually(lambda: world.served() == ALL[1:], "lb-1 out")
    fleet = read_fleet(world.store.state.source(FLEET)[1])
    assert fleet is not None
    assert [one.id for one in fleet.load_balancers] == ALL
    shared = read_health(world.store.state.source(HEALTH)[1])
    assert shared is not None
    assert shared.who == "ops1"
    assert shared.verdicts["lb-1"].state == "down"
    assert abs(shared.verdicts["lb-1"].since - time.time()) < 60
    assert "connection refused" in shared.verdicts["lb-1"].reason
    revisions = dict(world.store.published[-1].record.sources)
    assert set(revisions) == {"fleet", "health", "policy", "overrides"}


def test_without_checks_everybody_is_up(world: Stage) -> None:
    for balancer in world.balancers.values():
        balancer.kill()
    world.planner(config=world.config(health="none"))
    eventually(lambda: world.served() == ALL, "a first plan")
    entry = world.store.published[-1].entry((ZONE, WWW))
    assert entry is not None
    assert {member.reason for member in entry.members} == {"not checked (health: none)"}


def test_a_store_that_is_away_stops_change_and_nothing_else(world: Stage) -> None:
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    world.store.away = True
    world.balancers["lb-4"].kill()
    eventually(lambda: any(one["state"] == "down" for one in planner.of("verdict")), "lb-4 down")
    eventually(lambda: any(one["kind"] == "sharing" for one in planner.of("notice")), "the trouble is told")
    assert len(world.store.published) == 1
    world.store.away = False
    eventually(lambda: world.served() == ALL[:3], "lb-4 out")
    sharing = [one["why"] for one in planner.of("notice") if one["kind"] == "sharing"]
    assert len(sharing) == 2, "told once, and its end"


def test_a_store_that_is_away_at_the_start_is_waited_for(world: Stage) -> None:
    world.store.away = True
    planner = world.planner()
    eventually(lambda: planner.of("notice"), "the trouble is told")
    world.store.away = False
    eventually(lambda: world.served() == ALL, "a first plan")


def test_a_restarted_planner_empties_nothing(world: Stage) -> None:
    """It knows nothing, and all checks time out: unknown is not down, until checks have said so."""
    first = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    first.end()
    for balancer in world.balancers.values():
        balancer.kill()
    slow = "{http: /healthz, interval: 10s, timeout: 1s, fall: 3}"
    second = world.planner(config=world.config(health=slow))
    eventually(lambda: any(one["kind"] == "checks" for one in second.of("notice")), "everybody failed a first check")
    time.sleep(0.3)
    assert world.served() == ALL
    assert len(world.store.published) == 1


def test_a_restarted_planner_remembers_who_was_down(world: Stage) -> None:
    first = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    world.balancers["lb-2"].kill()
    eventually(lambda: "lb-2" not in world.served(), "lb-2 out")
    first.end()
    second = world.planner()
    time.sleep(0.5)
    assert world.served() == ["lb-1", "lb-3", "lb-4"]
    assert second.of("planned") == []
    said = read_health(world.store.state.source(HEALTH)[1])
    assert said is not None
    assert [name for name, one in said.verdicts.items() if one.state == "down"] == ["lb-2"]
    world.balancers["lb-2"].start()
    eventually(lambda: world.served() == ALL, "lb-2 back")


def test_an_address_that_changed_over_a_restart_is_a_newcomer(world: Stage) -> None:
    first = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    first.end()
    world.balancers["lb-2"].kill()
    world.balancers["lb-2"].address = "127.0.0.99"  # where nobody answers
    world.planner()
    eventually(lambda: "lb-2" not in world.served(), "the old address out")
    time.sleep(0.4)
    assert "lb-2" not in world.served(), "the new one not in before it passed"


def test_two_planners_with_different_views_do_not_alternate(world: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second can reach nobody. As long as another speaks it plans by what that one says."""
    first = world.planner("ops1")
    eventually(lambda: world.served() == ALL, "a first plan")
    said = read_health(world.store.state.source(HEALTH)[1])
    assert said is not None
    first.end()
    revision, _ = world.store.state.source(HEALTH)
    spoken = SharedHealth("ops0", "another", said.verdicts)
    world.store.perform(PutSource(HEALTH, revision + 1, encode(spoken)))
    for balancer in world.balancers.values():
        balancer.kill()
    second = world.planner("ops2")
    time.sleep(1.0)
    assert world.served() == ALL, "ops0 speaks and says that all are up"
    assert second.of("verdict") == []
    monkeypatch.setattr(health, "SILENT_INTERVALS", 3)
    eventually(lambda: second.of("verdict"), "ops0 is silent for three beats: ops2 takes over")


def test_two_planners_at_once_publish_what_one_would(world: Stage) -> None:
    planners = [world.planner("ops1"), world.planner("ops2")]
    eventually(lambda: world.served() == ALL, "a first plan")
    time.sleep(0.5)
    first = len(world.store.published)  # one, unless a check was late on a busy machine and the last came in by itself
    world.balancers["lb-1"].kill()
    eventually(lambda: world.served() == ALL[1:], "lb-1 out")
    time.sleep(0.7)
    plans = world.store.published
    assert [plan.generation for plan in plans] == list(range(1, first + 2)), "one plan for one death"
    assert all(one.record.shards != other.record.shards for one, other in pairwise(plans)), (
        "no plan says the same again"
    )
    for one in planners:
        one.process._health._beat_s = 3_600.0  # from now on nobody takes silence for an end
    eventually(lambda: sum(one.process._health.speaking for one in planners) == 1, "one speaks, and the other knows")
    (speaking,) = (one for one in planners if one.process._health.speaking)
    speaking.end()
    said = read_health(world.store.state.source(HEALTH)[1])
    assert said is not None
    assert said.instance != speaking.process._health._instance, "it said good-bye, or the other spoke since"
    world.balancers["lb-1"].start()
    eventually(lambda: world.served() == ALL, "the other goes on after a good-bye")


def test_a_planner_with_an_older_configuration_plans_nothing(world: Stage) -> None:
    old = world.planner("ops1")
    eventually(lambda: world.served() == ALL, "a first plan")
    world.planner("ops2", world.config(extra="retention: {plans: 7}"))
    eventually(lambda: any(one["kind"] == "policy" for one in old.of("notice")), "ops1 says so")
    world.balancers["lb-1"].kill()
    eventually(lambda: world.served() == ALL[1:], "lb-1 out, by ops2")
    assert world.store.published[-1].record.author == "ops2"
    time.sleep(0.3)
    assert len(world.store.published) == 2


def hold(world: Stage) -> None:
    """An operator holds www."""
    command = Hold(((ZONE, WWW),), "maintenance")
    policies = tuple(policy_of(one) for one in world.config().endpoints)
    task = Assignment(
        "main", (ZONE,), Fleet(()), (), policies, time.time(), "alice", held=world.store.published[-1], command=command
    )
    phase: Phase = publish(task)
    while not isinstance(phase, Done):
        request = phase.request
        reply = world.zone.perform(request) if isinstance(request, Read) else world.store.perform(request)
        phase = phase.heard(reply)  # type: ignore[arg-type]
    assert phase.outcome.kind == "published"


def test_a_lost_store_loses_no_hold_and_reuses_no_generation(world: Stage) -> None:
    """The zone knows nothing of a hold: what an enactor kept on its disk speaks for it."""
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    hold(world)
    kept = world.store.published[-1]
    planner.end()
    world.store = type(world.store)()
    again = world.planner(kept=kept)
    eventually(lambda: bool(world.store.published), "a plan in the new store")
    assert world.store.published[0].generation > kept.generation
    carried = world.store.published[0].entry((ZONE, WWW))
    assert carried is not None
    assert carried.held == "maintenance"
    again.end()


def test_an_operators_hold_is_kept(world: Stage) -> None:
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    hold(world)
    eventually(lambda: planner.process.plan == world.store.published[-1], "the planner takes it over")
    world.balancers["lb-1"].kill()
    eventually(lambda: any(one["state"] == "down" for one in planner.of("verdict")), "lb-1 down")
    time.sleep(0.2)
    assert world.served() == ALL


def test_a_refusal_is_told_once(world: Stage) -> None:
    there = RRset.of(RRType.A, 60, (address_rdata("192.0.2.99"),))
    world.zone.state = type(world.zone.state)(ZONE, {(WWW, int(RRType.A)): there})
    planner = world.planner()
    eventually(lambda: planner.of("refused"), "a refusal")
    world.balancers["lb-1"].kill()
    eventually(lambda: len(planner.of("verdict")) > 4, "another pass")
    time.sleep(0.2)
    last = planner.of("refused")[-1]
    assert (last["name"], last["rule"], last["remedy"]) == (WWW, "consent", f"--take {WWW}")
    assert len([one for one in planner.of("refused") if one["rule"] == "consent"]) == 1


def test_a_broken_fleet_file_holds_the_fleet(world: Stage) -> None:
    world.write_fleet(*ALL)
    planner = world.planner(config=world.config(declared=False))
    eventually(lambda: world.served() == ALL, "a first plan")
    world.write_fleet("lb-1", count=4)
    eventually(lambda: _states(planner) == ["known", "unknown"], "the trouble is told")
    world.write_fleet("lb-1", "lb-2")
    eventually(lambda: _states(planner)[2:] == ["held"], "so is a shrink")
    world.fleet_file.unlink()
    eventually(lambda: _states(planner)[3:] == ["unknown"], "and no file")
    assert world.served() == ALL
    world.write_fleet(*ALL[:3])
    eventually(lambda: world.served() == ALL[:3], "one of four may go")
    world.write_fleet(*ALL)
    eventually(lambda: "lb-4" in world.served(), "and comes back after its warm-up")


def _states(planner: Running) -> list[str]:
    return [one["state"] for one in planner.of("source")]


def test_a_newcomer_waits_for_its_warm_up(world: Stage) -> None:
    world.write_fleet(*ALL[:3])
    slow = "{http: /healthz, interval: 200ms, timeout: 2s, fall: 2, rise: 1, warm_up: 1h}"
    world.planner(config=world.config(declared=False, health=slow))
    eventually(lambda: world.served() == ALL[:3], "a first plan")
    world.write_fleet(*ALL)
    eventually(lambda: len(world.balancers["lb-4"].asked) >= 3, "lb-4 is checked")
    assert world.served() == ALL[:3]


def test_a_zone_that_can_not_be_read_is_tried_again(world: Stage) -> None:
    perform, silent = world.zone.perform, [True]

    def answered(request: object) -> object:
        if silent[0]:
            return Unknown("timed out after 5 s")
        return perform(request)  # type: ignore[call-overload]

    world.zone.perform = answered  # type: ignore[method-assign, assignment]
    planner = world.planner()
    eventually(lambda: any(one["rule"] == "unreadable" for one in planner.of("refused")), "the refusal is told")
    assert not world.store.published
    silent[0] = False
    eventually(lambda: world.served() == ALL, "tried again")


@pytest.mark.parametrize("address", ["not an address", "192.0.2.999", "2001:db8::1"])
def test_a_fleet_that_was_tampered_with_in_the_store_is_unknown(world: Stage, address: str) -> None:
    """Who plans lives, and goes on with the fleet it knew."""
    planner = world.planner()
    eventually(lambda: world.served() == ALL, "a first plan")
    revision, body = world.store.state.source(FLEET)
    mangled = body.replace(b"127.0.0.12", address.encode())
    assert mangled != body
    world.store.perform(PutSource(FLEET, revision + 1, mangled))
    world.balancers["lb-1"].kill()
    eventually(lambda: world.served() == ALL[1:], "it plans on")
    entry = world.store.published[-1].entry((ZONE, WWW))
    assert entry is not None
    assert {address for one in entry.members for address in one.addresses} == {f"127.0.0.1{n}" for n in (1, 2, 3, 4)}
    planner.end()
