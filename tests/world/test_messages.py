"""The batches that the core takes fit one DNS message, and fill it: they are estimated before anything is encoded."""

import pytest
from bench.stage import OURS, entry

from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.providers.wire import MESSAGE_MAX, encode_update
from standfast.core.enactor import Enactor
from standfast.model.entry import Entry
from standfast.model.name import first_name
from standfast.model.plan import Plan, PlanRecord
from standfast.model.shards import Shards
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Confirm, Read, ReadChanges, Replace
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan

SIGNATURE = 160
"""Octets that signing adds, with room to spare for long key names."""


def sizes(core: Enactor, provider: MemoryProvider, plan: Plan) -> tuple[Enactor, list[int]]:
    """Let the core bring the plan about; the octets of each change as it would be sent."""
    found: list[int] = []
    core = core.wake("news" if core.plan else "start", 0.0)
    while (request := core.request) is not None:
        match request:
            case Replace():
                parts = (request.floor, *request.writes)
                prerequisites = [one for part in parts for one in part.prerequisites]
                found.append(len(encode_update(1, OURS, prerequisites, [c for part in parts for c in part.contents])))
                core = core.heard(provider.perform(request))
            case Read() | Confirm() | ReadChanges():
                core = core.heard(provider.perform(request))
            case ReadHead():
                core = core.heard(HeadRead(plan.head))
            case ReadPlan():
                core = core.heard(PlanRead(plan))
            case DrawNonce():
                core = core.heard(Nonce(f"{plan.generation:08x}{len(found):08x}"))
            case RecordIntent():
                core = core.heard(Recorded())
            case KeepCopy():
                core = core.heard(Kept())
            case RecallCopy():
                core = core.heard(PlanMissing())
    return core, found


@pytest.mark.parametrize(("writer", "stream"), [("a", "main"), ("w" * 32, "main"), ("w" * 32, "s" * 32)])
def test_batches_fit_one_message_and_fill_it(writer: str, stream: str) -> None:
    provider, core = MemoryProvider(OURS, {}), Enactor(writer, stream)
    for generation in (1, 2):
        entries = [Entry(OURS, first_name(stream, OURS), 1, kind="first"), *(entry(n, generation) for n in range(700))]
        shards = Shards.of(entries)
        plan = Plan(PlanRecord(stream, generation, shards.digest, (OURS,), (), "test", "", 0.0), shards)
        core, found = sizes(core, provider, plan)
        assert max(found) + SIGNATURE <= MESSAGE_MAX
        full = sorted(found)[len(found) // 2]
        assert full > 0.7 * MESSAGE_MAX, f"messages of generation {generation} are half empty: {found}"
