"""Attribution on planted days: what each is worth alone and in company, and that nothing runs twice."""

from collections.abc import Sequence

from standfast.sim.region.attribution import Attribution, counterfactual, needed, ordered
from standfast.sim.region.day import Day
from standfast.sim.region.protections import Protection, family

from .planted import planted

Set = frozenset[Protection]


class Planted:
    """Days on which `admission` saves an hour, and `fence` everything."""

    def __init__(self) -> None:
        self.asked: list[Set] = []

    def __call__(self, sets: Sequence[Set]) -> list[Day]:
        self.asked += sets
        return [self.day(one) for one in sets]

    @staticmethod
    def day(protections: Set) -> Day:
        if "fence" in protections:
            return planted(protections=ordered(protections), clear_s=0.0, outage_s=0.0)
        saved = 3600.0 if "admission" in protections else 0.0
        return planted(protections=ordered(protections), clear_s=52_000.0 - saved)


def cleared(found: Attribution, protection: str) -> tuple[float | None, float | None]:
    row = next(one for one in found.rows if one.protection == protection)
    return row.alone.clear_s, row.left_out.clear_s


def test_each_alone_and_each_left_out() -> None:
    run = Planted()
    found = counterfactual(frozenset({"fence", "admission", "repair"}), run)
    assert found.asked.chosen == ("fence", "repair", "admission")
    assert found.asked.as_built.clear_s == 52_000.0
    assert found.asked.together.clear_s == 0.0
    assert cleared(found.asked, "fence") == (0.0, 48_400.0)
    assert cleared(found.asked, "admission") == (48_400.0, 0.0)
    assert cleared(found.asked, "repair") == (52_000.0, 0.0)


def test_recovery_alone_has_the_same_time_without_dns() -> None:
    found = counterfactual(frozenset({"fence"}), Planted())
    assert set(found.recovery.protections) == family("recovery")
    assert found.recovery.outage_s == found.asked.as_built.outage_s > 0
    assert found.recovery.clear_s == 48_400.0


def test_nothing_is_run_twice_and_nothing_missing() -> None:
    for chosen in (frozenset[Protection]({"fence", "admission"}), family("recovery")):
        run = Planted()
        counterfactual(chosen, run)
        assert len(run.asked) == len(set(run.asked))
        assert set(run.asked) == {*needed(chosen), family("recovery")}
    assert needed(frozenset({"fence"})) == (frozenset(), frozenset({"fence"}))
