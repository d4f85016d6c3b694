"""The role `registry`: a server, a clock, and a hand that writes; until it is told to stop."""

import asyncio
import gc
import resource
import secrets
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import uvicorn
from msgspec.structs import replace
from starlette.applications import Starlette

from standfast.config import RegistryConfig
from standfast.errors import StandfastError
from standfast.model.lease import RegisterHead

from ..journal import Journal
from ..latestore import LateStore
from ..place import Place, prefixes_of
from ..presence import Presence
from .application import application
from .desk import CONFIRMED_S, PATIENCE_S, Denied, Desk
from .door import protocol
from .keeping import Batch
from .listening import Listener, listening
from .looping import BriefRounds, Sweeps, frugal_tls, swept_by_hand
from .pages import Opened, Pages, Replaced, Trouble

TICK_S: Final = 1.0
LATELY_TICKS: Final = 11
BEAT_S: Final = 2.0
GATHER_S: Final = 0.05
"""So long a batch waits for more."""
MEASURE_S: Final = 0.25
SWITCH_S: Final = 0.0005
KEEP_ALIVE_S: Final = int(PATIENCE_S)
HEAD_OCTETS_MAX: Final = 16 << 10
FILES_SPARE: Final = 128
"""Open files that are no connections: the plan store, the journal, libraries."""
T = TypeVar("T")


class RegistryProcess:
    """One registry. `run` returns when `stop` is set. Raises StandfastError if it cannot listen, or is replaced."""

    def __init__(self, who: str, place: Place, journal: Journal, presence: Presence) -> None:
        config = place.config.registry
        if config is None:
            raise StandfastError(
                f"{place.config.file} has no section registry.", "Add `registry: {keys: {agents: file:agents.key}}`."
            )
        prefixes = prefixes_of(place.config)
        everywhere = len(prefixes) == len(place.config.zones)
        networks = sorted({text for _, some in prefixes for text in some}) if everywhere else []
        self.desk = Desk(who, config, tuple(networks), TICK_S)
        self._who, self._place, self._config = who, place, config
        self._journal, self._presence = journal, presence
        self._store: LateStore | None = None
        self._pages: Pages | None = None
        self._hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leases")
        self._ready = False
        self._trouble = ""
        self._selector = BriefRounds()
        self.desk.waited_s = self._selector.waited_s
        self.desk.came_at, self.desk.joined_at = self._selector.came_at, self._selector.joined_at
        self.desk.turning_away = lambda: self._selector.turning_away
        self._selector.room = lambda: self.desk.room()
        self._looked_at = float("-inf")
        self._told = ""
        self._lately: deque[tuple[float, int]] = deque(maxlen=LATELY_TICKS)
        self._crowd_told = False
        self._refused = self._crowded = 0
        self._replaced = False
        self._failure: Exception | None = None
        self._instance = secrets.token_hex(8)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set."""
        listener = listening(self._config, self.desk.turned_away)
        # The hand that writes must not wait 5 ms for its turn at each statement while the loop is busy.
        sys.setswitchinterval(SWITCH_S)
        # uvicorn takes the signals if it runs in the main thread; ours are taken already
        thread = threading.Thread(target=self._serve, args=(listener, stop), name="registry")
        thread.start()
        try:
            thread.join()
        finally:
            listener.close()
            self._hand.shutdown()
            self._journal.write("stopped")
            self._journal.close()
        if self._failure is not None:
            raise self._failure
        if self._replaced:
            message = f"Another process is registry {self._who} now."
            raise StandfastError(message, "Stop one of them, or give this one another name: --name NAME.")

    def _serve(self, listener: Listener, stop: threading.Event) -> None:
        try:
            loop = asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(self._selector))
            with swept_by_hand(), frugal_tls(), loop as runner:
                runner.run(self._main(listener, stop))
        except Exception as error:
            self._failure = error

    async def _main(self, listener: Listener, stop: threading.Event) -> None:
        server = uvicorn.Server(_settings(application(self.desk), self.desk, self._config))
        where = f"{self._config.host}:{listener.getsockname()[1]}"
        self._journal.write("started", stream=self._place.config.stream, listen=where)
        self.desk.connections = self._connections()
        listener.most = self.desk.connections + FILES_SPARE // 2
        serving = asyncio.create_task(server.serve([listener]))
        keeping = [asyncio.create_task(one) for one in (self._writing(), self._ticking(where))]
        measuring = asyncio.create_task(self._measuring())
        try:
            working = [serving, measuring, *keeping]
            while not stop.is_set() and not self._replaced and not any(task.done() for task in working):
                await asyncio.sleep(0.05)
        finally:
            server.should_exit = True
            await asyncio.wait([serving], timeout=5.0)
            for task in (*keeping, measuring):
                task.cancel()
            ended = await asyncio.gather(*keeping, measuring, return_exceptions=True)
            try:
                await self._write()
            finally:
                await self._in_hand(self._let_go)
        # A registry that writes or counts no more is none: it ends, and says why.
        for error in (outcome for outcome in ended if isinstance(outcome, Exception)):
            raise error

    # -- time ------------------------------------------------------------------------------------------------------

    async def _ticking(self, where: str) -> None:
        beaten, due = 0.0, time.monotonic()
        while True:
            now = time.monotonic()
            desk = self.desk
            refused, self._refused = desk.admission.refused > self._refused, desk.admission.refused
            away = "" if not self._ready else desk.shut
            why = self._trouble or away or ("it had to turn some away" if refused else "")
            for lease in desk.keeping.tick(now, why):
                text = f"it did not renew for {desk.keeping.book.term_s:.0f} s"
                desk.tell("lease_ended", load_balancer=lease.holder, why=text)
            desk.repaced()
            self._lately.append((now, desk.admission.admitted))
            self._tell_reach()
            self._tell_crowd()
            if desk.keeping.dirty or now - beaten >= BEAT_S:
                beaten = now
                desk.wake.set()
            self._presence.beat(
                listen=where, held=len(desk.keeping.book), heard=desk.keeping.book.heard,
                rate=round(desk.pace.best, 1), per_s=self._per_s(), backlog=desk.backlog,
                admitted=desk.admission.admitted, refused=desk.admission.refused,
                why=desk.shut or desk.keeping.book.reach.why, troubles=[self._trouble] if self._trouble else [],
            )  # fmt: skip
            due = max(due + TICK_S, time.monotonic() + TICK_S / 2)
            await asyncio.sleep(due - time.monotonic())

    async def _measuring(self) -> None:
        """What can be done in a second: what was done, by the time in which there was something to do."""
        told, idle = time.monotonic(), self._selector.idle_s
        sweeps = Sweeps(told)
        while True:
            await asyncio.sleep(MEASURE_S)
            now = time.monotonic()
            rested = self._selector.idle_s - idle
            self.desk.worked(now - told - rested)
            if sweeps.due(now, rested / (now - told)):
                gc.collect()
            told, idle = now, self._selector.idle_s

    def _per_s(self) -> float:
        """Requests admitted a second, over the last ten."""
        if len(self._lately) < 2:
            return 0.0
        (first, before), (last, now) = self._lately[0], self._lately[-1]
        return round((now - before) / max(last - first, TICK_S), 1)

    def _connections(self) -> int:
        """How many may be open: what is configured, as far as this process may open files."""
        wanted = self._config.connections
        files = files_for(wanted + FILES_SPARE)
        if files >= wanted + FILES_SPARE:
            return wanted
        there = max(1, files - FILES_SPARE)
        text = f"{there} connections at once instead of {wanted}: this process may open {files} files"
        self._journal.write("notice", kind="connections", why=f"{text}. Raise LimitNOFILE= or `ulimit -n`")
        return there

    def _tell_crowd(self) -> None:
        """Once while connections are turned away."""
        crowded, self._crowded = self.desk.crowded > self._crowded, self.desk.crowded
        if crowded == self._crowd_told:
            return
        self._crowd_told = crowded
        text = f"all {self.desk.connections} connections are taken, more are turned away: raise registry.connections"
        self._journal.write("notice", kind="connections", why=text if crowded else "there are connections free again")

    def _tell_reach(self) -> None:
        """Once when ages stop counting, and once when they count again."""
        why = self.desk.keeping.book.reach.why
        why = "" if why == "it had to turn some away" else why
        if why != self._told:
            self._told = why
            text = f"leases don't age: {why}" if why else "leases age again"
            self._journal.write("notice", kind="leases", why=text)

    # -- what is written -------------------------------------------------------------------------------------------

    async def _writing(self) -> None:
        while True:
            await self.desk.wake.wait()
            self.desk.wake.clear()
            await asyncio.sleep(GATHER_S)
            await self._write()

    async def _write(self) -> None:
        desk = self.desk
        waiting, began = desk.waiting(), time.monotonic()
        look = began - self._looked_at >= BEAT_S
        try:
            if not self._ready:
                await self._open()
            batch = desk.keeping.batch()
            try:
                others = await self._in_hand(self._put, batch, self._head(), look)
            except BaseException:
                desk.keeping.unkept(batch)
                raise
        except Trouble as trouble:
            self._unkept(str(trouble), waiting)
            return
        except Replaced:
            self._unkept("another process is this registry", waiting)
            self._replaced = True
            return
        desk.keeping.kept(batch)
        desk.confirmed_at, self._trouble = began, ""  # what it was told may be as old as that
        self._looked_at = began if look else self._looked_at
        desk.closed = ""
        if waiting:
            desk.batch_took(time.monotonic() - began + GATHER_S)
        for holder, other in desk.keeping.yielded(others, self._who):
            desk.tell("lease_ended", load_balancer=holder, why=f"registry {other} holds it now")
        for one in waiting:
            if not one.done():
                one.set_result(None)
        news, desk.news = desk.news, []
        by_event: dict[str, list[dict[str, object]]] = {}
        for event, facts in news:
            by_event.setdefault(event, []).append(facts)
        for event, some in by_event.items():
            self._journal.write_all(event, some)

    def _unkept(self, why: str, waiting: "list[asyncio.Future[None]]") -> None:
        self._trouble = why
        if time.monotonic() - self.desk.confirmed_at > CONFIRMED_S or not self._ready:
            self.desk.closed = why
        for one in waiting:
            if not one.done():
                one.set_exception(Denied(503, f"The lease can't be kept now: {why}.", "Come again.", 5.0))

    async def _open(self) -> None:
        opened, others = await self._in_hand(self._read)
        keeping = self.desk.keeping
        keeping.restore(opened.pages)
        keeping.yielded(others, self._who)
        if opened.rate > 0:
            self.desk.pace.rate = self.desk.pace.best = opened.rate
        keeping.moved = opened.moved
        self.desk.repaced()
        self._ready = True

    def _head(self) -> RegisterHead:
        book = self.desk.keeping.book
        assert self._pages is not None
        return replace(
            self._pages.head(self.desk.keeping.pages, self.desk.keeping.moved),
            rate=round(self.desk.pace.best, 1), held=len(book), heard=book.heard, at=time.time(),
            why=self.desk.closed or book.reach.why, listen=f"{self._config.host}:{self._config.port}",
            admitted=self._per_s(), backlog=self.desk.backlog,
        )  # fmt: skip

    # -- in the thread of the store --------------------------------------------------------------------------------

    async def _in_hand(self, what: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hand, what, *args)

    def _read(self) -> tuple[Opened, dict[str, dict[str, int]]]:
        if self._pages is None:
            self._store = self._place.late_store()
            self._pages = Pages(self._store, self._who, self._instance)
        return self._pages.open(), self._pages.others()

    def _put(self, batch: Batch, head: RegisterHead, look: bool) -> dict[str, dict[str, int]]:
        assert self._pages is not None
        self._pages.write(batch.pages, head)
        return self._pages.others() if look else {}

    def _let_go(self) -> None:
        if self._store is not None:
            self._store.close()


def files_for(wanted: int) -> int:
    """How many files this process may open; the soft limit is raised as far as wanted and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (sys.maxsize if one == resource.RLIM_INFINITY else one for one in (soft, hard))
    if soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard if hard != sys.maxsize else -1))
    except (OSError, ValueError):
        return soft
    return min(wanted, hard)


def _settings(app: Starlette, desk: Desk, config: RegistryConfig) -> uvicorn.Config:
    found = uvicorn.Config(
        app,
        http=protocol(desk),  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=HEAD_OCTETS_MAX,
        ssl_certfile=config.certificate,
        ssl_keyfile=config.key,
    )
    try:
        found.load()
    except (ssl.SSLError, OSError, ValueError) as error:
        message = f"certificate and key of the registry don't fit: {error}."
        raise StandfastError(message, "Give a PEM pair.") from None
    return found
