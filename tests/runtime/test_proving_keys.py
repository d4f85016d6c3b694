"""A server that takes our keys no more is noticed before there is anything to write, and so is that it takes them
again; a zone that was not answered lately is not asked."""

from __future__ import annotations

from pathlib import Path

from harness.dnsserver import Key
from harness.dnsservers import EmbeddedServer
from standfast.adapters.providers.keyring import NO_WRITE
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.config.rolekeys import KeyPlace
from standfast.config.secrets import tsig_key
from standfast.model.rrset import RRType
from standfast.ports.provider import Confirm, Read
from standfast.runtime.observing import Seen, StoreSight
from standfast.runtime.presence import Present
from standfast.runtime.signing import PROVE_S, Signers
from standfast.runtime.verdict import verdict

ZONE = "lb.example.com"


def test_a_key_that_the_server_takes_no_more(embedded: EmbeddedServer, tmp_path: Path) -> None:
    file = tmp_path / "our.key"
    right = embedded.key_file.read_text()
    stranger = Key.generate(embedded.key.name, tmp_path).file.read_text()

    def now_is(text: str) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.replace(file)

    now_is(right)
    signers = Signers()
    ring = signers.ring(ZONE, [KeyPlace("file:our.key", tmp_path, tsig_key(right))])
    provider = Rfc2136Provider(ZONE, embedded.host, embedded.port, ring)
    asked: list[str] = []

    def perform(zone: str, request: Confirm) -> object:
        asked.append(zone)
        return provider.perform(request)

    def minute(number: int, closed: tuple[str, ...] = ()) -> list[str]:
        signers.prove(100.0 + number * PROVE_S, perform, closed)
        return signers.news()

    try:
        assert minute(0) == [], "whoever has just started is given a minute"
        assert (minute(1), asked, signers.locked) == ([], [ZONE], [])
        before = provider.perform(Read(ZONE, ((ZONE, int(RRType.SOA)),)))
        now_is(stranger)
        assert minute(2, (ZONE,)) == []
        assert asked == [ZONE], "it is closed"
        (told,) = minute(3)
        assert told.startswith(f"{ZONE}: key {embedded.key.name} is refused (NOTAUTH")
        assert told.endswith(f"there is no other: {NO_WRITE}")
        (clause,) = signers.locked
        assert signers.standing == [], "nobody is told that a refused key is used"
        now_is(right)
        assert (minute(4), signers.locked) == ([], []), "another key than the one that was refused"
        assert provider.perform(Read(ZONE, ((ZONE, int(RRType.SOA)),))) == before, "nothing was changed by asking"
    finally:
        provider.close()
    enactor = Present("enactor", "a", 1, 0.1, True, {"locked": [clause]})
    planner = Present("planner", "ops1", 1, 0.1, True, {})
    found = verdict(Seen(1000.0, "main", StoreSight(), (), (planner, enactor)))
    assert (found.kind, found.command, found.exit_code) == ("NEEDS YOU", "standfast check", 3)
    assert found.sentence.startswith(f"{clause}: {NO_WRITE}. DNS stays as it is.")
