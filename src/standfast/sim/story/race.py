"""The race of October 2025: as built, with Standfast on the same schedule, and as built with a single remedy."""

from typing import Final

from standfast.sim.asbuilt.race import race
from standfast.sim.world.race import race_with_standfast

from .page import Run, Source, page
from .remedied import OFFERED, remedied

AS_BUILT: Final = "as-built"
STANDFAST: Final = "standfast"
TITLE: Final = "October 2025, us-east-1: how an endpoint was emptied, and why it stayed empty"
LEAD: Final = (
    "Both runs come from code: the system as it was built, rebuilt from what was published; and Standfast's production "
    "cores on the same schedule, with the same enactor C asleep. Steps are logical; there are no milliseconds in them."
)
SOURCES: Final = (
    Source(
        "AWS post-event summary, message/101925",
        "Summary of the Amazon DynamoDB Service Disruption in the Northern Virginia (US-EAST-1) Region",
        "https://aws.amazon.com/message/101925/",
    ),
    Source(
        "DAT453 at re:Invent 2025",
        "talk of Craig Howard, read as a machine transcript. The generation numbers 110, 145 and 146 "
        "are the speaker's invention",
        "https://www.youtube.com/watch?v=YZUNNzLDWb8",
    ),
    Source("ours", "what our own code does here, on the same schedule"),
)


def race_runs() -> tuple[Run, ...]:
    """As built, with Standfast, and as built with one remedy each."""
    single = (Run(remedy, remedy, remedied(remedy)) for remedy in OFFERED)
    return (Run(AS_BUILT, "As built", race()), Run(STANDFAST, "With Standfast", race_with_standfast()), *single)


def race_page(runs: tuple[Run, ...], view: str) -> str:
    """The page of the race, which begins with that view."""
    return page(TITLE, LEAD, runs, sources=SOURCES, view=view)
