"""Fleet files: one that is cut off anywhere is unknown or says the same, never less."""

import os
from pathlib import Path

import pytest

from standfast.config import FileSource, FleetReading, Unknown, check, load_fleet

FLOW = """\
load_balancers:
  lb-a1: {az: a, ip: [192.0.2.11, "2001:db8:a::11"], capacity: 100}
  lb-b1: {az: b, ip: 192.0.2.21, admin: drain, port: 8080}
count: 2  # é
"""
BLOCK = (
    """\
# written by the inventory
load_balancers:
"""
    + "".join(
        f"  lb-{n}:\n    az: a{n}\n    ip:\n      - 192.0.2.1\n      - 192.0.2.2{n}\n    capacity: 1{n}0\n".replace(
            "      - 192.0.2.1\n", ""
        )
        for n in range(12)
    )
    + "count: 12\n"
)
JSON = '{"load_balancers": {"lb-a1": {"az": "a", "ip": ["192.0.2.11"], "capacity": 70}}, "count": 1}'
CRLF = FLOW.replace("\n", "\r\n")


@pytest.mark.parametrize("text", [FLOW, BLOCK, JSON, CRLF], ids=["flow", "block", "json", "crlf"])
def test_cut_off_at_every_byte_it_is_unknown_or_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_bytes(text.encode())
    whole = load_fleet(path)
    assert isinstance(whole, FleetReading), whole
    unknown = 0
    for length in range(len(text.encode())):
        path.write_bytes(text.encode()[:length])
        reading = load_fleet(path)
        if isinstance(reading, FleetReading):
            assert reading.known == whole.known
        else:
            unknown += 1
            assert reading.reason
    assert unknown >= len(text) - 12


def test_an_empty_fleet_has_to_say_so(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    for text in ("", "load_balancers: {}\n", "load_balancers:\n", "count: 0\n", "{}", "\n\n", "\0" * 100):
        path.write_text(text)
        assert isinstance(load_fleet(path), Unknown), text
    path.write_text("load_balancers: {}\ncount: 0\n")
    reading = load_fleet(path)
    assert isinstance(reading, FleetReading)
    assert reading.known == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("count: 2", "count: 3", "count says 3, but 2 load balancers stand here."),
        ("count: 2", "count: 02", '"02" is not a count.'),
        ("count: 2", "count: two", '"two" is not a count.'),
        ("count: 2", "cuont: 2", "Did you mean count?"),
        ("count: 2", "", "End the file with `count: N`"),
        ("load_balancers:", "count: 2\nload_balancers:", "a second time"),
        ("192.0.2.21", "192.0.2.11", "also belongs to lb-a1"),
        ("capacity: 100", "capacity: 0", '"0" is not a capacity'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLOW.replace(old, new))
    reading = load_fleet(path)
    assert isinstance(reading, Unknown)
    assert reason in reading.reason
    assert reading.problems


def test_the_count_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("count: 2\n" + FLOW.split("count")[0])
    reading = load_fleet(path)
    assert isinstance(reading, Unknown)
    assert "count is not the last key." in reading.reason


def test_all_problems_are_named(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLOW.replace("az: a,", "").replace("8080", "0").replace("count: 2", "count: 9"))
    reading = load_fleet(path)
    assert isinstance(reading, Unknown)
    assert [one.line for one in reading.problems] == [2, 3, 4]


def test_what_is_no_file_is_unknown(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    for path in (tmp_path / "gone", tmp_path, tmp_path / "pipe", tmp_path / "binary", Path("/dev/zero"), Path("a\0b")):
        assert isinstance(load_fleet(path), Unknown)


def test_the_revision_follows_the_contents(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    revisions = []
    for text in (FLOW, FLOW, FLOW.replace("100", "90")):
        path.write_text(text)
        reading = load_fleet(path)
        assert isinstance(reading, FleetReading)
        revisions.append(reading.revision)
    assert revisions[0] == revisions[1] != revisions[2]


CONFIG = """\
zone: {name: lb.example.com, provider: embedded}
health: {tcp: 443}
load_balancers: {from: file, path: fleet.yaml}
endpoints:
  www: {azs: [z], families: [ipv6]}
  api: {azs: [b], families: [ipv6], min_answers: 2}
"""


def test_a_configuration_starts_whatever_its_fleet_file_says(tmp_path: Path) -> None:
    config, problems, notes = check(CONFIG, str(tmp_path / "standfast.yaml"))
    assert config is not None, problems
    assert config.sources == (FileSource("file", tmp_path / "fleet.yaml"),)
    assert config.load_balancers == ()
    assert [one.path for one in notes] == ["load_balancers.path"]
    assert "unknown for now" in notes[0].message

    (tmp_path / "fleet.yaml").write_text(FLOW)
    config, problems, notes = check(CONFIG, str(tmp_path / "standfast.yaml"))
    assert config is not None, problems
    assert [(one.line, one.path) for one in notes] == [
        (5, "endpoints.www.azs"),
        (6, "endpoints.api.families"),
    ]
