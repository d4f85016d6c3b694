"""STS: credentials for everybody.

As built (published): failed from 23:51 on with the endpoint, well at 01:19 after the mitigation; failed again from
08:31 to 09:59 because of NLB's health checks. Inferred: its own fleet stands behind balancers, and what is left of
those has to carry the morning's growing load, repeated calls included.
"""

from .balancing import Balancers
from .mitigated import Mitigated


class STS(Mitigated):
    """Credentials for everybody."""

    name, key, needs = "STS", "sts", ("dynamodb", "nlb")

    def step(self) -> None:
        """What its fleet can do is what is left of it behind the balancers."""
        balancers, p = self.of("nlb"), self.world.parameters
        assert isinstance(balancers, Balancers)
        self.serve_calls(self.reach(), balancers.capacity * (1.0 + p.swing) / p.peak_load)
