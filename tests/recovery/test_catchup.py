"""An enactor's backlog: what is begun in a turn, how zones share its time, and how often an ill one is asked again."""

from collections import Counter
from itertools import takewhile

import pytest

from standfast.model.entry import Key
from standfast.ports.local import Admit
from standfast.recovery.catchup import APART_S, CHANGE, FIRST_PACE, ROW, TURN_S, CatchUp


def keys(zone: str, count: int, kind: str = "n") -> tuple[Key, ...]:
    return tuple((zone, f"{kind}{number}.{zone}") for number in range(count))


class Enacted:
    """Work that takes each zone's own time for a change, done turn by turn; a zone in `away` gives no answer."""

    def __init__(self, backlog: tuple[Key, ...], change_s: dict[str, float], urgent: tuple[Key, ...] = ()) -> None:
        self.catch_up, self.now = CatchUp(), 0.0
        self.urgent, self.rest, self.change_s = dict.fromkeys(urgent), dict.fromkeys(backlog), change_s
        self.done: list[tuple[float, Key]] = []
        self.away: set[str] = set()
        self.asked = Counter[str]()
        self.turns: list[float] = []

    def turn(self) -> None:
        self.catch_up.begin(self.now)
        began = self.now
        while not self.catch_up.over(self.now):
            reply = self.catch_up.admit(Admit(tuple(self.urgent), tuple(self.rest)), self.now)
            if not reply.keys:
                break
            self._begin(list(reply.keys))
        self.turns.append(self.now - began)
        if self.now == began:
            waiting = {zone for zone, _ in (*self.urgent, *self.rest)}
            self.now = max(self.now + 0.05, self.catch_up.opens_at(waiting))

    def _begin(self, due: list[Key]) -> None:
        while due and not self.catch_up.over(self.now):
            zone = due[0][0]
            some = list(takewhile(lambda key: key[0] == zone, due[:CHANGE]))  # noqa: B023  # used at once
            self.asked[zone] += 1
            if zone in self.away:
                self.now += 1.0
                self.catch_up.unanswered(zone, self.now, 0.0)
                due = [key for key in due if key[0] != zone]
                continue
            self.now += self.change_s[zone]
            self.catch_up.heard(zone, some, self.now)
            self.done += [(self.now, key) for key in some]
            due = due[len(some) :]
            for key in some:
                self.urgent.pop(key, None)
                self.rest.pop(key, None)


def test_a_turn_has_what_can_be_finished_in_it_and_measures_what_that_is() -> None:
    work = Enacted(keys("a", 12_000), {"a": 0.5})
    while work.rest:
        work.turn()
    assert work.catch_up.pace("a") == pytest.approx(CHANGE / 0.5, rel=0.1)
    assert max(work.turns[1:]) <= TURN_S + 0.5
    assert work.now <= 1.05 * 12_000 / CHANGE * 0.5, "bounded turns cost next to nothing"


def test_a_slow_zone_takes_its_part_of_the_time_and_no_more() -> None:
    work = Enacted((*keys("slow", 2_000), *keys("quick", 10_000), *keys("other", 10_000)), {
        "slow": 10.0,
        "quick": 0.2,
        "other": 0.2,
    })  # fmt: skip
    while {zone for zone, _ in work.rest} & {"quick", "other"}:
        work.turn()
    ended = max(at for at, key in work.done if key[0] != "slow")
    assert ended <= 3 * 10.0 + 10.0 + 2 * TURN_S, "10 s each of work: three shares, a change under way, and turns' ends"
    assert work.asked["slow"] >= 3


def test_a_zone_that_had_no_work_has_saved_no_time() -> None:
    work = Enacted(keys("a", 12_000), {"a": 3.0, "b": 3.0})
    while work.now < 60.0:
        work.turn()
    work.rest |= dict.fromkeys(keys("b", 12_000))
    began = work.now
    while work.now < began + 40.0:
        work.turn()
    late = Counter(key[0] for at, key in work.done if at > began)
    assert late["a"] >= 0.4 * late["b"]


def test_what_is_urgent_goes_first_and_starves_nobody() -> None:
    work = Enacted(keys("a", 9_000), {"a": 0.2}, urgent=keys("a", 9_000, "u"))
    work.turn()
    first = [key[1][0] for _, key in work.done]
    assert first[0] == "u"
    some = len(work.done)
    for _ in range(2):
        work.turn()
    later = Counter(key[1][0] for _, key in work.done[some:])
    assert later["u"] > later["n"] > 0


def test_at_least_what_fills_a_change_is_begun() -> None:
    work = Enacted((*keys("a", 3_000), *keys("b", 3_000)), {"a": 6.0, "b": 6.0})
    for _ in range(6):
        work.turn()
    assert len(work.done) == CHANGE * sum(work.asked.values()), "never a change that is only partly filled"


def test_few_endpoints_of_many_zones_are_begun_at_once() -> None:
    catch_up = CatchUp()
    catch_up.begin(0.0)
    asked = tuple((f"z{number}", f"www.z{number}") for number in range(300))
    assert catch_up.admit(Admit((), asked), 0.0).keys == asked


@pytest.mark.parametrize("seconds", [60.0, 600.0])
def test_a_zone_without_an_answer_is_asked_ever_less_often(seconds: float) -> None:
    work = Enacted((*keys("ill", 3_000), *keys("well", 100)), {"ill": 0.1, "well": 0.1})
    work.away = {"ill"}
    while work.now < seconds:
        work.turn()
    assert not [key for key in work.rest if key[0] == "well"], "others are not kept waiting"
    assert work.asked["ill"] <= 32 + 0.5 * seconds + 1
    work.away = set()
    back = work.now
    while work.rest:
        work.turn()
    assert work.now - back <= 2.5 + 2.0 + 3_000 / CHANGE * (0.1 + 16 * APART_S), "and soon found out to be back"


def test_of_a_zone_that_gave_no_answer_one_change_is_tried() -> None:
    catch_up = CatchUp()
    catch_up.begin(0.0)
    catch_up.unanswered("a", 0.0, 0.0)
    assert catch_up.closed(0.1) == ("a",)
    assert not catch_up.admit(Admit((), keys("a", 5_000)), 0.1).keys
    assert len(catch_up.admit(Admit((), keys("a", 5_000)), 0.3).keys) == CHANGE
    for number in range(4):
        assert len(catch_up.admit(Admit((), keys("a", 5_000)), 0.5 + number * 0.2).keys) == CHANGE
        catch_up.heard("a", keys("a", CHANGE), 0.5 + number * 0.2, 0.0)
    assert len(catch_up.admit(Admit((), keys("a", 5_000)), 1.6).keys) > CHANGE


def test_after_trouble_changes_are_apart_and_come_together_again() -> None:
    catch_up, now, apart = CatchUp(), 0.0, list[float]()
    for _ in range(4):
        catch_up.unanswered("a", now, 0.0)
    for _ in range(16):
        now = catch_up.opens_at(("a",))
        catch_up.heard("a", (), now, 0.5)
        apart.append(catch_up.opens_at(("a",)) - now)
    assert apart == sorted(apart, reverse=True)
    assert apart[3] == pytest.approx(apart[7] * 2)
    assert apart[-1] == pytest.approx(APART_S)
    catch_up.heard("a", (), now + 1.0)
    assert not catch_up.closed(now + 1.0), "then nothing keeps it any more"


def test_refusals_are_paid_for() -> None:
    catch_up, sent, now = CatchUp(), 0, 0.0
    catch_up.begin(0.0)
    while now < 600.0:
        if not catch_up.closed(now):
            sent += 1
            catch_up.refused("a", now)
        now += 0.01
    assert sent <= 32 + 0.5 * 600 + ROW
    assert sent >= 0.4 * 600, "and made use of"


def test_answers_earn_retries() -> None:
    catch_up = CatchUp()
    for number in range(40):
        catch_up.refused("a", 0.0)
        for _ in range(10):
            catch_up.heard("a", (), 0.0)
        assert number < 40
    assert not catch_up.closed(0.0)


def test_the_pace_of_what_was_admitted_is_measured_and_not_that_of_repairs() -> None:
    catch_up = CatchUp()
    catch_up.begin(0.0)
    for number in range(50):
        catch_up.heard("a", keys("a", 50), number * 10.0)
    assert catch_up.pace("a") == FIRST_PACE
