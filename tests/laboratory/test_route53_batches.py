"""The rules of a change batch, one by one, as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest

from laboratory.zone53 import Refused, Zone53


def refused(zone: Zone53, *changes: tuple[str, dict[str, Any]]) -> Refused:
    before = zone.listed()
    with pytest.raises(Refused) as told:
        zone.change(*changes)
    assert zone.listed() == before, "a refused batch changes nothing"
    return told.value


def test_all_or_none(zone: Zone53) -> None:
    zone.create_set(zone.a("old", "192.0.2.1"))
    told = refused(
        zone,
        ("CREATE", zone.a("new", "192.0.2.2")),
        ("DELETE", zone.a("old", "192.0.2.1")),
        ("DELETE", zone.a("absent", "192.0.2.1")),
        ("CREATE", zone.a("x", "999.1.1.1")),
    )
    assert told.code == "InvalidChangeBatch"
    assert told.message == (
        f"[Tried to delete resource record set [name='absent.{zone.apex}', type='A'] but it was not found, "
        "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) "
        "encountered with '999.1.1.1'']"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"TTL": 61},
        {"ResourceRecords": [{"Value": "192.0.2.2"}]},
        {"ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]},
        {"Weight": 2},
    ],
)
def test_delete_must_match_exactly(zone: Zone53, other: dict[str, Any]) -> None:
    one = zone.create_set(zone.a("www", "192.0.2.1", SetIdentifier="a", Weight=1))
    told = refused(zone, ("DELETE", {**one, **other}))
    assert "but the values provided do not match the current values" in told.message
    zone.change(("DELETE", one))
    assert zone.listed() == []


def test_a_marker_is_compared_and_set_in_one_batch(zone: Zone53) -> None:
    zone.create_set(zone.rr("m", "TXT", '"g=1"'))
    swap = [("DELETE", zone.rr("m", "TXT", '"g=1"')), ("CREATE", zone.rr("m", "TXT", '"g=2"'))]
    zone.change(*swap)
    told = refused(zone, *swap)
    assert "do not match the current values" in told.message
    assert zone.listed() == [zone.rr("m", "TXT", '"g=2"')]
