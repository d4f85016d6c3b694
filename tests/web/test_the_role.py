"""`standfast run --role web` as a process: it serves, ends when told, says what is wrong; it comes with the others."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import httpx
import pytest

from e2e.roles import Process, until
from harness.ports import HOST, free_port
from standfast.runtime.journal_files import read_journal
from web.scene import Scene


def run(scene: Scene, port: int, *arguments: str, name: str = "web") -> Process:
    stage = scene.stage
    lines = [line for line in stage.file.read_text().splitlines() if not line.startswith("web:")]
    stage.file.write_text("\n".join([*lines, f"web: {{listen: '{HOST}:{port}'}}"]) + "\n")
    told = ["-m", "standfast", "run", *arguments, "--config", str(stage.file)]
    return Process(told, stage.folder / f"{name}.log")


def answers(port: int) -> httpx.Response | None:
    """The page; None while nobody listens there, or the first look is not over."""
    try:
        reply = httpx.get(f"http://{HOST}:{port}/", timeout=60)
    except httpx.TransportError:
        return None
    return reply if reply.status_code == 200 else None


def test_it_serves_until_it_is_told_to_stop(scene: Scene) -> None:
    scene.stage.publish()
    port = free_port()
    process = run(scene, port, "--role", "web", "--name", "ops1")
    try:
        answer = until(lambda: answers(port), "the page", 60)
        assert answer is not None
        assert "NEEDS YOU" in answer.text
        with httpx.stream("GET", f"http://{HOST}:{port}/live", timeout=60) as stream:
            lines = (line for line in stream.iter_lines() if line.startswith("data: "))
            assert '"stale": false' in next(lines)
            assert process.terminate() == 0, process.log.read_text()  # with a stream open
    finally:
        if process.code is None:
            process.kill()
    events = [line["event"] for line in read_journal(scene.folder) if line["role"] == "web"]
    assert events == ["started", "stopped"]
    assert "Traceback" not in process.log.read_text()


def test_a_port_that_is_taken_is_said(scene: Scene) -> None:
    with socket.create_server((HOST, 0)) as taken:
        process = run(scene, taken.getsockname()[1], "--role", "web")
        until(lambda: process.code is not None, "it ends", 60)
    assert process.code == 1
    assert "can't be served at 127.0.0.1:" in process.log.read_text()
    assert "give another web: listen" in process.log.read_text()


def test_it_comes_with_the_others(scene: Scene) -> None:
    port = free_port()
    process = run(scene, port, "--take", "www", name="all")
    try:
        assert until(lambda: answers(port), "the page", 60) is not None
        assert process.terminate() == 0, process.log.read_text()
    finally:
        if process.code is None:
            process.kill()


def test_without_the_extra_it_says_how_to_install_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for module in [name for name in sys.modules if name.startswith("standfast.web.serving")]:
        monkeypatch.delitem(sys.modules, module)
    scene.stage.file.write_text(scene.stage.file.read_text() + "web: {}\n")
    said = scene.stage.run("run", "--role", "web", "--quiet")
    assert said.code == 1
    assert "pip install 'standfast[web]'" in said.err


def test_without_the_section_it_says_what_to_add(scene: Scene) -> None:
    said = scene.stage.run("run", "--role", "web", "--quiet")
    assert said.code == 1
    assert "Add `web: {}`" in said.err


def test_a_certificate_that_is_none_is_said(scene: Scene, tmp_path: Path) -> None:
    pem = tmp_path / "page.pem"
    pem.write_text("not a certificate")
    text = f"web: {{listen: '{HOST}:{free_port()}', certificate: '{pem}', key: '{pem}'}}\n"
    scene.stage.file.write_text(scene.stage.file.read_text() + text)
    said = scene.stage.run("run", "--role", "web", "--quiet")
    assert said.code == 1
    assert "certificate and key of the page don't fit" in said.err
