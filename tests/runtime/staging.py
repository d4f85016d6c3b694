"""A planner's surroundings for tests: real HTTP servers as load balancers, a store with seats that can go away."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standfast import config as configuration
from standfast.adapters.providers.memory import MemoryProvider
from standfast.adapters.stores.plan_store import PlanStore
from standfast.config import Config
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown
from standfast.ports.store import StoreReply, StoreRequest
from standfast.ports.store_spec import StoreState, apply
from standfast.runtime.journal import Journal
from standfast.runtime.planning import PlannerProcess

ZONE = "lb.example.com"
WWW = f"www.{ZONE}"
Event = tuple[str, Mapping[str, Any]]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.paths.append((self.headers["Host"], self.path))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"x" * self.server.octets)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A checker that hangs up in the middle of a long body is no error."""


class LoadBalancer:
    """A real HTTP server on a loopback address of its own."""

    def __init__(self, address: str, port: int, *, status: int = 200, octets: int = 2) -> None:
        self.address, self.port, self.status, self.octets = address, port, status, octets
        self.server: _Server | None = None
        self.start()

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Host and path of each request."""
        return list(self.server.paths) if self.server else []  # type: ignore[attr-defined]

    def start(self) -> None:
        self.server = _Server((self.address, self.port), _Handler)
        self.server.status, self.server.octets, self.server.paths = self.status, self.octets, []  # type: ignore[attr-defined]
        threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True).start()

    def kill(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Shared:
    """The specification of a store, for several threads."""

    def __init__(self) -> None:
        self.state = StoreState()
        self.lock = threading.Lock()
        self.away = False
        self.published: list[Plan] = []

    def seat(self) -> "Seat":
        return Seat(self)

    def perform(self, request: StoreRequest) -> StoreReply:
        if self.away:
            return Unknown("the disk is on fire")
        with self.lock:
            before = self.state.head
            self.state, reply = apply(self.state, request)
            if self.state.head != before:
                self.published.append(self.state.plans[-1])
        return reply


class Seat(PlanStore):
    """One process's access."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._seen: StoreState | None = None

    def _answer(self, request: StoreRequest) -> StoreReply:
        return self._shared.perform(request)

    def changed(self) -> bool:
        changed, self._seen = self._shared.state is not self._seen, self._shared.state
        return changed

    def close(self) -> None:
        """Nothing to do."""


class Stage:
    """Load balancers, zone, store, and planners in threads of their own."""

    def __init__(self, folder: Path, port: int, count: int = 4) -> None:
        self.folder, self.port = folder, port
        self.balancers = {
            f"lb-{number}": LoadBalancer(f"127.0.0.{10 + number}", port) for number in range(1, count + 1)
        }
        self.store = Shared()
        self.zone = MemoryProvider(ZONE)
        self.fleet_file = folder / "fleet.yaml"
        self._running: list[tuple[threading.Thread, threading.Event]] = []

    def config(self, *, declared: bool = True, health: str | None = None, extra: str = "") -> Config:
        # Nothing here times out. A machine that stands still for half a time-out leaves the check out, and the first
        # plan the load balancer with it.
        checks = "{http: /healthz, interval: 200ms, timeout: 20s, fall: 2, rise: 2, warm_up: 300ms}"
        lines = [f"zone: {{name: {ZONE}, provider: embedded, server: 127.0.0.1}}", f"health: {health or checks}"]
        lines += (
            ["load_balancers:", *self.fleet_lines()] if declared else ["load_balancers: {from: file, path: fleet.yaml}"]
        )
        lines += ["policy: {removal: 100% in 10m, hold_below: 1%, min_answers: 1}", "endpoints: {www: {}}", extra]
        config, problems, _ = configuration.check("\n".join(lines), str(self.folder / "standfast.yaml"))
        assert config is not None, problems
        return config

    def fleet_lines(self, *names: str) -> list[str]:
        chosen = names or tuple(self.balancers)
        return [f"  {name}: {{az: a, ip: [{self.balancers[name].address}], port: {self.port}}}" for name in chosen]

    def write_fleet(self, *names: str, count: int | None = None) -> None:
        lines = ["load_balancers:", *self.fleet_lines(*names)]
        number = len(lines) - 1 if count is None else count
        draft = self.folder / "fleet.draft"
        draft.write_text("\n".join([*lines, f"count: {number}", ""]))
        draft.replace(self.fleet_file)

    def planner(self, who: str = "ops1", config: Config | None = None, *, kept: Plan | None = None) -> "Running":
        events: list[Event] = []
        process = PlannerProcess(
            who,
            config or self.config(),
            self.store.seat(),
            {ZONE: self.zone},
            Journal(self.folder, "planner", who),
            tell=lambda event, facts: events.append((event, facts)),
            kept=kept,
        )
        stop = threading.Event()
        thread = threading.Thread(target=process.run, args=(stop,), daemon=True)
        thread.start()
        self._running.append((thread, stop))
        return Running(process, thread, stop, events)

    def served(self) -> list[str]:
        """Who is in the newest plan's answer."""
        if not self.store.state.plans:
            return []
        entry = self.store.state.plans[-1].entry((ZONE, WWW))
        return sorted(one.load_balancer for one in entry.members if one.served) if entry else []

    def close(self) -> None:
        for thread, stop in self._running:
            stop.set()
            thread.join(30)
        for balancer in self.balancers.values():
            balancer.kill()
        assert not any(thread.is_alive() for thread, _ in self._running), "a planner does not end"


class Running:
    """A planner at work."""

    def __init__(
        self, process: PlannerProcess, thread: threading.Thread, stop: threading.Event, events: list[Event]
    ) -> None:
        self.process, self.events = process, events
        self._thread, self._stop = thread, stop

    def of(self, event: str) -> list[Mapping[str, Any]]:
        """The facts of all events of that kind."""
        return [facts for kind, facts in list(self.events) if kind == event]

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def eventually(true: Callable[[], object], what: str, within_s: float = 90.0) -> None:
    """Wait for it, looking every few milliseconds. How long is patience with a busy machine, and asserts nothing."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.005)


@contextmanager
def stage(folder: Path, port: int, count: int = 4) -> Iterator[Stage]:
    """A stage that is cleared at the end."""
    standing = Stage(folder, port, count)
    try:
        yield standing
    finally:
        standing.close()
