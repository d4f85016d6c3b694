"""The registry over real HTTP: who may hold a lease, what is kept, what happens while the store is away."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.registry.desks import KEY, OPERATOR, Running, Vault, lines_of, running, until
from standfast.runtime.registry import desk, process
from standfast.runtime.registry.standing import registries_in
from standfast.runtime.registry.wire import DOCUMENT, rendered

TERM_S = 2.0


@pytest.fixture(autouse=True)
def some_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    monkeypatch.setattr(process, "TICK_S", 0.3)
    monkeypatch.setattr(process, "BEAT_S", 0.4)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def one(tmp_path: Path, vault: Vault) -> Iterator[Running]:
    with running(tmp_path, "one", vault, term_s=TERM_S) as found:
        yield found


def test_who_is_told_that_it_holds_is_in_the_fleet(one: Running, vault: Vault) -> None:
    reply = one.put("lb-a1", capacity=50)
    assert reply.status_code == 200
    held = reply.json()
    assert (held["holder"], held["registry"], held["number"], held["granted"]) == ("lb-a1", "one", 1, True)
    assert vault.fleet() == {"lb-a1": "up"}
    writes, began = vault.writes, time.monotonic()
    again = [one.put("lb-a1", capacity=50).json() for _ in range(20)]
    assert {(each["number"], each["granted"]) for each in again} == {(1, False)}
    assert vault.writes - writes <= 2 + (time.monotonic() - began) / 0.3, "only the beat"
    assert one.put("lb-a1", capacity=50, admin="drain", why="mending").status_code == 200
    assert vault.fleet() == {"lb-a1": "drain"}
    assert vault.whys() == {"lb-a1": "drained by its agent: mending"}
    assert one.put("lb-a1", capacity=50, admin="down", why="on fire").status_code == 200
    assert vault.whys() == {"lb-a1": "taken down by its agent: on fire"}
    assert one.put("lb-a1", capacity=50, health="down").status_code == 200
    assert vault.told() == {"lb-a1": "down"}


def test_nobody_gets_a_lease_without_a_key_that_is_good_for_it(one: Running) -> None:
    assert httpx.put(f"{one.url}/v1/leases/lb-a1", json={}).status_code == 401
    assert one.put("lb-a1", key="x" * 24).status_code == 401
    assert one.put("lb-a1", key="s" * 24).status_code == 403
    assert one.put("lb-x1", key="s" * 24, number=31).status_code == 200
    own = next(key for key in one.process.desk.config.keys if key.name == "own")
    assert one.put("lb-b1", key=own.token("lb-b1"), number=21).status_code == 200
    assert one.put("lb-b2", key=own.token("lb-b1"), number=22).status_code == 401
    assert one.put("lb-b2", key="m" * 24, number=22).status_code == 401
    assert one.delete("lb-b1", key="s" * 24).status_code == 403
    assert one.get("/v1/leases", key=KEY).status_code == 401
    assert one.get("/v1/registry", key="nobody's").status_code == 401
    assert [lease["holder"] for lease in one.get("/v1/leases").json()["leases"]] == ["lb-b1", "lb-x1"]


@pytest.mark.parametrize(
    ("said", "status", "text"),
    [
        ({"ip": ["198.51.100.1"]}, 422, "outside the prefixes"),
        ({"ip": ["192.0.2.010"]}, 422, "192.0.2.010"),
        ({"ip": []}, 422, "0 addresses"),
        ({"capacity": 0}, 422, "capacity"),
        ({"az": "not an az"}, 422, "AZ"),
        ({"admin": "gone"}, 400, "admin"),
        ({"surprise": 1}, 400, "surprise"),
        ({"why": "x" * 300}, 422, "why"),
        ({"why": "two\nlines"}, 422, "why"),
        ({"pool": "p" * 9000}, 413, "larger"),
        ({"ip": ["192.0.2.99"]}, 409, "belongs to lb-z1"),
    ],
)
def test_what_a_configuration_would_not_take_is_refused_with_the_remedy(
    one: Running, vault: Vault, said: dict[str, Any], status: int, text: str
) -> None:
    assert one.put("lb-z1", number=99).status_code == 200
    reply = one.put("lb-a1", **said)
    assert reply.status_code == status, reply.text
    assert text in reply.json()["error"]
    assert reply.json()["remedy"]
    assert set(vault.fleet()) == {"lb-z1"}


def test_what_is_no_request_of_ours_is_refused(one: Running) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    assert httpx.put(f"{one.url}/v1/leases/lb-a1", content=b"{", headers=headers).status_code == 400
    assert httpx.put(f"{one.url}/v1/leases/lb-a1", content=b"\xff\xfe", headers=headers).status_code == 400
    assert httpx.put(f"{one.url}/v1/leases/{'x' * 80}", content=b"{}", headers=headers).status_code == 422
    assert httpx.post(f"{one.url}/v1/leases/lb-a1", content=b"{}", headers=headers).status_code == 404
    assert httpx.get(f"{one.url}/elsewhere").status_code == 404


def test_the_interface_is_as_it_is_documented(one: Running) -> None:
    assert DOCUMENT.read_text() == rendered(), "python -m standfast.runtime.registry.wire"
    served = httpx.get(f"{one.url}/openapi.json").json()
    assert served == json.loads(DOCUMENT.read_text())
    assert served["openapi"].startswith("3.1")


def test_who_falls_silent_among_others_leaves_and_who_signs_off_is_drained_first(one: Running, vault: Vault) -> None:
    for number, name in ((11, "lb-a1"), (12, "lb-a2"), (13, "lb-a3")):
        assert one.put(name, number=number).status_code == 200
    assert one.delete("lb-a3").status_code == 204
    assert one.delete("lb-a3").status_code == 204
    assert vault.fleet() == {"lb-a1": "up", "lb-a2": "up", "lb-a3": "drain"}
    until(lambda: one.put("lb-a1").status_code == 200 and "lb-a2" not in vault.fleet(), "lb-a2 loses its lease")
    assert vault.fleet() == {"lb-a1": "up", "lb-a3": "drain"}
    until(lambda: [line for line in lines_of(one.journal) if line["event"] == "lease_ended"][1:], "it is told")
    told = [(line["load_balancer"], line["why"]) for line in lines_of(one.journal) if line["event"] == "lease_ended"]
    assert told == [("lb-a3", "its agent signed off"), ("lb-a2", "it did not renew for 2 s")]
    assert one.put("lb-a3", number=13).json()["number"] == 4
    assert vault.fleet()["lb-a3"] == "up"


def test_while_the_store_is_away_nothing_is_granted_and_nobody_is_lost(one: Running, vault: Vault) -> None:
    for number, name in ((11, "lb-a1"), (12, "lb-a2")):
        assert one.put(name, number=number).status_code == 200
    vault.away = True
    refused = one.put("lb-a9", number=19)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert "retry-after-ms" not in refused.headers, "all are told the same: they have to spread"
    counted = one.process.desk.keeping.book.reach.counted
    until(lambda: one.get("/v1/registry").json()["why"].startswith("the plan store"), "it is told")
    until(lambda: one.process.desk.keeping.book.reach.counted == counted, "time does not count")
    vault.away = False
    until(lambda: one.put("lb-a1").status_code == 200, "it goes on by itself")
    assert {"lb-a1", "lb-a2"} <= set(vault.fleet())


def test_who_asks_again_before_it_is_written_is_not_told_that_it_is(one: Running, vault: Vault) -> None:
    vault.away = True
    for _ in range(3):
        assert one.put("lb-a1").status_code == 503, "it is no more written than it was before"
    assert vault.fleet() == {}
    vault.away = False
    assert one.put("lb-a1").status_code == 200
    assert vault.fleet() == {"lb-a1": "up"}
    vault.away = True
    for _ in range(3):
        assert one.delete("lb-a1").status_code == 503
    vault.away = False
    assert one.delete("lb-a1").status_code == 204
    assert vault.fleet() == {"lb-a1": "drain"}
    assert vault.whys() == {"lb-a1": "drained: its agent signed off"}


def test_while_the_store_does_not_even_answer_nothing_is_renewed_and_no_lease_ages(
    one: Running, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert one.put("lb-a1").status_code == 200
    with monkeypatch.context() as patch, vault.lock:  # as a disk that hangs: it says nothing at all
        for module in (desk, process):
            patch.setattr(module, "CONFIRMED_S", 0.5)
        until(lambda: one.put("lb-a1").status_code == 503, "it is not renewed: another may be this registry by now")
        until(
            lambda: one.get("/v1/registry").json()["why"] == "nothing was heard of the plan store for 0.5 s",
            "it is told",
        )
        until(
            lambda: one.process.desk.keeping.book.reach.why == "nothing was heard of the plan store for 0.5 s",
            "no time counts",
        )
        assert len(one.process.desk.keeping.book) == 1
    until(lambda: one.put("lb-a1").status_code == 200, "it goes on by itself")


def test_a_registry_whose_hand_is_lost_ends_and_is_no_ghost(tmp_path: Path, vault: Vault) -> None:
    one = Running(tmp_path, "one", vault).ready()
    vault.perform = lambda request: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    until(lambda: one.failure is not None, "it ends: whoever supervises it starts it anew")
    assert isinstance(one.failure, ZeroDivisionError)
    one.end()


def test_a_registry_that_was_away_lost_nobody_and_gives_everybody_a_whole_term(tmp_path: Path, vault: Vault) -> None:
    with running(tmp_path, "one", vault) as first:
        for number in range(6):
            assert first.put(f"lb-a{number}", number=number + 1).status_code == 200
        assert first.put("lb-a5", number=6, admin="drain").status_code == 200
    with running(tmp_path, "one", vault) as second:
        assert len(vault.fleet()) == 6
        again = second.put("lb-a0", number=1).json()
        assert (again["granted"], again["number"]) == (False, 1)
        assert second.put("lb-new", number=50).json()["number"] == 7
        assert vault.fleet()["lb-a5"] == "drain"
        assert second.get("/v1/registry").json()["heard"] == 2


def test_a_second_registry_takes_over_who_comes_and_expires_nobody_else(tmp_path: Path, vault: Vault) -> None:
    with running(tmp_path, "one", vault, term_s=TERM_S) as one, running(tmp_path, "two", vault, term_s=TERM_S) as two:
        assert one.put("lb-a1", number=11).json()["number"] == 1
        assert one.put("lb-a2", number=12).json()["number"] == 2
        until(lambda: two.process.desk.keeping.book.highest == 2, "two has seen them")
        assert len(two.process.desk.keeping.book) == 0
        moved = two.put("lb-a1", number=11).json()
        assert (moved["registry"], moved["granted"], moved["number"]) == ("two", True, 3)
        until(lambda: "lb-a1" not in one.process.desk.keeping.book, "one lets go of it")
        assert "lb-a2" in one.process.desk.keeping.book
        assert set(vault.fleet()) == {"lb-a1", "lb-a2"}
        one.end()
        before = two.process.desk.keeping.book.reach.counted
        until(
            lambda: (
                two.put("lb-a1", number=11).status_code == 200
                and two.process.desk.keeping.book.reach.counted > before + TERM_S + 0.5
            ),
            "more than a term of two's goes by",
        )
        assert set(vault.fleet()) == {"lb-a1", "lb-a2"}, "what one held is not two's to end"


def test_of_two_processes_of_one_name_the_newer_goes_on(tmp_path: Path, vault: Vault) -> None:
    first = Running(tmp_path, "one", vault).ready()
    assert first.put("lb-a1").status_code == 200
    with running(tmp_path, "one", vault) as second:
        until(lambda: first.failure is not None, "the first ends")
        assert "Another process is registry one now" in str(first.failure)
        assert second.put("lb-a1").json()["granted"] is False
    first.end()


def test_the_door_turns_away_before_it_reads_and_says_when_to_come(one: Running) -> None:
    assert one.put("lb-a1").status_code == 200
    one.process.desk.pace.rate = 0.1
    client = httpx.Client(timeout=60.0)  # a refusal is held back for most of the 5 s that it would wait
    body = {"az": "a", "ip": ["192.0.2.11"]}
    headers = {"authorization": f"Bearer {KEY}"}
    for _ in range(2):
        reply = client.put(f"{one.url}/v1/leases/lb-a1", json=body, headers=headers)
        assert reply.status_code == 503
        exact, whole = int(reply.headers["retry-after-ms"]) / 1000, int(reply.headers["retry-after"])
        assert exact <= whole <= max(1.0, exact + 1.0), "never before"
        assert "in time" in reply.json()["error"]
    one.process.desk.pace.rate = 500.0
    assert client.put(f"{one.url}/v1/leases/lb-a1", json=body, headers=headers).status_code == 200, (
        "the same connection"
    )
    client.close()
    assert one.get("/v1/registry").json()["refused"] >= 2


def test_an_operator_ends_what_nobody_gives_back(one: Running, vault: Vault) -> None:
    assert one.put("lb-a1").status_code == 200
    assert one.delete("lb-a1", key=OPERATOR).status_code == 204
    assert vault.fleet() == {"lb-a1": "drain"}


def test_a_registry_away_for_hours_is_told_and_takes_nobody_with_it(tmp_path: Path, vault: Vault) -> None:
    with running(tmp_path, "one", vault, term_s=TERM_S) as first:
        for number in range(6):
            assert first.put(f"lb-a{number}", number=number + 1).status_code == 200
    members = set(vault.fleet())
    assert len(members) == 6
    (later,) = registries_in(vault, time.time() + 6 * 3600)
    assert later.silent
    assert later.line.startswith("registry one: 6 leases held; AWAY for 6 h")
    assert set(vault.fleet()) == members, "the planner reads them as before"
    with running(tmp_path, "one", vault, term_s=TERM_S) as second:
        book = second.process.desk.keeping.book
        at = time.monotonic()
        until(lambda: time.monotonic() > at + TERM_S + 1.0, "more than a term goes by")
        assert len(book) == 6, "whom nobody has heard since the start is not gone"
        why = "only 0 of 6 holders are heard"  # but for a tick after a machine that stood still
        until(lambda: why in second.get("/v1/registry").json()["why"], "it is told")
    assert set(vault.fleet()) == members


def test_a_clock_that_is_set_back_ends_nothing(one: Running, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in ((11, "lb-a1"), (12, "lb-a2")):
        assert one.put(name, number=number).status_code == 200
    wall, counted = time.time(), one.process.desk.keeping.book.reach.counted
    monkeypatch.setattr(time, "time", lambda: wall - 86_400)

    def renewed() -> bool:
        fine = [one.put(name, number=number).status_code == 200 for number, name in ((11, "lb-a1"), (12, "lb-a2"))]
        return all(fine) and one.process.desk.keeping.book.reach.counted > counted + TERM_S

    until(renewed, "ages go on by the monotonic clock")
    assert vault.fleet() == {"lb-a1": "up", "lb-a2": "up"}
    (standing,) = registries_in(vault, wall - 86_400)
    assert (standing.held, standing.silent) == (2, False)
