"""Names asked by DNS: who is suspect, how often, and that silence makes nobody so."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from msgspec.structs import replace

from standfast.config import check
from standfast.model.entry import Entry, Member
from standfast.model.fleet import alias_address
from standfast.model.name import name_to_wire
from standfast.model.plan import Plan, PlanRecord
from standfast.model.rrset import RRset, RRType, addresses
from standfast.model.shards import Shards
from standfast.ports.provider import Readings, Unknown
from standfast.runtime.company import AWAY_S
from standfast.runtime.nameturns import RATE_MAX, RETRY_S, Share, round_s
from standfast.runtime.namewatch import AGAIN_S, SETTLES_S, SILENCE_S, NameWatch, complaint
from standfast.runtime.zonesight import NameServer

ZONE = "lb.example.com"
A, AAAA = int(RRType.A), int(RRType.AAAA)


def entry(*texts: str, alias: str = "") -> Entry:
    """`alias`: the load balancer is this name; `texts` are what that answers."""
    members = (Member("lb-1", (alias_address(alias, "Z1", six=False),) if alias else texts, 1, True, ""),)
    return Entry(ZONE, f"www.{ZONE}", 7, "live", addresses(60, texts), (), members=members)


def answer(*texts: str) -> RRset:
    return addresses(60, texts)[0]


@pytest.mark.parametrize(
    ("reading", "settled", "said"),
    [
        (answer("192.0.2.1", "192.0.2.2"), True, ""),
        (answer("192.0.2.1"), True, ""),
        (None, True, "no A record"),
        (None, False, "no A record"),
        (answer("192.0.2.1", "192.0.2.9"), True, "an A record that no plan has"),
        (answer("192.0.2.9"), False, ""),
        (RRset.of(RRType.CNAME, 60, [name_to_wire("elsewhere.example")]), False, "a CNAME in place of an A record"),
    ],
)
def test_an_answer_beside_the_plan(reading: RRset | None, settled: bool, said: str) -> None:
    assert complaint(entry("192.0.2.1", "192.0.2.2"), A, reading, settled=settled) == said


def test_a_family_that_is_not_served_may_be_missing() -> None:
    assert complaint(entry("192.0.2.1"), AAAA, None, settled=True) == ""
    assert complaint(entry("192.0.2.1", "2001:db8::1"), AAAA, None, settled=True) == "no AAAA record"


def test_what_a_name_answers_is_not_ours_to_know_but_it_answers_something() -> None:
    named = entry("192.0.2.1", alias="edge.example")
    assert complaint(named, A, answer("198.51.100.1"), settled=True) == ""
    assert complaint(named, A, None, settled=True) == "no A record"


def test_a_round_is_within_a_minute_up_to_25_000_names_in_both_families() -> None:
    assert round_s(60.0, 50) == 45.0
    assert round_s(60.0, 50_000) == 50_000 / RATE_MAX == 50.0
    assert round_s(60.0, 50_000, enactors=3) == 30.0


class Servers:
    """A zone's name servers, in the place of the network: what each name answers, who was asked, and when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stands: dict[str, RRset | Unknown] = {}
        self.mute: set[str] = set()
        self.asked: list[tuple[float, str, str]] = []

    def asks(self, where: NameServer, zone: str, keys: tuple[tuple[str, int], ...]) -> Readings | Unknown:
        self.asked += ((self.now, where.address, owner) for owner, _ in keys)
        if where.address in self.mute:
            return Unknown("no answer")
        return Readings(tuple(self.stands.get(owner) if rtype == A else None for owner, rtype in keys))

    def watch(self, count: int = 1, more: str = "") -> NameWatch:
        config, problems, _ = check(BASE.replace("route53}", f"route53{more}}}"), "standfast.yaml")
        assert config is not None, problems
        known = {f"ns-{number}": NameServer(f"127.0.0.{number}", 53) for number in range(1, count + 1)}
        return NameWatch(config.zones[0], lambda: known, asks=self.asks, clock=lambda: self.now)

    def pass_time(self, seconds: float, *watches: NameWatch) -> None:
        until = self.now + seconds
        while self.now < until:
            for one in watches:
                if self.now >= one.step_at:
                    one.step()
            self.now += 0.25

    def suspected(self, watch: NameWatch, seconds: float = 60.0) -> list[str]:
        self.pass_time(seconds, watch)
        return [one.key[1] for one in watch.suspects()]

    def times(self, name: str) -> list[float]:
        return [at for at, _, owner in self.asked if owner == name]


@pytest.fixture
def servers() -> Servers:
    return Servers()


def named(number: int) -> Entry:
    return replace(entry("192.0.2.1"), name=f"e{number:03}.{ZONE}")


def whole(servers: Servers, count: int) -> Plan:
    """So many names, and all of them answer."""
    some = [named(number) for number in range(count)]
    servers.stands |= {one.name: answer("192.0.2.1") for one in some}
    return plan_of(*some, generation=7)


def plan_of(*entries: Entry, generation: int) -> Plan:
    shards = Shards.of(entries)
    return Plan(PlanRecord("main", generation, shards.digest, (ZONE,), (), "test", "", 0.0), shards)


def test_who_is_about_to_be_written_is_not_suspect(servers: Servers) -> None:
    watch, some = servers.watch(), entry("192.0.2.1")
    watch.plan(plan_of(some, generation=7), (some.key,))
    assert servers.suspected(watch) == []
    watch.plan(plan_of(some, generation=7), ())
    assert servers.suspected(watch) == [some.name], "nobody is about to: it is empty"
    servers.stands[some.name] = answer("192.0.2.1")
    assert servers.suspected(watch) == []


def test_a_name_that_a_plan_begins_with_has_its_time_until_it_was_seen(servers: Servers) -> None:
    watch, some = servers.watch(more=", found_within: 10s"), entry("192.0.2.1")
    watch.step()  # before there is a plan
    watch.plan(plan_of(some, generation=7))
    assert servers.suspected(watch, SETTLES_S - 30) == [], "AWS may not have it yet"
    assert len(servers.times(some.name)) > 2
    servers.stands[some.name] = answer("192.0.2.1")
    assert servers.suspected(watch, 10) == []
    del servers.stands[some.name]
    assert servers.suspected(watch, 10) == [some.name], "it was there"


def test_after_a_start_everything_should_be_there(servers: Servers) -> None:
    watch = servers.watch()
    watch.plan(plan_of(entry("192.0.2.1"), generation=7))
    assert servers.suspected(watch) == [f"www.{ZONE}"]


def test_silence_and_errors_make_nobody_suspect_and_another_server_is_asked_soon(servers: Servers) -> None:
    watch, plan = servers.watch(2), whole(servers, 3)
    watch.plan(plan)
    servers.stands[named(1).name] = Unknown("SERVFAIL")
    servers.mute = {"127.0.0.1"}
    assert servers.suspected(watch, 100) == []
    assert all(len(servers.times(named(number).name)) >= 2 for number in range(3))
    first = [where for _, where, owner in servers.asked if owner == named(1).name][:2]
    assert len(set(first)) == 2, "elsewhere"
    servers.stands.pop(named(1).name)
    assert servers.suspected(watch) == [named(1).name], "a good answer without addresses is one"


def test_where_all_servers_are_silent_they_are_asked_ever_less(servers: Servers) -> None:
    watch, plan = servers.watch(2, ", found_within: 10s"), whole(servers, 20)
    servers.mute = {"127.0.0.1", "127.0.0.2"}
    watch.plan(plan)
    assert servers.suspected(watch, 600) == []
    moments = sorted({at for at, _, _ in servers.asked})
    assert max(after - before for before, after in pairwise(moments)) <= SILENCE_S + RETRY_S
    assert len([at for at in moments if at > 300]) <= 300 / SILENCE_S + 1
    servers.mute = set()
    del servers.stands[named(5).name]
    assert set(servers.suspected(watch, SILENCE_S + RETRY_S + 10)) == {named(5).name}


def test_who_stays_suspect_is_told_again_ever_later(servers: Servers) -> None:
    watch = servers.watch(more=", found_within: 5s")
    watch.plan(plan_of(entry("192.0.2.1"), generation=7))
    told: list[float] = []
    for _ in range(4 * 3600):
        servers.pass_time(0.25, watch)
        told += [servers.now for _ in watch.suspects()]
    gaps = [after - before for before, after in pairwise(told)]
    assert AGAIN_S[0] <= gaps[0] <= AGAIN_S[0] + 5
    assert all(2 * before - 5 <= after for before, after in pairwise(gaps) if before < AGAIN_S[1] / 2), gaps
    assert AGAIN_S[1] <= gaps[-1] <= AGAIN_S[1] + 5


def test_only_families_that_are_served_are_asked_for(servers: Servers) -> None:
    watch, some = servers.watch(), entry("192.0.2.1")
    watch.plan(plan_of(some, generation=7))
    servers.suspected(watch, 45 * 4 + 1)
    assert len(servers.times(some.name)) == 4, "A, once a round"


# Several enactors


class Enactors:
    """Those who share a zone's names, each with what it knows of the others."""

    def __init__(self, servers: Servers, plan: Plan, *names: str) -> None:
        self.servers, self.plan = servers, plan
        self.all = {name: servers.watch() for name in names}
        self.share(*names)

    def share(self, *alive: str) -> None:
        for name, one in self.all.items():
            one.plan(self.plan, (), Share(name, tuple(sorted(alive))))

    def pass_time(self, seconds: float, *dead: str) -> None:
        self.servers.pass_time(seconds, *(one for name, one in self.all.items() if name not in dead))


def test_together_they_ask_each_name_once_a_round_as_evenly_as_may_be(servers: Servers) -> None:
    plan = whole(servers, 300)
    some = Enactors(servers, plan, "a", "b", "c")
    some.pass_time(300)
    gaps = [after - before for n in range(300) for before, after in pairwise(servers.times(named(n).name))]
    assert round(sum(gaps) / len(gaps)) == round_s(60.0, 300, enactors=3) == 30
    assert max(gaps) <= 32, "nobody is left out"
    assert len(servers.asked) <= 300 * 11, "and nobody is asked by two"
    second = Counter(int(at) for at, _, _ in servers.asked if 100 <= at < 190)
    assert max(second.values()) <= 3 * 300 / 30, "spread over the round"


def test_whoever_goes_its_names_are_asked_by_the_others_within_the_time(servers: Servers) -> None:
    plan = whole(servers, 300)
    some = Enactors(servers, plan, "a", "b", "c")
    some.pass_time(100)
    some.pass_time(AWAY_S, "a")
    some.share("b", "c")
    some.pass_time(60, "a")
    late = [
        after - before
        for n in range(300)
        for before, after in pairwise(servers.times(named(n).name))
        if before >= 60  # the first round and the second
    ]
    assert max(late) <= 57, "with three seconds for repair"
    assert len({n for n in range(300) if len(servers.times(named(n).name)) < 5}) == 0
    some.share("a", "b", "c")
    asked = len(servers.asked)
    some.pass_time(60)
    assert len(servers.asked) - asked <= 300 * 3, "and gets them back without a storm"


def test_who_hears_of_nobody_asks_for_all(servers: Servers) -> None:
    plan = whole(servers, 30)
    some = Enactors(servers, plan, "a")
    some.pass_time(46)
    assert all(len(servers.times(named(n).name)) == 1 for n in range(30))


def test_a_share_is_a_partition_whatever_the_names() -> None:
    everybody = ("e1", "e2", "e3")
    owners = [[who for who in everybody if Share(who, everybody).has(f"n{n}")] for n in range(3000)]
    assert all(len(one) == 1 for one in owners)
    counts = Counter(one[0] for one in owners)
    assert min(counts.values()) > 850
    without = [who for n in range(3000) for who in everybody[:2] if Share(who, everybody[:2]).has(f"n{n}")]
    assert all(was == [now] for was, now in zip(owners, without, strict=True) if was != ["e3"]), (
        "only e3's change hands"
    )


BASE = f"""
zone: {{name: {ZONE}, provider: route53}}
health: none
load_balancers: {{lb-1: {{az: a, ip: 192.0.2.1}}}}
endpoints: {{www: {{}}}}
"""
