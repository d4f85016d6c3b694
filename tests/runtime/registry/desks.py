"""A registry in this process, on a free port, over a plan store that can go away; and agents beside it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from harness.ports import free_port
from standfast import config as configuration
from standfast.adapters.sources import FleetSeen
from standfast.adapters.sources.leases import LeasesFleet
from standfast.adapters.stores.memory import MemoryStore
from standfast.config import AgentConfig, LeasesSource, load_agent
from standfast.ports.provider import Unknown
from standfast.ports.store import PutSource, PutSources, StoreReply, StoreRequest
from standfast.runtime.agent.process import Agent
from standfast.runtime.place import Place
from standfast.runtime.presence import Presence
from standfast.runtime.registry.process import RegistryProcess

KEY, OPERATOR = "k" * 24, "o" * 24
WITHIN_S = 60.0


class Vault:
    """The plan store of all registries of a test; `away` answers Unknown."""

    def __init__(self) -> None:
        self.store, self.lock, self.away = MemoryStore(), threading.Lock(), False
        self.writes = 0
        self.lose_next = False
        """Whether the reply to the next write is lost, after its effect."""

    def perform(self, request: StoreRequest) -> StoreReply:
        with self.lock:
            if self.away:
                return Unknown("disk I/O error")
            writing = isinstance(request, PutSource | PutSources)
            self.writes += writing
            reply = self.store.perform(request)
            lost, self.lose_next = writing and self.lose_next, self.lose_next and not writing
            return Unknown("the reply was lost") if lost else reply

    def changed(self) -> bool:
        return True

    def close(self) -> None:
        """Others have it still."""

    def fleet(self) -> dict[str, str]:
        """Who is in the fleet by now, and their admin state."""
        seen = LeasesFleet(LeasesSource("leases"), lambda: self).look()
        return {one.id: one.admin for one in seen.load_balancers} if isinstance(seen, FleetSeen) else {}

    def whys(self) -> dict[str, str]:
        """Who drained them or took them down, in what words."""
        seen = LeasesFleet(LeasesSource("leases"), lambda: self).look()
        return {one.id: one.why for one in seen.load_balancers} if isinstance(seen, FleetSeen) else {}

    def told(self) -> dict[str, str]:
        seen = LeasesFleet(LeasesSource("leases"), lambda: self).look()
        return {name: verdict.state for name, verdict in seen.told} if isinstance(seen, FleetSeen) else {}


class Running:
    """One registry at work."""

    def __init__(
        self, folder: Path, who: str, vault: Vault, more: str = "", port: int = 0, term_s: float | None = None
    ) -> None:
        self.vault = vault
        self.who, self.port, self.stop = who, port or free_port(), threading.Event()
        folder.mkdir(exist_ok=True)
        for name, text in (("agents.key", KEY), ("operator.key", OPERATOR), ("master.key", "m" * 24)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        file = folder / f"{who}.yaml"
        file.write_text(
            f"zone: {{name: lb.example.com, provider: embedded}}\nhealth: none\nload_balancers: {{from: leases}}\n"
            f"endpoints: {{www: {{}}}}\nprefixes: [192.0.2.0/24]\nstate: {who}.state\nregistry:\n"
            f'  listen: "127.0.0.1:{self.port}"\n  operator: file:operator.key\n'
            "  keys: {agents: file:agents.key, some: {secret: env:SOME_KEY, load_balancers: [lb-x*]},"
            f" own: {{secret: file:master.key, derived: true}}}}\n{more}"
        )
        place = Place(configuration.load(file))
        place.prepare()
        if term_s is not None:
            object.__setattr__(place.config.registry, "term_s", term_s)  # shorter than anybody may configure
        place.late_store = lambda *, leave=False: vault  # type: ignore[method-assign, assignment, return-value]
        self.journal = place.journal
        self.process = RegistryProcess(
            who, place, place.open_journal("registry", who), Presence(place.presence, "registry", who)
        )
        self.sealed = place.config.registry is not None and place.config.registry.certificate is not None
        self.client = httpx.Client(verify=False, timeout=WITHIN_S)  # noqa: S501 - on loopback
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.process.run(self.stop)
        except Exception as error:
            self.failure = error

    @property
    def url(self) -> str:
        return f"{'https' if self.sealed else 'http'}://127.0.0.1:{self.port}"

    def end(self) -> None:
        self.client.close()
        self.stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def put(self, holder: str, key: str = KEY, **said: Any) -> httpx.Response:
        number = said.pop("number", 11)
        body = {"az": "a", "ip": [f"192.0.2.{number}"], **said}
        return self.client.put(f"{self.url}/v1/leases/{holder}", json=body, headers={"authorization": f"Bearer {key}"})

    def get(self, path: str, key: str = OPERATOR) -> httpx.Response:
        return self.client.get(f"{self.url}{path}", headers={"authorization": f"Bearer {key}"})

    def delete(self, holder: str, key: str = KEY) -> httpx.Response:
        return self.client.delete(f"{self.url}/v1/leases/{holder}", headers={"authorization": f"Bearer {key}"})

    def ready(self) -> "Running":
        def fine() -> bool:
            try:
                return bool(self.get("/v1/registry").json()["why"] != "it has just started")
            except httpx.HTTPError:
                return False

        until(fine, "the registry is ready")
        return self


@contextmanager
def running(
    folder: Path,
    who: str = "one",
    vault: Vault | None = None,
    more: str = "",
    port: int = 0,
    term_s: float | None = None,
) -> Iterator[Running]:
    one = Running(folder, who, vault or Vault(), more, port, term_s)
    try:
        yield one.ready()
    finally:
        one.end()


def until(wanted: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WITHIN_S
    while not wanted():
        assert time.monotonic() < end, f"not within {WITHIN_S:g} s: {what}"
        time.sleep(0.02)


class Beside:
    """An agent in a thread."""

    def __init__(self, folder: Path, *registries: str, holder: str = "lb-a1", more: str = "") -> None:
        file = folder / f"{holder}.agent.yaml"
        urls = ", ".join(f'"{url}"' for url in registries)
        file.write_text(
            f"id: {holder}\naz: a\nip: [192.0.2.11]\nregistries: [{urls}]\nkey: file:agents.key\n"
            f"timeout: 20s\ndrain_file: {holder}.drain\n{more}"
        )
        self.config: AgentConfig = load_agent(file)
        self.drain = folder / f"{holder}.drain"
        self.told: list[str] = []
        self.stop = threading.Event()
        self.agent = Agent(self.config, self.told.append, base_s=0.1)
        self._thread = threading.Thread(target=lambda: asyncio.run(self.agent.run(self.stop)), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


def lines_of(journal: Path) -> list[dict[str, Any]]:
    """Every line of a registry's journal, but for one that is just being written."""
    texts = [path.read_text().rpartition("\n")[0] for path in sorted(journal.glob("*.jsonl"))]
    return [json.loads(line) for text in texts for line in text.splitlines()]
