"""A process of the region: it asks one thing at a time, may be paused and killed, and lives by its machine's clock.

What a process does is a generator that yields requests and is sent the replies. The driver decides nothing; whoever
kills the process drops the generator, and with it everything that was not on disk.
"""

import random
from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeAlias

from .clock import Clock
from .depot import Depot
from .judge import Judge
from .loop import Act, Loop
from .server import Server

Script: TypeAlias = Generator[Any, Any, None]


class Surroundings(Protocol):
    """What a process needs of the region it runs in."""

    @property
    def loop(self) -> Loop:
        """Virtual time."""

    @property
    def servers(self) -> Mapping[str, Server]:
        """One a zone."""

    @property
    def depot(self) -> Depot:
        """The plan store."""

    @property
    def in_company(self) -> bool:
        """Whether two planners are alive."""

    @property
    def calm(self) -> bool:
        """Whether nothing befalls anybody."""

    @property
    def judge(self) -> Judge:
        """Who checks what processes do and say."""

    def perform(self, process: "Process", request: Any, heard: Callable[[Any], None]) -> None:
        """See to it that the process hears the reply, at some later moment or never."""

    def fired(self, kind: str) -> None:
        """A fault had an effect."""

    def note(self, actor: str, text: str) -> None:
        """Something happened: it goes into the trace."""


class Process:
    """One process. `life` counts its lives, so that nothing of an earlier one is heard in a later.

    While `busy` it waits for a reply; what else happens meanwhile is seen to when it comes to rest.
    """

    def __init__(self, region: Surroundings, name: str, seed: int) -> None:
        self.region, self.name = region, name
        self.clock = Clock()
        self.draw = random.Random(f"{seed} {name}")
        self.alive = self.busy = False
        self.life = 0
        self.resumes_at = 0.0
        self._script: Script | None = None
        self._rung = 0

    @property
    def monotonic(self) -> float:
        """This machine's monotonic clock, in seconds."""
        return self.clock.monotonic(self.region.loop.now)

    @property
    def wall(self) -> float:
        """This machine's wall clock, in seconds since the epoch."""
        return self.clock.wall(self.region.loop.now)

    def start(self) -> None:
        """A new life, with nothing but what is on disk."""
        self.life += 1
        self.alive, self.busy, self.resumes_at = True, False, 0.0
        self.region.note(self.name, "starts")
        self.born()

    def kill(self) -> None:
        """At any moment. What it has sent may still arrive."""
        self.life += 1
        self.alive = self.busy = False
        self._script = None
        self.region.note(self.name, "is killed")

    def pause(self, until: float) -> None:
        """It stands still; what it has sent goes on."""
        self.resumes_at = max(self.resumes_at, until)

    def born(self) -> None:
        """What it does first."""
        raise NotImplementedError

    def rested(self) -> None:
        """It has come to rest: when to do what next."""
        raise NotImplementedError

    def after(self, seconds: float, act: Act) -> None:
        """Something this process does later, if it is still the same life, and when it is not paused."""
        self.at(self.region.loop.now + seconds, self.life, act)

    def at(self, when: float, life: int, act: Act) -> None:
        """The same, at a moment, for a life that may be over."""

        def go() -> None:
            if life != self.life:
                return
            if self.region.loop.now < self.resumes_at:
                self.region.fired("pause")
                self.at(self.resumes_at, life, act)
                return
            act()

        self.region.loop.at(when, go)

    def ring(self, when: float, act: Act) -> None:
        """The one alarm: a later call takes the place of an earlier one. It rings only while the process rests."""
        self._rung += 1
        mine = self._rung

        def rung() -> None:
            if mine == self._rung and not self.busy:
                act()

        self.at(when, self.life, rung)

    def play(self, script: Script) -> None:
        """Do this, from request to reply to request, until it comes to rest."""
        self.busy, self._script = True, script
        self._go_on(None)

    def _go_on(self, reply: Any) -> None:
        script = self._script
        if script is None:
            raise AssertionError(f"{self.name} hears a reply and asked nothing")
        try:
            request = script.send(reply)
        except StopIteration:
            self.busy, self._script = False, None
            self.rested()
            return
        self.region.perform(self, request, self._go_on)
