"""From the journals to the webhook, in two threads of the monitor: one follows, one sends."""

import threading
from typing import Final

from standfast.config import NotifyConfig

from ..monitoring.meter import Meter
from ..place import Place
from ..tidings import Tidings
from .following import Follower
from .news import Ledger, told
from .sending import Sender
from .templates import Renderer

POLL_S: Final = 0.5


class Notifier:
    """Raises StandfastError if the template can't be used."""

    def __init__(self, config: NotifyConfig, place: Place, source: str, meter: Meter, tidings: Tidings) -> None:
        self._stream = place.config.stream
        self._ledger = Ledger(config.level)
        self._meter = meter
        self._follower = Follower(place.journal, place.root / "notified.json")
        self.sender = Sender(
            config.webhook,
            Renderer(config, self._stream, source),
            count=lambda result: meter.count("standfast_notifications_total", result),
            tell=lambda trouble: tidings.state("notify", trouble),
        )
        meter.set("standfast_notifications_waiting", lambda: float(self.sender.waiting))

    def start(self, stop: threading.Event) -> None:
        """Both threads, which end with the process."""
        threading.Thread(target=self.sender.run, args=(stop,), name="notify", daemon=True).start()
        threading.Thread(target=self._follow, args=(stop,), name="follow", daemon=True).start()

    def _follow(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.turn()
            stop.wait(POLL_S)

    def turn(self) -> None:
        """What is new in the journals, as far as it is worth telling."""
        for line in self._follower.lines():
            for one in told(line, self._stream):
                passed = self._ledger.passed(one)
                if not passed and one.action == "trigger":
                    self._meter.count("standfast_notifications_total", "repeated")
                for each in passed:
                    self.sender.put(each)
