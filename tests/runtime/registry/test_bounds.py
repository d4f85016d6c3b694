"""What a registry's connections carry and cost: TLS, how many may be open, one commit for a batch of grants."""

import gc
import os
import resource
import socket
import time
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.certificate import pair
from runtime.registry.desks import KEY, Beside, Running, lines_of, running, until
from standfast import config as configuration
from standfast.config import load_agent
from standfast.errors import ConfigError
from standfast.runtime.registry.listening import EXHAUSTED_S, Listener
from standfast.runtime.registry.process import FILES_SPARE, files_for


@pytest.fixture(autouse=True)
def some_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "s" * 24)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Running]:
    pair(tmp_path, "registry")
    with running(tmp_path, "one", more="  certificate: registry.pem\n  key: registry.key\n") as found:
        yield found


def test_over_tls_an_agent_holds_and_whoever_speaks_plainly_gets_nothing(sealed: Running, tmp_path: Path) -> None:
    beside = Beside(tmp_path, sealed.url, more="ca: registry.pem\n")
    until(lambda: beside.told, "it tells")
    assert beside.told == ["holds lease 1 of registry one"]
    beside.end()
    with pytest.raises(httpx.HTTPError):
        httpx.put(
            f"http://127.0.0.1:{sealed.port}/v1/leases/lb-a2", json={}, headers={"authorization": f"Bearer {KEY}"}
        )
    stranger = Beside(tmp_path, sealed.url, holder="lb-b1")
    until(lambda: "certificate" in "".join(stranger.told).lower(), "without the CA it does not believe the registry")
    stranger.end()
    assert "lb-b1" not in sealed.process.desk.keeping.book
    with socket.create_connection(("127.0.0.1", sealed.port)) as line:
        line.sendall(b"PUT /v1/leases/lb-a3 HTTP/1.1\r\n\r\n")
        assert b"200" not in line.recv(4096)


def test_a_connection_of_which_nothing_is_known_yet_costs_little(sealed: Running) -> None:
    def buffers() -> list[int]:
        kinds = (one for one in gc.get_objects() if type(one) is SSLProtocol)
        return [len(getattr(one, "_ssl_buffer", b"")) for one in kinds]  # another thread may just be making one

    gc.collect()  # none of a test before counts
    before = len(buffers())
    with socket.create_connection(("127.0.0.1", sealed.port)):
        until(lambda: len(buffers()) > before, "it is accepted")
        assert max(buffers()) <= 16 << 10


def test_strangers_who_never_shake_hands_take_no_more_than_their_part_of_the_files(tmp_path: Path) -> None:
    pair(tmp_path, "registry")
    more = "  certificate: registry.pem\n  key: registry.key\n  connections: 16\n"
    with running(tmp_path, "one", more=more) as one:
        room = 16 + FILES_SPARE // 2
        some = [socket.create_connection(("127.0.0.1", one.port)) for _ in range(room + 20)]
        until(lambda: one.process.desk.crowded >= 20, "more are hung up on")
        until(lambda: any(line.get("kind") == "connections" for line in lines_of(one.journal)), "operators are told")
        for line in some:
            line.close()
        until(lambda: _put(one) == 200, "and there is room again")


def _put(one: Running) -> int:
    try:
        return one.put("lb-a1").status_code
    except httpx.HTTPError:
        return 0


def test_for_want_of_files_nobody_is_accepted_over_and_over() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    there = socket.create_server(("127.0.0.1", 0))
    with Listener(there.detach(), lambda: None) as listener:
        listener.most = 10
        with socket.create_connection(listener.getsockname()[:2]):
            with open(os.devnull) as file:
                free = file.fileno()
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
                with pytest.raises(OSError, match="Too many open files"):
                    listener.accept()
                for _ in range(3):
                    with pytest.raises(BlockingIOError):
                        listener.accept()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            until(lambda: time.monotonic() - listener._exhausted_at > EXHAUSTED_S, "a while later")
            line, _ = listener.accept()
            assert listener.open == 1
            line.close()
            line.close()
            assert listener.open == 0


ZONE = (
    "zone: {name: lb.example.com, provider: embedded}\nhealth: none\nload_balancers: {from: leases}\n"
    "endpoints: {www: {}}\n"
)


def problems(folder: Path, registry: str) -> str:
    file = folder / "standfast.yaml"
    (folder / "agents.key").write_text("k" * 24)
    (folder / "agents.key").chmod(0o600)
    file.write_text(f"{ZONE}registry: {{keys: {{agents: file:agents.key}}, {registry}}}\n")
    try:
        configuration.load(file)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("registry", "text"),
    [
        ("listen: 0.0.0.0", "keys would travel in clear text"),
        ('listen: "[::]:8054"', "say clear_text: true"),
        ("listen: 0.0.0.0, clear_text: true", ""),
        ("listen: 127.0.0.1:8054", ""),
        ("listen: 0.0.0.0, certificate: none.pem, key: none.pem", "none.pem"),
        ("certificate: agents.key", "without key"),
        ("connections: 3", "connections"),
        ("clear_text: perhaps", "clear_text"),
    ],
)
def test_keys_go_in_clear_text_beyond_this_machine_only_if_somebody_says_so(
    tmp_path: Path, registry: str, text: str
) -> None:
    found = problems(tmp_path, registry)
    assert text in found
    assert bool(text) == bool(found), found


def test_an_agent_too_sends_its_key_in_clear_text_only_if_told(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    (tmp_path / "agent.key").write_text("k" * 24)
    (tmp_path / "agent.key").chmod(0o600)
    text = "id: lb-a1\naz: a\nip: [192.0.2.11]\nkey: file:agent.key\nregistries: [http://registry.example.com:8054]\n"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"would go to registry\.example\.com in clear text"):
        load_agent(file)
    file.write_text(text + "clear_text: true\n")
    assert load_agent(file).registries == ("http://registry.example.com:8054",)


def test_more_connections_than_it_takes_are_told_when_to_come_and_so_are_operators(tmp_path: Path) -> None:
    with running(tmp_path, "one", more="  connections: 16\n") as one:
        some = [socket.create_connection(("127.0.0.1", one.port)) for _ in range(15)]  # and the client's own
        with socket.create_connection(("127.0.0.1", one.port)) as line:
            line.settimeout(60)
            answer = line.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 5\r\n" in answer
        assert b"as many connections as this registry takes" in answer
        for line in some:
            line.close()

        def told() -> list[str]:
            return [line["why"] for line in lines_of(one.journal) if line.get("kind") == "connections"]

        until(lambda: len(told()) == 2, "it is told, and that it is over")
        assert told() == [
            "all 16 connections are taken, more are turned away: raise registry.connections",
            "there are connections free again",
        ]
        assert one.put("lb-a1").status_code == 200


def test_open_files_bound_it_and_are_raised_as_far_as_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        assert files_for(400) == 512
        assert files_for(600) == 600
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 600
        assert files_for(hard + 1) == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
