"""IAM, and the console's sign-in.

As built (published): IAM users could not sign in from 23:51 to 01:25. No second failure was published: inferred that
its fleet is not behind those balancers.
"""

from .mitigated import Mitigated


class SignIn(Mitigated):
    """IAM and the console's sign-in. No second failure was published: its fleet is not behind those balancers."""

    name, key, needs = "IAM, sign-in", "signin", ("dynamodb",)

    def step(self) -> None:
        """As the endpoint is reached."""
        p = self.world.parameters
        self.serve_calls(self.reach(), (1.0 + p.swing) / p.peak_load)
