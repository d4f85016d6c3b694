"""What a run of the region gives: the day as series over time, the milestones it reached, and a digest.

Time is in seconds since 19 October 2025, 23:48 PDT (`published.clock_of` turns it into clock times). Everything here is
plain data that `msgspec.json` writes and reads.
"""

import hashlib
from typing import TypeAlias

import msgspec
from msgspec import Struct

Points: TypeAlias = tuple[tuple[float, float], ...]
"""Moments and values, ascending. A value holds until the next point."""


class Measure(Struct, frozen=True):
    """What a series says: of which service, in words, in which unit ("share" is 0 to 1, "s" seconds, else a count)."""

    service: str
    title: str
    unit: str


class Input(Struct, frozen=True):
    """Something that was done to the region and is no outcome: by people, at its published time."""

    id: str
    at: float
    what: str


class Account(Struct, frozen=True):
    """A queue's books at the end: what came in is what was done, given up, refused, or still waits."""

    queue: str
    came: float
    done: float
    given_up: float
    refused: float
    waiting: float


class Day(Struct, frozen=True):
    """The whole day.

    `series` by name ("ec2.leases"), explained by `measures` of the same names. `milestones`: when the model reached
    each, or None if it never did by `until`. `outage_s`: for how long the endpoint had no addresses. `clear_s`: from
    when on every service stayed available and every backlog empty, None if not by `until`. `bound_s`: for each backlog
    what is left of it when DNS is back ÷ the capacity to work it off, beside what it took (`took_s`).
    """

    seed: int
    protections: tuple[str, ...]
    until: float
    inputs: tuple[Input, ...]
    services: tuple[str, ...]
    measures: dict[str, Measure]
    series: dict[str, Points]
    milestones: dict[str, float | None]
    accounts: tuple[Account, ...]
    outage_s: float
    clear_s: float | None
    bound_s: dict[str, float]
    took_s: dict[str, float]
    digest: str
    clear_of: dict[str, float | None] = {}
    """`clear_s` by service, by the first part of its series' names."""
    lost_s: dict[str, float] = {}
    """By service: seconds of its work that was not done well, the sum of 1 less its availability."""

    def at(self, name: str, when: float) -> float:
        """The value of a series at a moment; its first value before that. Raises KeyError if there is none such."""
        points = self.series[name]
        value = points[0][1]
        for moment, then in points:
            if moment > when:
                break
            value = then
        return value


def digest(series: dict[str, Points], milestones: dict[str, float | None]) -> str:
    """Equal for equal days, whatever machine made them."""
    return hashlib.blake2b(msgspec.json.encode((series, milestones), order="sorted"), digest_size=16).hexdigest()
