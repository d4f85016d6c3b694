"""The application: the page, its stream, its files, what can be taken away, and the one thing that can be posted."""

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator
from importlib import resources
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from standfast.config.schema import WebConfig
from standfast.errors import StandfastError
from standfast.runtime.journal import Journal
from standfast.runtime.times import span

from . import incident, lanes, wayout
from .gathering import STALE_S, Gatherer, Look
from .guarding import Guard
from .marks import Marks
from .moments import stamp, stamped, utc
from .page import page, question

STREAMS_MAX: Final = 64
TICK_S: Final = 1.0
CACHED_MAX: Final = 64
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def application(gatherer: Gatherer, web: WebConfig, journal: Journal) -> Starlette:
    """Everything under one roof."""
    site = Site(gatherer)
    routes = [
        Route("/", site.page),
        Route("/live", site.live),
        Route("/static/{name}", site.file),
        Route("/incident.json", site.incident),
        Route("/incident.svg", site.picture),
        Route("/state.nsupdate", site.script),
        Route("/events", Marks(journal).post, methods=["POST"]),
    ]
    handlers = {404: _not_found, 405: _not_found, 500: _failed, Exception: _failed}
    app = Starlette(routes=routes, middleware=[Middleware(Guard, web=web)], exception_handlers=handlers)
    app.state.site = site
    return app


async def _not_found(request: Request, error: Exception) -> Response:
    return PlainTextResponse("There is nothing here. The page is at /.\n", 404)


async def _failed(request: Request, error: Exception) -> Response:
    return PlainTextResponse("This went wrong on our side. `standfast status` says the same in a terminal.\n", 500)


class Site:
    """What is shown. Rendered pages are kept until the next look, for many may watch the same."""

    def __init__(self, gatherer: Gatherer) -> None:
        self._gatherer = gatherer
        self._stopping = threading.Event()
        self._streams = 0
        self._cached: dict[str, str] = {}
        self._cached_of = -1
        folder = resources.files("standfast.web") / "static"
        self._files = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in _TYPES}
        versions = {name: hashlib.sha256(octets).hexdigest()[:12] for name, octets in self._files.items()}
        self._templates = Environment(
            loader=PackageLoader("standfast.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(version=versions, span=span, stamp=stamp, stamped=stamped, utc=utc)

    def stop(self) -> None:
        """End all streams at their next tick."""
        self._stopping.set()

    def page(self, request: Request) -> Response:
        """The page, for whatever moment and name is asked."""
        look = self._gatherer.now()
        if look is None:
            why = self._gatherer.trouble or "The first look is not over yet. Load this again."
            return HTMLResponse(self._templates.get_template("nothing.html").render(why=why), 503)
        asked = question(request.query_params)
        shown = self._known(look, str(request.url.query))
        if shown is None:
            shown = self._templates.get_template("page.html").render(page=page(self._gatherer, look, asked))
            if self._gatherer.age_s < STALE_S and len(self._cached) < CACHED_MAX:
                self._cached[str(request.url.query)] = shown
        return HTMLResponse(shown, headers={"x-look": str(look.number)})

    def _known(self, look: Look, query: str) -> str | None:
        if look.number != self._cached_of:
            self._cached_of, self._cached = look.number, {}
        return self._cached.get(query) if self._gatherer.age_s < STALE_S else None

    async def live(self, request: Request) -> Response:
        """Server-sent events (HTML standard §9.2): each second the number and the age of the newest look."""
        if self._streams >= STREAMS_MAX:
            return PlainTextResponse(f"{STREAMS_MAX} are watching already. Load the page by hand.\n", 503)
        return StreamingResponse(self._ticks(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def _ticks(self) -> AsyncIterator[str]:
        self._streams += 1
        try:
            yield "retry: 2000\n\n"
            while not self._stopping.is_set():
                gatherer = self._gatherer
                gatherer.wanted()
                stale = gatherer.age_s > max(STALE_S, 5 * gatherer.look_s)
                told = {"look": gatherer.number, "age": round(min(gatherer.age_s, 1e9), 1), "stale": stale}
                yield f"event: tick\ndata: {json.dumps(told)}\n\n"
                await asyncio.sleep(TICK_S)
        finally:
            self._streams -= 1

    async def file(self, request: Request) -> Response:
        """Style, script and icon; their addresses change with their contents."""
        name = str(request.path_params["name"])
        if name not in self._files:
            return await _not_found(request, KeyError(name))
        kind = _TYPES[name.rpartition(".")[2]]
        headers = {"cache-control": "public, max-age=31536000, immutable"} if request.query_params.get("v") else None
        return Response(self._files[name], media_type=kind, headers=headers)

    def incident(self, request: Request) -> Response:
        """Everything that is remembered of a span of time."""
        look, (start, end) = self._span(request)
        if look is None:
            return PlainTextResponse("Nothing was seen yet.\n", 503)
        headers = {"content-disposition": f'attachment; filename="incident-{_name(start)}.json"'}
        return JSONResponse(incident.report(self._gatherer, look, start, end), headers=headers)

    def picture(self, request: Request) -> Response:
        """The lanes of that span."""
        look, (start, end) = self._span(request)
        if look is None:
            return PlainTextResponse("Nothing was seen yet.\n", 503)
        headers = {"content-disposition": f'attachment; filename="incident-{_name(start)}.svg"'}
        return Response(incident.drawing(look, start, end), media_type="image/svg+xml", headers=headers)

    def script(self, request: Request) -> Response:
        """This state for nsupdate; with `at` that of then."""
        now = look = self._gatherer.now()
        asked = question(request.query_params)
        try:
            if look is not None and asked.at is not None:
                look = self._gatherer.then(look, asked.at)
        except StandfastError as error:
            return PlainTextResponse(f"{error}\n", 503)
        plan = look.seen.store.plan if look else None
        if now is None or plan is None:
            return PlainTextResponse("; No plan is known.\n", 503)
        return PlainTextResponse(wayout.nsupdate(plan, self._gatherer.config, now.seen.endpoints, now.seen.at))

    def _span(self, request: Request) -> tuple[Look | None, tuple[float, float]]:
        look = self._gatherer.now()
        asked = question(request.query_params)
        at = look.seen.at if look else 0.0
        return look, lanes.bounds(asked.start, asked.end, at, asked.at)


def _name(at: float) -> str:
    return utc(at).replace(" ", "-").replace(":", "")[:17]
