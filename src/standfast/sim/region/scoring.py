"""The model's day beside the published one: each milestone with its error, and what the halves come to.

The error of a milestone is the model's time less the published one, over the time that had passed since the last input:
whoever is told of a restoration at 02:25 and finds what follows at 05:28 is judged on those three hours, not on the
whole night. A milestone that the model never reaches has no error and counts as missed.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from .published import MILESTONES, Half, Milestone, halves, last_input_before, unscored_because

AIM: Final = 0.10
"""Held-out milestones shall be this close."""


class Scored(Struct, frozen=True):
    """A milestone and when the model reached it. `half` is empty, and `because` says why, for what scores nothing."""

    milestone: Milestone
    model_s: float | None
    half: Half | None
    because: str
    since: str
    """The id of the last input before it."""
    room_s: float
    """How long that was before the published time: what the error is a share of."""

    @property
    def off_s(self) -> float | None:
        """How much later than published the model is; None if it never gets there."""
        return None if self.model_s is None else self.model_s - self.milestone.seconds

    @property
    def error(self) -> float | None:
        """That as a share of the time since the last input; None for what scores nothing or was never reached."""
        return None if self.half is None or self.off_s is None else self.off_s / self.room_s

    @property
    def close(self) -> bool:
        """Whether it counts as met."""
        return self.error is not None and abs(self.error) <= AIM


class Tally(Struct, frozen=True):
    """What a half comes to: how many, how many within the aim, never reached; sizes of the errors of those reached."""

    count: int
    close: int
    never: int
    median: float | None
    worst: float | None


class Score(Struct, frozen=True):
    """Every milestone in order of time, and both halves."""

    lines: tuple[Scored, ...]
    held_out: Tally
    fitted: Tally


def score(reached: Mapping[str, float | None], milestones: Sequence[Milestone] = MILESTONES) -> Score:
    """Judge those times, by id in seconds, as the model has them.

    Raises ValueError for an id that no milestone has: a misspelt one would pass for never reached.
    """
    if unknown := set(reached) - {one.id for one in milestones}:
        raise ValueError(f"no milestone is called {', '.join(sorted(unknown))}")
    chosen = halves(milestones)
    lines = tuple(_line(one, reached.get(one.id), chosen.get(one.id), milestones) for one in milestones)
    return Score(lines, _tally(lines, "held out"), _tally(lines, "fitted"))


def _line(one: Milestone, model_s: float | None, half: Half | None, milestones: Sequence[Milestone]) -> Scored:
    because = unscored_because(one, milestones)
    if any(other.is_input and other.seconds <= one.seconds for other in milestones):
        before = last_input_before(one.seconds, milestones)
        return Scored(one, model_s, half, because, before.id, float(one.seconds - before.seconds))
    return Scored(one, model_s, half, because, "", 0.0)


def _tally(lines: Sequence[Scored], half: Half) -> Tally:
    own = [line for line in lines if line.half == half]
    errors = [abs(line.error) for line in own if line.error is not None]
    close = sum(line.close for line in own)
    middle, worst = (median(errors), max(errors)) if errors else (None, None)
    return Tally(len(own), close, len(own) - len(errors), middle, worst)
