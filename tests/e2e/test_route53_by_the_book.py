"""`docs/route53.md` as somebody reads it who sets it up for the first time: what it gives to copy does what it says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import pytest
from ruamel.yaml import YAML

from e2e.roles import until
from harness import leash
from harness.ports import HOST, free_port
from standfast.config import check

DOCUMENT = (Path(__file__).parents[2] / "docs" / "route53.md").read_text(encoding="utf-8")
PIECE = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"(?:^    \S.*\n)+", re.MULTILINE)
Run = Callable[[str], "subprocess.Popen[str]"]


def blocks(text: str) -> list[str]:
    return [body.replace(f"\n{indent}", "\n").removeprefix(indent) for indent, body in PIECE.findall(text)]


def test_every_piece_of_configuration_is_one() -> None:
    base, *others = blocks(DOCUMENT)
    assert len(others) == 3
    parser = YAML(typ="safe")
    for text in (base, *others):
        piece = parser.load(text)
        whole = {} if "endpoints" in piece else parser.load(base)
        for key, value in piece.items():
            whole[key] = {**whole[key], **value} if isinstance(whole.get(key), dict) else value
        _, problems, _ = check(json.dumps(whole), "standfast.yaml")
        assert not problems, text


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Run]:
    """Runs lines in a shell of their own, with everything that they start ended afterwards."""
    begun: list[subprocess.Popen[str]] = []
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(lines: str) -> subprocess.Popen[str]:
        with (tmp_path / f"out-{len(begun)}").open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                ["bash", "-ec", lines],
                cwd=tmp_path,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        leash.tie(process.pid)
        begun.append(process)
        return process

    try:
        yield run
    finally:
        for process in begun:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


def test_it_can_be_tried_without_an_account(shell: Run, tmp_path: Path) -> None:
    section = DOCUMENT.partition("## Trying it without an account\n")[2]
    for port in ("8053", "8054", "8080"):
        section = section.replace(port, str(free_port()))
    (tmp_path / "standfast.yaml").write_text(blocks(section)[0], encoding="utf-8")
    standin, rest = (found.group() for found in SHELL.finditer(PIECE.sub("", section)))
    shell(standin)
    until(lambda: "endpoint" in (tmp_path / "out-0").read_text(), "the stand-in is there", 60)
    *exported, create, servers = rest.strip().splitlines()
    assert all(line.strip().startswith("export ") for line in exported)
    shell(f"{servers}\nwait")
    exports = "\n".join(exported)
    looked = shell(f"{exports}\n{create}\nstandfast check")
    assert looked.wait(120) == 0, (tmp_path / "out-2").read_text()
    shell(f"{exports}\nexec standfast run --quiet")
    where = re.search(r"`dig @(\S+) -p (\d+) (\S+)`", section)
    assert where
    address, at, name = where.groups()
    assert address == HOST

    def answer() -> set[str]:
        try:
            said = dns.query.udp(dns.message.make_query(name, "A"), address, 5, int(at))
        except dns.exception.Timeout:  # a packet may be lost on a machine that does much else
            return set()
        return {rr.to_text() for rrset in said.answer if rrset.rdtype == dns.rdatatype.A for rr in rrset}

    everybody = {"127.0.0.41", "127.0.0.42", "127.0.0.43"}
    until(lambda: answer() == everybody, "all three are answered", 120)
