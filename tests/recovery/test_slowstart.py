"""Slow start laid over the fleet: weights alone, in steps, relative to the others."""

from standfast.core.rotation import due_shares
from standfast.core.selection import Candidate
from standfast.model.fleet import Fleet, LoadBalancer
from standfast.recovery.slowstart import SlowStart, eased

FLEET = Fleet(tuple(LoadBalancer(f"lb-{n}", "a", "edge", (f"192.0.2.{n}",), (), 100) for n in range(4)))


def due(fleet: Fleet, places: int) -> list[float]:
    able = [Candidate(one.id, one.ipv4, one.capacity, None, "in", "", eased=one.eased) for one in fleet.load_balancers]
    return [round(share, 3) for share in due_shares(able, places).values()]


def test_who_came_back_gets_its_turns_by_steps() -> None:
    up = {"lb-0": 0.0, "lb-1": 0.0, "lb-2": 0.0, "lb-3": 1000.0}
    slow = SlowStart(400.0)
    assert [eased(FLEET, up, slow, 1000.0 + at).load_balancers[3].eased for at in (0, 150, 250, 350, 400)] == [
        0.25, 0.4375, 0.625, 0.8125, 1.0,
    ]  # fmt: skip
    assert due(eased(FLEET, up, slow, 1000.0), 1) == [0.308, 0.308, 0.308, 0.077]
    assert due(eased(FLEET, up, slow, 1400.0), 1) == [0.25] * 4
    assert eased(FLEET, up, SlowStart(0.0), 1000.0) is FLEET
    assert all(one.capacity == 100 for one in eased(FLEET, up, slow, 1000.0).load_balancers), "limits see all of it"


def test_who_came_back_with_everybody_keeps_its_part() -> None:
    up = {one.id: 1000.0 for one in FLEET.load_balancers}
    assert due(eased(FLEET, up, SlowStart(400.0), 1000.0), 2) == [0.5] * 4
