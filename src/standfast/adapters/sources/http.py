"""The fleet as a JSON document behind a URL: what a fleet file says, in JSON.

    {"load_balancers": {"lb-a1": {"az": "a", "ip": ["192.0.2.11"], "capacity": 100}}, "count": 1}

Held to all rules of a fleet file, `count` included: a document cut off by a proxy that mends brackets would be found.
"""

import json
from typing import Any, Final

import httpx

from standfast.config import HttpSource, Unknown
from standfast.config.document import Findings
from standfast.config.fleet import read_fleet
from standfast.errors import SecretError

from . import FleetSeen, FleetUnknown, Sighting
from .fetching import Fetched, FetchError, fetch, secret_header, status_of, trusting
from .pausing import Pausing

_DEPTH_MAX: Final = 8


class HttpFleet(Pausing):
    """A document that is asked for again and again, with the tag of the last one."""

    def __init__(self, source: HttpSource) -> None:
        super().__init__()
        self._source = source
        self._client: httpx.Client | None = None
        self._seen: FleetSeen | None = None
        self._last: bytes | None = None
        self._tag = ""

    def look(self) -> Sighting:
        """What the document says now."""
        try:
            fetched = self._fetched()
            if fetched.status == 304 and self._seen is not None:
                return self._seen
            known = self._seen if fetched.status == 200 and fetched.body == self._last else None
            seen = known or _read(fetched)
        except FetchError as error:
            self._seen, self._last, self._tag = None, None, ""
            shown = self._source.url.partition("?")[0]  # what follows may be a secret
            return FleetUnknown(f"{shown}: {error.why}")
        self._seen, self._last, self._tag = seen, fetched.body, fetched.headers.get("etag", "")
        return seen

    def close(self) -> None:
        """End a wait, and let go of the connection."""
        super().close()
        if self._client is not None:
            self._client.close()

    def _fetched(self) -> Fetched:
        source = self._source
        if self._client is None:
            self._client = httpx.Client(verify=trusting(source.ca))
        headers = {"accept": "application/json"}
        if self._tag and self._seen is not None:
            headers["if-none-match"] = self._tag
        try:
            headers.update({name: value.read() for name, value in source.headers})
        except SecretError as error:
            raise secret_header(error) from None
        return fetch(self._client, "GET", source.url, headers=headers, timeout_s=source.timeout_s)


def _read(fetched: Fetched) -> FleetSeen:
    """Raises FetchError."""
    if fetched.status != 200:
        raise FetchError(status_of(fetched))
    if fetched.media_type != "application/json" and not fetched.media_type.endswith("+json"):
        kind = fetched.media_type[:60] or "nothing said of its kind"
        raise FetchError(f"its answer is no JSON but {kind}; is this the page of a proxy or a log-in?")
    try:
        text = fetched.body.decode("utf-8")
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise FetchError(f"its answer is broken JSON ({' '.join(str(error).split())[:200]})") from None
    if not isinstance(document, dict) or not _shallow(document, _DEPTH_MAX):
        raise FetchError('its answer has no {"load_balancers": {…}, "count": N}')
    # JSON is YAML 1.2 written in one way; `count` goes last, where a fleet file has it.
    ordered = {**{key: value for key, value in document.items() if key != "count"}, **_counted(document)}
    reading = read_fleet(_as_lines(ordered), Findings("its answer"))
    if isinstance(reading, Unknown):
        raise FetchError(" ".join(reading.reason.split())[:1000])
    return FleetSeen(reading.known, fetched.headers.get("etag", "")[:40] or reading.revision[:12])


def _as_lines(document: dict[str, Any]) -> str:
    """One line a load balancer, so that a problem names a line and no line is too long."""
    return json.dumps(document, ensure_ascii=True, indent=1)


def _counted(document: dict[str, Any]) -> dict[str, Any]:
    return {"count": document["count"]} if "count" in document else {}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"{twice[:60]!a} is there twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _shallow(value: object, left: int) -> bool:
    if left == 0:
        return False
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(_shallow(one, left - 1) for one in inner)
