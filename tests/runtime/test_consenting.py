"""Consents on their way from an operator to a planner."""

from pathlib import Path

from standfast.adapters.stores.sqlite import SqliteStore
from standfast.ports.provider import Unknown
from standfast.ports.store import PutSource
from standfast.runtime.consenting import CONSENTS, Consent, Consents, read_consents, record_consent
from standfast.runtime.sharing import Board


def test_consents_add_up_and_the_newest_of_a_name_counts(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    waiting = Consents(store, [("a.example", "run --take")])
    assert waiting.pairs == (("a.example", "run --take"),)
    for name, by in (("www.example", "alice"), ("api.example", "bob"), ("www.example", "carol")):
        assert record_consent(Board(store, CONSENTS), Consent(name, by, 1.0, "")) == ""
    assert waiting.look()
    assert not waiting.look()
    assert dict(waiting.pairs) == {"a.example": "run --take", "api.example": "bob", "www.example": "carol"}
    store.perform(PutSource(CONSENTS, 99, b"half a li"))
    assert read_consents(b"half a li") == ()
    store.close()


def test_a_store_that_cannot_be_read_is_told_and_changes_nothing() -> None:
    class Gone:
        def perform(self, request: object) -> Unknown:
            return Unknown("the disk is gone")

        def changed(self) -> bool:
            return False

    board = Board(Gone(), CONSENTS)
    assert record_consent(board, Consent("www.example", "alice", 1.0, "")) == "the plan store can't be read"
    assert not Consents(Gone(), []).look()
