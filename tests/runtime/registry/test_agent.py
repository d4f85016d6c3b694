"""The agent against real registries: it holds, says what changes, follows, waits when told, and signs off."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from harness.ports import free_port
from runtime.registry.desks import Beside, Vault, running, until
from runtime.staging import LoadBalancer
from standfast.config import load_agent
from standfast.errors import ConfigError


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
        beside.drain.write_text("new kernel\n")
        until(lambda: vault.fleet() == {"lb-a1": "drain"}, "the file drains it")
        stored = one.process.desk.keeping.stored("lb-a1")
        assert stored is not None
        assert stored.report.why == "drained on its machine: new kernel"
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


def test_it_waits_as_long_as_it_was_told(tmp_path: Path) -> None:
    asked = []

    class Full(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append(self.headers["authorization"])
            self.send_response(503)
            self.send_header("Retry-After", "3600")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Full)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    (tmp_path / "agents.key").write_text("k" * 24)
    (tmp_path / "agents.key").chmod(0o600)
    beside = Beside(tmp_path, f"http://127.0.0.1:{server.server_port}")
    until(lambda: asked, "it asks")
    beside.drain.write_text("news\n")
    until(lambda: "Again in 3600 s." in "".join(beside.told), "it says why it waits")
    beside.stop.wait(1.2)
    assert asked == [f"Bearer {'k' * 24}"], "news are no reason to come before the time"
    beside.end()
    server.shutdown()
    server.server_close()


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
