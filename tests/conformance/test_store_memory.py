"""The specification as a store passes its own kit."""

from pathlib import Path

from conformance.store_kit import StoreKit
from standfast.adapters.stores.memory import MemoryStore
from standfast.adapters.stores.plan_store import PlanStore


class TestMemoryStore(StoreKit):
    def make(self, directory: Path) -> PlanStore:
        return MemoryStore()
