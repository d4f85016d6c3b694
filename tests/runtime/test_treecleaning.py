"""Whose name servers can't be told keeps its trees: nobody knows how long those of a zone remember."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from standfast.config import check
from standfast.model.defaults import LAG_S, NEGATIVE_S
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read, Readings, ReadReply, Unknown
from standfast.runtime.treecleaning import TreeCleaner

TEXT = """
zone: {name: lb.example.com, provider: route53}
health: none
load_balancers: {lb-1: {az: a, ip: 192.0.2.1}}
endpoints: {www: {layout: tree}}
"""
FLOOR = RRset.of(RRType.TXT, 60, [b"\x05floor"])


class Primary:
    """Has a floor; `named` says what is read of its name servers, time after time."""

    def __init__(self, *named: RRset | Unknown | None) -> None:
        self._named = list(named)

    def perform(self, request: Read) -> ReadReply:
        return Readings(tuple(FLOOR if rtype == RRType.TXT else self._said() for _, rtype in request.keys))

    def _said(self) -> RRset | Unknown | None:
        return self._named.pop(0) if len(self._named) > 1 else self._named[0]


@pytest.mark.parametrize(
    ("named", "waits"),
    [
        ((Unknown("throttled"),), None),
        ((RRset.of(RRType.NS, 60, [b"\x02ns\x00"]), Unknown("throttled")), None),
        ((None,), NEGATIVE_S + LAG_S),
    ],
)
def test_name_servers_that_can_t_be_read_block_the_cleaner(
    named: tuple[RRset | Unknown | None, ...], waits: float | None, tmp_path: Path
) -> None:
    config, problems, _ = check(TEXT, "f.yaml")
    assert config is not None, problems
    zone, nobody = config.zones[0], cast(Any, None)
    cleaner = TreeCleaner(config, nobody, cast(Any, {zone.name: Primary(*named)}), nobody, nobody)
    assert cleaner._wait_s(zone) == waits
