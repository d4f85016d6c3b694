"""An operator says that what a source lost is meant: recorded in the store for every planner, journalled with who."""

from typing import Final

from standfast.config import Config
from standfast.errors import JournalError

from .enacting import Store
from .fleetkeeping import accept
from .operating import file_name, operator
from .place import Place
from .sharing import ACCEPTED, STANDINGS, Accepted, Board, SharedStanding, standings_on

_ACTION: Final = "accept-shrink"


def held_in(store: Store) -> dict[str, SharedStanding]:
    """The sources whose readings are held, by name, as a planner last told."""
    board = Board(store, STANDINGS)
    board.read()
    return {name: one for name, one in standings_on(board).items() if one.state == "held"}


def accepted(config: Config, store: Store, name: str, standing: SharedStanding, reason: str) -> str:
    """Record it. Why it is not recorded, empty if it is. Raises JournalError before anything is done."""
    who = operator()
    journal = Place(config).open_journal("operator", file_name(who))
    some = list(standing.lost)
    facts = {"action": _ACTION, "names": some, "to": None, "reason": reason, "by": who, "stream": config.stream}
    facts["what"] = f"{who} {_ACTION} {name}"
    try:
        if not journal.write("operator", durable=True, stage="asked", **facts):
            raise JournalError(f"{journal.broken}. Nothing was done.", "Make room, or mend its permissions.")
        done = accept(Board(store, ACCEPTED), name, Accepted(standing.lost, reason, who))
        why = "" if done else "the store did not take it"
        stage = "recorded" if done else "unknown"
        journal.write("operator", durable=True, stage=stage, **facts, why=why or stage, generation=None)
    finally:
        journal.close()
    return why
