"""Everything by which one role's process tells of itself: journal, its closed files kept in order."""

from collections.abc import Sequence

from .journal import Journal, Listener
from .place import Place
from .shelving import Shelf, ShelfKeeper
from .tidings import Tidings


def opened(place: Place, role: str, who: str, listeners: Sequence[Listener]) -> Journal:
    """The process's journal; a thread compresses what it closes, and says in it if it can't."""
    keeper = ShelfKeeper(Shelf(place.journal, place.config.signals.journal))
    journal = place.open_journal(role, who, listeners=listeners, closed=keeper.wake)
    tidings = Tidings(journal)
    keeper.start(lambda trouble: tidings.state("journal", trouble))
    return journal
