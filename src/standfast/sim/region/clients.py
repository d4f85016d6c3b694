"""Those who call the endpoint from inside the region: connections that last a while, and a resolver to open new ones.

The endpoint's own servers were well all the time: only *new* connections failed (published). So who holds a connection
goes on until it is closed, and needs the name again only then. How long a connection lasts is a draw with no memory.
"""

import math

from .resolvers import Resolvers


class Clients:
    """The hosts of one service, spread evenly over the region's resolvers.

    `reach` is the share of their calls that get through. `bypass` is the share of hosts that people have given another
    way to the servers (the mitigation of 01:15).
    """

    def __init__(self, resolvers: Resolvers, connection_s: float) -> None:
        self._resolvers, self._connection_s = resolvers, connection_s
        self.bypass = 0.0
        self._seen = (-1, -1.0)
        self._reach = 1.0

    def reach(self, now: float) -> float:
        """At this moment."""
        dark = self._resolvers.dark
        if not dark:
            return 1.0
        if self._seen != (self._resolvers.version, now):
            total = len(self._resolvers.all)
            open_still = sum(math.exp((one.dark_since - now) / self._connection_s) for one in dark)
            self._reach = (total - len(dark) + open_still) / total
            self._seen = (self._resolvers.version, now)
        return self._reach + (1.0 - self._reach) * self.bypass
