"""The kinds of fault: at whom each is aimed, for how long, and how often at most. What they do is in `mischief.py`."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Aim: TypeAlias = Literal[
    "process", "enactor", "planner", "cleaner", "machine", "zone", "endpoint", "store", "source", "balancer", "az"
]


class Kind(Struct, frozen=True):
    """A kind of fault.

    `lasts_s` is the shortest and longest time that one of them lasts; (0, 0): it is over at once. `messages` is how
    many requests or replies one of them may hit; 0: it is not about messages. `hourly` is how many there are in an
    hour at most. `change` marks what is no fault: it makes plans change.
    """

    name: str
    aim: Aim
    lasts_s: tuple[float, float] = (0.0, 0.0)
    messages: int = 0
    hourly: float = 3.0
    change: bool = False


_KINDS: Final = (
    # Processes and their machines.
    Kind("pause", "process", (2.0, 2400.0), hourly=4.0),
    Kind("crash of an enactor", "enactor", (0.05, 300.0), hourly=6.0),
    Kind("crash of a planner", "planner", (0.05, 120.0), hourly=4.0),
    Kind("crash of a cleaner", "cleaner", (0.05, 120.0)),
    Kind("two planners", "planner", (60.0, 3600.0), hourly=2.0),
    Kind("clock skew", "machine", hourly=4.0),
    Kind("clock jump", "machine", hourly=4.0),
    Kind("copy's disk full", "machine", (60.0, 1800.0)),
    Kind("journal's disk full", "machine", (5.0, 600.0)),
    # Messages between enactors and the provider.
    Kind("request lost", "enactor", (60.0, 600.0), messages=6, hourly=6.0),
    Kind("reply lost", "enactor", (60.0, 600.0), messages=6, hourly=6.0),
    Kind("duplicated", "enactor", (60.0, 600.0), messages=6, hourly=6.0),
    Kind("late", "enactor", (60.0, 600.0), messages=6, hourly=8.0),
    Kind("reordered", "enactor", (60.0, 600.0), messages=6, hourly=6.0),
    # What the provider does to everybody.
    Kind("throttled", "zone", (10.0, 300.0)),
    Kind("outage", "zone", (5.0, 600.0)),
    Kind("refusing", "zone", (2.0, 120.0)),
    Kind("stale reading", "zone", (60.0, 600.0), messages=8, hourly=6.0),
    Kind("torn reading", "zone", (60.0, 600.0), messages=12, hourly=6.0),
    Kind("partial reading", "zone", (60.0, 600.0), messages=8, hourly=6.0),
    # The plan store.
    Kind("store away", "process", (5.0, 1800.0), hourly=4.0),
    Kind("store's reply lost", "process", (60.0, 600.0), messages=4, hourly=4.0),
    Kind("store set back", "store", hourly=2.0),
    Kind("store lost", "store", hourly=1.0),
    # People.
    Kind("hand: addresses gone", "endpoint", hourly=6.0),
    Kind("hand: other addresses", "endpoint", hourly=6.0),
    Kind("hand: marker gone", "endpoint", hourly=6.0),
    Kind("hand: marker and addresses gone", "endpoint", hourly=6.0),
    Kind("hand: marker garbage", "endpoint", hourly=4.0),
    Kind("hand: older marker", "endpoint", hourly=4.0),
    Kind("hand: marker and addresses of old", "endpoint", hourly=4.0),
    Kind("hand: CNAME", "endpoint", hourly=4.0),
    Kind("hand: floor gone", "zone"),
    Kind("hand: floor garbage", "zone", hourly=2.0),
    Kind("hand: first entry gone", "zone", hourly=2.0),
    Kind("hand: wildcard", "zone", (10.0, 900.0), hourly=2.0),
    Kind("hand: zone emptied", "zone", hourly=1.0),
    Kind("hand: zone restored", "zone", hourly=1.0),
    # Sources of the fleet.
    Kind("source empty", "source", (30.0, 600.0), hourly=2.0),
    Kind("source shrunk", "source", (30.0, 1200.0), hourly=2.0),
    Kind("source garbage", "source", (30.0, 600.0), hourly=2.0),
    Kind("source stale", "source", (60.0, 1800.0), hourly=2.0),
    # Load balancers, and what is seen of them.
    Kind("load balancer dies", "balancer", (20.0, 1800.0), hourly=8.0),
    Kind("load balancer flaps", "balancer", (60.0, 600.0), hourly=3.0),
    Kind("AZ lost", "az", (60.0, 1200.0), hourly=1.0),
    Kind("checks blind", "planner", (10.0, 300.0), hourly=2.0),
    # Work.
    Kind("freeze of an endpoint", "endpoint", (10.0, 1200.0), hourly=3.0),
    Kind("freeze of a zone", "zone", (10.0, 900.0), hourly=1.0),
    Kind("change: drained", "balancer", (60.0, 1800.0), hourly=8.0, change=True),
    Kind("change: capacity", "balancer", hourly=4.0, change=True),
    Kind("override of a load balancer", "balancer", (30.0, 1800.0), hourly=6.0, change=True),
    Kind("override of an AZ", "az", (30.0, 1200.0), hourly=1.0, change=True),
    # Trees, in zones as Route 53's. Behind all others, so that what is drawn of those stays as it was.
    Kind("collection lost", "cleaner", (300.0, 900.0), messages=2, hourly=6.0),
    Kind("collection late", "cleaner", (900.0, 1800.0), messages=20, hourly=16.0),
    Kind("hand: tree gone", "endpoint", hourly=6.0),
    Kind("hand: leaves gone", "endpoint", hourly=6.0),
    Kind("hand: root elsewhere", "endpoint", hourly=6.0),
    Kind("hand: rollback elsewhere", "endpoint", hourly=6.0),
    Kind("hand: rollback gone", "endpoint", hourly=4.0),
    Kind("hand: stray tree", "endpoint", hourly=3.0),
)
KINDS: Final = {kind.name: kind for kind in _KINDS}
FAULTS: Final = tuple(kind.name for kind in _KINDS if not kind.change)
