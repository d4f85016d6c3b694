"""`standfast lease`: its keys, its list, and the end of a lease; against a registry that runs."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from runtime.registry.desks import Running, running, until
from standfast.cli.history import history_command
from standfast.cli.lease import lease_command
from standfast.runtime.observing import Seen, StoreSight
from standfast.runtime.place import Place
from standfast.runtime.presence import Present
from standfast.runtime.registriestold import registries_json, registry_findings, registry_lines
from standfast.runtime.registry.standing import RegistryStanding


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("SOME_KEY", "s" * 24)
    with running(tmp_path, "one") as found:
        yield found


def run(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(lease_command, [*words, "--config", str(tmp_path / "one.yaml")])


def test_a_key_of_its_own_opens_its_lease_and_an_operator_ends_it(one: Running, tmp_path: Path) -> None:
    said = run(tmp_path, "key", "lb-a1")
    assert said.exit_code == 0
    assert said.output.strip() == hmac.new(b"m" * 24, b"lb-a1", hashlib.sha256).hexdigest()
    assert one.put("lb-a1", key=said.output.strip()).status_code == 200
    ended = run(tmp_path, "end", "lb-a1")
    assert (ended.exit_code, ended.output) == (
        0,
        "lb-a1 holds no lease of this registry any more. See: standfast lease list\n",
    )
    assert "lb-a1" not in one.process.desk.keeping.book
    wrong = run(tmp_path, "key", "lb-a1", "--of", "agents")
    assert "0 derived keys" in str(wrong.exception)


def test_what_can_not_be_done_names_the_remedy(one: Running, tmp_path: Path) -> None:
    said = run(tmp_path, "end", "lb-a1", "--at", "http://127.0.0.1:1")
    assert "can't be reached" in str(said.exception)
    listed = run(tmp_path, "list")
    assert "There is no plan store" in str(listed.exception)


def test_the_line_of_status() -> None:
    facts = {"held": 12, "heard": 11, "admitted": 40, "refused": 3, "rate": 4321.4, "why": ""}
    present = (
        Present("registry", "one", os.getpid(), 0.5, True, facts),
        Present("registry", "two", os.getpid(), 0.5, False, facts),
    )
    standings = tuple(RegistryStanding(name, 12, 11, 4321.4, 1.0, "", 0.7) for name in ("one", "two"))
    seen: Seen = SimpleNamespace(present=present, store=SimpleNamespace(registries=standings))  # type: ignore[assignment]
    assert registry_lines(seen)[0] == (
        "registry one: 12 leases held, 1 not heard within a term; 0.7 requests a second of 4321 it can do"
    )
    told = json.loads(json.dumps(registries_json(seen)))
    assert [(one["registry"], one["unheard"], one["refused"]) for one in told] == [("one", 1, 3), ("two", 1, None)]


def test_the_list_has_who_holds_where_and_what_its_agent_says(
    one: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = one.vault
    monkeypatch.setattr(Place, "has_store", True)
    monkeypatch.setattr(Place, "late_store", lambda self: vault)
    empty = run(tmp_path, "list")
    assert (empty.exit_code, empty.output.count("\n")) == (0, 1)
    assert empty.output.startswith("registry one: 0 leases held; ")
    assert one.put("lb-a1", capacity=50, health="up").status_code == 200
    assert one.put("lb-b1", number=21, az="b", admin="drain", why="new kernel").status_code == 200
    lines = run(tmp_path, "list").output.splitlines()
    told = [" ".join(line.split()) for line in lines[1:]]
    assert told == [
        "lb-a1 a 192.0.2.11 capacity 50 up, up: it passes its own check (its agent)",
        "lb-b1 b 192.0.2.21 capacity 100 drain (drained by its agent: new kernel)",
    ]
    facts = json.loads(run(tmp_path, "list", "--json").output)
    assert [(row["load_balancer"], row["health"]) for row in facts["leases"]] == [("lb-a1", "up"), ("lb-b1", None)]
    assert (facts["registries"][0]["registry"], facts["registries"][0]["silent"]) == ("one", False)
    vault.away = True
    assert "Leases are unknown" in str(run(tmp_path, "list").exception)
    vault.away = False


def test_its_history_is_told_newest_first(one: Running, tmp_path: Path) -> None:
    def told(*words: str) -> Result:
        return CliRunner().invoke(history_command, [*words, "--leases", "--config", str(tmp_path / "one.yaml")])

    assert "No journal of a registry on this machine tells of leases" in told().output
    assert one.put("lb-a1").status_code == 200
    assert one.put("lb-a1", admin="drain", why="new kernel").status_code == 200
    assert one.put("lb-b1", number=21).status_code == 200
    assert one.delete("lb-a1").status_code == 204
    until(lambda: "its agent signed off" in told("lb-a1").output, "the journal has it")
    lines = told("lb-a1").output.splitlines()
    assert [" ".join(line.split()[4:]) for line in lines[1:]] == [
        "ended: its agent signed off",
        "says: drain (new kernel), AZ a, 192.0.2.11, capacity 100",
        "granted, number 1, to the key agents; up, AZ a, 192.0.2.11, capacity 100",
    ]
    assert len(json.loads(told("--json").output)["leases"]) == 4


def test_a_registry_that_is_away_says_so_and_what_becomes_of_its_leases() -> None:
    away = RegistryStanding("one", 12, 12, 4000.0, 3 * 3600.0, "")
    assert away.line == (
        "registry one: 12 leases held; AWAY for 3 h: its leases stay as they are until a registry of its name runs "
        "again (standfast run --role registry --name one)"
    )
    storm = RegistryStanding("two", 9, 7, 4000.0, 1.0, "it had to turn some away", 3900.0, 91_000)
    assert storm.line == (
        "registry two: 9 leases held, 2 not heard within a term; 3900 requests a second of 4000 it can do, 91000 "
        "turned away and still to come; leases don't age: it had to turn some away"
    )


@pytest.mark.parametrize(
    ("ages", "held", "kind", "code", "said"),
    [
        ((1.0, 1.0), 12, None, 0, ""),
        ((60.0, 60.0), 12, "HANDLED", 0, "agents come again. 24 leases stay as they are. Nobody needs to act."),
        ((600.0, 90.0), 12, "HANDLED", 0, "for 1 min) are away; agents come again"),
        ((600.0, 300.0), 12, "NEEDS YOU", 2, "are away, and there is no other: newcomers get no lease"),
        ((600.0, 1.0), 12, "HANDLED", 2, "is away; two goes on. 12 leases stay as they are until agents come to it."),
        ((90.0, 1.0), 12, "HANDLED", 0, "is away; two goes on"),
        ((600.0, 1.0), 0, None, 0, ""),
        ((600.0, 600.0), 0, "NEEDS YOU", 2, "newcomers get no lease"),
    ],
)
def test_what_a_registry_that_is_away_asks_of_people(
    ages: tuple[float, float], held: int, kind: str | None, code: int, said: str
) -> None:
    standings = tuple(
        RegistryStanding(name, held, held, 4000.0, age, "") for name, age in zip(("one", "two"), ages, strict=True)
    )
    seen = Seen(1_795_867_200.0, "main", StoreSight(registries=standings), (), ())
    found = list(registry_findings(seen))
    assert [(one[0], one[3]) for one in found] == ([(kind, code)] if kind else [])
    if kind:
        assert said in found[0][1]
        assert found[0][2].startswith("standfast run --role registry --name ")


def test_one_that_was_stopped_here_still_has_its_port_and_is_woken() -> None:
    standings = (RegistryStanding("one", 12, 12, 4000.0, 600.0, ""),)

    def command(**how: bool) -> str:
        one = Present("registry", "one", 4711, 600.0, how["alive"], {}, stopped=how["stopped"])
        (found,) = registry_findings(Seen(1_795_867_200.0, "main", StoreSight(registries=standings), (), (one,)))
        return found[2]

    again = "standfast run --role registry --name one"
    assert command(alive=True, stopped=True) == "kill -CONT 4711"
    assert command(alive=True, stopped=False) == f"kill 4711; {again}"
    assert command(alive=False, stopped=False) == again
