"""A zone that went back is seen by whoever knew better, told once, and said in words."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.dnsservers import embedded_server
from harness.zonetools import query
from runtime.test_enacting import staged, told
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.adapters.providers.tsig import TsigKey
from standfast.model.marker import Floor, Marker, floor_rdata, marker_rdata
from standfast.model.name import floor_owner, marker_owner
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Content, Read, Readings, Replace, Unknown, Write
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import Publish, ReadHead
from standfast.runtime.narration import narrated
from standfast.runtime.presence import Present, read_presence
from standfast.runtime.setbacks import SetBacks, set_back_sentences
from world.invented import STREAM, ZONE, entry, plan_of

WWW = f"www.{ZONE}"
OWNER, FLOOR = marker_owner(WWW, ZONE), floor_owner(STREAM, ZONE)
PLAN = plan_of(9, [entry(WWW, 9, "192.0.2.1")])


def a_marker(since: int, nonce: int, *, stream: str = STREAM, state: Any = "live") -> RRset:
    marker = Marker(stream, since, 9, "p", state, "w", f"{nonce:016x}")
    return RRset.of(RRType.TXT, 60, [marker_rdata(marker, ZONE, OWNER)])


def a_floor(generation: int, nonce: int) -> RRset:
    return RRset.of(RRType.TXT, 60, [floor_rdata(Floor(STREAM, generation, "live", f"{nonce:016x}"), ZONE, FLOOR)])


def heard(known: SetBacks, value: RRset | Unknown | None, owner: str = OWNER) -> list[dict[str, Any]]:
    return list(known.read(Read(ZONE, ((owner, int(RRType.TXT)),)), Readings((value,)), PLAN))


def test_an_older_marker_is_told_with_what_was_known(tmp_path: Path) -> None:
    known = SetBacks(STREAM)
    assert not heard(known, a_marker(3, 1))
    assert not heard(known, a_marker(7, 2))
    record = {"name": WWW, "knew": f"{2:016x}", "was": 7, "found": f"{1:016x}", "now": 3}
    assert heard(known, a_marker(3, 1)) == [{"zone": ZONE, "records": [record]}]
    assert not heard(known, a_marker(3, 1)), "told once"
    assert not heard(known, a_marker(7, 3)), "healing is no news"
    assert heard(known, a_marker(3, 1)), "it came back once more"


def test_what_we_wrote_is_known(tmp_path: Path) -> None:
    """One that this process replaced itself, though it never read the new one; of the same since."""
    known = SetBacks(STREAM)
    heard(known, a_marker(7, 1))
    content = Content(OWNER, RRType.TXT, 60, a_marker(7, 2).rdata)
    known.wrote(Replace(ZONE, Write("", (), ()), (Write(WWW, (), (content,)),)))
    (line,) = heard(known, a_marker(7, 1))
    assert (line["records"][0]["knew"], line["records"][0]["found"]) == (f"{2:016x}", f"{1:016x}")


@pytest.mark.parametrize(
    "value",
    [
        None,
        Unknown("SERVFAIL"),
        RRset.of(RRType.TXT, 60, [b"\x04junk"]),
        a_marker(3, 5, stream="other"),
        a_marker(0, 5, state="placeholder"),
        a_marker(7, 5),
        a_marker(8, 5),
    ],
    ids=["absent", "unread", "damaged", "another stream's", "placeholder", "repaired", "newer"],
)
def test_what_is_not_going_back(value: RRset | Unknown | None) -> None:
    known = SetBacks(STREAM)
    heard(known, a_marker(7, 1))
    assert not heard(known, value)


def test_the_floor_speaks_for_the_zone() -> None:
    known = SetBacks(STREAM)
    heard(known, a_floor(9, 1), FLOOR)
    (line,) = heard(known, a_floor(4, 0), FLOOR)
    assert line["records"] == [{"name": "", "knew": f"{1:016x}", "was": 9, "found": f"{0:016x}", "now": 4}]
    event = {"event": "set_back", "at": "", "role": "enactor", "who": "a", **line}
    text = f"the zone {ZONE}  g9 → g4  set back to an older state, by nobody of ours"
    assert (narrated(event) or "").endswith(text)


def test_an_enactor_notes_it_repairs_it_and_shows_it(tmp_path: Path) -> None:
    process, provider = staged(tmp_path)
    never = threading.Event()
    process._pass("start", never)
    old = provider.state
    head = process._store.perform(ReadHead())
    process._store.perform(Publish(head.head, plan_of(2, [entry(WWW, 2, "192.0.2.2")])))  # type: ignore[union-attr]
    process._pass("news", never)
    newer = dict(provider.state.rrsets)
    provider.state = ZoneState(ZONE, dict(old.rrsets), provider.state.serial + 1)
    process._pass("look", never)
    lines = told(tmp_path, "set_back")
    assert {one["name"] for line in lines for one in line["records"]} == {"", WWW}
    assert provider.state.rrsets[WWW, int(RRType.A)] == newer[WWW, int(RRType.A)]
    process._beat()
    (shown,) = read_presence(tmp_path / "presence")
    (sentence,) = set_back_sentences([shown], shown.at, ())
    assert sentence.startswith(f"The zone {ZONE} was set back to an older state at ")
    assert sentence.endswith(", by nobody of ours; repaired.")


def test_the_sentence_names_who_saw_it_first_and_what_is_not_healed() -> None:
    def enactor(who: str, at: float, **more: object) -> Present:
        facts = {"zone": ZONE, "at": at, "floor": False, "names": [WWW], "count": 1, **more}
        return Present("enactor", who, 1, 0.1, alive=True, facts={"set_back": [facts]})

    later, first = enactor("a", 7200.0), enactor("b", 3600.0)
    (sentence,) = set_back_sentences([later, first], 7300.0, {ZONE})
    assert sentence.startswith("www was set back to an older state at ")
    assert sentence.endswith(":00:00, by nobody of ours; being repaired.")
    many = replace(first, facts={"set_back": [{"zone": ZONE, "at": 1.0, "names": [WWW, f"api.{ZONE}"], "count": 9}]})
    (sentence,) = set_back_sentences([many], 7300.0, ())
    assert sentence.startswith("www, api and 7 more were set back")
    assert not list(set_back_sentences([replace(first, facts={"set_back": "junk"})], 0.0, ()))


def test_a_zone_that_went_back_to_the_serial_of_the_last_look(tmp_path: Path) -> None:
    """What was written between two looks is gone and the serial is what it was: then the serial is no comfort."""
    with embedded_server(tmp_path) as server:
        key = TsigKey(server.key_name, "hmac-sha256", base64.b64decode(server.key_secret))
        provider = Rfc2136Provider(ZONE, server.host, server.port, key)
        process, _ = staged(tmp_path)
        process._providers = {ZONE: provider}
        never = threading.Event()
        for occasion in ("start", "look", "look"):
            process._pass(occasion, never)
        server.stop()
        old = server.database.read_bytes()
        server.start()
        head = process._store.perform(ReadHead())
        process._store.perform(Publish(head.head, plan_of(2, [entry(WWW, 2, "192.0.2.2")])))  # type: ignore[union-attr]
        process._pass("news", never)
        assert query(server, WWW, "A")[1] == {"192.0.2.2"}
        server.stop()
        server.database.write_bytes(old)
        server.start()
        assert query(server, WWW, "A")[1] == {"192.0.2.1"}
        process._pass("look", never)
        assert query(server, WWW, "A")[1] == {"192.0.2.2"}
        assert told(tmp_path, "set_back")
        provider.close()
