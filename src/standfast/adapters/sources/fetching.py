"""One HTTP request, bounded in bytes and in time as a whole: a server that dribbles is no server that answers.

A time-out of a client library begins anew with each byte. Here the body is read piece by piece against one deadline,
redirects are not followed (a header with a secret would go along), and nothing is tried a second time in secret.
"""

import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx
from msgspec import Struct

from standfast.errors import SecretError

BYTES_MAX: Final = 8 * 1024 * 1024


class FetchError(Exception):
    """No answer that can be used; the argument says why, as the end of a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Fetched(Struct, frozen=True):
    """An answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def trusting(ca: Path | None) -> ssl.SSLContext:
    """TLS that trusts the authority in the file; without one, the system's. Raises FetchError."""
    try:
        return ssl.create_default_context(cafile=str(ca)) if ca is not None else ssl.create_default_context()
    except (OSError, ssl.SSLError) as error:
        raise FetchError(f"the authorities in {ca} can't be read ({error})") from None


def fetch(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    timeout_s: float,
    step_s: float | None = None,
    bytes_max: int = BYTES_MAX,
) -> Fetched:
    """The answer to one request, whole within `timeout_s`; each step (to connect, the next piece) within `step_s`, if
    that is given. Raises FetchError."""
    deadline = time.monotonic() + timeout_s
    try:
        with client.stream(
            method,
            url,
            headers=dict(headers or {}),
            content=content,
            timeout=step_s or timeout_s,
            follow_redirects=False,
        ) as response:
            body = b"".join(bounded(response.iter_bytes(), deadline, timeout_s, bytes_max))
            return Fetched(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        raise FetchError(reason_of(error, timeout_s)) from None


def bounded(pieces: Iterator[bytes], deadline: float, timeout_s: float, bytes_max: int) -> Iterator[bytes]:
    """The pieces of a body until one of the bounds is reached. Raises FetchError."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > bytes_max:
            raise FetchError(f"its answer is larger than {bytes_max} bytes")
        if time.monotonic() > deadline:
            raise FetchError(f"its answer was not complete within {timeout_s:g} s")
        yield piece


def reason_of(error: Exception, timeout_s: float) -> str:
    """In words, without the URL: it may have a secret in its query."""
    if isinstance(error, httpx.TimeoutException):
        return f"it has not answered within {timeout_s:g} s"
    if isinstance(error, httpx.RemoteProtocolError):
        return "the connection ended before the answer was complete, or it does not speak HTTP"
    if isinstance(error, httpx.ConnectError):
        text = " ".join(str(error).split()) or "no connection"
        return f"it can't be reached ({text[:200]})"
    if isinstance(error, httpx.DecodingError):
        return "the encoding of its answer is broken"
    return f"the connection failed ({type(error).__name__})"


def status_of(fetched: Fetched) -> str:
    """Why an answer with that status is none; with the first words of a text for people."""
    words = {401: "the token or header is missing or not accepted", 403: "this is not allowed", 404: "nothing is there"}
    said = words.get(fetched.status, "")
    return f"it answered HTTP {fetched.status}" + (f": {said}" if said else "")


def secret_header(error: SecretError) -> FetchError:
    """A secret that can't be read at this moment."""
    return FetchError(f"a secret can't be read: {' '.join(str(error).split())}")
