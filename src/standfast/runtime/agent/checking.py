"""The agent's own check of its load balancer: `fall` failures in a row are down, `rise` passes in a row up."""

import asyncio
from collections.abc import Callable

from standfast.adapters.probes import Answered, Refused, Wanted, probe_of
from standfast.config import LocalCheck
from standfast.model.lease import LocalHealth


class LocalHealthCheck:
    """`state` is what is believed now; before enough checks agreed it is unknown. `changed` is called when it moves."""

    def __init__(self, check: LocalCheck, changed: Callable[[], None]) -> None:
        self._check, self._changed = check, changed
        self.state: LocalHealth = "unknown"
        self.why = ""
        self._row = 0
        self._good = False

    async def run(self) -> None:
        """For ever."""
        check = self._check
        probe = probe_of(check.kind, check.path, check.host, check.timeout_s, Wanted(), None)
        try:
            while True:
                try:
                    self.heard(await probe.check(check.address, check.port))
                except Exception:  # a fault of ours is no evidence, and no reason never to look again
                    self.heard(None)
                await asyncio.sleep(check.interval_s)
        finally:
            await probe.close()

    def heard(self, result: object) -> None:
        """One check is over. One that could not be made is no evidence."""
        if not isinstance(result, Answered | Refused):
            return
        good = isinstance(result, Answered)
        self._row = self._row + 1 if good is self._good else 1
        self._good = good
        if good and self._row >= self._check.rise and self.state != "up":
            self.state, self.why = "up", ""
            self._changed()
        elif isinstance(result, Refused) and self._row >= self._check.fall and self.state != "down":
            self.state, self.why = "down", f"fails its own check: {result.reason}"[:200]
            self._changed()
