"""Ask an address whether it serves: TCP connect, or GET over HTTP or HTTPS with the name that users ask for.

Three answers. `Answered`: it works. `Refused`: it does not, with the reason in plain words. `NotMade`: the check could
not leave this machine (no route for the family, no free descriptor), which says nothing about the other side.

Each check is a connection of its own: one that was kept open would go on working after its listener has died. HTTP:
unless told otherwise 2xx and 3xx are good; a redirect is not followed; of the body at most 16 KiB are read, in which a
wanted text must occur. HTTPS: the address is asked for the configured host (Host and SNI), whose certificate is
verified; without a host the certificate must name the address.
"""

import asyncio
import errno
import os
import ssl
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    import httpx

BODY_OCTETS_MAX: Final = 16 << 10
_OURS: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENETUNREACH, errno.EADDRNOTAVAIL}
    | {errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM, errno.ENETDOWN}
)
"""What the kernel says when the trouble is on this side."""
_LATE: Final = frozenset({"ConnectTimeout", "ReadTimeout", "WriteTimeout", "PoolTimeout"})


class Answered(Struct, frozen=True):
    """The check passed."""


class Refused(Struct, frozen=True):
    """The check failed; `reason` for people, such as "connection refused"."""

    reason: str


class NotMade(Struct, frozen=True):
    """The check could not be made from here: no evidence."""

    why: str


Result: TypeAlias = Answered | Refused | NotMade


class Probe(Protocol):
    """One kind of check. It belongs to the event loop in which it is first used."""

    async def check(self, address: str, port: int) -> Result: ...
    async def close(self) -> None: ...


class Wanted(Struct, frozen=True):
    """What makes an HTTP answer good: a status within one of these ranges, and a text in its beginning, if any."""

    status: tuple[tuple[int, int], ...] = ((200, 399),)
    body: str | None = None


class TcpProbe:
    """Passes if the connection is accepted."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def check(self, address: str, port: int) -> Result:
        """Connect, and hang up."""
        try:
            async with asyncio.timeout(self._timeout_s):
                _, writer = await asyncio.open_connection(address, port)
                writer.transport.abort()
        except TimeoutError as error:
            return _failure(error) if error.errno else _late(self._timeout_s)
        except OSError as error:
            return _failure(error)
        return Answered()

    async def close(self) -> None:
        """Nothing is kept open."""


class HttpProbe:
    """Passes if the answer to GET is as `wanted`.

    `host` is sent as Host and, over TLS, as SNI. `trust` replaces the system's certificate authorities.
    """

    def __init__(
        self,
        scheme: str,
        path: str,
        host: str | None,
        timeout_s: float,
        trust: ssl.SSLContext | None = None,
        wanted: Wanted | None = None,
    ) -> None:
        self._scheme, self._path, self._host, self._timeout_s = scheme, path, host, timeout_s
        self._trust, self._wanted = trust, wanted or Wanted()
        self._client: httpx.AsyncClient | None = None

    async def check(self, address: str, port: int) -> Result:
        """GET the path from this address."""
        client = self._opened()
        try:
            # Each phase has its own time-out, after which the library closes what it opened; cancelled in mid-handshake
            # it would leave the socket open. This one bounds the sum, for who answers in drops.
            async with asyncio.timeout(1.25 * self._timeout_s):
                status, found = await self._answer(client, address, port)
        except TimeoutError:
            return _late(self._timeout_s)
        except Exception as error:  # the library wraps causes in many types; all are told apart by _failure
            return _late(self._timeout_s) if type(error).__name__ in _LATE else _failure(error)
        if not any(low <= status <= high for low, high in self._wanted.status):
            return Refused(f"answered {status}")
        if not found:
            return Refused(f"answered {status} without the text {self._wanted.body!r}")
        return Answered()

    async def _answer(self, client: "httpx.AsyncClient", address: str, port: int) -> tuple[int, bool]:
        """Its status, and whether the wanted text is in the beginning of its body."""
        shown = f"[{address}]" if ":" in address else address
        headers = {"Connection": "close", "User-Agent": "standfast", "Accept-Encoding": "identity"}
        extensions: dict[str, str] = {}
        if self._host is not None:
            headers["Host"] = self._host
            extensions["sni_hostname"] = self._host.partition(":")[0]
        url = f"{self._scheme}://{shown}:{port}{self._path}"
        async with client.stream("GET", url, headers=headers, extensions=extensions) as answer:
            text = self._wanted.body.encode() if self._wanted.body is not None else b""
            body = b""
            async for part in answer.aiter_raw():
                body = (body + part)[:BODY_OCTETS_MAX]
                if len(body) == BODY_OCTETS_MAX:
                    break
            return answer.status_code, text in body

    def _opened(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx  # 60 ms that a check by TCP need not pay

            trust = self._trust
            if trust is None:
                https = self._scheme == "https"
                trust = ssl.create_default_context() if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._client = httpx.AsyncClient(
                verify=trust, limits=limits, timeout=self._timeout_s, follow_redirects=False, trust_env=False
            )
        return self._client

    async def close(self) -> None:
        """Let go of the client."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def probe_of(
    kind: str,
    path: str | None,
    host: str | None,
    timeout_s: float,
    wanted: Wanted | None = None,
    authorities: str | None = None,
) -> Probe:
    """The probe that a configuration's `health` names: tcp, http or https. `authorities` are certificates (PEM)."""
    if kind == "tcp":
        return TcpProbe(timeout_s)
    trust = None if authorities is None else ssl.create_default_context(cadata=authorities)
    return HttpProbe(kind, path or "/", host, timeout_s, trust, wanted)


def _late(timeout_s: float) -> Refused:
    return Refused(f"timed out after {timeout_s:g} s")


def _failure(error: BaseException) -> Refused | NotMade:
    """The innermost cause that says something."""
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refused(f"certificate not accepted: {cause.verify_message.rstrip('.')}")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return Refused(f"TLS failed: {(cause.reason or str(cause)).replace('_', ' ').lower()}")
    for cause in causes:
        if isinstance(cause, ConnectionRefusedError):
            return Refused("connection refused")
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno:
            words = os.strerror(cause.errno).lower()
            return NotMade(words) if cause.errno in _OURS else Refused(words)
    name = type(error).__name__
    if name == "RemoteProtocolError":
        return Refused("hung up without an answer" if "disconnected" in str(error) else "its answer is not HTTP")
    if name in ("ReadError", "WriteError", "ConnectError"):
        return Refused("the connection was closed")
    return Refused(f"{name}: {str(error)[:200]}")


def _causes(error: BaseException) -> list[BaseException]:
    """The error and everything it arose from, nearest first."""
    found: list[BaseException] = []
    ahead = [error]
    while ahead and len(found) < 32:
        one = ahead.pop(0)
        if one in found:
            continue
        found.append(one)
        if isinstance(one, BaseExceptionGroup):
            ahead.extend(one.exceptions)
        ahead.extend(cause for cause in (one.__cause__, one.__context__) if cause is not None)
    return found
