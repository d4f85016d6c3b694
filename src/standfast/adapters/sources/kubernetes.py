"""Addresses that a Kubernetes API server knows: of Services, Gateways or nodes. List, then watch from that version.

A watch that ends is taken up again at the version that was seen last, so that nothing is missed; if the server has
forgotten that version (410 Gone), everything is listed anew. What can't be taken up again is unknown. An object that
is there and has no address at the moment keeps those it had (`unsure`), for that is no deletion.
"""

import json
import queue
import threading
import time
from typing import Any, Final

import httpx

from standfast.config import KubernetesSource
from standfast.errors import SecretError

from . import FleetSeen, FleetUnknown, Sighting
from .cluster import Cluster, cluster_of
from .fetching import FetchError, fetch, reason_of, secret_header, status_of, trusting
from .objects import Objects, read_objects

WATCH_S: Final = 60
"""The server is asked to end each watch after so long: a connection that is dead without saying so is noticed."""
QUIET_S: Final = 90.0
LINE_MAX: Final = 2 * 1024 * 1024
OBJECTS_MAX: Final = 20_000
PAGE: Final = 500
LISTS_MAX: Final = 2
LIST_S: Final = 45.0
_PATHS: Final = {
    "services": ("/api/v1", "services"),
    "gateways": ("/apis/gateway.networking.k8s.io/v1", "gateways"),
    "nodes": ("/api/v1", "nodes"),
}


class _Gone(Exception):
    """The server has forgotten the version: list again (HTTP 410)."""


class KubernetesFleet:
    """One kind of object, in one namespace or in all."""

    def __init__(self, source: KubernetesSource, *, watch_s: int = WATCH_S, quiet_s: float = QUIET_S) -> None:
        self._source = source
        self._cluster: Cluster = cluster_of(source)
        group, plural = _PATHS[source.what]
        inner = f"/namespaces/{source.namespace}" if source.namespace and source.what != "nodes" else ""
        self._url = f"{self._cluster.server}{group}{inner}/{plural}"
        self._client: httpx.Client | None = None
        self._closed = threading.Event()
        self._objects: Objects = {}
        self._version = ""
        self._watch: _Watch | None = None
        self._alive_at = self._began_at = 0.0
        self._heard = False
        self._watch_s, self._quiet_s = watch_s, quiet_s

    def look(self) -> Sighting:
        """What is known from list and watch; both are taken up again if they have to be."""
        try:
            if self._watch is None:
                self._take_up()
            if time.monotonic() - self._alive_at > self._quiet_s:
                self._drop()
                self._version = ""
                raise FetchError(f"the watch has been silent for {self._quiet_s:g} s")
        except FetchError as error:
            return FleetUnknown(f"Kubernetes {self._source.what} at {self._cluster.server}: {error.why}")
        found, unsure, told = read_objects(self._source, self._objects)
        return FleetSeen(found, f"resourceVersion {self._version}"[:60], unsure, told)

    def wait(self, at_most_s: float) -> None:
        """Until the watch tells a change, or ends."""
        watch = self._watch
        if watch is None:
            self._closed.wait(at_most_s)
            return
        end = time.monotonic() + at_most_s
        while (left := end - time.monotonic()) > 0 and not self._closed.is_set():
            try:
                told = watch.told.get(timeout=min(left, 0.5))
            except queue.Empty:
                continue
            changed = self._hear(told)
            while self._watch is watch:
                try:
                    changed |= self._hear(watch.told.get_nowait())
                except queue.Empty:
                    break
            if changed or self._watch is not watch:
                return

    def close(self) -> None:
        """End list, watch and wait."""
        self._closed.set()
        if self._watch is not None:
            self._watch.end()
        if self._client is not None:
            self._client.close()

    # -- list and watch ------------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        if self._client is None:
            self._client = httpx.Client(verify=trusting(self._cluster.ca))
        for _ in range(LISTS_MAX):
            try:
                if not self._version:
                    self._list()
                self._watch = self._begin_watch()
            except _Gone:
                self._version = ""
                continue
            self._alive_at = self._began_at = time.monotonic()
            self._heard = False
            return
        raise FetchError("it forgets every version as soon as it has told it (410 Gone)")

    def _list(self) -> None:
        """All pages of one version, or nothing. Raises FetchError, _Gone."""
        objects: Objects = {}
        token, version, end = "", "", time.monotonic() + LIST_S
        while True:
            page = self._get({"limit": str(PAGE)} | ({"continue": token} if token else {}), end)
            metadata, items = page.get("metadata"), page.get("items")
            if not str(page.get("kind", "")).endswith("List") or not isinstance(metadata, dict):
                raise FetchError("its answer is no list of Kubernetes")
            if not isinstance(items, list):
                raise FetchError("its list has no items")
            version = str(metadata.get("resourceVersion") or "")
            if not version:
                raise FetchError("its list has no resourceVersion")
            for item in items:
                key = _key_of(item)
                if key in objects:
                    raise FetchError(f"its list has {key} twice")
                objects[key] = item
            if len(objects) > OBJECTS_MAX:
                raise FetchError(f"its list has more than {OBJECTS_MAX} objects; give namespace or selector")
            token = str(metadata.get("continue") or "")
            if not token:
                break
        self._objects, self._version = objects, version

    def _get(self, query: dict[str, str], end: float) -> dict[str, Any]:
        left = end - time.monotonic()
        if left <= 0:
            raise FetchError(f"its list was not complete within {LIST_S:g} s")
        assert self._client is not None
        url = httpx.URL(self._url, params=self._query(query))
        fetched = fetch(
            self._client, "GET", str(url), headers=self._headers(), timeout_s=min(self._source.timeout_s, left)
        )
        if fetched.status == 410:
            raise _Gone
        if fetched.status != 200:
            raise FetchError(status_of(fetched))
        if fetched.media_type != "application/json":
            raise FetchError(f"its answer is no JSON but {fetched.media_type[:60] or 'nothing said of its kind'}")
        try:
            found = json.loads(fetched.body)
        except (ValueError, RecursionError):
            raise FetchError("its answer is broken JSON") from None
        if not isinstance(found, dict):
            raise FetchError("its answer is no list of Kubernetes")
        return found

    def _query(self, more: dict[str, str]) -> dict[str, str]:
        return more | ({"labelSelector": self._source.selector} if self._source.selector else {})

    def _headers(self) -> dict[str, str]:
        """With the token as it is now: tokens of a service account are renewed each hour."""
        try:
            return {"accept": "application/json", "authorization": f"Bearer {self._cluster.token.read()}"}
        except SecretError as error:
            raise secret_header(error) from None

    def _begin_watch(self) -> "_Watch":
        """Raises FetchError, _Gone."""
        assert self._client is not None
        query = self._query(
            {
                "watch": "1",
                "resourceVersion": self._version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(self._watch_s),
            }
        )
        request = self._client.build_request(
            "GET",
            httpx.URL(self._url, params=query),
            headers=self._headers(),
            timeout=httpx.Timeout(self._source.timeout_s, read=self._watch_s + self._source.timeout_s),
        )
        return _Watch.begun(self._client, request, self._source.timeout_s)

    def _drop(self) -> None:
        if self._watch is not None:
            self._watch.end()
        self._watch = None

    def _hear(self, told: "dict[str, Any] | str") -> bool:
        """One event of the watch, or why it ended. True if an object changed."""
        if isinstance(told, str):
            self._drop()  # taken up again by the next look, from the version known
            if not self._heard and time.monotonic() - self._began_at < self._watch_s / 2:
                self._version = ""  # whatever ends at once without a word is no watch: a list has to prove itself
            return False
        self._alive_at, self._heard = time.monotonic(), True
        kind, item = told.get("type"), told.get("object")
        if kind == "ERROR" or not isinstance(item, dict):
            self._drop()
            self._version = ""  # 410 Gone, or a version that can't be gone on from
            return False
        try:
            version = str(item.get("metadata", {}).get("resourceVersion") or "")
            if kind == "BOOKMARK":
                self._version = version or self._version
                return False
            key = _key_of(item)
        except (FetchError, AttributeError):
            self._drop()
            self._version = ""
            return False
        if kind in ("ADDED", "MODIFIED"):
            self._objects[key] = item
        elif kind == "DELETED":
            self._objects.pop(key, None)
        self._version = version or self._version
        return kind in ("ADDED", "MODIFIED", "DELETED")


def _key_of(item: object) -> str:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
        raise FetchError("one of its objects has no name")
    return f"{metadata.get('namespace') or ''}/{name}"


class _Watch:
    """A watch under way, read line by line in a thread of its own: `told` gets events, and at the end the reason."""

    def __init__(self, response: httpx.Response) -> None:
        self.told: queue.Queue[dict[str, Any] | str] = queue.Queue()
        self._response = response
        self._over = False

    @classmethod
    def begun(cls, client: httpx.Client, request: httpx.Request, timeout_s: float) -> "_Watch":
        """Raises FetchError, _Gone."""
        try:
            response = client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
            raise FetchError(reason_of(error, timeout_s)) from None
        media = response.headers.get("content-type", "").partition(";")[0].strip()
        if response.status_code != 200 or media != "application/json":
            response.close()
            if response.status_code == 410:
                raise _Gone
            why = f"HTTP {response.status_code}" if response.status_code != 200 else f"no JSON but {media[:60]}"
            raise FetchError(f"the watch is lost: it answered {why}")
        watch = cls(response)
        threading.Thread(target=watch._read, name="watch", daemon=True).start()
        return watch

    def end(self) -> None:
        """Stop reading."""
        self._over = True

    def _read(self) -> None:
        try:
            buffer = b""
            for piece in self._response.iter_bytes():
                buffer += piece
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if line.strip() and not self._take(line):
                        return
                if len(buffer) > LINE_MAX:
                    self.told.put(f"an event is larger than {LINE_MAX} bytes")
                    return
                if self._over:
                    return
            self.told.put("it ended")
        except Exception as error:
            self.told.put(f"it was cut off ({type(error).__name__})")
        finally:
            self._response.close()

    def _take(self, line: bytes) -> bool:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        self.told.put(event if isinstance(event, dict) else {"type": "ERROR"})
        return isinstance(event, dict)
