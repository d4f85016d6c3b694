"""What `check` says about trees in a hosted zone: whether `tree_grace` is as long as what its name servers serve."""

from collections.abc import Callable
from typing import Final

from standfast.config import Config, ZoneConfig
from standfast.config.scalars import spelled
from standfast.model.defaults import LAG_S
from standfast.ports.provider import Unknown, ZoneProvider
from standfast.runtime.hosted import hosted_provider
from standfast.runtime.zonesight import name_servers

from .asking import Server, Silent, soa
from .findings import Finding

_REMEDY: Final = "Give tree_grace: auto, or more."


def tree_findings(
    config: Config, zone: ZoneConfig, opened: Callable[[ZoneConfig], ZoneProvider] | None = None
) -> list[Finding]:
    """Of one hosted zone; nothing unless `tree_grace` says how long. Never raises for what servers say or not."""
    grace_s = config.retention.tree_grace_s
    if grace_s is None:
        return []
    ttl = max((one.ttl for one in config.endpoints if one.zone == zone.name), default=0)
    provider = (opened or hosted_provider)(zone)
    try:
        servers = name_servers(zone, provider)[1]
    finally:
        provider.close()
    for name, where in servers.items():
        try:
            negative_s = (
                None if isinstance(where, Unknown) else soa(Server(where.address, where.port), zone.name).negative_s
            )
        except Silent:
            negative_s = None
        if negative_s is None:
            continue  # that a name server is silent is told elsewhere, and blocks the cleaner
        served = ttl + negative_s + LAG_S
        if grace_s < served:
            text = (
                f"tree_grace {spelled(grace_s)} is shorter than what {name} serves: TTL {ttl} s, negative answers "
                f"{negative_s} s, and {LAG_S:g} s of lag. The cleaner waits {served:g} s."
            )
            return [Finding("problem", "trees", zone.name, text, _REMEDY)]
    return [Finding("ok", "trees", zone.name, f"trees stay for {spelled(grace_s)} after something last led to them")]
