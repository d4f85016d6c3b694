"""What a batch of grants is in the plan store: one transaction, asserted, and settled by reading."""

import pytest

from runtime.registry.desks import Vault
from standfast.model.lease import PAGE_LEASES
from standfast.runtime.registry import pages as paging
from standfast.runtime.registry.keeping import Keeping
from standfast.runtime.registry.pages import Pages, Replaced, Trouble
from standfast.runtime.registry.wire import Said, report_of


def granted(keeping: Keeping, first: int, count: int) -> None:
    for number in range(first, first + count):
        said = Said("a", [f"10.0.{number // 250}.{number % 250 + 1}"])
        keeping.renew(f"lb-{number}", report_of(said), 0.0)


def test_a_batch_of_grants_is_one_commit_however_many_pages_it_fills() -> None:
    vault, keeping = Vault(), Keeping(60.0, 1.0, 10_000)
    pages = Pages(vault, "one", "first")
    pages.open()
    granted(keeping, 0, 3 * PAGE_LEASES)
    before = vault.writes
    pages.write(keeping.batch().pages, pages.head(keeping.pages))
    assert vault.writes == before + 1
    assert len(vault.fleet()) == 3 * PAGE_LEASES
    again = Pages(vault, "one", "second").open()
    assert sum(len(page) for page in again.pages) == 3 * PAGE_LEASES


def test_nothing_of_a_process_that_was_replaced_comes_after_its_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "TOGETHER_MAX", 1)
    vault, old, new = Vault(), Keeping(60.0, 1.0, 10_000), Keeping(60.0, 1.0, 10_000)
    first, second = Pages(vault, "one", "first"), Pages(vault, "one", "second")
    first.open()
    granted(old, 0, 2 * PAGE_LEASES)
    first.write(old.batch().pages, first.head(old.pages))
    new.restore(second.open().pages)
    assert new.leave("lb-7")
    second.write(new.batch().pages, second.head(new.pages))
    assert old.leave("lb-8")
    granted(old, 3000, 5)
    with pytest.raises(Replaced):
        first.write(old.batch().pages, first.head(old.pages))
    drained = {name for name, admin in vault.fleet().items() if admin == "drain"}
    assert drained == {"lb-7"}
    assert "lb-3000" not in vault.fleet()


def test_a_batch_whose_answer_was_lost_is_settled_by_reading_and_one_that_failed_is_tried_again() -> None:
    vault, keeping = Vault(), Keeping(60.0, 1.0, 10_000)
    pages = Pages(vault, "one", "first")
    pages.open()
    granted(keeping, 0, 3)
    vault.lose_next = True
    pages.write(keeping.batch().pages, pages.head(keeping.pages))
    assert len(vault.fleet()) == 3
    granted(keeping, 3, 3)
    batch = keeping.batch()
    vault.away = True
    with pytest.raises(Trouble):
        pages.write(batch.pages, pages.head(keeping.pages))
    vault.away = False
    keeping.unkept(batch)
    assert len(vault.fleet()) == 3
    pages.write(keeping.batch().pages, pages.head(keeping.pages))
    assert len(vault.fleet()) == 6


def test_what_is_told_of_somebody_is_written_with_the_batch_after_it_and_no_sooner() -> None:
    keeping = Keeping(60.0, 1.0, 10)
    granted(keeping, 1, 1)
    keeping.unkept(keeping.batch())
    assert keeping.unwritten("lb-1"), "it could not be written"
    second = keeping.batch()
    granted(keeping, 1, 2)
    keeping.kept(second)
    assert not keeping.unwritten("lb-1"), "what it said meanwhile was nothing new"
    assert keeping.unwritten("lb-2"), "it came while that was written"
    keeping.leave("lb-1")
    assert keeping.unwritten("lb-1")
    keeping.kept(keeping.batch())
    assert not any(map(keeping.unwritten, ("lb-1", "lb-2")))
