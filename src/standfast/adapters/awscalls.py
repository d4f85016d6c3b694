"""boto3 with a transport of our own: each answer bounded in bytes and time, and nothing sent a second time in secret.

The library's retries are off. What it needs besides (signing, the chain of credentials, AWS_ENDPOINT_URL) is its own.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx

from .sources.fetching import FetchError, fetch

ANSWER_OCTETS_MAX: Final = 8 * 1024 * 1024


class Transport:
    """Sends what clients ask. `left` gives the seconds that remain; FetchError says why there is no answer."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        self._http = httpx.Client()

    def serve(self, client: Any) -> None:
        """From now on this client's requests go through here."""
        client.meta.events.register("before-send", self._send)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _send(self, request: Any, **_: Any) -> Any:
        """In the place of the library's own transport. Raises FetchError."""
        from botocore.awsrequest import AWSResponse

        left = self._left()
        if left <= 0:
            raise FetchError("it has not answered all questions in time")
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {
            str(name): value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        fetched = fetch(
            self._http,
            request.method,
            request.url,
            headers={**headers, "accept-encoding": "identity"},
            content=body,
            timeout_s=left,
            bytes_max=ANSWER_OCTETS_MAX,
        )
        return AWSResponse(request.url, fetched.status, dict(fetched.headers), _Body(fetched.body))


class _Body:
    """An answer as the library takes one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body


def sdk_config() -> Any:
    """What every client gets: one attempt, no more."""
    from botocore.config import Config

    return Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=True)


def said(error: Exception) -> str:
    """What the library says, on one line."""
    return " ".join(str(error).split())[:300]
