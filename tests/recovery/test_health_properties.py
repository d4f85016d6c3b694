"""Hostile sequences: alternating, late, repeated, reordered, clocks set back, mass churn, restarts, cut observers.

What must hold for every one of them, not what happens in some.
"""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.model.fleet import VerdictState
from standfast.recovery.health import Evidence, Failed, Health, HealthPolicy, Passed, observed, started, verdict
from standfast.recovery.quorum import Vantage, Vote, Voter, concluded, heard, standing
from standfast.recovery.rota import Rota
from standfast.recovery.sight import Sight, evidence, passed

POLICIES = st.builds(
    HealthPolicy,
    fall=st.integers(1, 5),
    rise=st.integers(1, 8),
    warm_up_s=st.sampled_from([0.0, 30.0, 60.0]),
    damp_max_s=st.sampled_from([0.0, 300.0, 900.0]),
)
CHECKS = st.lists(st.booleans(), max_size=80)
SECONDS = st.floats(0.0, 40.0)
LOTS = settings(max_examples=300, deadline=None)


def check(health: Health, passes: bool, now: float, witnessed: bool = True) -> Health:
    return observed(health, Passed() if passes else Failed("refused"), now, Evidence(witnessed))


def after(health: Health, checks: Iterable[bool], now: float = 0.0) -> tuple[Health, float]:
    for passes in checks:
        now += health.policy.interval_s
        health = check(health, passes, now)
    return health, now


def rows(checks: list[bool], wanted: bool) -> int:
    """The longest row of `wanted` at the end of what was checked so far, at any time."""
    longest = row = 0
    for one in checks:
        row = row + 1 if one is wanted else 0
        longest = max(longest, row)
    return longest


@LOTS
@given(policy=POLICIES, checks=CHECKS)
def test_nobody_falls_without_a_whole_row_of_failures_nor_rises_without_one_of_passes(
    policy: HealthPolicy, checks: list[bool]
) -> None:
    health, now = started(policy, 0.0, newcomer=False), 0.0
    for place, passes in enumerate(checks):
        was = verdict(health, now).state
        now += policy.interval_s
        health = check(health, passes, now)
        state = verdict(health, now).state
        if state == "down" != was:
            assert not any(checks[place + 1 - policy.fall : place + 1])
        if state == "up" != was:
            assert all(checks[max(0, place + 1 - policy.rise) : place + 1])
            assert place + 1 >= policy.rise


@LOTS
@given(policy=POLICIES, seed=st.integers(0, 1), count=st.integers(1, 60))
def test_alternating_checks_move_nobody_unless_one_failure_is_enough(
    policy: HealthPolicy, seed: int, count: int
) -> None:
    policy = HealthPolicy(max(2, policy.fall), max(2, policy.rise))
    health, now = after(started(policy, 0.0, newcomer=False), [True] * policy.rise)
    health, now = after(health, [(place + seed) % 2 == 0 for place in range(count)], now)
    assert verdict(health, now).state == "up"


@LOTS
@given(policy=POLICIES, checks=st.lists(st.tuples(st.booleans(), SECONDS, st.booleans()), max_size=60))
def test_a_newcomer_is_never_down_before_it_was_up(
    policy: HealthPolicy, checks: list[tuple[bool, float, bool]]
) -> None:
    health, now = started(policy, 0.0, newcomer=True), 0.0
    for passes, pause, witnessed in checks:
        now += pause
        health = check(health, passes, now, witnessed)
        state = verdict(health, now).state
        if state == "up":
            return
        assert state == "warming"


@LOTS
@given(policy=POLICIES, checks=st.lists(st.tuples(st.booleans(), st.floats(-500.0, 40.0)), max_size=60))
def test_whatever_the_clock_does_a_row_of_passes_ends_in_up(
    policy: HealthPolicy, checks: list[tuple[bool, float]]
) -> None:
    """Nothing that happened can keep one away for longer than the longest return."""
    health, now = started(policy, 0.0, newcomer=False), 0.0
    for passes, pause in checks:
        now += pause
        health = check(health, passes, now)
    longest = max(policy.damp_max_s, policy.warm_up_s, policy.rise * policy.interval_s)
    health, now = after(health, [True] * int(longest / policy.interval_s + policy.rise + 2), now)
    assert verdict(health, now).state == "up"


@LOTS
@given(policy=POLICIES, checks=CHECKS, back=st.floats(0.0, 1e6))
def test_a_clock_that_goes_back_changes_no_conclusion(policy: HealthPolicy, checks: list[bool], back: float) -> None:
    health, now = after(started(policy, 0.0, newcomer=False), checks)
    assert verdict(health, now - back).state == verdict(health, now).state
    assert check(health, True, now - back).state == check(health, True, now).state


@LOTS
@given(policy=POLICIES, checks=CHECKS, state=st.sampled_from(["up", "down", "warming", "unknown"]))
def test_a_restart_alone_moves_nobody(policy: HealthPolicy, checks: list[bool], state: VerdictState) -> None:
    """From the last verdict it goes on as before; the first checks alone can't turn it round."""
    health, now = after(started(policy, 0.0, newcomer=False), checks)
    was = verdict(health, now)
    again = started(policy, now, newcomer=False, seed=was, flaps=health.flaps)
    assert verdict(again, now).state in (was.state, "unknown")
    if was.state == "up" and policy.fall > 1:
        assert verdict(check(again, False, now + 1.0), now + 1.0).state == "up"
    if was.state == "down" and policy.rise > 1:
        assert verdict(check(again, True, now + 1.0), now + 1.0).state == "down"


@LOTS
@given(policy=POLICIES, checks=CHECKS, silence=st.floats(15.1, 1e6))
def test_silence_never_takes_anybody_out(policy: HealthPolicy, checks: list[bool], silence: float) -> None:
    health, now = after(started(policy, 0.0, newcomer=False), checks)
    assert verdict(health, now + silence).state == "unknown"
    assert verdict(check(health, False, now + silence), now + silence).state == (
        "down" if policy.fall == 1 else "unknown"
    )


@LOTS
@given(policy=POLICIES, pattern=st.lists(st.integers(1, 12), min_size=2, max_size=60))
def test_flapping_is_damped_to_one_fall_in_the_longest_return(policy: HealthPolicy, pattern: list[int]) -> None:
    """However passes and failures follow each other: in a quarter of an hour it falls a few times at most."""
    policy = HealthPolicy(policy.fall, policy.rise)
    health, now, falls = started(policy, 0.0, newcomer=False), 0.0, list[float]()
    for place in range(4000):
        passes = place // 2 % 2 == 0 if place >= len(pattern) * 40 else pattern[place % len(pattern)] > 3
        was = health.state
        now += policy.interval_s
        health = check(health, passes, now)
        if was == "up" and health.state == "down":
            falls.append(now)
    for at in falls:
        assert sum(at <= other < at + policy.damp_max_s for other in falls) <= 6


@LOTS
@given(
    count=st.integers(2, 8),
    fall=st.integers(1, 4),
    before=st.integers(8, 12),
    cut=st.integers(1, 40),
    phases=st.lists(st.floats(0.0, 4.9), min_size=8, max_size=8),
    jitter=st.lists(st.floats(-0.49, 0.49), min_size=60, max_size=60),
)
def test_a_cut_observer_takes_nobody_out_neither_meanwhile_nor_afterwards(
    count: int, fall: int, before: int, cut: int, phases: list[float], jitter: list[float]
) -> None:
    policy, names = HealthPolicy(fall=fall), [f"lb-{number}" for number in range(count)]
    azs = {name: "abc"[place % 3] for place, name in enumerate(names)}
    healths = {name: started(policy, 0.0, newcomer=False) for name in names}
    sight = Sight()
    rounds = before + cut + 10
    moments = sorted(
        (5.0 * turn + phases[place] + jitter[(turn * 7 + place) % 60] / 10 + 0.1, place)
        for turn in range(rounds)
        for place in range(count)
    )
    begins, ends = 5.0 * before, 5.0 * (before + cut)
    for now, place in moments:
        name = names[place]
        if begins <= now < ends:
            seen = evidence(sight, name, healths, azs, now)
            healths[name] = observed(healths[name], Failed("timed out"), now, seen)
        else:
            sight = passed(sight, name, now)
            healths[name] = observed(healths[name], Passed(), now)
        assert all(verdict(one, now).state != "down" for one in healths.values())
    assert {one.state for one in healths.values()} == {"up"}


VOTES = st.lists(st.sampled_from(["up", "down", "warming", "unknown"]), min_size=1, max_size=7)


@LOTS
@given(states=VOTES, az=st.sampled_from(["a", "b", "c"]))
def test_down_takes_a_majority_of_all_that_are_declared(states: list[VerdictState], az: str) -> None:
    votes = [Vote(Vantage(f"v{n}", "abc"[n % 3]), state, state) for n, state in enumerate(states)]
    found = concluded(votes, az)
    assert (found.state == "down") == (2 * states.count("down") > len(states))
    assert (found.state == "up") == (2 * states.count("up") > len(states))
    assert found.outside <= states.count("down")


@LOTS
@given(
    puts=st.lists(
        st.tuples(st.floats(0.0, 60.0), st.booleans(), st.sampled_from(["one", "two"])), min_size=1, max_size=40
    )
)
def test_a_voter_counts_only_after_two_words_in_time_of_one_process(
    puts: list[tuple[float, bool, str]],
) -> None:
    """Late, repeated, or of two processes: whatever comes, what counts was preceded by a word of the same in time."""
    silence, now, revision = 15.0, 100.0, 0
    voter = heard(Voter(), 0, "", now, silence)
    told: list[tuple[float, str]] = []
    for pause, new, instance in puts:
        now += pause
        if new or not told:
            revision += 1
            told.append((now, instance))
        voter = heard(voter, revision, told[-1][1], now, silence)
        if standing(voter, now, silence) == "heard":
            at, who = told[-1]
            assert now - at <= silence
            if len(told) > 1:
                assert told[-2][1] == who
                assert at - told[-2][0] <= silence


@LOTS
@given(
    steps=st.lists(st.tuples(st.sampled_from("anrf"), st.integers(0, 11), st.floats(0.0, 3.0)), max_size=200),
    free=st.integers(1, 4),
)
def test_nobody_waits_longer_than_all_others_take(steps: list[tuple[str, int, float]], free: int) -> None:
    """Whatever is added, replaced or removed: who waits is started before anybody is started twice after it was due."""
    rota, now, running = Rota(5.0), 0.0, dict[str, float]()
    due: dict[str, float] = {}
    passed_over: dict[str, set[str]] = {}
    for what, number, pause in steps:
        name, now = f"lb-{number}", now + pause
        if what == "a":
            rota.add(name, now)
            running.pop(name, None)
            due[name] = now
        elif what == "r":
            rota.remove(name)
            for known in (running, due, passed_over):
                known.pop(name, None)
        elif what == "f" and running:
            done, began = min(running.items(), key=lambda item: item[1])
            del running[done]
            rota.finished(done, began, 5.0, now)
            due[done] = max(began + 5.0, now)
        while len(running) < free and (turn := rota.next(now)) is not None:
            rota.started(turn)
            running[turn] = now
            assert due.pop(turn) <= now
            passed_over.pop(turn, None)
            for waiting, since in due.items():
                if since < now:
                    assert turn not in passed_over.setdefault(waiting, set()), f"{turn} went before {waiting} twice"
                    passed_over[waiting].add(turn)
        assert rota.waiting(now) == sum(when <= now for when in due.values())
