"""How long resolvers that keep to the TTL may hand out a load balancer that has died: a sum with its parts."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from standfast.cli.texts import counted, in_words, seconds
from standfast.config import Config
from standfast.runtime.phrases import listed
from standfast.runtime.secondaries import Secondary as Followed

from .findings import ZoneReport

PLAN_AND_WRITE_S: Final = 1.0
BIND_NOTIFY_DELAY_S: Final = 5.0
"""BIND's `notify-delay`, unless it is set lower."""
_TRANSFER_S: Final = 1.0


class Part(Struct, frozen=True):
    """One delay of the sum."""

    seconds: float
    what: str


def failover_parts(config: Config, zones: Iterable[ZoneReport], followed: Iterable[Followed] = ()) -> tuple[Part, ...]:
    """Detection, plan and write, the zone's other servers, caches; nothing if nothing is checked.

    How late the other servers are is what was measured after the last writes, if all of them were `followed`; else what
    their defaults make of it.
    """
    health = config.health
    if health is None:
        return ()
    failed = "a failed check" if health.fall == 1 else f"{in_words(health.fall)} failed checks"
    parts = [
        Part(health.fall * health.interval_s + health.timeout_s, failed),
        Part(PLAN_AND_WRITE_S, "plan and write"),
    ]
    if delay := _secondaries(tuple(zones), tuple(followed)):
        parts.append(delay)
    parts.append(Part(float(max(one.ttl for one in config.endpoints)), "TTL"))
    return tuple(parts)


def _secondaries(zones: Sequence[ZoneReport], followed: Sequence[Followed]) -> Part | None:
    delays = [(report, one.name.partition(".")[0]) for report in zones for one in report.secondaries]
    if not delays:
        return None
    names = listed(dict.fromkeys(name for _, name in delays), 3)
    lags = {(one.zone, one.server.partition(".")[0]): one.lag_s for one in followed}
    measured = [lag for report, name in delays if (lag := lags.get((report.zone, name))) is not None]
    if len(measured) == len(delays):
        return Part(max(measured), f"{names} (measured)")
    slow = any(report.kind != "knot" for report, _ in delays)
    return Part(_TRANSFER_S + (BIND_NOTIFY_DELAY_S if slow else 0.0), f"{names} (by default)")


def failover_lines(parts: tuple[Part, ...]) -> list[str]:
    """For people."""
    if not parts:
        return []
    total = seconds(sum(part.seconds for part in parts))
    return [
        f"When a load balancer dies, resolvers that keep to the TTL stop handing it out within {total}:",
        "  " + "  +  ".join(f"{seconds(part.seconds)} {part.what}" for part in parts) + f"  =  {total}",
    ]


def failover_json(parts: tuple[Part, ...]) -> dict[str, Any] | None:
    """With its stable keys."""
    if not parts:
        return None
    return {
        "seconds": sum(part.seconds for part in parts),
        "parts": [{"seconds": part.seconds, "what": part.what} for part in parts],
    }


def counts_line(config: Config, load_balancers: int | None, azs: int) -> str:
    """How much the file says."""
    if load_balancers is None:
        fleet = "load balancers unknown for now"
    else:
        fleet = f"{counted(load_balancers, 'load balancer')} in {counted(azs, 'AZ')}"
    return f"{counted(len(config.zones), 'zone')}, {counted(len(config.endpoints), 'endpoint')}, {fleet}"
