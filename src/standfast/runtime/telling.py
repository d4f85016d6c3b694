"""Everything by which one role's process tells of itself: journal, metrics, closed files kept in order."""

from collections.abc import Sequence

from .journal import Journal, Listener
from .monitoring.meter import Meter
from .monitoring.serving import port_of, serve
from .place import Place
from .shelving import Shelf, ShelfKeeper
from .tidings import Tidings


def opened(place: Place, role: str, who: str, listeners: Sequence[Listener], port: int = 0) -> tuple[Journal, Meter]:
    """The process's journal and metrics. Threads compress what the one closes, and serve the others if the
    configuration says so, on the role's port or on `port`; what they can't do the journal says."""
    signals = place.config.signals
    meter = Meter(role, who, place.config.stream)
    shelf = Shelf(place.journal, signals.journal)
    keeper = ShelfKeeper(shelf)
    journal = place.open_journal(role, who, listeners=(meter.heard, *listeners), closed=keeper.wake)
    meter.set("standfast_journal_broken", lambda: float(bool(journal.broken)))
    meter.set("standfast_journal_size_bytes", lambda: float(shelf.measure()))
    tidings = Tidings(journal)
    keeper.start(lambda trouble: tidings.state("journal", trouble))
    if signals.metrics is not None and (at := port or port_of(signals.metrics.port, role)):
        serve(meter, signals.metrics.host, at, lambda trouble: tidings.state("metrics", trouble))
    return journal, meter
