"""The health checkers: they really connect, and count to the failure threshold."""

from __future__ import annotations

import asyncio
import datetime
import random
import ssl
import threading
import time
from http import HTTPStatus

import httpx
import msgspec

from standfast.laboratory.route53.account import Account
from standfast.laboratory.route53.checks import ENDPOINT_TYPES, Check

CONNECT_SECONDS, REPLY_SECONDS, TCP_SECONDS = 4.0, 2.0, 10.0
"""Developer Guide, "How Route 53 determines whether a health check is healthy"."""

SEARCHED_BYTES = 5120
"""API Reference, HealthCheckConfig, SearchString: of the body that many bytes are searched."""

SHORTEST_SECONDS = 0.25
"""No time-out gets shorter than this when the clock is hurried."""

AT_ONCE = 200


class Observation(msgspec.Struct, frozen=True):
    """What one checker last saw; `text` is what GetHealthCheckStatus gives."""

    success: bool
    text: str
    at: datetime.datetime


class Checker:
    """One checker's memory of one health check: what it holds, and how often in a row it saw otherwise."""

    def __init__(self) -> None:
        self.holds = True
        self.other = 0
        self.last: Observation | None = None
        self.failure: Observation | None = None

    def see(self, observation: Observation, threshold: int) -> None:
        """Change one's mind after `threshold` observations in a row to the contrary, either way.

        Source: API Reference, HealthCheckConfig, FailureThreshold.
        """
        self.last = observation
        if not observation.success:
            self.failure = observation
        self.other = self.other + 1 if observation.success != self.holds else 0
        if self.other >= threshold:
            self.holds, self.other = observation.success, 0


class Prober:
    """Runs all endpoint checks of an account in a thread of its own; times are divided by the hurry of the settings.

    `via` maps the `address:port` of a check to where it really connects, so that checks can name the addresses that
    records have.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.checkers: dict[str, list[Checker]] = {}
        self.via: dict[str, str] = dict(account.settings.via)
        self._running: dict[str, tuple[int, asyncio.Task[None]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._trusting = ssl.create_default_context()
        self._trusting.check_hostname = False
        self._trusting.verify_mode = ssl.CERT_NONE  # "health checks don't validate certificates" (Developer Guide)
        account.on_checks = self._changed

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="health checks", daemon=True).start()
        self._changed()

    def held(self) -> dict[str, list[bool]]:
        """What each check's checkers hold now."""
        return {one: [checker.holds for checker in all_] for one, all_ in list(self.checkers.items())}

    def _changed(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._reconcile, self._loop)

    def _reconcile(self, loop: asyncio.AbstractEventLoop) -> None:
        wanted = {
            one: check
            for one, check in list(self.account.checks.items())
            if check.config["Type"] in ENDPOINT_TYPES and not check.flag("Disabled")
        }
        for one, (version, task) in list(self._running.items()):
            if one not in wanted or wanted[one].version != version:
                task.cancel()
                del self._running[one]
        for one in self.checkers.keys() - self.account.checks.keys():
            del self.checkers[one]
        for one, check in wanted.items():
            if one not in self._running:
                self.checkers.setdefault(one, [Checker() for _ in range(self.account.settings.checkers)])
                self._running[one] = (check.version, loop.create_task(self._watch(check)))

    async def _watch(self, check: Check) -> None:
        interval = check.number("RequestInterval") / self.account.settings.hurry
        await asyncio.sleep(random.random() * interval)  # checkers don't coordinate
        while True:
            began = time.monotonic()
            for checker in self.checkers[check.id]:
                async with self._gate:
                    checker.see(await self._observe(check), check.number("FailureThreshold"))
            await asyncio.sleep(max(0.0, began + interval - time.monotonic()))

    def _seconds(self, seconds: float) -> float:
        return max(SHORTEST_SECONDS, seconds / self.account.settings.hurry)

    async def _observe(self, check: Check) -> Observation:
        host = str(check.config.get("IPAddress") or check.config["FullyQualifiedDomainName"])
        port = check.number("Port")
        bracketed = f"[{host}]" if ":" in host else host
        where = self.via.get(f"{bracketed}:{port}", f"{bracketed}:{port}")
        try:
            if check.config["Type"] == "TCP":
                success, text = await self._connect(where)
            else:
                success, text = await self._request(check, where)
        except (TimeoutError, httpx.TimeoutException):
            success, text = False, "The health checker could not establish a connection within the timeout limit."
        except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as wrong:
            success, text = False, f"The health checker could not connect: {wrong or type(wrong).__name__}"
        text = f"{'Success' if success else 'Failure'}: {text}"
        return Observation(success, text, datetime.datetime.now(datetime.UTC))

    async def _connect(self, where: str) -> tuple[bool, str]:
        host, _, port = where.rpartition(":")
        async with asyncio.timeout(self._seconds(TCP_SECONDS)):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
        return True, "TCP connection established"

    async def _request(self, check: Check, where: str) -> tuple[bool, str]:
        """One HTTP request: 2xx and 3xx are healthy, redirects are not followed.

        Source: Developer Guide, "How Route 53 determines whether a health check is healthy".
        """
        name, secure = check.config.get("FullyQualifiedDomainName"), str(check.config["Type"]).startswith("HTTPS")
        path = str(check.config.get("ResourcePath", "/"))
        url = f"{'https' if secure else 'http'}://{where}/{path.removeprefix('/')}"
        headers = {"User-Agent": "Amazon-Route53-Health-Check-Service (stand-in)", "Connection": "close"}
        headers |= {"Host": str(name)} if name else {}
        extensions = {"sni_hostname": str(name)} if secure and name and check.flag("EnableSNI") else {}
        timeout = httpx.Timeout(self._seconds(REPLY_SECONDS), connect=self._seconds(CONNECT_SECONDS))
        async with (
            httpx.AsyncClient(verify=self._trusting, timeout=timeout, trust_env=False) as client,
            client.stream("GET", url, headers=headers, extensions=extensions) as reply,
        ):
            told = f"HTTP Status Code {reply.status_code}, {_phrase(reply.status_code)}"
            if not 200 <= reply.status_code < 400 or not check.config.get("SearchString"):
                return 200 <= reply.status_code < 400, told
            body = b""
            async for part in reply.aiter_raw():
                body += part
                if len(body) >= SEARCHED_BYTES:
                    break
            found = str(check.config["SearchString"]).encode() in body[:SEARCHED_BYTES]
            return found, told if found else f"{told}, but the search string was not found"


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
