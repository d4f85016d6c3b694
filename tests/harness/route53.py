"""The Route 53 stand-in under test: a process of its own, asked with an unmodified boto3, stopped by its pid."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from harness import leash
from harness.ports import HOST, free_port

STOP_SECONDS = 30.0
ACCESS_KEY, SECRET_KEY = "AKIASTANDFASTTEST001", "test-secret"


class Route53:
    """One running stand-in."""

    def __init__(self, process: subprocess.Popen[str], where: Mapping[str, Any]) -> None:
        self.process = process
        self.endpoint: str = where["endpoint"]
        self._clients: dict[tuple[str, str, str | None, str], Any] = {}
        self.orders: str = where["orders"]
        self.dns: list[tuple[str, int]] = [
            (host, int(port)) for host, _, port in (one.rpartition(":") for one in where["dns"])
        ]

    def environment(self, access_key: str = ACCESS_KEY, secret: str = SECRET_KEY) -> dict[str, str]:
        """What makes an SDK or a child process use this stand-in."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(
        self, access_key: str = ACCESS_KEY, secret: str = SECRET_KEY, token: str | None = None, service: str = "route53"
    ) -> Any:
        """An unmodified boto3 client of it that sends each request once; the same for the same credentials."""
        key = (access_key, secret, token, service)
        if key not in self._clients:
            self._clients[key] = self._client(*key)
        return self._clients[key]

    def _client(self, access_key: str, secret: str, token: str | None, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}, read_timeout=30),
        )

    def order(self, verb: str, **arguments: object) -> Any:
        """Give the laboratory's order; RuntimeError with what it objects to."""
        body = json.dumps({"do": verb, **arguments}).encode()
        request = urllib.request.Request(self.orders, data=body, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
                return json.load(reply)["ok"]
        except urllib.error.HTTPError as wrong:
            with wrong:
                raise RuntimeError(json.load(wrong)["error"]) from None

    def counts(self) -> dict[str, int]:
        """How often each operation has been asked."""
        counted: dict[str, int] = self.order("counts")["operations"]
        return counted

    def zone(self, name: str) -> str:
        """A new hosted zone's id, without its prefix."""
        made = self.client().create_hosted_zone(Name=name, CallerReference=f"{name}-{len(self.counts())}-{free_port()}")
        return str(made["HostedZone"]["Id"]).rpartition("/")[2]

    def stop(self) -> None:
        """SIGTERM to the process started, and wait for its end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        if self.process.stdout:
            self.process.stdout.close()


def start(*options: str, servers: int = 1, port: int | None = None) -> Route53:
    """Start a stand-in with so many DNS servers; options are those of `python -m standfast.laboratory.route53`."""
    dns = [one for _ in range(servers) for one in ("--dns", f"{HOST}:{free_port()}")]
    command = [
        sys.executable,
        "-m",
        "standfast.laboratory.route53",
        "--listen",
        f"{HOST}:{port or free_port()}",
        *dns,
        *options,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    leash.tie(process.pid)
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        process.wait(STOP_SECONDS)
        process.stdout.close()
        raise RuntimeError(f"the stand-in did not start: {' '.join(command)}")
    return Route53(process, json.loads(line))


@contextmanager
def running(*options: str, servers: int = 1, port: int | None = None) -> Iterator[Route53]:
    """A stand-in for the length of a `with`."""
    one = start(*options, servers=servers, port=port)
    try:
        yield one
    finally:
        one.stop()
