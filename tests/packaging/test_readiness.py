"""The service manager hears that we are ready when every role is at work, and then that we still are."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.ports import free_port

CONFIG = """
zone: {{name: lb.example.com, provider: embedded, server: "127.0.0.1:{port}"}}
state: state
health: none
load_balancers:
  lb-1: {{az: a, ip: [192.0.2.1]}}
endpoints:
  www: {{}}
"""


@pytest.mark.parametrize("role", [("--enactors", "2"), ("--role", "enactor")])
@pytest.mark.parametrize("abstract", [True, False])
def test_ready_when_at_work_then_alive(tmp_path: Path, role: tuple[str, ...], abstract: bool) -> None:
    (tmp_path / "standfast.yaml").write_text(CONFIG.format(port=free_port()), encoding="utf-8")
    name = f"@standfast-test-{os.getpid()}-{role[1]}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "600000"}
        command = [sys.executable, "-m", "standfast", "run", "--quiet", *role]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL)
        try:
            assert manager.recv(4096).decode().startswith("READY=1\nSTATUS=")
            if role[0] == "--enactors":
                here = {path.stem.split("-")[0] for path in (tmp_path / "state/presence").glob("*.json")}
                assert {"planner", "enactor", "cleaner"} <= here
            assert [manager.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
