"""How many requests an idle pass makes, as the size of the zone grows. Counted, not timed."""

from collections import Counter

from msgspec import Struct

from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.memory import MemoryStore
from standfast.core.enactor import Enactor, Occasion
from standfast.model.entry import Entry
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.shards import Shards
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Confirm, Read, ReadChanges, Replace
from standfast.ports.store import PlanMissing, Publish, ReadHead, ReadPlan

from .stage import OURS, entry


class Idle(Struct, frozen=True):
    """The requests of one idle pass in a zone of that many endpoints."""

    endpoints: int
    requests: tuple[tuple[str, int], ...]


def idle_pass(endpoints: int) -> Idle:
    """Publish, enact, verify; then count what one more look costs."""
    shards = Shards.of(
        [Entry(OURS, first_name("main", OURS), 1, kind="first"), *(entry(n, 1) for n in range(endpoints))]
    )
    store, provider = MemoryStore(), MemoryProvider(OURS, {})
    store.perform(Publish(None, Plan(PlanRecord("main", 1, shards.digest, (OURS,), (), "bench", "", 0.0), shards)))
    core, counted = Enactor("bench", "main"), Counter[str]()
    occasions: tuple[Occasion, ...] = ("start", "look", "look", "look")
    drawn = 0
    for occasion in occasions:
        counted.clear()
        core = core.wake(occasion, 0.0)
        while (request := core.request) is not None:
            counted[type(request).__name__] += 1
            match request:
                case ReadHead() | ReadPlan():
                    core = core.heard(store.perform(request))
                case Read() | Confirm() | Replace() | ReadChanges():
                    core = core.heard(provider.perform(request))
                case DrawNonce():
                    drawn += 1
                    core = core.heard(Nonce(f"{drawn:016x}"))
                case RecordIntent():
                    core = core.heard(Recorded())
                case KeepCopy():
                    core = core.heard(Kept())
                case RecallCopy():
                    core = core.heard(PlanMissing())
    return Idle(endpoints, tuple(sorted(counted.items())))
