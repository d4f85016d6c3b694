"""Which milestones of the day are looked for in the model, and how: as `published.py` words it for each."""

from collections.abc import Callable
from typing import Final

from .published import MILESTONES, STAYS_S, WELL
from .watching import After, Sight, Watch, again, fails, is_well

_AT: Final = {one.id: float(one.seconds) for one in MILESTONES}
NORMAL_S: Final = 60.0
LATE_S: Final = 600.0
_RESTORED: Final = _AT["dynamodb-restored"]


def _at_least(name: str, least: float) -> Callable[[Sight], bool]:
    return lambda sight: sight.value(name) >= least


def _at_most(name: str, most: float) -> Callable[[Sight], bool]:
    return lambda sight: sight.value(name) <= most


def _first(id: str, key: str) -> Watch:
    """It begins to fail after the endpoint was emptied."""
    return Watch(id, fails(key), after=0.0)


def _well(id: str, key: str, after: float) -> Watch:
    return Watch(id, is_well(key), after=after, stays_s=STAYS_S)


def _normal(id: str, first: Watch, is_so: Callable[[Sight], bool]) -> tuple[Watch, After]:
    """So again for good, after the first."""
    return first, After(first, Watch(id, is_so, stays_s=STAYS_S, lasting=True))


def watches() -> list[Watch | After]:
    """All of them, in the order in which they are to be looked at. Those whose id ends in … are only steps."""
    mitigated, polled = _AT["dynamodb-mitigated"], _AT["sqs-polling-restored"]
    found: list[Watch | After] = [
        _first("ec2-checks-fail", "ec2"),
        _first("support-fails", "support"),
        _first("tables-lag", "tables"),
        _first("lambda-fails", "lambda"),
        _first("sts-fails", "sts"),
        _first("signin-fails", "signin"),
        _first("connect-fails", "connect"),
        _well("sts-back", "sts", mitigated),
        _well("redshift-iam-back", "signin", mitigated),
        _well("signin-back", "signin", mitigated),
        _well("lambda-back", "lambda", mitigated),
        Watch("tables-caught-up", _at_most("tables.lag", NORMAL_S), after=_RESTORED),
        _well("dynamodb-well", "dynamodb", _RESTORED),
        _well("connect-chat-back", "connect", _RESTORED),
        Watch("ec2-leases-whole", _at_least("ec2.leases", 0.99), after=_RESTORED),
        Watch("nm-begins", _at_least("nm.begun", 1.0), after=_RESTORED),
        Watch("nlb-errors", fails("nlb"), after=0.0),
        Watch("lambda-backlog-done", _at_most("lambda.events", NORMAL_S), after=polled),
        *_normal("nm-well", Watch("nm-late", _at_least("nm.wait", LATE_S), after=0.0), _at_most("nm.wait", NORMAL_S)),
        Watch("sts-fails-again", fails("sts"), after=_AT["ec2-throttled"]),
        Watch("connect-fails-again", fails("connect"), after=_AT["automation-off"]),
        *again("sts-well", "sts", _AT["ec2-throttled"]),
        *again("nlb-well", "nlb", _RESTORED),
        Watch("lambda-shrinks", lambda sight: sight.value("lambda.fleet") < 0.99, after=0.0),
        *again("lambda-capacity-back", "lambda", _AT["automation-off"]),
        *_normal("ec2-launches-connect", Watch("nm-late…", _at_least("nm.wait", LATE_S), after=0.0),
                 _at_least("nm.availability", WELL)),
        *again("connect-well", "connect", _AT["lambda-throttled"]),
        *again("ec2-well", "ec2", _AT["ec2-throttled"]),
        *again("ecs-well", "ecs", _AT["ec2-throttled"]),
        Watch("redshift-replaces", _at_least("redshift.begun", 1.0), after=_AT["redshift-queue-stopped"]),
    ]  # fmt: skip
    return found
