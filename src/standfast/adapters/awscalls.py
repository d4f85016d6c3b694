"""boto3 with a transport of our own: each answer bounded in bytes and time, and nothing sent a second time in secret.

The library's retries are off. What it needs besides (signing, the chain of credentials, AWS_ENDPOINT_URL) is its own.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from .sources.fetching import FetchError, fetch, trusting

ANSWER_OCTETS_MAX: Final = 8 * 1024 * 1024
AUTHORITIES: Final = "Mend AWS_CA_BUNDLE or ca_bundle of this user."
"""The remedy where `Transport.serve` raises."""


class Transport:
    """Sends what clients ask. `left` gives the seconds that remain; FetchError says why there is no answer.

    `step_s` bounds each step of it (to connect, the next octets), `octets_max` an answer.
    """

    def __init__(
        self, left: Callable[[], float], *, step_s: float | None = None, octets_max: int = ANSWER_OCTETS_MAX
    ) -> None:
        self._left, self._step_s, self._octets_max = left, step_s, octets_max
        self._http: httpx.Client | None = None
        self.answered = b""
        """The body of the last answer."""

    def serve(self, session: Any) -> Any:
        """From now on the requests of all clients that this botocore session makes go through here; the session.

        Raises FetchError if its authorities (AWS_CA_BUNDLE, or ca_bundle in its profile) can't be read.
        """
        authorities = session.get_config_variable("ca_bundle")
        self.close()
        self._http = httpx.Client(verify=trusting(Path(authorities))) if authorities else httpx.Client()
        session.register("before-send", self._send)
        return session

    def close(self) -> None:
        """Let go of connections."""
        if self._http is not None:
            self._http.close()

    def _send(self, request: Any, **_: Any) -> Any:
        """In the place of the library's own transport. Raises FetchError."""
        from botocore.awsrequest import AWSResponse

        self.answered = b""
        left = self._left()
        if left <= 0:
            raise FetchError("it has not answered all questions in time")
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {
            str(name): value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        assert self._http is not None, "who sends was served"
        fetched = fetch(
            self._http,
            request.method,
            request.url,
            headers={**headers, "accept-encoding": "identity"},
            content=body,
            timeout_s=left,
            step_s=self._step_s,
            bytes_max=self._octets_max,
        )
        self.answered = fetched.body
        return AWSResponse(request.url, fetched.status, dict(fetched.headers), _Body(fetched.body))


class _Body(io.BytesIO):
    """An answer as the library takes one: whole, or piece by piece (`read`)."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def sdk_config(**more: Any) -> Any:
    """What every client gets: one attempt, no more."""
    from botocore.config import Config

    return Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=True, **more)
