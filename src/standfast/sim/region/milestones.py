"""Which milestones of the day are looked for in the model, and how: as `published.py` words it for each."""

from .published import MILESTONES, STAYS_S
from .watching import After, Watch, is_well

_AT = {one.id: float(one.seconds) for one in MILESTONES}


def watches() -> list[Watch | After]:
    """All of them, in the order in which they are to be looked at."""
    return [
        Watch("dynamodb-well", is_well("dynamodb"), after=_AT["dynamodb-restored"], stays_s=STAYS_S),
        Watch("ec2-leases-whole", lambda sight: sight.value("ec2.leases") >= 0.99, after=_AT["dynamodb-restored"]),
    ]
