"""Each kind of source with the world behind it, for the kit: load balancers by number, and faults by name."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3
import httpx
from moto.server import ThreadedMotoServer

from harness.cluster_api import ClusterApi, gateway, node, service
from harness.hostile import FAULTS, Handler, HostileServer
from standfast.adapters.sources import FleetSeen, FleetSource, FleetUnknown, Sighting
from standfast.adapters.sources.kubernetes import KubernetesFleet
from standfast.adapters.sources.opening import opened
from standfast.config import (
    AwsSource,
    FileSource,
    HttpSource,
    KubernetesSource,
    LoadBalancerConfig,
    PluginSource,
    SecretReference,
    SourceConfig,
)

TIMEOUT_S = 0.5


class Subject(Protocol):
    """A source and its world. `identity(n)` is the id of load balancer n, whose address is 192.0.2.n."""

    @property
    def config(self) -> SourceConfig: ...
    @property
    def faults(self) -> tuple[str, ...]: ...
    def identity(self, number: int) -> str: ...
    def put(self, *numbers: int) -> None: ...
    def fault(self, fault: str) -> None: ...
    def open(self, source: SourceConfig) -> FleetSource: ...
    def end(self) -> None: ...


class OfFile:
    """A file, replaced as editors do."""

    faults = ("html", "nothing", "truncated", "huge", "away", "twice")

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fleet.yaml"
        self.config = FileSource("file", self.path)
        self._text, self._fault = "", ""

    def identity(self, number: int) -> str:
        return f"lb-{number}"

    def put(self, *numbers: int) -> None:
        lines = [f"  lb-{n}: {{az: a, ip: [192.0.2.{n}]}}" for n in numbers]
        head = "\n".join(["load_balancers:", *lines]) if lines else "load_balancers: {}"
        self._text = f"{head}\ncount: {len(numbers)}\n"
        self.fault(self._fault)

    def fault(self, fault: str) -> None:
        self._fault = fault
        if fault == "away":
            self.path.unlink(missing_ok=True)
            return
        texts = {
            "html": "<html><body>Please log in.</body></html>",
            "nothing": "",
            "truncated": self._text[: len(self._text) // 2],
            "huge": "#" * (5 * 1024 * 1024),
            "twice": self._text.replace("count", "  lb-1: {az: a, ip: [192.0.2.99]}\ncount"),
        }
        draft = self.path.with_suffix(".draft")
        draft.write_text(texts.get(fault, self._text))
        draft.replace(self.path)

    def open(self, source: SourceConfig) -> FleetSource:
        return opened(source)

    def end(self) -> None:
        """Nothing runs."""


class OfHttp:
    """A JSON document with an ETag, behind a token."""

    faults = (*FAULTS, "twice", "no count", "wrong type")

    def __init__(self, folder: Path) -> None:
        self.server = HostileServer(self._answer, "application/json")
        (folder / "token").write_text("Bearer letmein\n")
        secret = SecretReference("file:token", folder)
        url = f"{self.server.url}/fleet"
        self.config = HttpSource("http", url, (("Authorization", secret),), None, 0.2, TIMEOUT_S)
        self.unchanged = 0
        self._body, self._tag, self._fault = b"", 0, ""

    def identity(self, number: int) -> str:
        return f"lb-{number}"

    def put(self, *numbers: int) -> None:
        some = {f"lb-{n}": {"az": "a", "ip": [f"192.0.2.{n}"], "capacity": 50} for n in numbers}
        self._body, self._tag = json.dumps({"count": len(numbers), "load_balancers": some}).encode(), self._tag + 1

    def fault(self, fault: str) -> None:
        self._fault = fault
        self.server.misbehaving(fault if fault in FAULTS else "")

    def _answer(self, handler: Handler, _: bytes) -> None:
        bodies = {
            "twice": self._body.replace(b'"load_balancers": {', b'"load_balancers": {"lb-1": {}, '),
            "no count": self._body.replace(b'"count"', b'"counted"'),
            "wrong type": b"[1, 2, 3]",
        }
        if handler.headers.get("authorization") != "Bearer letmein":
            handler.reply(401, "application/json", b"{}")
        elif handler.headers.get("if-none-match") == f'"{self._tag}"' and not self._fault:
            self.unchanged += 1
            handler.reply(304, "application/json", b"")
        else:
            handler.reply(200, "application/json", bodies.get(self._fault, self._body), ETag=f'"{self._tag}"')

    def open(self, source: SourceConfig) -> FleetSource:
        return opened(source)

    def end(self) -> None:
        self.server.end()


class OfAws:
    """moto's ELBv2 behind a front that misbehaves, and that adds what moto leaves out: LoadBalancerAddresses."""

    faults = FAULTS

    def __init__(self, moto: str) -> None:
        self._moto = moto
        httpx.post(f"{moto}/moto-api/reset")
        self.server = HostileServer(self._answer, "text/xml")
        self.config = AwsSource(
            "aws", "eu-west-1", tags=(("role", "edge"),), endpoint=self.server.url, every_s=0.2, timeout_s=TIMEOUT_S * 2
        )
        self.addresses: dict[str, str] = {}
        self.elb, ec2 = (
            boto3.client(
                name,
                endpoint_url=moto,
                region_name="eu-west-1",
                aws_access_key_id="x",
                aws_secret_access_key="y",  # noqa: S106 - of moto
            )
            for name in ("elbv2", "ec2")
        )
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self._subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="eu-west-1a")
        self.arns: dict[int, str] = {}

    def identity(self, number: int) -> str:
        return f"edge-{number}.eu-west-1a"

    def create(self, name: str, *, kind: str = "network", role: str = "edge", **more: Any) -> str:
        made = self.elb.create_load_balancer(
            Name=name, Type=kind, Subnets=[self._subnet["Subnet"]["SubnetId"]],
            Tags=[{"Key": "role", "Value": role}, *({"Key": k, "Value": v} for k, v in more.items())],
        )  # fmt: skip
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def put(self, *numbers: int) -> None:
        for number in sorted(self.arns.keys() - set(numbers)):
            self.elb.delete_load_balancer(LoadBalancerArn=self.arns.pop(number))
        for number in numbers:
            if number not in self.arns:
                self.addresses[f"edge-{number}"] = f"192.0.2.{number}"
                self.arns[number] = self.create(f"edge-{number}")

    def fault(self, fault: str) -> None:
        self.server.misbehaving(fault)

    def _answer(self, handler: Handler, body: bytes) -> None:
        kept = {
            k: v for k, v in handler.headers.items() if k.lower() in ("authorization", "content-type", "x-amz-date")
        }
        reply = httpx.post(self._moto, content=body, headers=kept, timeout=10)
        text = reply.text
        if "<DescribeLoadBalancersResult>" in text:
            first, *others = text.split("<LoadBalancerName>")
            for at, part in enumerate(others):
                address = self.addresses.get(part.partition("<")[0])
                if address:
                    added = f"<LoadBalancerAddresses><member><IpAddress>{address}</IpAddress></member>"
                    others[at] = part.replace("<SubnetId>", f"{added}</LoadBalancerAddresses><SubnetId>")
            text = "<LoadBalancerName>".join([first, *others])
        handler.reply(reply.status_code, "text/xml", text.encode())

    def open(self, source: SourceConfig) -> FleetSource:
        return opened(source)

    def end(self) -> None:
        self.server.end()


_MADE = {"services": service, "gateways": gateway, "nodes": node}


class OfKubernetes:
    """The stand-in of the API server."""

    faults = FAULTS

    def __init__(self, folder: Path, what: Any) -> None:
        self.api = ClusterApi(what)
        (folder / "token").write_text("letmein\n")
        self.what = what
        self.config = KubernetesSource(
            "kubernetes", what, self.api.server.url, SecretReference("file:token", folder), every_s=0.2,
            timeout_s=TIMEOUT_S,
        )  # fmt: skip

    def identity(self, number: int) -> str:
        return f"in-{number}" if self.what == "nodes" else f"edge.in-{number}"

    def _key(self, number: int) -> str:
        return f"/in-{number}" if self.what == "nodes" else f"edge/in-{number}"

    def put(self, *numbers: int) -> None:
        for key in set(self.api.keys) - {self._key(number) for number in numbers}:
            self.api.delete(key)
        for number in numbers:
            if self._key(number) not in self.api.keys:
                self.api.put(_MADE[self.what](f"in-{number}", f"192.0.2.{number}"))

    def fault(self, fault: str) -> None:
        self.api.server.misbehaving(fault)
        if fault:
            self.api.cut()

    def open(self, source: SourceConfig) -> FleetSource:
        assert isinstance(source, KubernetesSource)
        return KubernetesFleet(source, watch_s=1, quiet_s=2.0)

    def end(self) -> None:
        self.api.end()


class OfPlugin:
    """Somebody else's code, at its worst."""

    faults = ("raises", "nonsense", "twice", "not canonical", "no address", "half")

    def __init__(self) -> None:
        self.config = PluginSource("inventory", "inventory", every_s=0.2)
        self._numbers: tuple[int, ...] = ()
        self._fault = ""
        self._news = threading.Event()

    def identity(self, number: int) -> str:
        return f"lb-{number}"

    def put(self, *numbers: int) -> None:
        self._numbers = numbers
        self._news.set()

    def fault(self, fault: str) -> None:
        self._fault = fault
        self._news.set()

    def open(self, source: SourceConfig) -> "OfPlugin":
        return self

    def look(self) -> Sighting:
        some = tuple(self._one(n, f"192.0.2.{n}") for n in self._numbers)
        match self._fault:
            case "raises":
                raise RuntimeError("inventory: connection pool is closed")
            case "nonsense":
                return "fine"  # type: ignore[return-value]
            case "twice":
                return FleetSeen((*some, some[0]))
            case "not canonical":
                return FleetSeen((*some, self._one(200, "192.0.2.010")))
            case "no address":
                return FleetSeen((*some, self._one(200)))
            case "half":
                return FleetUnknown("")
        return FleetSeen(some)

    def _one(self, number: int, *addresses: str) -> LoadBalancerConfig:
        return LoadBalancerConfig(f"lb-{number}", "a", "default", addresses, (), 100, "up", None)

    def wait(self, at_most_s: float) -> None:
        self._news.wait(at_most_s)
        self._news.clear()

    def close(self) -> None:
        self._news.set()

    def end(self) -> None:
        """Nothing runs."""


@contextmanager
def moto_server() -> Iterator[str]:
    """A server of moto's, on a free port of loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
