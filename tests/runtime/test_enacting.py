"""The enactor as a process: what it tells, how often, and what it does not tell while it only observes."""

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.memory import MemoryStore
from standfast.model.marker import Floor, Marker, floor_rdata, marker_rdata, read_floor, read_marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Changes, Conflict, ReadChanges, Replace, Unknown
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Publish
from standfast.runtime.enacting import EnactorProcess
from standfast.runtime.journal import Journal
from standfast.runtime.lining import AHEAD
from standfast.runtime.presence import Presence, read_presence
from world.invented import STREAM, ZONE, entry, plan_of

WWW = f"www.{ZONE}"


class Silent(MemoryProvider):
    """A server that can be away."""

    away = False

    def perform(self, request: Any) -> Any:
        return Unknown("no answer within 5 s") if self.away else super().perform(request)


def staged(folder: Path, *, observe: bool = False) -> tuple[EnactorProcess, Silent]:
    """An enactor over memory, with www published."""
    for name in ("journal", "presence"):
        (folder / name).mkdir()
    store, provider = MemoryStore(), Silent(ZONE, {})
    store.perform(Publish(None, plan_of(1, [entry(WWW, 1, "192.0.2.1")])))
    journal = Journal(folder / "journal", "enactor", "a")
    presence = Presence(folder / "presence", "enactor", "a")
    copy = DiskCopy(folder / "copy.sqlite")
    made = EnactorProcess(
        "a", STREAM, store, {ZONE: provider}, copy, journal, presence=presence, observe=observe, look_s=60
    )
    return made, provider


def told(folder: Path, event: str) -> list[dict[str, Any]]:
    lines = (folder / "journal" / "enactor-a.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def test_a_trouble_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    process, provider = staged(tmp_path)
    never = threading.Event()
    process._pass("start", never)
    provider.away = True
    for _ in range(20):
        process._pass("look", never)
    provider.away = False
    for _ in range(3):
        process._pass("look", never)
    troubles = [(line["kind"], line["why"]) for line in told(tmp_path, "notice") if line["kind"] == "provider"]
    assert troubles == [("provider", f"{ZONE}: no answer within 5 s"), ("provider", "answers again")]


def test_a_long_pass_shows_signs_of_life(tmp_path: Path) -> None:
    """At Route 53, or at a server that is slow, one takes many seconds; whoever looks would call it hung."""
    process, _ = staged(tmp_path)
    never = threading.Event()
    process._pass("start", never)
    assert read_presence(tmp_path / "presence") == [], "it is not yet said to be at work"
    process._beat()
    (before,) = read_presence(tmp_path / "presence")
    process._beaten -= 10.0
    process._pass("look", never)
    (after,) = read_presence(tmp_path / "presence")
    assert after.at > before.at


def test_what_is_put_back_again_and_again_is_shown(tmp_path: Path) -> None:
    process, provider = staged(tmp_path)
    never = threading.Event()
    process._pass("start", never)
    for _ in range(4):
        rrsets = {key: rrset for key, rrset in provider.state.rrsets.items() if key != (WWW, int(RRType.A))}
        provider.state = ZoneState(ZONE, rrsets, provider.state.serial + 1)
        process._pass("look", never)
        assert (WWW, int(RRType.A)) in provider.state.rrsets
    process._beat()
    (shown,) = read_presence(tmp_path / "presence")
    assert shown.facts["put_back"] == {WWW: 4}


class Counting(MemoryProvider):
    """A server that counts the changes it was sent."""

    sent = 0

    def perform(self, request: Any) -> Any:
        self.sent += isinstance(request, Replace)
        return super().perform(request)


def test_of_many_changes_the_next_is_sent_before_one_is_told(tmp_path: Path) -> None:
    """Whoever hears of the first change waits until the second is on its way: told first, it would wait in vain."""
    names = [f"edge-{number}.{ZONE}" for number in range(4)]
    store, provider, sent_by_then = MemoryStore(), Counting(ZONE, {}), dict[str, int]()
    store.perform(Publish(None, plan_of(1, [entry(name, 1, "192.0.2.1") for name in names])))

    def heard(line: Mapping[str, Any]) -> None:
        if line["event"] == "outcome" and line["result"] == "written":
            expected, until = len(sent_by_then) + 2, time.monotonic() + 60.0
            while provider.sent < expected and len(sent_by_then) < 2 and time.monotonic() < until:
                time.sleep(0.001)
            sent_by_then[line["name"]] = provider.sent

    journal = Journal(tmp_path, "enactor", "a", listeners=(heard,))
    process = EnactorProcess("a", STREAM, store, {ZONE: provider}, DiskCopy(tmp_path / "copy.sqlite"), journal)
    process.core = replace(process.core, batch_octets=1)
    process._pass("start", threading.Event())
    assert sorted(name for name in sent_by_then if name in names) == names
    first, second, *_ = sent_by_then.values()
    assert first >= 2
    assert second >= 3


def many(tmp_path: Path, provider: MemoryProvider, journal: Journal) -> EnactorProcess:
    """An enactor with eight endpoints to write, each in a change of its own."""
    store = MemoryStore()
    store.perform(Publish(None, plan_of(1, [entry(name, 1, "192.0.2.1") for name in MANY])))
    process = EnactorProcess("a", STREAM, store, {ZONE: provider}, DiskCopy(tmp_path / "copy.sqlite"), journal)
    process.core = replace(process.core, batch_octets=1)
    return process


MANY = [f"edge-{number}.{ZONE}" for number in range(8)]


class Refusing(Counting):
    """A server before whose fourth change somebody else moves the floor; it takes what is posted, and remembers."""

    def __init__(self) -> None:
        super().__init__(ZONE, {})
        self.replies: list[object] = []
        self.posted: list[Replace] = []

    def post(self, request: Replace) -> bool:
        self.posted.append(request)
        return True

    def perform(self, request: Any) -> Any:
        if isinstance(request, Replace):
            if len(self.replies) == 3:
                until = time.monotonic() + 60.0
                while len(self.posted) <= self.posted.index(request) + AHEAD and time.monotonic() < until:
                    time.sleep(0.001)
                floor = floor_owner(STREAM, ZONE), int(RRType.TXT)
                held = read_floor(self.state.rrsets[floor], ZONE, floor[0])
                assert isinstance(held, Floor)
                other = RRset.of(RRType.TXT, 60, [floor_rdata(replace(held, nonce="00000000000000aa"), ZONE, floor[0])])
                self.state = ZoneState(ZONE, {**self.state.rrsets, floor: other}, self.state.serial + 1)
            self.replies.append(super().perform(request))
            return self.replies[-1]
        return super().perform(request)


def test_what_was_sent_ahead_of_a_refusal_is_refused_and_told(tmp_path: Path) -> None:
    provider = Refusing()
    (tmp_path / "journal").mkdir(mode=0o700)
    process = many(tmp_path, provider, Journal(tmp_path / "journal", "enactor", "a"))
    process._pass("start", threading.Event())
    first, *_ = [place for place, reply in enumerate(provider.replies) if reply == Conflict()]
    assert first == 3
    ahead = provider.replies[first + 1 : first + 1 + AHEAD]
    assert ahead == [Conflict()] * AHEAD, "they asserted a floor that never stood"
    process._pass("news", threading.Event())
    assert all((name, int(RRType.A)) in provider.state.rrsets for name in MANY)
    assert not {line["nonce"] for line in told(tmp_path, "intent")} - {
        line["nonce"] for line in told(tmp_path, "outcome")
    }


class Unsettled(Journal):
    """A journal whose disk is full for a moment, after so many intents: they were written, and are not on disk."""

    left = 3

    def settle(self) -> bool:
        self.left -= 1
        self.broken = "no space left" if self.left == 0 else self.broken
        return self.left != 0 and super().settle()


def test_a_change_in_line_whose_intent_is_not_on_disk_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir(mode=0o700)
    provider, journal = Counting(ZONE, {}), Unsettled(tmp_path / "journal", "enactor", "a")
    process = many(tmp_path, provider, journal)
    process._pass("start", threading.Event())
    unrecorded = [line for line in told(tmp_path, "outcome") if line["result"] == "unrecorded"]
    assert unrecorded[0]["why"] == "no space left"
    marked = [owner for owner, rtype in provider.state.rrsets if rtype == RRType.TXT and "_floor" not in owner]
    assert len(marked) == 4, "the first entry, what the line began with, two whose intents were on disk"
    process._pass("news", threading.Event())
    assert all((name, int(RRType.A)) in provider.state.rrsets for name in MANY)


def test_observing_writes_nothing_and_says_only_what_it_would_write(tmp_path: Path) -> None:
    process, provider = staged(tmp_path, observe=True)
    never = threading.Event()
    for occasion in ("start", "look", "look"):
        process._pass(occasion, never)
    assert not provider.state.rrsets
    assert [write["name"] for line in told(tmp_path, "would_write") for write in line["writes"]].count(WWW) == 1
    assert not told(tmp_path, "outcome")
    assert not told(tmp_path, "intent")


class Blind(Counting):
    """A provider that never tells what changed, as Route 53."""

    asked = 0

    def perform(self, request: Any) -> Any:
        if isinstance(request, ReadChanges):
            return Changes(0, () if request.serial == 0 else None)
        self.asked += 1
        return super().perform(request)


def test_where_nobody_tells_what_changed_a_look_asks_only_whether_a_freeze_is_over(tmp_path: Path) -> None:
    store, provider, never = MemoryStore(), Blind(ZONE, {}), threading.Event()
    store.perform(Publish(None, plan_of(1, [entry(WWW, 1, "192.0.2.1"), entry(f"api.{ZONE}", 1, "192.0.2.1")])))
    journal = Journal(tmp_path, "enactor", "a")
    process = EnactorProcess(
        "a", STREAM, store, {ZONE: provider}, DiskCopy(tmp_path / "copy.sqlite"), journal, blind=(ZONE,)
    )
    process._pass("start", never)
    process._pass("look", never)
    live, asked = dict(provider.state.rrsets), provider.asked
    process._pass("look", never)
    assert provider.asked == asked, "an idle look asks for nothing"
    owner = marker_owner(WWW, ZONE)
    marker = read_marker(live[owner, int(RRType.TXT)], ZONE, owner)
    assert isinstance(marker, Marker)
    sealed = marker_rdata(replace(marker, state="frozen", nonce="0" * 16), ZONE, owner)
    rrsets = {**live, (owner, int(RRType.TXT)): RRset.of(RRType.TXT, 60, [sealed])}
    del rrsets[WWW, int(RRType.A)]
    provider.state = ZoneState(ZONE, rrsets)
    process._pass("audit", never)
    process._pass("look", never)
    process._pass("look", never)
    assert process.core.waiting == ((ZONE, WWW),)
    assert (WWW, int(RRType.A)) not in provider.state.rrsets, "frozen"
    provider.state = ZoneState(ZONE, {**rrsets, (owner, int(RRType.TXT)): live[owner, int(RRType.TXT)]})
    process._pass("look", never)
    assert (WWW, int(RRType.A)) in provider.state.rrsets, "thawed, and mended at the next look"
    assert not process.core.waiting
