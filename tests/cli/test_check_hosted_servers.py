"""Whether the name servers of a zone behind an API can be asked: what is found by asking them rests on that."""

from __future__ import annotations

from dataclasses import replace

from cli.stage import ZONE, Stage
from harness.dnsservers import EmbeddedServer
from harness.ports import free_port
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.cli.checking.hostedservers import server_findings
from standfast.config import SecondaryConfig


def test_those_that_answer_and_those_that_do_not(served: Stage, embedded: EmbeddedServer) -> None:
    here = SecondaryConfig("ns-1", embedded.host, embedded.port)
    away = SecondaryConfig("ns-2", "127.0.0.1", free_port())
    nowhere = SecondaryConfig("ns-3", "ns-3.example.invalid", 53)
    provider = Rfc2136Provider(ZONE, embedded.host, embedded.port, None)
    plain = served.config.zones[0]

    def told(*some: SecondaryConfig) -> tuple[str, str, str]:
        (one,) = server_findings(replace(plain, secondaries=some), provider)
        return one.level, one.text, one.remedy

    try:
        level, text, _ = told(here)
        assert level == "ok"
        assert "can be asked" in text
        level, text, remedy = told(here, away, nowhere)
        assert (level, "ns-1" in text, "ns-2 (" in text, "ns-3 (" in text) == ("note", False, True, True)
        assert "patrol alone" not in text
        assert "drain --wait" in remedy
    finally:
        provider.close()


def test_nobody_can_be_asked(served: Stage, embedded: EmbeddedServer) -> None:
    provider = Rfc2136Provider(ZONE, embedded.host, embedded.port, None)
    away = SecondaryConfig("ns-2", "127.0.0.1", free_port())
    other = replace(served.config.zones[0], secondaries=(away,))
    try:
        (one,) = server_findings(other, provider)
        assert "So an emptied name is found by the patrol alone" in one.text
    finally:
        provider.close()
