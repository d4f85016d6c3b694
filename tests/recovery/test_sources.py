"""What is believed of the fleet when sources fail, shrink, return, contradict each other or fall silent."""

import random
from dataclasses import replace

import pytest

from standfast.model.fleet import LoadBalancer
from standfast.recovery.sources import LOST_S, SHRINK_WINDOW_S, WARN_S, Reading, Track, heard, merged, unheard

Fleet = tuple[LoadBalancer, ...]


def some(*numbers: int, drained: tuple[int, ...] = (), start: int = 0) -> Fleet:
    return tuple(
        LoadBalancer(f"lb-{n:03}", "a", "main", (f"192.0.2.{n + start}",), (), 1, "drain" if n in drained else "up")
        for n in sorted(numbers)
    )


def known(fleet: Fleet, name: str = "file", now: float = 0.0) -> Track[LoadBalancer]:
    track: Track[LoadBalancer] = Track(name)
    return heard(track, Reading(fleet), now)


def ids(track: Track[LoadBalancer]) -> list[int]:
    return [int(one.id[3:]) for one in track.part or ()]


@pytest.mark.parametrize(
    ("before", "after", "believed"),
    [
        (1, 0, False),
        (6, 0, False),
        (2, 1, True),  # one may always go
        (3, 2, True),
        (3, 1, False),
        (6, 4, True),  # 33.3 %
        (6, 3, False),
        (100, 66, True),
        (100, 65, False),
    ],
)
def test_a_shrink_is_believed_up_to_34_percent_or_one(before: int, after: int, believed: bool) -> None:
    track = known(some(*range(1, before + 1)))
    track = heard(track, Reading(some(*range(1, after + 1))), 1.0)
    assert len(track.part or ()) == (after if believed else before)
    assert (track.state(1.0) == "held", bool(track.lost)) == (not believed, not believed)


def test_others_in_their_place_do_not_hide_a_loss() -> None:
    track = heard(known(some(1, 2, 3)), Reading(some(11, 12, 13)), 1.0)
    assert track.why == "lacks 3 of 3 load balancers (lb-001, lb-002, lb-003)"
    assert ids(track) == [1, 2, 3]


def test_one_after_another_is_a_shrink_too() -> None:
    """A watch tells ten deletions as ten events; a list would have shown them at once."""
    track, now = known(some(*range(1, 11))), 0.0
    for last in range(9, 0, -1):
        now += 1.0
        track = heard(track, Reading(some(*range(1, last + 1))), now)
    assert ids(track) == [1, 2, 3, 4, 5, 6, 7]
    assert "after 3 that left within ten minutes" in track.why
    track = heard(track, Reading(some(*range(1, 6))), now + SHRINK_WINDOW_S)
    assert ids(track) == [1, 2, 3, 4, 5], "two of seven, ten minutes later"


def test_who_was_drained_may_go() -> None:
    track = known(some(1, 2, 3, 4, drained=(1, 2, 3)))
    assert ids(heard(track, Reading(some(4)), 1.0)) == [4]


def test_who_comes_back_is_no_loss() -> None:
    track = known(some(1, 2, 3))
    for step in range(1, 20):
        track = heard(track, Reading(some(*((1, 2, 3) if step % 2 else (1, 2)))), float(step))
        assert not track.why


def test_accepted_is_who_was_named_and_nobody_else() -> None:
    track = heard(known(some(1, 2, 3, 4)), Reading(some(4)), 1.0)
    assert track.lost == ("lb-001", "lb-002", "lb-003")
    assert ids(heard(track, Reading(some(4)), 2.0, track.lost)) == [4]
    assert ids(heard(track, Reading(()), 2.0, track.lost)) == [1, 2, 3, 4], "to nobody, which is more than was accepted"
    assert ids(heard(track, Reading(()), 2.0, (*track.lost, "lb-004"))) == []


def test_addresses_that_vanish_from_who_is_still_named() -> None:
    """A Service that loses its status for a moment is still there (external-dns #3841)."""
    one = LoadBalancer("ingress", "a", "main", ("192.0.2.1", "192.0.2.2", "192.0.2.3"), (), 1)
    track = known((one,))
    thinned = replace_addresses(one, "192.0.2.1")
    after = heard(track, Reading((thinned,)), 1.0)
    assert (after.part, after.lost) == ((one,), ("ingress",))
    assert "lacks 2 of 3 addresses" in after.why
    moved = replace_addresses(one, "192.0.2.7", "192.0.2.8", "192.0.2.9")
    assert heard(track, Reading((moved,)), 1.0).part == (moved,), "new ones in their place are a change"


def replace_addresses(one: LoadBalancer, *addresses: str) -> LoadBalancer:
    return LoadBalancer(one.id, one.az, one.pool, addresses, (), one.capacity)


def test_who_exists_and_can_not_be_told_stays_as_it_was() -> None:
    track = known(some(1, 2, 3))
    after = heard(track, Reading(some(1), "r2", (("lb-002", "no address"), ("lb-003", "-"), ("lb-009", "new"))), 1.0)
    assert (ids(after), after.why) == ([1, 2, 3], "")


def test_unknown_keeps_the_part_however_long_it_lasts() -> None:
    track = known(some(1, 2))
    for now, state in ((1.0, "unknown"), (WARN_S, "late"), (LOST_S, "lost"), (1e9, "lost")):
        track = unheard(track, "connection refused", now)
        assert (track.state(now), ids(track), track.unknown_since) == (state, [1, 2], 1.0)
    assert heard(track, Reading(some(1, 2)), 2e9).state(2e9) == "known"


def test_silence_is_told_although_nobody_complains() -> None:
    track = known(some(1), now=10.0)
    assert [track.state(10.0 + age) for age in (0, WARN_S - 1, WARN_S, LOST_S)] == ["known", "known", "late", "lost"]
    assert Track("never").state(1.0) == "unknown"


def test_a_declared_fleet_is_not_guarded() -> None:
    track = heard(replace(known(some(1, 2, 3)), guarded=False), Reading(some(3)), 1.0)
    assert ids(track) == [3]


def test_the_first_source_wins_and_all_must_be_known() -> None:
    first, second = known(some(1, 2)), known(some(2, 3, start=100), "aws")
    fleet = merged((first, second)).load_balancers
    assert fleet is not None
    assert [one.ipv4[0] for one in fleet] == ["192.0.2.1", "192.0.2.2", "192.0.2.103"]
    assert merged((first, Track("never"))).load_balancers is None


def test_an_address_of_two_stays_with_who_has_it() -> None:
    first = known((LoadBalancer("x", "a", "main", ("192.0.2.1",), (), 1),))
    second = known((LoadBalancer("y", "a", "main", ("192.0.2.1",), (), 1),), "aws")
    fresh = merged((first, second))
    assert [one.id for one in fresh.load_balancers or ()] == ["x"]
    assert fresh.conflicts == ("192.0.2.1 belongs to x (file) and to y (aws): y is left out",)
    standing = merged((first, second), second.part or ())
    assert [one.id for one in standing.load_balancers or ()] == ["y"], "a slip in one file takes nobody out"


@pytest.mark.parametrize("seed", range(300))
def test_no_history_takes_more_than_a_third_within_ten_minutes(seed: int) -> None:
    """G6, over hostile histories: whatever is said, in whatever order, without consent."""
    dice = random.Random(seed)
    count = dice.randint(1, 12)
    track, now = known(some(*range(1, count + 1))), 0.0
    there = [(now, set(ids(track)))]
    for _ in range(60):
        now += dice.choice([0.1, 1.0, 30.0, 200.0])
        if dice.random() < 0.3:
            track = unheard(track, "HTTP 500", now)
        else:
            share = dice.choice([0.0, 0.3, 0.7, 0.9, 1.0, 1.0])
            track = heard(track, Reading(some(*(n for n in range(1, count + 1) if dice.random() < share))), now)
        assert track.part, "never to nobody"
        there.append((now, set(ids(track))))
        lately = set().union(*(names for at, names in there if now - at < SHRINK_WINDOW_S))
        lost = lately - there[-1][1]
        assert len(lost) <= max(1, 0.34 * len(lately)), f"seed {seed}: {sorted(lost)} of {sorted(lately)} left"
