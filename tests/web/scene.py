"""Scenes for the page: a stream in a folder as some incident leaves it, and the page of it served in this process."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from cli.stage import DOWN, UP, Stage
from harness.ports import HOST, free_port
from standfast.config.schema import WebConfig
from standfast.model.fleet import Verdict
from standfast.runtime.journal import Journal
from standfast.runtime.pulses import KEPT, Pulses
from standfast.web.app import application
from standfast.web.gathering import Gatherer
from standfast.web.serving import settings

LOAD_BALANCERS = "".join(
    f'  lb-{az}{n}: {{az: {az}, ip: [192.0.2.{10 * place + n}, "2001:db8:{az}::{n}"]}}\n'
    for place, az in enumerate("abc", start=1)
    for n in (1, 2)
)
ENDPOINTS = "  www: {}\n  api: {ttl: 30}\n  static: {}\n  login: {azs: [a, c]}\n"
REFUSED = Verdict("down", "failed 3 checks in a row: port 443 connection refused", 2)


class Scene:
    """A stage with what the page shows besides: journal lines at chosen moments, checks, signs of life."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.pulses = Pulses()
        self.folder = stage.place.journal

    def setting(self, endpoints: str = ENDPOINTS) -> Scene:
        """Six load balancers in three AZs, and some names."""
        self.stage.configure(LOAD_BALANCERS, endpoints)
        return self

    def line(self, at: float, role: str, who: str, event: str, **facts: Any) -> None:
        """A journal line of then."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"
        told = {"v": 2, "at": stamp, "role": role, "who": who, "event": event, **facts}
        with (self.folder / f"{role}-{who}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")

    def checks(self, **failures: int) -> None:
        """The last checks of everybody; `lb_b1=9`: the last nine failed."""
        for one in self.stage.fleet.load_balancers:
            bad = failures.get(one.id.replace("-", "_"), 0)
            for number in range(KEPT):
                passed = number < KEPT - bad
                self.pulses.heard(one.id, passed, 0.011 + 0.001 * (number % 3), "" if passed else "connection refused")

    def alive(self, **planner: Any) -> None:
        """Everybody shows a sign of life, now."""
        sources = {"fleet": {"read_s": 0.4, "why": ""}}
        self.stage.beat("planner", pulses=self.pulses.facts(), sources=sources, speaking=True, **planner)
        self.stage.beat("enactor")
        self.stage.beat("cleaner")

    @contextmanager
    def living(self, **planner: Any) -> Iterator[None]:
        """Everybody shows signs of life as long as this lasts."""
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(0.5):
                self.alive(**planner)

        self.alive(**planner)
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def az_lost(self) -> None:
        """AZ b goes, half at once and the rest later; everything is handled. Needs an enactor to be seen as such."""
        now = self.stage.now
        self.line(now - 9000, "operator", "bob@ops1", "operator", stage="published", action="drain", by="bob@ops1",
                  names=["lb-c2"], what="bob@ops1 drain lb-c2", why="kernel")  # fmt: skip
        self.line(now - 3600, "web", "ops1", "deploy", what="web 7f3a", by="ci", ref="")
        self.checks(lb_b1=11, lb_b2=9)
        for name, after in (("lb-b1", 3.0), ("lb-b2", 4.0)):
            self.line(now + after, "planner", "ops1", "verdict", load_balancer=name, state="down", was="up",
                      reason=REFUSED.reason)  # fmt: skip
        for one in ("lb-a1", "lb-a2", "lb-c1", "lb-c2"):
            self.line(now - 9900, "planner", "ops1", "verdict", load_balancer=one, state="up", was="unknown",
                      reason="6 checks passed")  # fmt: skip
        self.planned(self.stage.publish(after_s=5, lb_b1=REFUSED).generation, "lb-b1")
        plan = self.stage.publish(after_s=700, lb_b1=REFUSED, lb_b2=REFUSED)
        self.planned(plan.generation, "lb-b2")

    def planned(self, generation: int, left: str) -> None:
        """The planner's line about it."""
        names = [f"{name}.lb.example.com" for name in ("www", "api", "static")]
        changes = [{"zone": "lb.example.com", "name": name, "added": [], "removed": [left]} for name in names]
        self.line(self.stage.now, "planner", "ops1", "planned", generation=generation, changes=changes, author="ops1")


class Served:
    """The page at `url`; `stop` ends the server, as a crash would."""

    def __init__(self, gatherer: Gatherer, web: WebConfig, journal: Journal) -> None:
        self.gatherer = gatherer
        self.url = f"http://{HOST}:{web.port}/"
        self._app = application(gatherer, web, journal)
        self._server = uvicorn.Server(settings(self._app, web))
        self._listener = socket.create_server((HOST, web.port))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self._thread.start()
        end = time.monotonic() + 60
        while not self._server.started:
            assert time.monotonic() < end
            time.sleep(0.01)

    def get(self, query: str = "", **headers: str) -> httpx.Response:
        """Ask for it."""
        return httpx.get(self.url + query, headers=headers, timeout=60)

    def renewed(self, looks: int = 1) -> None:
        """Wait for so many new looks."""
        number, end = self.gatherer.number, time.monotonic() + 60
        while self.gatherer.number < number + looks:
            self.gatherer.wanted()
            assert time.monotonic() < end, self.gatherer.trouble
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, not the gatherer."""
        self._app.state.site.stop()
        self._server.should_exit = True
        self._thread.join(60)


@contextmanager
def served(stage: Stage, wall: Callable[[], float] = time.time, **web: Any) -> Iterator[Served]:
    """Gatherer and server, both in this process."""
    gatherer = Gatherer(stage.config, wall)
    gatherer.start()
    journal = Journal(stage.place.journal, "web", "ops1")
    try:
        one = Served(gatherer, WebConfig(HOST, free_port(), **web), journal)
        try:
            yield one
        finally:
            one.stop()
    finally:
        gatherer.close()
        journal.close()


__all__ = ["DOWN", "UP", "Path", "Scene", "Served", "served"]
