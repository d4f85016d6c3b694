"""`standfast agent`: one process beside a load balancer that renews its lease until it is told to stop, then signs off.

When to ask whom is decided by `recovery.holding`. What changes (health, drain, the file on SIGHUP) is said at once.
"""

import asyncio
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import msgspec

from standfast.config import AgentConfig
from standfast.errors import SecretError
from standfast.model.lease import ON_ITS_MACHINE
from standfast.recovery.holding import beginning

from ..registry.wire import Held, Said, Wrong
from .checking import LocalHealthCheck

LOOK_S: Final = 0.5
"""How often the drain file is looked for."""
ANSWER_OCTETS_MAX: Final = 64 << 10
Tell = Callable[[str], None]


class Agent:
    """One load balancer's. `tell` gets a line for people whenever something changes."""

    def __init__(
        self, config: AgentConfig, tell: Tell, *, base_s: float = 1.0, beaten: Callable[[], None] = lambda: None
    ) -> None:
        self.config = config
        self.held: Held | None = None
        self._tell, self._base_s, self._beaten = tell, base_s, beaten
        self._holder = beginning(0.0, 0.0, len(config.registries))
        self._said: Said | None = None
        self._told = ""
        self._health: LocalHealthCheck | None = None
        self._woken = asyncio.Event()
        self._again = False

    async def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then it signs off."""
        checking = asyncio.create_task(self._check())
        try:
            async with self._client() as client:
                self._holder = beginning(time.monotonic(), random.random(), len(self.config.registries), self._base_s)
                while not stop.is_set():
                    await self._turn(client)
                    self._beaten()
                if self.held is not None:
                    await self._sign_off(client)
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    def reread(self, config: AgentConfig) -> None:
        """The file says something else now. Which load balancer it is, whom it asks and how it checks stays until a
        restart."""
        was = self.config
        self.config = replace(config, holder=was.holder, registries=was.registries, check=was.check)

    async def _check(self) -> None:
        if self.config.check is not None:
            self._health = LocalHealthCheck(self.config.check, self._woken.set)
            await self._health.run()

    async def _turn(self, client: httpx.AsyncClient) -> None:
        """Wait until it is time or there is something new to say, and say it."""
        said = self._saying()
        news = self.held is not None and said != self._said and not self._again
        now = time.monotonic()
        if not news and now < self._holder.due:
            self._woken.clear()
            try:
                async with asyncio.timeout(min(LOOK_S, self._holder.due - now)):
                    await self._woken.wait()
            except TimeoutError:
                pass
            return
        await self._renew(client, said)

    def _saying(self) -> Said:
        config, health = self.config, self._health
        admin, why = config.admin, ""
        if config.drain_file is not None and (text := _drained(config.drain_file)) is not None:
            admin, why = "drain", f"{ON_ITS_MACHINE}: {text}" if text else ON_ITS_MACHINE
        elif admin == "up" and health is not None:
            why = health.why
        return Said(
            config.az, [*config.ipv4, *config.ipv6], config.pool, config.capacity, admin,
            health.state if health is not None else "unknown", config.port, why[:200],
        )  # fmt: skip

    async def _renew(self, client: httpx.AsyncClient, said: Said) -> None:
        url, asked = self.config.registries[self._holder.at], time.monotonic()
        try:
            reply = await self._ask(client, "PUT", url, msgspec.json.encode(said))
        except _Unheard as unheard:
            self._missed(url, str(unheard))
            return
        now, chance = time.monotonic(), random.random()
        if reply.status_code == 200 and (held := _held(reply.content)) is not None:
            before, self.held, self._said, self._again = self.held, held, said, False
            self._holder = self._holder.renewed(now, held.renew_after_s, chance)
            if before is None or (before.registry, before.number) != (held.registry, held.number) or self._told:
                self._tell(f"holds lease {held.number} of registry {held.registry}")
            self._told = ""
        elif reply.status_code == 503 and (when := _retry_after(reply)) is not None:
            wait_s, exact = when
            self._again = True
            if self._holder.registries > 1 and self._holder.failures < self._holder.registries - 1:
                self._holder = self._holder.failed(now, chance, self._base_s)  # another may have room
            else:
                self._holder = self._holder.appointed(
                    now, wait_s, chance, exact=exact, asked=asked, base_s=self._base_s
                )
            self._say(f"{url}: {_why(reply)} Again in {wait_s:.0f} s.")
        else:
            self._missed(url, _why(reply))

    def _missed(self, url: str, why: str) -> None:
        self._again = True
        self._holder = self._holder.failed(time.monotonic(), random.random(), self._base_s)
        self._say(f"{url}: {why}")

    def _say(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._tell(text)

    async def _sign_off(self, client: httpx.AsyncClient) -> None:
        """Once with each registry, the one that holds it first; a lease that can't be given back ends by itself."""
        count = len(self.config.registries)
        for place in range(count):
            url = self.config.registries[(self._holder.at + place) % count]
            try:
                reply = await self._ask(client, "DELETE", url, None)
            except _Unheard as unheard:
                self._tell(f"{url}: {unheard}")
                continue
            if reply.status_code == 204:
                self._tell("signed off")
                return
            self._tell(f"{url}: {_why(reply)}")

    async def _ask(self, client: httpx.AsyncClient, method: str, url: str, body: bytes | None) -> httpx.Response:
        """Raises _Unheard."""
        try:
            key = self.config.secret.read().strip()
            headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
            async with asyncio.timeout(self.config.timeout_s):
                where = f"{url}/v1/leases/{self.config.holder}"
                return await client.request(method, where, content=body, headers=headers)
        except SecretError as error:
            raise _Unheard(f"its key can't be read: {error}") from None
        except TimeoutError:
            raise _Unheard(f"it has not answered within {self.config.timeout_s:g} s") from None
        except (httpx.HTTPError, OSError, ValueError) as error:
            text = " ".join(str(error).split())[:200] or type(error).__name__
            raise _Unheard(f"it can't be reached ({text})") from None

    def _client(self) -> httpx.AsyncClient:
        verify = ssl.create_default_context(cafile=self.config.ca) if self.config.ca is not None else True
        return httpx.AsyncClient(verify=verify, timeout=self.config.timeout_s, follow_redirects=False, trust_env=False)


class _Unheard(Exception):
    pass


def _drained(path: Path) -> str | None:
    """The first line of the drain file; None if there is none. One that can't be read drains as well."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.readline(200).strip()
    except FileNotFoundError:
        return None
    except OSError:
        return ""
    return "".join(c for c in text if c.isprintable())[:150]


def _held(body: bytes) -> Held | None:
    try:
        return msgspec.json.decode(body, type=Held)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _retry_after(reply: httpx.Response) -> tuple[float, bool] | None:
    """(seconds, whether to the millisecond), by Retry-After-Ms, or else by Retry-After (RFC 9110 §10.2.3). A date is
    not taken: it would need the other side's clock."""
    for header, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = reply.headers.get(header, "")
        if text.isascii() and text.isdigit() and len(text) < 9:
            return float(text) * unit_s, unit_s < 1.0
    return None


def _why(reply: httpx.Response) -> str:
    try:
        wrong = msgspec.json.decode(reply.content[:ANSWER_OCTETS_MAX], type=Wrong)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"it answered HTTP {reply.status_code}."
    return f"{wrong.error} {wrong.remedy}"[:500]
