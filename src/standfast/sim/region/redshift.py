"""Redshift: queries, hosts whose credentials run out, and IAM users of all regions.

As built (published): credentials that ran out set off replacements of hosts, which EC2 could not launch, so that
clusters stayed impaired; from 06:45 on the queue did not grow; replacements began to start at 14:46 and went on until
21 October, 04:05. IAM users of every region were resolved by the IAM API of us-east-1 (a defect). Inferred: such
launches in bulk are made only while EC2 takes everybody's.
"""

from .day import Account, Measure
from .mitigated import Mitigated
from .world import HOUR_S, World

_TAKES_ALL = 0.99
"""Share of launches that EC2 takes when it takes everybody's."""


class Redshift(Mitigated):
    """Queries, and hosts whose credentials ran out."""

    name, key, needs = "Redshift", "redshift", ("dynamodb", "ec2", "sts", "signin")

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.to_replace = 0.0
        self.expired = self.replaced = 0.0
        self.began: float | None = None

    def step(self) -> None:
        """Credentials, replacements, queries."""
        p, dt = self.world.parameters, self.world.tick
        expiring = dt / p.credential_s * (1.0 - self.of("sts").availability)
        if not self.world.done("redshift-queue-stopped") and not self.world.on("lease-grace"):
            self.to_replace += expiring
            self.expired += expiring
        if self.to_replace > 0.0 and self.of("ec2").availability >= _TAKES_ALL:
            out = min(self.to_replace, p.replaced_an_hour * dt / HOUR_S)
            self.to_replace -= out
            self.replaced += out
            if self.began is None and self.world.done("redshift-queue-stopped"):
                self.began = self.world.now
        self.serve_calls(self.reach(), (1.0 + p.swing) / p.peak_load)
        self.availability *= 1.0 - self.to_replace

    def measures(self) -> dict[str, tuple[Measure, float]]:
        """Impaired clusters, and other regions' IAM users."""
        return {
            **super().measures(),
            "impaired": (Measure(self.name, "hosts waiting for replacement", "share"), self.to_replace),
            "begun": (Measure(self.name, "replacements start", "share"), float(self.began is not None)),
            "iam-users": (Measure(self.name, "IAM users' queries elsewhere", "share"),
                          self.of("signin").availability),
        }  # fmt: skip

    def accounts(self) -> list[Account]:
        """Calls and hosts."""
        return [
            *super().accounts(),
            Account("redshift hosts", self.expired, self.replaced, 0.0, 0.0, self.to_replace),
        ]
