"""Sources of the fleet: what they say, and when they say that they don't know."""

import os
from pathlib import Path

import pytest

from standfast.adapters.sources import FleetSeen, FleetUnknown, Sighting
from standfast.adapters.sources.declared import DeclaredFleet
from standfast.adapters.sources.file import FileFleet
from standfast.config import LoadBalancerConfig


def text_of(*numbers: int, count: int | None = None) -> str:
    lines = [f"  lb-{number}: {{az: a, ip: [192.0.2.{number}]}}" for number in numbers]
    body = "\n".join(["load_balancers:", *lines]) if lines else "load_balancers: {}"
    return f"{body}\ncount: {len(numbers) if count is None else count}\n"


def put(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def ids(sighting: Sighting | None) -> list[str]:
    assert isinstance(sighting, FleetSeen)
    return [one.id for one in sighting.load_balancers]


def known(source: FileFleet) -> tuple[LoadBalancerConfig, ...]:
    seen = source.look(None)
    assert isinstance(seen, FleetSeen)
    return seen.load_balancers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.yaml"


def test_a_declared_fleet_is_seen_once_in_the_order_of_ids() -> None:
    some = tuple(LoadBalancerConfig(name, "a", "default", (), (), 1, "up", None) for name in ("lb-2", "lb-1"))
    source = DeclaredFleet(some)
    assert ids(source.look(None)) == ["lb-1", "lb-2"]
    assert source.look(some, fully=True) is None


def test_a_file_is_seen_when_it_changes(path: Path) -> None:
    put(path, text_of(1, 2, 3))
    source = FileFleet(path)
    fleet = known(source)
    assert source.look(fleet) is None
    put(path, text_of(1, 2, 3))
    assert source.look(fleet) is None, "written anew with the same contents"
    put(path, text_of(1, 2, 3, 4))
    assert ids(source.look(fleet)) == ["lb-1", "lb-2", "lb-3", "lb-4"]


def test_a_full_look_does_not_trust_the_files_time(path: Path) -> None:
    put(path, text_of(1, 2))
    source = FileFleet(path)
    fleet = known(source)
    status = path.stat()
    with path.open("r+") as file:
        file.write(text_of(1, 3))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert source.look(fleet) is None
    assert ids(source.look(fleet, fully=True)) == ["lb-1", "lb-3"]


@pytest.mark.parametrize(
    "text", ["", "load_balancers:\n  lb-1: {az: a, ip: [192.0.2.1]}\n", "{", text_of(1, 2, count=3)]
)
def test_a_broken_file_is_unknown_and_told_once(path: Path, text: str) -> None:
    put(path, text_of(1, 2))
    source = FileFleet(path)
    fleet = known(source)
    put(path, text)
    assert isinstance(source.look(fleet), FleetUnknown)
    assert source.look(fleet) is None
    assert source.look(fleet, fully=True) is None, "the same trouble"
    put(path, text_of(1, 2))
    assert ids(source.look(fleet)) == ["lb-1", "lb-2"], "so that the end of the trouble is known"


def test_every_beginning_of_a_file_is_unknown(path: Path) -> None:
    whole = text_of(1, 2, 3)
    fleet = known(_written(path, whole))
    for length in range(len(whole) - 2):
        path.write_text(whole[:length])
        assert isinstance(FileFleet(path).look(fleet), FleetUnknown), whole[:length]


def _written(path: Path, text: str) -> FileFleet:
    put(path, text)
    return FileFleet(path)


@pytest.mark.parametrize(
    ("before", "after", "believed"),
    [
        (1, 0, False),
        (6, 0, False),
        (2, 1, True),  # one may always go
        (3, 2, True),
        (3, 1, False),
        (6, 4, True),  # 33.3 %
        (6, 3, False),
        (100, 66, True),
        (100, 65, False),
    ],
)
def test_a_shrink_is_believed_up_to_34_percent_or_one(path: Path, before: int, after: int, believed: bool) -> None:
    source = _written(path, text_of(*range(1, before + 1)))
    fleet = known(source)
    put(path, text_of(*range(1, after + 1)))
    said = source.look(fleet)
    assert isinstance(said, FleetSeen if believed else FleetUnknown)
    if isinstance(said, FleetUnknown):
        assert "stays as it was" in said.why


def test_others_in_their_place_do_not_hide_a_loss(path: Path) -> None:
    source = _written(path, text_of(1, 2, 3))
    fleet = known(source)
    put(path, text_of(11, 12, 13))
    said = source.look(fleet)
    assert isinstance(said, FleetUnknown)
    assert "lacks 3 of 3 load balancers (lb-1, lb-2, lb-3)" in said.why


def test_a_missing_file_is_unknown(path: Path) -> None:
    source = FileFleet(path)
    said = source.look(None)
    assert isinstance(said, FleetUnknown)
    assert "does not exist" in said.why
