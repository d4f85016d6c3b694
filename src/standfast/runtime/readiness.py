"""What we tell the service manager that started us, if one did: ready, and still at work (sd_notify(3)).

Written here, for it is one datagram: the libraries for it wrap the same five lines or need a compiler.
"""

import os
import socket
import time
from typing import Final

_USEC: Final = 1_000_000


class ServiceManager:
    """Who started us, after `NOTIFY_SOCKET` in the environment; without it nothing is told to anybody.

    The variable is taken out of the environment, so that children don't speak in our name. A manager that can't be
    reached is no reason to stop: whoever keeps names on load balancers does not need it. `is_ready` says that nothing
    is left to be told of our start.
    """

    def __init__(self) -> None:
        address = os.environ.pop("NOTIFY_SOCKET", "")
        watchdog = os.environ.pop("WATCHDOG_USEC", "")
        concerned = os.environ.pop("WATCHDOG_PID", str(os.getpid()))
        # "@" stands for the NUL octet of an abstract address (unix(7)).
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        of_us = watchdog.isdigit() and concerned == str(os.getpid())
        self._every_s = int(watchdog) / _USEC / 3 if of_us else 0.0
        self.is_ready = not address
        self._told_at = 0.0

    def ready(self, status: str) -> None:
        """Start-up is over; told once. `status` is one line for `systemctl status`."""
        if not self.is_ready:
            self.is_ready = True
            self._tell(f"READY=1\nSTATUS={status}")

    def at_work(self, now: float | None = None) -> None:
        """We still do our work; told three times in what the watchdog allows. `now` is monotonic seconds."""
        now = time.monotonic() if now is None else now
        if self._every_s and now - self._told_at >= self._every_s:
            self._told_at = now
            self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
                to.settimeout(1.0)
                to.sendto(text.encode(), self._address)
        except OSError:
            return
