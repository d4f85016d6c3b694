"""One round of health checks, from here, all load balancers at once: what `check` shows and `plan` goes by."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from standfast.adapters.probes import Answered, NotMade, Probe, Refused, Result, Wanted, probe_of
from standfast.config import HealthConfig, LoadBalancerConfig
from standfast.model.fleet import Verdict, reached_at

AT_ONCE: Final = 200
"""Checks under way together: below the usual limit of open files."""


class Probed(Struct, frozen=True):
    """One load balancer's round: every address must pass. `took_s` is the slowest address; `why` its failure."""

    load_balancer: str
    passed: bool
    known: bool
    took_s: float
    why: str

    @property
    def verdict(self) -> Verdict:
        """What a planner may make of one round."""
        if not self.known:
            return Verdict("unknown", f"not checked: {self.why}")
        return (
            Verdict("up", "passes its check now")
            if self.passed
            else Verdict("down", f"fails its check now: {self.why}")
        )


def shown_check(health: HealthConfig) -> str:
    """The check in words: `https /healthz`, `tcp 6379`."""
    return f"tcp {health.port}" if health.kind == "tcp" else f"{health.kind} {health.path}"


def probe_round(health: HealthConfig, load_balancers: Iterable[LoadBalancerConfig]) -> tuple[Probed, ...]:
    """Check each address of each load balancer once."""
    return asyncio.run(_round(health, tuple(load_balancers)))


async def _round(health: HealthConfig, some: tuple[LoadBalancerConfig, ...]) -> tuple[Probed, ...]:
    wanted = Wanted(health.status, health.body)
    probe = probe_of(health.kind, health.path, health.host, health.timeout_s, wanted, health.ca)
    gate = asyncio.Semaphore(AT_ONCE)
    try:
        return tuple(await asyncio.gather(*(_one(probe, gate, health, one) for one in some)))
    finally:
        await probe.close()


async def _one(probe: Probe, gate: asyncio.Semaphore, health: HealthConfig, one: LoadBalancerConfig) -> Probed:
    addresses = tuple(dict.fromkeys(map(reached_at, (*one.ipv4, *one.ipv6))))
    port = one.port or health.port
    results = await asyncio.gather(*(_checked(probe, gate, address, port) for address in addresses))
    slowest = max((took for _, took in results), default=0.0)
    refused = [
        f"{_place(address, port)} {result.reason}"
        for address, (result, _) in zip(addresses, results, strict=True)
        if isinstance(result, Refused)
    ]
    unmade = [result.why for result, _ in results if isinstance(result, NotMade)]
    answered = any(isinstance(result, Answered) for result, _ in results)
    why = refused[0] if refused else unmade[0] if unmade else ""
    return Probed(one.id, not refused and answered, bool(refused) or answered, slowest, why)


async def _checked(probe: Probe, gate: asyncio.Semaphore, address: str, port: int) -> tuple[Result, float]:
    async with gate:
        started = time.monotonic()
        result = await probe.check(address, port)
        return result, time.monotonic() - started


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
