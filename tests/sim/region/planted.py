"""A day made by hand: two services, few points, known times."""

from standfast.sim.region.day import Account, Day, Input, Measure
from standfast.sim.region.published import DAY_ENDS_S, MILESTONES

RESTORED = 9420.0
UNTIL = float(DAY_ENDS_S)


def planted(
    *,
    protections: tuple[str, ...] = (),
    clear_s: float | None = 52_000.0,
    outage_s: float = RESTORED,
    late: float = 0.0,
) -> Day:
    """DynamoDB is down until 02:25, EC2's launches until 05:28; every milestone is `late` seconds late."""
    reached: dict[str, float | None] = {
        one.id: one.seconds + late for one in MILESTONES if one.kind == "outcome" and 0 < one.seconds < UNTIL
    }
    leases_back = 20_400.0 + late
    return Day(
        seed=1,
        protections=protections,
        until=UNTIL,
        inputs=(Input("dynamodb-restored", RESTORED, "all DNS records are back, by hand"),),
        services=("DynamoDB", "EC2"),
        measures={
            "dynamodb.availability": Measure("DynamoDB", "answered", "share"),
            "dynamodb.addresses": Measure("DynamoDB", "addresses in the answer", "count"),
            "ec2.availability": Measure("EC2", "launches that succeed", "share"),
            "ec2.leases": Measure("EC2", "droplets with a lease", "count"),
        },
        series={
            "dynamodb.availability": ((-720.0, 1.0), (0.0, 0.1), (RESTORED, 0.6), (10_320.0, 1.0)),
            "dynamodb.addresses": ((-720.0, 8.0), (0.0, 0.0), (RESTORED, 8.0)),
            "ec2.availability": ((-720.0, 1.0), (60.0, 0.0), (leases_back, 0.4), (45_000.0, 1.0)),
            "ec2.leases": ((-720.0, 1e6), (0.0, 1e6), (5_000.0, 2e5), (RESTORED, 1e5), (leases_back, 1e6)),
        },
        milestones=reached,
        accounts=(Account("ec2.checks", 10.0, 6.0, 3.0, 0.0, 1.0),),
        outage_s=outage_s,
        clear_s=clear_s,
        bound_s={"ec2.leases": 3_600.0},
        took_s={"ec2.leases": 10_980.0},
        digest="0" * 32,
        lost_s={"dynamodb": outage_s, "ec2": 0.0 if not clear_s else clear_s - 1_000.0},
    )  # fmt: skip
