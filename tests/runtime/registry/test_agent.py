"""The agent against real registries: it holds, says what changes, follows, waits when told, and signs off."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.ports import free_port
from runtime.registry.desks import Beside, Vault, running, until
from runtime.staging import LoadBalancer
from standfast.adapters.probes import Answered
from standfast.config import LocalCheck, load_agent
from standfast.errors import ConfigError
from standfast.runtime.agent import checking


@pytest.fixture(autouse=True)
def some_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "s" * 24)


def test_it_holds_says_what_changes_at_once_and_signs_off(tmp_path: Path) -> None:
    vault, balancer = Vault(), LoadBalancer("127.0.0.1", free_port())
    check = f"port: {balancer.port}\ncheck: {{tcp: true, interval: 0.1s, rise: 1, fall: 2}}\n"
    with running(tmp_path, "one", vault) as one:
        beside = Beside(tmp_path, one.url, more=check)
        object.__setattr__(beside.config.check, "address", "127.0.0.1")
        until(lambda: vault.told() == {"lb-a1": "up"}, "it says that its load balancer works")
        balancer.kill()
        until(lambda: vault.told() == {"lb-a1": "down"}, "and that it does not")
        draft = tmp_path / "draft"
        draft.write_text("new kernel\n")
        draft.rename(beside.drain)  # it may look for it at any moment: there is no file yet without the words
        until(lambda: vault.fleet() == {"lb-a1": "drain"}, "the file drains it")
        stored = one.process.desk.keeping.stored("lb-a1")
        assert stored is not None
        assert stored.report.why == "drained on its machine: new kernel"
        assert vault.whys() == {"lb-a1": "drained by its agent: new kernel"}
        assert vault.told() == {"lb-a1": "down"}, "its health is still told"
        beside.drain.unlink()
        until(lambda: vault.fleet() == {"lb-a1": "up"}, "and without it it is back")
        beside.end()
        assert vault.fleet() == {"lb-a1": "drain"}
        assert beside.told[-1] == "signed off"
        assert beside.told[0] == "holds lease 1 of registry one"


def test_it_goes_to_the_next_registry_and_stays_there(tmp_path: Path) -> None:
    vault = Vault()
    with running(tmp_path, "two", vault) as two:
        with running(tmp_path, "one", vault) as one:
            beside = Beside(tmp_path, one.url, two.url)
            until(lambda: "lb-a1" in one.process.desk.keeping.book, "it holds one's")
        beside.drain.write_text("say something\n")
        until(lambda: vault.fleet() == {"lb-a1": "drain"}, "it holds two's, and says what is new")
        with running(tmp_path, "one", vault, port=one.port) as again:
            until(lambda: "lb-a1" not in again.process.desk.keeping.book, "one lets go")
            assert "lb-a1" in two.process.desk.keeping.book
        beside.end()


@contextmanager
def refused_with(folder: Path, headers: Mapping[str, str]) -> Iterator[tuple[Beside, list[str]]]:
    """An agent whose registry refuses everything with these headers; the keys that were shown to it."""
    asked: list[str] = []

    class Full(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append(self.headers["authorization"])
            self.send_response(503)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Full)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    (folder / "agents.key").write_text("k" * 24)
    (folder / "agents.key").chmod(0o600)
    beside = Beside(folder, f"http://127.0.0.1:{server.server_port}")
    try:
        until(lambda: asked, "it asks")
        yield beside, asked
    finally:
        beside.end()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"Retry-After": "1", "Retry-After-Ms": "3600000"}])
def test_it_waits_as_long_as_it_was_told(tmp_path: Path, headers: dict[str, str]) -> None:
    with refused_with(tmp_path, headers) as (beside, asked):
        beside.drain.write_text("news\n")
        until(lambda: "Again in 3600 s." in "".join(beside.told), "it says why it waits")
        beside.stop.wait(1.2)
        assert asked == [f"Bearer {'k' * 24}"], "news are no reason to come before the time"


def test_who_says_come_at_once_is_not_asked_without_end(tmp_path: Path) -> None:
    with refused_with(tmp_path, {"Retry-After": "-1", "Retry-After-Ms": "0"}) as (beside, asked):
        beside.stop.wait(2.0)
        assert len(asked) <= 4


def test_a_check_of_its_own_that_fails_by_our_fault_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Faulty:
        made = 0

        async def check(self, address: str, port: int) -> Answered:
            self.made += 1
            if self.made == 1:
                raise RuntimeError("a fault of ours")
            return Answered()

        async def close(self) -> None:
            """Nothing to do."""

    async def scene() -> None:
        monkeypatch.setattr(checking, "probe_of", lambda *_: Faulty())
        changed = asyncio.Event()
        check = LocalCheck("tcp", "", "127.0.0.1", 1, interval_s=0.01)
        health = checking.LocalHealthCheck(check, changed.set)
        running = asyncio.create_task(health.run())
        async with asyncio.timeout(10):
            await changed.wait()
        assert health.state == "up"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())


def test_every_problem_of_its_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text("id: 'lb a1'\nip: [192.0.2.300]\nregistries: [ftp://x, 'https://u:p@h']\ncapacity: 0\ncheck: {}\n")
    with pytest.raises(ConfigError) as caught:
        load_agent(file)
    text = str(caught.value)
    for part in ("lb a1", "192.0.2.300", "no URL", "az", "key", "capacity", "in one way"):
        assert part in text, part
    assert "u:p" not in text


def test_the_example_loads(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent.parent.parent / "examples/agent/agent.yaml"
    file = tmp_path / "agent.yaml"
    file.write_text(example.read_text())
    (tmp_path / "agent.key").write_text("k" * 24)
    (tmp_path / "agent.key").chmod(0o600)
    (tmp_path / "registry-ca.pem").write_text("")
    config = load_agent(file)
    assert (config.holder, len(config.registries), config.ipv6) == ("lb-a1", 2, ("2001:db8::11",))
    assert config.check is not None
    assert (config.check.port, config.check.path) == (8080, "/healthz")


def test_with_a_wrong_key_it_says_so_asks_seldom_and_goes_on_when_the_key_is_mended(tmp_path: Path) -> None:
    vault = Vault()
    with running(tmp_path, "one", vault) as one:
        key = tmp_path / "agents.key"
        key.write_text("w" * 24)
        asked = []
        judged = one.process.desk.key_of
        one.process.desk.key_of = lambda token, holder: (asked.append(holder), judged(token, holder))[1]  # type: ignore[method-assign, func-returns-value]
        beside = Beside(tmp_path, one.url)
        until(lambda: len(asked) >= 2, "it tries again")
        assert beside.told == [f"{one.url}: This key opens nothing here. Give the agent a key of `registry: keys`."]
        beside.stop.wait(2.0)
        assert len(asked) <= 6, "its budget is one retry in ten seconds, and what it has saved"
        assert vault.fleet() == {}
        key.write_text("k" * 24)
        beside.agent._holder = replace(beside.agent._holder, due=0.0)  # it would wait for ten seconds
        until(lambda: beside.told[-1] == "holds lease 1 of registry one", "without a restart")
        beside.end()


def test_a_registry_that_answers_nothing_is_asked_less_and_less(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        (tmp_path / "agents.key").write_text("k" * 24)
        (tmp_path / "agents.key").chmod(0o600)
        came = []

        def hang_up() -> None:
            while True:
                try:
                    line, _ = deaf.accept()
                except OSError:
                    return
                came.append(line)
                line.close()

        threading.Thread(target=hang_up, daemon=True).start()
        beside = Beside(tmp_path, f"http://127.0.0.1:{deaf.getsockname()[1]}")
        until(lambda: came and beside.told, "it asks, and says what came of it")
        beside.stop.wait(3.0)
        assert len(came) <= 6
        assert len(beside.told) == 1
        assert "can't be reached" in beside.told[0]
        beside.end()
        deaf.shutdown(socket.SHUT_RDWR)  # who waits in it is woken by that, and not by its end
