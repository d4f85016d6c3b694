"""`emergency publish`, `adopt`, `leave` on the embedded server: with planner and store down, asked, journalled."""

import pytest

from cli.stage import DOWN, ZONE, Stage
from standfast.adapters.providers.listing import Listing, listing
from standfast.adapters.providers.tsig import TsigKey
from standfast.audit.judge import audit
from standfast.model.marker import EMERGENCY, Marker
from standfast.model.rrset import addresses
from standfast.ports.provider import Content, Replace, Write, Written
from standfast.runtime.commanding import Known
from standfast.runtime.consenting import CONSENTS, read_consents
from standfast.runtime.sharing import Board
from standfast.runtime.zoneorders import look_at, publish, standing

WWW, API = f"www.{ZONE}", f"api.{ZONE}"
PUBLISHED = ("192.0.2.11", "192.0.2.21", "2001:db8:a::11", "2001:db8:b::21")
GIVEN = tuple(word for address in PUBLISHED for word in ("--address", address))


@pytest.fixture
def running(served: Stage) -> Stage:
    """One plan is in the zone, and nobody runs any more."""
    served.publish()
    with served.enactor():
        served.everybody()
        served.settled()
    for path in served.place.presence.iterdir():
        path.unlink()
    return served


def answer(stage: Stage, name: str = WWW) -> set[str]:
    """What the zone answers there."""
    return {
        text
        for rrset in standing(look_at(stage.config.zones[0], "main", (name,)).endpoints[0])
        for text in rrset.texts()
    }


def marker(stage: Stage, name: str = WWW) -> Marker | None:
    found = look_at(stage.config.zones[0], "main", (name,)).endpoints[0].marker
    return found if isinstance(found, Marker) else None


def clean(stage: Stage) -> None:
    """The audit finds nothing in the journals."""
    report = audit([stage.place.journal])
    assert not report.violated, report.violations


def test_an_emergency_without_store_and_planner_is_taken_over_as_held(running: Stage) -> None:
    kept = running.config.store_file.rename(running.folder / "kept.sqlite")
    said = running.run("emergency", "publish", "www", *GIVEN, "--yes", "--reason", "planner host is gone")
    assert said.code == 0, said
    assert "www serves g2: 192.0.2.11  192.0.2.21  2001:db8:a::11  2001:db8:b::21  (written and read back)" in said.out
    assert "− 192.0.2.31" in said.out
    assert answer(running) == set(PUBLISHED)
    held = marker(running)
    assert held is not None
    assert (held.plan, held.since) == (EMERGENCY, 2)
    kept.rename(running.config.store_file)
    with running.enactor():  # with the plan of before
        running.run("status")
        assert marker(running) == held
        running.everybody()
        assert "www is HELD as published in an emergency (g2, by " in running.run("status").out
        resumed = running.run("hold", "api", "--reason", "any command plans above, as the planner does")
        assert resumed.code == 0, resumed
        running.everybody()
        running.settled()
    plan = running.plan
    assert plan is not None
    entry = plan.entry((ZONE, WWW))
    assert entry is not None
    assert entry.held.startswith("emergency publish by ")
    assert answer(running) == set(PUBLISHED)
    assert running.run("resume", "www").code == 0
    clean(running)


def test_what_a_guard_would_refuse_is_asked(running: Stage) -> None:
    alone = ("emergency", "publish", "www", "--address", "192.0.2.99")
    said = running.run(*alone, "--yes")
    assert said.code == 3
    assert "1 A where min_answers is 2" in said.out
    assert "it has 4 AAAA now and will have none" in said.out
    assert "of no load balancer that is known here: 192.0.2.99" in said.out
    assert "--yes needs a --reason here" in said.err
    assert len(answer(running)) == 8
    assert running.run(*alone).code == 3
    assert running.run(*alone, typed="api").code == 3
    assert running.run("emergency", "publish", "www", "--address", "224.0.0.1", "--yes", "--reason", "r").code == 3
    assert running.run("emergency", "publish", "www", "--address", "here", "--yes").code == 1
    running.everybody()
    assert "a planner is at work here" in running.run("emergency", "publish", "www", *GIVEN, "--yes").out
    assert running.run(*alone, typed="www").code == 0
    assert answer(running) == {"192.0.2.99"}
    clean(running)


def test_a_freeze_and_a_tombstone_refuse(running: Stage) -> None:
    given = ("emergency", "publish", "www", *GIVEN, "--yes", "--reason", "r")
    assert running.run("freeze", "www").code == 0
    said = running.run(*given)
    assert (said.code, "www.lb.example.com is frozen: thaw it first" in said.err) == (3, True)
    assert running.run("freeze", ZONE).code == 0
    assert "the zone lb.example.com is frozen" in running.run(*given).err
    assert running.run("leave", ZONE, "--yes", "--reason", "r", "--wait", "0").code == 3
    assert running.run("thaw", ZONE).code == 0
    assert running.run(*given).code == 0
    clean(running)


def test_the_way_out(running: Stage) -> None:
    before = answer(running), answer(running, API)
    assert running.run("leave", ZONE, "--yes").code == 3, "without a reason"
    running.beat("enactor")
    said = running.run("leave", ZONE, "--yes", "--reason", "we part")
    assert said.code == 3
    assert "enactor a (pid" in said.err
    for path in running.place.presence.iterdir():
        path.unlink()
    said = running.run("leave", ZONE, "--yes", "--reason", "we part", "--wait", "0.1")
    assert said.code == 0, said
    assert "www.lb.example.com. 60 IN A 192.0.2.11" in said.out
    assert '"www":\n- ttl: 60\n  type: A\n  values: ["192.0.2.11"' in said.out
    assert "Nothing of ours is left in lb.example.com." in said.out
    assert (answer(running), answer(running, API)) == before
    assert not [owner for owner in axfr_of(running) if "_standfast" in owner]
    again = running.run("leave", ZONE, "--yes", "--reason", "again", "--wait", "0", "--json")
    assert (again.code, again.json["ok"], again.json["left"]) == (0, True, [])
    clean(running)


def axfr_of(stage: Stage) -> set[str]:
    """Every owner name in the zone."""
    key = stage.place.key(stage.config.zones[0])
    found = listing(ZONE, "127.0.0.1", stage.port, TsigKey(key.name, key.algorithm, key.secret))
    assert isinstance(found, Listing)
    return {owner for owner, _ in found.rrsets}


def test_leaving_while_an_enactor_runs_elsewhere_is_noticed(running: Stage) -> None:
    with running.enactor():
        for _ in range(20):  # it may tell of itself again just then: as on this machine it is refused at once
            for path in running.place.presence.iterdir():
                path.unlink(missing_ok=True)
            said = running.run("leave", ZONE, "--yes", "--reason", "r", "--wait", "5")
            if said.code != 3:
                break
        running.settled()  # whatever was taken away is back before it is told to stop
    assert said.code == 2
    assert "came back" in said.err or "somebody else" in said.err
    running.everybody()
    assert marker(running) is not None
    assert running.run("status").code == 0


def test_consent_waits_in_the_store_for_the_planner(served: Stage) -> None:
    served.configure(endpoints="  www: {}\n")
    zone = served.config.zones[0]
    known = Known((WWW,), "test")
    assert "Nothing stands at www" in served.run("adopt", "www").out
    served.publish()
    with served.enactor():
        served.everybody()
        served.settled()
    assert "www is ours already" in served.run("adopt", "www").out
    assert publish(served.place, zone, known, API, addresses(60, ["192.0.2.9"]), ((1, 1),), "").result == "done"
    served.configure(endpoints="  www: {}\n  api: {}\n")
    assert "api is ours already" in served.run("adopt", "api").out


def test_another_streams_name_is_crossed_by_take_alone(running: Stage) -> None:
    text = running.file.read_text()
    running.file.write_text(f"stream: eu\nstate: {running.folder / 'eu'}\n" + text)
    said = running.run("adopt", "www")
    assert said.code == 3
    assert "www belongs to stream main" in said.err
    assert "standfast adopt www --take" in said.err
    said = running.run("adopt", "www", "--take", "--yes", "--reason", "moving to eu")
    assert said.code == 3, "stream eu has no floor there yet"
    assert "freezing the zone and thawing it rebuilds it" in said.err
    assert running.run("freeze", ZONE).code == 0
    assert running.run("thaw", ZONE).code == 0
    before = answer(running)
    said = running.run("adopt", "www", "--take", "--yes", "--reason", "moving to eu")
    assert said.code == 0, said
    held = marker(running)
    assert held is not None
    assert (held.stream, answer(running)) == ("eu", before)
    running.file.write_text(text)
    running.publish(lb_c1=DOWN, after_s=1200)
    with running.enactor():
        running.everybody()
        status = running.run("status")
        assert marker(running) == held, "stream main writes nothing there any more"
    assert status.code == 3
    assert "its marker belongs to stream eu" in status.out
    report = audit([running.place.journal, running.folder / "eu"])
    assert not report.violated, report.violations


def test_a_name_that_exists_is_adopted(served: Stage) -> None:
    zone = served.config.zones[0]
    provider = served.place.open_provider(zone)
    content = Content(WWW, 1, 300, (b"\xc0\x00\x02\x63",))
    assert isinstance(provider.perform(Replace(ZONE, Write(WWW, (), (content,)), ())), Written)
    provider.close()
    said = served.run("adopt", "www", "--yes", "--reason", "it was octoDNS's")
    assert said.code == 0, said
    assert "1 A record, TTL 300: 192.0.2.99" in said.out
    board = Board(served.store, CONSENTS)
    assert board.read()
    assert [(one.name, one.reason) for one in read_consents(board.body)] == [(WWW, "it was octoDNS's")]
    assert served.run("adopt", "www").code == 3
