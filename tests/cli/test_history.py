"""`standfast history`: what changed, when, by whom and why, and what is no longer there to be told."""

import re

from cli.stage import CLOCK, DOWN, Stage
from standfast.cli.contents import entry_json, entry_lines
from standfast.core.decisions import Presence as Standing
from standfast.model.entry import Entry, Member
from standfast.model.rrset import addresses
from standfast.runtime.chronicle import difference, missing


def test_newest_first_with_when_who_what_and_why(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    said = stage.run("history", "www")
    assert said.code == 0
    header, second, first = said.out.splitlines()
    assert header.split() == ["g", "when", "by", "change", "why"]
    assert re.fullmatch(
        rf"  2  {CLOCK} +1 min  planner ops1  − lb-b1 +failed 3 checks in a row: connection refused", second
    )
    assert first.split()[0] == "1"
    assert "new, + lb-a1, + lb-b1, + lb-c1, + lb-c2" in first
    assert "6 checks passed" in first
    assert str(int(stage.now))[:6] not in said.out, "no epoch"


def test_all_endpoints_are_named(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    out = stage.run("history").out
    assert "api − lb-b1; www − lb-b1" in out
    assert len(stage.run("history", "--limit", "1").out.splitlines()) == 2


def test_a_name_whose_contents_did_not_change_has_no_row(stage: Stage) -> None:
    stage.publish()
    stage.configure(endpoints="  www: {ttl: 300}\n  api: {azs: [a, b], ttl: 30}\n")
    stage.publish()
    www, api = stage.run("history", "www").out, stage.run("history", "api").out
    assert "TTL 60 → 300" in www
    assert len(api.splitlines()) == 2


def test_operators_are_named_and_holds_are_told(stage: Stage) -> None:
    stage.publish()
    assert stage.run("hold", "www", "--reason", "load test").code == 0
    row = stage.run("history", "www").out.splitlines()[1]
    assert re.search(rf"2  {CLOCK} +\d\.\d s +\S+@\S+ +held +hold: load test$", row)
    assert stage.run("resume", "www", "--reason", "over").code == 0
    assert re.search(r"resumed +resume: over$", stage.run("history", "www").out.splitlines()[1])
    assert "since g1   HELD: load test" in stage.run("history", "www", "--show", "2").out


def test_generations_that_are_gone_say_so(stage: Stage) -> None:
    for verdicts in ({}, {"lb_b1": DOWN}, {}, {"lb_c1": DOWN}):
        stage.publish(after_s=1200, **verdicts)
    stage.collect(1, 2)
    out = stage.run("history").out
    assert "g1–g2: collected; their contents are gone" in out
    assert "(against nothing: what was before is gone)" not in out.splitlines()[1]
    said = stage.run("history", "--show", "2")
    assert (said.code, said.err) == (1, "g2 was collected; its contents are gone. Stored are 2 plans, g3 to g4.\n")
    assert stage.run("history", "--show", "9").err.startswith("g9 was not published yet.")
    (gap,) = stage.run("history", "--json").json["missing"]
    assert gap == {"from": 1, "to": 2, "collected": True}


def test_a_gap_that_nobody_journalled(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    stage.collect(1)
    for path in stage.place.journal.iterdir():
        path.unlink()
    assert "g1: not in the store (collected, or never used)" in stage.run("history").out


def test_show_prints_the_contents(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    said = stage.run("history", "www", "--show", "2")
    assert said.code == 0
    assert re.search(rf"g2  {CLOCK}  1 min ago  by planner ops1", said.out)
    assert "A         60  192.0.2.11" in said.out
    assert "out  lb-b1  weight 100  192.0.2.21 2001:db8:b::21  failed 3 checks" in said.out
    assert "api" not in said.out.splitlines()[1]
    shown = stage.run("history", "www", "--show", "1", "--json").json
    assert shown["endpoints"][0]["rrsets"][0]["data"] == ["192.0.2.11", "192.0.2.21", "192.0.2.31", "192.0.2.32"]


def test_what_stood_there_before_standfast(stage: Stage) -> None:
    stood = addresses(300, ["192.0.2.11", "192.0.2.21", "192.0.2.99"])
    stage.present = {("lb.example.com", "www.lb.example.com"): Standing(stood)}
    stage.consents = {"www.lb.example.com": "alice@ops1"}
    stage.publish()
    stage.publish(lb_b1=DOWN)
    out = stage.run("history", "www").out
    assert re.search(
        r"1  .*alice@ops1 \(adopted\) +adopted, − 192.0.2.99, \+ lb-c1, \+ lb-c2, \+ 4 AAAA, TTL 300 → 60", out
    )
    assert re.search(r"0  before Standfast +3 A, TTL 300 +saved; standfast history www --show 0\n$", out)
    assert "before Standfast" not in stage.run("history", "api").out
    shown = stage.run("history", "www", "--show", "0").out
    assert shown.startswith("www.lb.example.com   before Standfast; taken over in g1, agreed to by alice@ops1\n")
    assert "   A        300  192.0.2.99\n" in shown
    (row,) = stage.run("history", "--show", "0", "--json").json["endpoints"]
    assert (row["name"], row["taken_in"], row["left_off"]) == ("www.lb.example.com", 1, 0)
    assert row["rrsets"] == [{"type": "A", "ttl": 300, "data": ["192.0.2.11", "192.0.2.21", "192.0.2.99"]}]
    assert stage.run("history", "www", "--json").json["before_standfast"]["taken_in"] == 1
    said = stage.run("history", "api", "--show", "0")
    assert said.code == 1
    assert said.err.startswith("Of what stood at api.lb.example.com before Standfast nothing is saved")


def test_a_later_generation_is_no_adoption_though_older_plans_are_gone(stage: Stage) -> None:
    stage.present = {("lb.example.com", "www.lb.example.com"): Standing(addresses(300, ["192.0.2.99"]))}
    stage.consents = {"www.lb.example.com": "alice@ops1"}
    for verdicts in ({}, {"lb_b1": DOWN}):
        stage.publish(after_s=1200, **verdicts)
    stage.collect(1)
    out = stage.run("history", "www").out
    assert "adopted" not in out
    assert "before Standfast" in out


def test_show_names_weights_layouts_and_the_names_of_a_tree() -> None:
    members = (
        Member("lb-1", ("192.0.2.1",), 300, True, "up"),
        Member("lb-2", ("192.0.2.2",), 100, True, "up", eased=40),
    )
    rrsets = addresses(60, ["192.0.2.1", "192.0.2.2"])
    tree = Entry("z.example", "a.z.example", 7, rrsets=rrsets, members=members, layout="tree")
    top = "000000000000007.a._tree._standfast.z.example"
    lines = entry_lines(tree)
    assert f"   layout tree: {top}" in lines
    assert f"      lb-2.{top}" in lines
    assert any("lb-1  weight 300" in line for line in lines)
    assert any("weight 100, 40 % of it (slow start)" in line for line in lines)
    shown = entry_json(tree)
    assert shown["tree"] == [top, f"lb-2.{top}", f"lb-1.{top}"]
    assert (shown["layout"], shown["members"][1]["slow_start_percent"]) == ("tree", 40)


def test_json(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    report = stage.run("history", "www", "--json").json
    assert [one["generation"] for one in report["changes"]] == [2, 1]
    assert report["changes"][0]["endpoints"][0]["changes"] == ["− lb-b1"]


def test_names_that_are_not_there(stage: Stage) -> None:
    assert "Nothing was published yet" in stage.run("history").err
    stage.publish()
    said = stage.run("history", "wwww")
    assert (said.code, said.err) == (1, "There is no endpoint wwww. Did you mean www?\n")
    assert stage.run("history", "w w").code == 1
    assert stage.run("history", "WWW.lb.example.com.").code == 0


def test_a_store_that_cannot_be_read(stage: Stage) -> None:
    stage.publish()
    stage.store.close()
    stage.config.store_file.write_bytes(b"x" * 5000)
    said = stage.run("history")
    assert said.code == 1
    assert said.err.startswith("The plan store can't be read: ")


def test_differences_in_words() -> None:
    def entry(*texts: str, ttl: int = 60, held: str = "", since: int = 1, members: tuple[Member, ...] = ()) -> Entry:
        return Entry("z.example", "a.z.example", since, rrsets=addresses(ttl, texts), held=held, members=members)

    plain = entry("192.0.2.1", "192.0.2.2")
    assert difference(None, plain) == ["new", "+ 192.0.2.1", "+ 192.0.2.2"]
    assert difference(plain, entry("192.0.2.1", "192.0.2.3")) == ["− 192.0.2.2", "+ 192.0.2.3"]
    assert difference(plain, entry("192.0.2.1", "192.0.2.2", held="why")) == ["held"]
    assert difference(entry("192.0.2.1", held="why"), entry("192.0.2.1")) == ["resumed"]
    assert difference(plain, entry("192.0.2.1", "192.0.2.2", since=9)) == ["written anew"]
    old = entry("192.0.2.1", members=(Member("lb", ("192.0.2.1",), 1, True, "up"),))
    new = entry("192.0.2.7", members=(Member("lb", ("192.0.2.7",), 1, True, "up"),))
    assert difference(old, new) == ["+ lb (new address)"]
    assert missing([3, 4, 7]) == [(1, 2), (5, 6)]
