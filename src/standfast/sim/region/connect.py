"""Connect: calls, chats and cases.

As built (published): failed from 23:56 on, chats until 05:00; again from 07:04 because of NLB and Lambda; well at
13:20. Inferred: every contact runs functions; a fifth are chats, which go through events.
"""

from .functions import Lambda
from .reaching import Reaching


class Connect(Reaching):
    """Calls, chats and cases."""

    name, key, needs = "Connect", "connect", ("dynamodb", "lambda", "nlb")
    chats = 0.2

    def step(self) -> None:
        """As those it needs."""
        functions = self.of("lambda")
        assert isinstance(functions, Lambda)
        path = min(functions.availability, self.of("nlb").availability) * self.reach()
        self.availability = path * (1.0 - self.chats + self.chats * functions.fresh)
