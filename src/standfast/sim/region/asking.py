"""Those who ask for something and are told no: some go away, some ask again later. With books."""

from .day import Account


class Asking:
    """Demand for one thing. `stays`: the share of those refused who will ask again, `retry_s` later on average.

    Whoever asks again stays for good (a controller never gives up). Counts are rates times seconds.
    """

    def __init__(self, name: str, stays: float, retry_s: float) -> None:
        self.name, self._stays, self._retry_s = name, stays, retry_s
        self.waiting = self.came = self.served = self.gone = 0.0
        self.asked = self._again = self._fresh = 0.0
        self.availability = 1.0

    def ask(self, fresh: float, seconds: float) -> float:
        """So many new ones, and those who ask again: how many ask in this tick."""
        self._fresh = fresh
        self._again = min(self.waiting, self.waiting * seconds / self._retry_s)
        self.came += fresh
        self.asked = fresh + self._again
        return self.asked

    def serve(self, possible: float) -> float:
        """How many of them are served, of those that it is possible to serve."""
        served = min(self.asked, possible)
        failed = self.asked - served
        self.availability = served / self.asked if self.asked else 1.0
        again = self._again * (1.0 - self.availability)
        stay = again + (failed - again) * self._stays
        self.waiting = max(0.0, self.waiting - self._again + stay)
        self.served += served
        self.gone += failed - stay
        return served

    @property
    def account(self) -> Account:
        """The books."""
        return Account(self.name, self.came, self.served, self.gone, 0.0, self.waiting)
