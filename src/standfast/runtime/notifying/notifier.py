"""From the journals to the webhook, in two threads of the monitor: one follows, one sends."""

import threading
from typing import Final

from standfast.config import NotifyConfig

from ..monitoring.meter import Meter
from ..place import Place
from ..tidings import Tidings
from .following import Follower
from .memory import Memory, Remembered
from .news import Ledger, told
from .sending import TIMEOUT_S, Sender
from .templates import Renderer

POLL_S: Final = 0.5


class Notifier:
    """Raises StandfastError if the template can't be used."""

    def __init__(self, config: NotifyConfig, place: Place, source: str, meter: Meter, tidings: Tidings) -> None:
        self._stream = place.config.stream
        self._memory = Memory(place.root / "notifying.json")
        self._ledger = Ledger(config.level, self._memory.remembered.open)
        self._threads: list[threading.Thread] = []
        self._meter = meter
        self._follower = Follower(place.journal, place.root / "notified.json")
        self.sender = Sender(
            config.webhook,
            Renderer(config, self._stream, source),
            count=lambda result: meter.count("standfast_notifications_total", result),
            tell=lambda trouble: tidings.state("notify", trouble),
        )
        for one in self._memory.remembered.waiting:
            self.sender.put(one)
        meter.set("standfast_notifications_waiting", lambda: float(self.sender.waiting))

    def start(self, stop: threading.Event) -> None:
        """Both threads, which end with the process."""
        self._threads = [
            threading.Thread(target=self.sender.run, args=(stop,), name="notify", daemon=True),
            threading.Thread(target=self._follow, args=(stop,), name="follow", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """After `stop`: wait for both, a request that is under way included, and keep what was not sent."""
        for thread in self._threads:
            thread.join(TIMEOUT_S + 2 * POLL_S)
        self._keep()

    @property
    def open_answers(self) -> frozenset[tuple[str, str]]:
        """(name server, name) of which a bad answer was told and not yet its end; no name: the server is silent."""
        begin = f"standfast/{self._stream}/answer/"
        parts = (key.removeprefix(begin).partition("/") for key in self._ledger.open if key.startswith(begin))
        return frozenset((server, name) for server, _, name in parts)

    def _keep(self) -> None:
        self._memory.keep(Remembered(self._ledger.open, self.sender.unsent))

    def _follow(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.turn()
            self._keep()
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
