"""S3 for tests: moto as a process of its own, and a front that loses replies, refuses and delays.

moto looks and writes in two steps; here it serves one request after the other, so that a conditional write is atomic.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from standfast.adapters.stores.s3_bucket import Bucket, Place
from standfast.adapters.stores.s3_catalogue import Catalogue, decode

REGION: Final = "eu-west-1"
PATIENT_S: Final = 20.0
"""Longer than any stand-still of this machine: whose reply is lost hears of it by a connection that is closed."""
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_EC2_METADATA_DISABLED": "true"}
_SERVER: Final = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
print(server.server_port, flush=True)
server.serve_forever()
"""


class MotoS3:
    """A process that speaks S3 on loopback, with versioned buckets made by `bucket`."""

    def __init__(self, log: Path) -> None:
        # CREDENTIALS are of nobody: moto asks no one who they are.
        os.environ.update({key: os.environ.get(key, value) for key, value in CREDENTIALS.items()})
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 3})
        self.client: Any = boto3.client("s3", region_name=REGION, endpoint_url=self.url, config=config)
        self._made = 0

    def bucket(self) -> str:
        """A new bucket, with versioning."""
        self._made += 1
        name = f"plans-{self._made}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def close(self) -> None:
        """Stop it, by its own id."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        self.client.close()


@contextmanager
def moto_s3(folder: Path) -> Iterator[MotoS3]:
    """Running until the end."""
    server = MotoS3(folder / "moto-s3.log")
    try:
        yield server
    finally:
        server.close()


class Room:
    """One bucket with a store's prefix in it: places for stores, and hands on its objects."""

    def __init__(self, moto: MotoS3, url: str = "", prefix: str = "edge/main/") -> None:
        self.moto, self.name, self.prefix = moto, moto.bucket(), prefix
        self.place = Place(self.name, prefix, REGION, url or moto.url, PATIENT_S)

    def bucket(self) -> Bucket:
        """A connection."""
        return Bucket(self.place)

    def keys(self, below: str = "") -> list[str]:
        """What is there, without the prefix."""
        reply = self.moto.client.list_objects_v2(Bucket=self.name, Prefix=self.prefix + below)
        return sorted(str(one["Key"]).removeprefix(self.prefix) for one in reply.get("Contents", ()))

    def read(self, key: str) -> bytes:
        """An object."""
        return bytes(self.moto.client.get_object(Bucket=self.name, Key=self.prefix + key)["Body"].read())

    def put(self, key: str, body: bytes) -> None:
        """Without any condition."""
        self.moto.client.put_object(Bucket=self.name, Key=self.prefix + key, Body=body)

    def delete(self, *keys: str) -> None:
        """As somebody with a console would."""
        for key in keys:
            self.moto.client.delete_object(Bucket=self.name, Key=self.prefix + key)

    def catalogue(self) -> Catalogue:
        """As it stands."""
        return decode(self.read("catalogue"))


Fault = Callable[["Front", "FrontHandler", bytes], bool]
"""May answer in the place of S3; True if it did (or hung up)."""


class FrontHandler(BaseHTTPRequestHandler):
    """One request, forwarded unless a fault has it."""

    protocol_version = "HTTP/1.1"
    server: Front

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.close_connection = True
        try:
            for fault in tuple(self.server.faults):
                if fault(self.server, self, body):
                    return
            self.server.asked.append(f"{self.command} {self.path}")
            self.answer(*self.server.forwarded(self, body))
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """As S3 answered, or in its place."""
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        """An error as S3 words it."""
        body = f"<Error><Code>{code}</Code><Message>as told by the test</Message></Error>".encode()
        self.answer(status, [("Content-Type", "application/xml")], body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Front(ThreadingHTTPServer):
    """Between a store and moto. `faults` are asked in turn, `asked` is what was forwarded."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, moto: MotoS3) -> None:
        super().__init__(("127.0.0.1", 0), FrontHandler)
        self.moto = moto
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def forwarded(self, handler: FrontHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """What moto says."""
        host = self.moto.url.removeprefix("http://")
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
        headers.pop("Expect", None)
        with closing(http.client.HTTPConnection(host, timeout=20)) as connection:  # whatever moto does
            connection.request(handler.command, handler.path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()

    def end(self) -> None:
        """No more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what is tested here."""


def _concerns(handler: FrontHandler, method: str, key: str) -> bool:
    return handler.command == method and key in handler.path


def once(method: str, key: str, act: Callable[[Front, FrontHandler, bytes], None], times: int = 1) -> Fault:
    """The next requests of that method whose path has `key` in it; then no more."""
    left = [times]

    def fault(front: Front, handler: FrontHandler, body: bytes) -> bool:
        if not left[0] or not _concerns(handler, method, key):
            return False
        left[0] -= 1
        act(front, handler, body)
        return True

    return fault


def lose_reply(front: Front, handler: FrontHandler, body: bytes) -> None:
    """It is done, and nobody hears of it."""
    front.forwarded(handler, body)


def lose_request(front: Front, handler: FrontHandler, body: bytes) -> None:
    """It is not done, and nobody hears of it."""


def refusing(status: int, code: str) -> Callable[[Front, FrontHandler, bytes], None]:
    """It is refused so."""
    return lambda front, handler, body: handler.refuse(status, code)


def delaying(seconds: float) -> Callable[[Front, FrontHandler, bytes], None]:
    """Whoever sent it has given up when it arrives."""

    def act(front: Front, handler: FrontHandler, body: bytes) -> None:
        time.sleep(seconds)
        front.forwarded(handler, body)

    return act


def away(front: Front, handler: FrontHandler, body: bytes) -> bool:
    """A fault: nothing gets through."""
    return True
