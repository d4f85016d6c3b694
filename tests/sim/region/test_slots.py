"""Series cut into slots: the short is kept, the mean is that of time."""

import pytest

from standfast.sim.region.telling.slots import Slot, amount, availability_of, others_of, slots

from .planted import planted

STEPS = ((0.0, 1.0), (10.0, 0.0), (11.0, 1.0), (25.0, 0.5))


def test_what_is_short_is_kept_and_the_mean_is_that_of_time() -> None:
    assert slots(STEPS, 0.0, 40.0, 2) == (Slot(0.0, 1.0, 0.95), Slot(0.5, 1.0, 0.625))


def test_a_value_holds_before_its_first_point_and_after_its_last() -> None:
    assert slots(STEPS, -20.0, 0.0, 2) == (Slot(1.0, 1.0, 1.0), Slot(1.0, 1.0, 1.0))
    assert slots(STEPS, 30.0, 50.0, 1) == (Slot(0.5, 0.5, 0.5),)


@pytest.mark.parametrize("wrong", [((), 0.0, 1.0, 1), (STEPS, 0.0, 1.0, 0), (STEPS, 1.0, 1.0, 1)])
def test_nonsense_is_refused(wrong: tuple[tuple[tuple[float, float], ...], float, float, int]) -> None:
    with pytest.raises(ValueError, match="slots need time"):
        slots(*wrong)


def test_which_series_are_whose() -> None:
    day = planted()
    assert availability_of(day, "EC2") == "ec2.availability"
    assert availability_of(day, "Lambda") is None
    assert others_of(day, "DynamoDB") == ("dynamodb.addresses",)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.975, "share", "97.5 %"),
        (1_200_000, "count", "1.2 M"),
        (2_040, "s", "34 min"),
        (7, "count", "7"),
        (9000, "s", "2.5 h"),
    ],
)
def test_amounts_are_short(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text
