"""The searches about what operators order without a plan, or once and for all: emergency publish, retire, leave."""

from typing import Any, Final

from .bounds import Fault, Run
from .histories import history

_LATE: Final[frozenset[Fault]] = frozenset({"late"})
_BRIEF: Final[dict[str, Any]] = {"memory": False, "patience": 1}
"""A pass ends with its first failure, and the next one is that of an enactor just started: far fewer states."""

BY_ORDER: Final = (
    Run(
        name="retire-and-delay",
        about="the planner's own core, told to retire an endpoint at any time, beside a delayed write",
        plans=(),
        flights=1,
        faults=_LATE,
        publishing="planner",
        planners=1,
        publications=2,
        operator=("retire",),
        **_BRIEF,
    ),
    Run(
        name="emergency",
        about="an operator publishes without a plan, beside a delayed write, a freeze, and people who delete the floor",
        plans=history("a", "b"),
        enactors=1,
        flights=1,
        faults=_LATE,
        hands=("floor",),
        acts=1,
        operator=("emergency", "freeze zone"),
        commands=2,
        **_BRIEF,
    ),
    Run(
        name="emergency-and-planner",
        about="an operator publishes without a plan while a planner works, which takes it over, beside a delayed write",
        plans=(),
        enactors=1,
        flights=1,
        faults=_LATE,
        publishing="planner",
        planners=1,
        publications=2,
        operator=("emergency",),
        commands=1,
        **_BRIEF,
    ),
    Run(
        name="leave",
        about="enactors are stopped in the midst of two writes, then an operator takes everything of ours away",
        plans=history("aa", "ba"),
        flights=2,
        faults=_LATE,
        operator=("leave",),
        commands=2,
        **_BRIEF,
    ),
)
