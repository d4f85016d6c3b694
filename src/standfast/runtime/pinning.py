"""Pins: generations that no cleaner may collect. Put in the store, journalled with who and why."""

from msgspec import Struct

from standfast.config import Config
from standfast.errors import JournalError
from standfast.ports.store import ListPlans, Pin, Pinned, PlanList

from .enacting import Store
from .operating import file_name, operator
from .place import Place


class Pinning(Struct, frozen=True):
    """What came of it; `why` is a clause, empty if it is done."""

    why: str = ""


def pinned(config: Config, store: Store, generation: int, pin: str, reason: str) -> Pinning:
    """Pin a generation for the reason `pin`; empty: take its pin away. Raises JournalError before anything is done.

    The cleaner looks at pins in the transaction that collects; one that came first is found out by looking again.
    """
    who, action = operator(), "pin" if pin else "unpin"
    journal = Place(config).open_journal("operator", file_name(who))
    facts = {"action": action, "names": [], "to": generation, "reason": reason, "by": who, "stream": config.stream}
    facts["what"] = f"{who} {action} g{generation}"
    try:
        if not journal.write("operator", durable=True, stage="asked", **facts):
            raise JournalError(f"{journal.broken}. Nothing was done.", "Make room, or mend its permissions.")
        done = _put(store, generation, pin)
        stage = f"{action}ned" if not done.why else "unknown"
        journal.write("operator", durable=True, stage=stage, **facts, why=done.why or stage, generation=generation)
    finally:
        journal.close()
    return done


def _put(store: Store, generation: int, pin: str) -> Pinning:
    if not isinstance(store.perform(Pin(generation, pin)), Pinned):
        return Pinning("the store did not say whether it took the pin")
    listed = store.perform(ListPlans())
    if not isinstance(listed, PlanList):
        return Pinning("the store does not say whether it is still there")
    there = next((one for one in listed.plans if one.generation == generation), None)
    if pin and there is None:
        return Pinning("it was collected a moment before, and is gone")
    if (there.pinned if there else "") != pin:
        return Pinning("somebody else pinned or unpinned it at the same moment")
    return Pinning()
