"""The role `web`: one process that serves the page until it is told to stop."""

import os
import socket
import ssl
import threading
import time
from typing import Final

import uvicorn
from starlette.applications import Starlette

from standfast.config.schema import WebConfig
from standfast.errors import StandfastError
from standfast.runtime.journal import Journal
from standfast.runtime.place import Place
from standfast.runtime.presence import Presence

from .app import application
from .gathering import Gatherer

HEAD_OCTETS_MAX: Final = 16 << 10
CONNECTIONS_MAX: Final = 256
BEAT_S: Final = 1.0


def serve_page(place: Place, journal: Journal, presence: Presence, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises StandfastError if it cannot listen."""
    web = place.config.web
    if web is None:
        raise StandfastError(f"{place.config.file} has no section web.", "Add `web: {}`: it listens at 127.0.0.1:8053.")
    os.environ["TZ"] = "UTC"  # the sentences of the page name UTC, whatever this machine's own time zone is
    time.tzset()
    gatherer = Gatherer(place.config)
    app = application(gatherer, web, journal)
    server = uvicorn.Server(settings(app, web))
    listener = _listener(web)
    gatherer.start()
    # uvicorn takes the signals if it runs in the main thread; ours are taken already
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="serving", daemon=True)
    thread.start()
    journal.write("started", stream=place.config.stream, listen=f"{web.host}:{web.port}")
    try:
        while not stop.is_set() and thread.is_alive():
            presence.beat(listen=f"{web.host}:{web.port}")
            stop.wait(BEAT_S)
    finally:
        app.state.site.stop()
        server.should_exit = True
        thread.join(5.0)
        listener.close()  # after a reload somebody else of ours may want the port
        gatherer.close()
        journal.write("stopped")
        journal.close()
    presence.leave()


def _listener(web: WebConfig) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
        return socket.create_server((web.host, web.port), family=family, backlog=128)
    except OSError as error:
        message = f"The page can't be served at {web.host}:{web.port}: {error.strerror}."
        raise StandfastError(message, "Stop what listens there, or give another web: listen.") from None


def settings(app: Starlette, web: WebConfig) -> uvicorn.Config:
    """How the server is run: bounded, silent, and for this page alone. Raises StandfastError."""
    found = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        proxy_headers=False,
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=HEAD_OCTETS_MAX,
        ssl_certfile=web.certificate,
        ssl_keyfile=web.key,
    )
    try:
        found.load()
    except (ssl.SSLError, OSError, ValueError) as error:
        raise StandfastError(f"certificate and key of the page don't fit: {error}.", "Give a PEM pair.") from None
    return found
