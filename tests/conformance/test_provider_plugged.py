"""Providers of an installed package pass the kit as they promise; without compare-and-set G2 is lost as it is said."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from conformance.provider_kit import ProviderKit
from conformance.provider_subject import (
    TXT,
    ZONE,
    A,
    Client,
    Contents,
    Provider,
    Subject,
    a,
    below,
    exactly,
    rrset,
    txt,
)
from harness.plugged import PLUGINS, zone_of
from standfast.adapters.providers.plugged import PluggedProvider
from standfast.adapters.providers.promises import Promises
from standfast.model.name import name_to_wire
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Conflict, Holds, Prerequisite, ReplaceReply, Unknown, Written
from standfast.runtime.plugging import plugged_provider

ACCEPT = ", accept: no-compare-and-set"
LACKING = Promises(
    tells_changes=False,
    names_key_errors=False,
    beside_cname="refused",
    synthesises=False,
    tells_serial=False,
    compare_and_set=False,
)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGINS)


class PluggedSubject(Subject):
    """One file, opened as the configuration names it."""

    def __init__(self, folder: Path, kind: str, more: str = "") -> None:
        self.file, self.held, self._kind, self._more = folder / "zone.json", folder / "held", kind, more
        there = RRset(int(RRType.NS), 60, (name_to_wire(f"ns.{ZONE}"),))
        self.file.write_bytes(msgspec.json.encode([(ZONE, there)]))

    def connect(self) -> PluggedProvider:
        return plugged_provider(zone_of(self._kind, self._more, file=str(self.file), held=str(self.held)))

    def contents(self) -> Contents:
        rows = msgspec.json.decode(self.file.read_bytes(), type=list[tuple[str, RRset]])
        return {(owner, one.rtype): one for owner, one in rows}


class TestOverwriting(ProviderKit):
    """Without compare-and-set: as long as nobody writes at the same time there is no difference."""

    random_changes = 100
    promises = LACKING

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return PluggedSubject(tmp_path, "acme", ACCEPT)


class TestComparing(ProviderKit):
    """With it, under a lock of its own."""

    random_changes = 100
    promises = msgspec.structs.replace(LACKING, compare_and_set=True)

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return PluggedSubject(tmp_path, "acme-compares")


def late(subject: PluggedSubject, write: Callable[[Client], ReplaceReply]) -> tuple[Callable[[], None], list[object]]:
    """A write that has been asked for and is held on its way; what to call to let it go, and where its reply comes."""
    subject.held.touch()
    provider, replies = subject.connect(), list[object]()
    reached, perform = threading.Event(), provider._keeper.perform

    def told(request: object) -> object:
        if type(request).__name__ == "Replace":
            reached.set()
        return perform(request)  # type: ignore[arg-type]

    provider._keeper.perform = told  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=lambda: replies.append(write(Client(provider))), daemon=True)
    thread.start()
    assert reached.wait(60)

    def go() -> None:
        subject.held.unlink()
        thread.join(60)

    return go, replies


@pytest.mark.parametrize(("kind", "more"), [("acme", ACCEPT), ("acme-compares", "")])
def test_a_delayed_write_puts_the_older_plan_back_where_nothing_compares(tmp_path: Path, kind: str, more: str) -> None:
    """The history of October 2025. It is what the acceptance accepts; a provider that compares refuses it."""
    subject = PluggedSubject(tmp_path, kind, more)
    marker, name = below("m"), below("e")
    Client(subject.connect()).put(txt(marker, "g1"), a(name, 1))
    go, replies = late(subject, lambda it: it.replace([exactly(txt(marker, "g1"))], [txt(marker, "g2"), a(name, 2)]))
    newer = PluggedSubject.connect(subject)
    newer._keeper._held = Path("/nonexistent")  # type: ignore[attr-defined]
    assert Client(newer).replace([exactly(txt(marker, "g1"))], [txt(marker, "g3"), a(name, 3)]) == Written()
    go()
    lost = kind == "acme"
    assert replies == [Written() if lost else Conflict()]
    assert subject.contents()[name, A] == rrset(a("", 2 if lost else 3))
    assert subject.contents()[marker, TXT] == rrset(txt("", "g2" if lost else "g3"))


def test_a_write_that_another_follows_at_once_is_not_taken_for_done(tmp_path: Path) -> None:
    subject = PluggedSubject(tmp_path, "acme", ACCEPT)
    provider = subject.connect()
    perform = provider._keeper.perform

    def overtaken(request: object) -> object:
        reply = perform(request)  # type: ignore[arg-type]
        if reply == Written():
            Client(subject.connect()).put(a(below("e"), 9))
        return reply

    provider._keeper.perform = overtaken  # type: ignore[method-assign, assignment]
    reply = Client(provider).replace([], [a(below("e"), 1), txt(below("m"), "g1")])
    assert isinstance(reply, Unknown)
    assert reply.why == f"{below('e')} is not what was just written: another write came between"


def test_what_could_not_be_read_before_is_not_written(tmp_path: Path) -> None:
    subject = PluggedSubject(tmp_path, "acme", ACCEPT)
    provider: Provider = subject.connect()
    client = Client(provider)
    assert client.confirm(Prerequisite(below("m"), TXT, ())) == Holds()
    before = subject.contents()
    subject.file.write_text("not JSON")
    reply = client.replace([Prerequisite(below("m"), TXT, ())], [txt(below("m"), "g1")])
    assert isinstance(reply, Unknown)
    assert "acme-dns 1.0" in reply.why
    assert subject.file.read_text() == "not JSON"
    assert before
