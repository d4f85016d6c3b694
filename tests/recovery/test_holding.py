"""Holders: they come when told, spread out, and never storm whoever does not answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.recovery.holding import Holder, beginning

CHANCE = st.floats(0, 0.999)
LOTS = settings(max_examples=200, deadline=None)


@LOTS
@given(CHANCE, st.floats(0, 100_000))
def test_it_comes_when_it_was_told_and_not_before(chance: float, told: float) -> None:
    holder = beginning(0.0, chance)
    assert 0 <= holder.due < 1.0
    assert holder.appointed(10.0, told, chance).due >= 10.0 + min(told, 3600.0)
    assert holder.appointed(10.0, told, chance).due <= 10.0 + min(told, 3600.0) + 1.0
    exact = holder.appointed(10.0, told, chance, exact=True).due - 10.0 - min(told, 3600.0)
    assert -1e-9 <= exact <= 0.0201, "a moment of its own is kept"
    renewed = holder.renewed(10.0, told, chance)
    assert 0.089 <= (renewed.due - 10.0) <= 3600.0 * 1.1
    assert renewed.due - 10.0 <= max(0.11, told * 1.1)


def test_who_is_told_to_come_at_once_has_no_appointment_and_pays_for_each_retry() -> None:
    holder, now, came = Holder(0.0), 0.0, 0
    while now < 100.0:
        came += 1
        holder = holder.appointed(now + 0.01, 0.0, 0.5, exact=True, asked=now)
        now = holder.due
    assert came <= 15, "one retry in ten seconds, and what was saved"
    kept = Holder(0.0).appointed(3.0, 0.0, 0.5, exact=True, asked=0.0)
    assert 3.0 <= kept.due <= 3.02, "who was held back until it was his time comes at it"
    assert kept.failures == 0


@LOTS
@given(st.lists(CHANCE, min_size=1, max_size=60), st.integers(1, 4))
def test_who_is_never_answered_asks_ever_less_and_everybody(chances: list[float], registries: int) -> None:
    holder, now, asked = Holder(0.0, registries), 0.0, [0]
    times = [0.0]
    for chance in chances:
        holder = holder.failed(now, chance)
        assert holder.due >= now
        now = holder.due
        asked.append(holder.at)
        times.append(now)
    assert asked == [place % registries for place in range(len(asked))]
    retries = max(0, len(chances) - registries + 1)
    assert retries <= 1 + 0.1 * now + 1e-6, "the budget: one, and one more every ten seconds"


def test_a_thousand_that_fail_together_do_not_come_back_together() -> None:
    dues = sorted(Holder(0.0, failures=3).failed(0.0, n / 1000).due for n in range(1000))
    busiest = max(sum(at <= due < at + 0.1 for due in dues) for at in dues[::20])
    assert busiest < 150


def test_an_answer_makes_good() -> None:
    holder = Holder(0.0).failed(0.0, 0.5).failed(1.0, 0.5)
    assert holder.failures == 2
    assert holder.renewed(5.0, 15.0, 0.5).failures == 0
    assert holder.renewed(5.0, 15.0, 0.5).due == 20.0
