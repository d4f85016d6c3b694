"""A stand-in of a Kubernetes API server, for want of a real one: list in pages, watch, bookmarks, 410 Gone, tokens.

What is copied is what the API's concepts page says a client may rest on: a list has a resourceVersion; a watch from
there tells every change after it, one JSON object a line; BOOKMARK events carry a version and nothing else; a version
that was compacted is answered with 410, as a status or as an ERROR event; a watch ends after `timeoutSeconds`.
"""

import json
import socket
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .hostile import Handler, HostileServer

Item = dict[str, Any]
KINDS = {"services": "Service", "gateways": "Gateway", "nodes": "Node"}


class ClusterApi:
    """Objects of one kind with their versions. `token` must be sent by whoever asks."""

    def __init__(self, plural: str, token: str = "letmein") -> None:  # noqa: S107 - of a server on loopback
        self.plural, self.token = plural, token
        self.server = HostileServer(self._answer, "application/json")
        self.page = 500
        self.gone_as_event = True
        self.bookmark_s = 0.2
        self._news = threading.Condition()
        self._objects: dict[str, Item] = {}
        self._events: list[tuple[int, str, Item]] = []
        self._version, self._oldest, self._cut = 1000, 0, 0

    def put(self, item: Item) -> None:
        """Create it, or change it."""
        with self._news:
            self._version += 1
            metadata = item["metadata"] | {"resourceVersion": str(self._version)}
            item = item | {"metadata": metadata, "kind": KINDS[self.plural]}
            kind = "MODIFIED" if _key(item) in self._objects else "ADDED"
            self._objects[_key(item)] = item
            self._events.append((self._version, kind, item))
            self._news.notify_all()

    def delete(self, key: str) -> None:
        with self._news:
            self._version += 1
            item = self._objects.pop(key)
            item = item | {"metadata": item["metadata"] | {"resourceVersion": str(self._version)}}
            self._events.append((self._version, "DELETED", item))
            self._news.notify_all()

    @property
    def keys(self) -> list[str]:
        return sorted(self._objects)

    def compact(self) -> None:
        """Forget every version but the present one."""
        with self._news:
            self._version += 1
            self._events, self._oldest = [], self._version
            self._news.notify_all()

    def cut(self) -> None:
        """All watches lose their connection, in the middle of an event."""
        with self._news:
            self._cut += 1
            self._news.notify_all()

    def end(self) -> None:
        self.cut()
        self.server.end()

    def _answer(self, handler: Handler, body: bytes) -> None:
        if handler.headers.get("authorization") != f"Bearer {self.token}":
            _status(handler, 401, "Unauthorized")
            return
        url = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if not url.path.endswith(f"/{self.plural}"):
            _status(handler, 404, "NotFound")
        elif query.get("watch") in ("1", "true"):
            self._watch(handler, query)
        else:
            self._list(handler, query)

    def _list(self, handler: Handler, query: dict[str, str]) -> None:
        with self._news:
            version = self._version
            chosen = [self._objects[key] for key in self.keys]
        chosen = [item for item in chosen if _selected(item, query.get("labelSelector", ""))]
        start, size = int(query.get("continue") or 0), min(int(query.get("limit") or 10_000), self.page)
        metadata = {"resourceVersion": str(version)}
        if start + size < len(chosen):
            metadata["continue"] = str(start + size)
        items = [{k: v for k, v in item.items() if k != "kind"} for item in chosen[start : start + size]]
        body = {"kind": f"{KINDS[self.plural]}List", "apiVersion": "v1", "metadata": metadata, "items": items}
        handler.reply(200, "application/json", json.dumps(body).encode())

    def _watch(self, handler: Handler, query: dict[str, str]) -> None:
        since, end = int(query["resourceVersion"]), time.monotonic() + int(query.get("timeoutSeconds") or 3600)
        if since < self._oldest and not self.gone_as_event:
            _status(handler, 410, "Expired")
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        cut, marked = self._cut, time.monotonic()
        while time.monotonic() < end and not self.server.fault:
            with self._news:
                if since < self._oldest:
                    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
                    _chunk(handler, json.dumps({"type": "ERROR", "object": gone}) + "\n")
                    break
                if self._cut != cut:
                    _chunk(handler, '{"type":"ADDED","object":{"metadata":{"na')
                    handler.close_connection = True
                    handler.connection.shutdown(socket.SHUT_RDWR)
                    return
                fresh = [event for event in self._events if event[0] > since]
                if not fresh:
                    self._news.wait(0.02)
            for version, kind, item in fresh:
                since = version
                if _selected(item, query.get("labelSelector", "")):
                    _chunk(handler, json.dumps({"type": kind, "object": item}) + "\n")
            if query.get("allowWatchBookmarks") == "true" and time.monotonic() - marked > self.bookmark_s:
                marked, since = time.monotonic(), max(since, self._version if not fresh else since)
                mark = {"kind": KINDS[self.plural], "metadata": {"resourceVersion": str(since)}}
                _chunk(handler, json.dumps({"type": "BOOKMARK", "object": mark}) + "\n")
        handler.wfile.write(b"0\r\n\r\n")


def _chunk(handler: Handler, text: str) -> None:
    octets = text.encode()
    handler.wfile.write(f"{len(octets):x}\r\n".encode() + octets + b"\r\n")
    handler.wfile.flush()


def _status(handler: Handler, code: int, reason: str) -> None:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason}
    handler.reply(code, "application/json", json.dumps(body).encode())


def _key(item: Item) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _selected(item: Item, selector: str) -> bool:
    labels = item["metadata"].get("labels", {})
    return all(labels.get(k) == v for k, _, v in (part.partition("=") for part in selector.split(",") if part))


def service(name: str, *addresses: str, az: str = "a", **annotations: str) -> Item:
    """A Service of type LoadBalancer; addresses with letters are host names."""
    ingress = [{"hostname": a} if a[-1].isalpha() and ":" not in a else {"ip": a} for a in addresses]
    notes = {f"standfast/{key}": value for key, value in annotations.items()}
    labels = {"topology.kubernetes.io/zone": az} if az else {}
    metadata = {"name": name, "namespace": "edge", "labels": labels, "annotations": notes}
    return {"metadata": metadata, "spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": ingress}}}


def gateway(name: str, *addresses: str, az: str = "a") -> Item:
    """A Gateway."""
    stated = [{"type": "IPAddress", "value": address} for address in addresses]
    metadata = {"name": name, "namespace": "edge", "annotations": {"topology.kubernetes.io/zone": az}}
    return {"metadata": metadata, "status": {"addresses": stated}}


def node(name: str, *addresses: str, az: str = "a", ready: str = "True") -> Item:
    """A node with ExternalIPs."""
    stated = [{"type": "InternalIP", "address": "10.0.0.9"}, {"type": "Hostname", "address": name}]
    stated += [{"type": "ExternalIP", "address": address} for address in addresses]
    status = {"addresses": stated, "conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": az}}, "status": status}
