"""What the demo plays with: six load balancers in three AZs, four endpoints, and how fast each fault must be healed."""

import ipaddress
from collections.abc import Collection
from typing import Final

from msgspec import Struct

ZONE: Final = "demo.example.test"
ENACTORS: Final = ("a", "b", "c")
HELD_ENACTOR: Final = "c"
"""The one whose updates go through the byte proxy."""
HELD_GENERATIONS: Final = 21
"""So many generations pass, at least, while a write is held."""
SECONDS_MIN: Final = 20

LOOK_S: Final = 0.5
INTERVAL_S: Final = 0.3
TIMEOUT_S: Final = 0.5
"""Longer than the interval: on a machine that is busy with other things a late answer is no dead load balancer."""
FALL: Final = 2
RISE: Final = 2
SWEEP_S: Final = 1.0
RETAINED_PLANS: Final = 18
"""Fewer than pass while a write is held, so that the plan it belongs to is collected before it is released."""
JITTER: Final = 1.1
"""Checks are at most a tenth further apart than the interval."""


class LoadBalancer(Struct, frozen=True):
    """One of the six. The small ones come and go often, so that this takes little capacity."""

    id: str
    az: str
    ipv4: str
    capacity: int = 100
    ipv6: str = ""


LOAD_BALANCERS: Final = (
    LoadBalancer("lb-a1", "a", "127.0.1.11", ipv6="::1"),
    LoadBalancer("lb-a2", "a", "127.0.1.12"),
    LoadBalancer("lb-b1", "b", "127.0.1.21"),
    LoadBalancer("lb-b2", "b", "127.0.1.22", 5),
    LoadBalancer("lb-c1", "c", "127.0.1.31"),
    LoadBalancer("lb-c2", "c", "127.0.1.32", 5),
)
ADDRESSES: Final = {one.id: one.ipv4 for one in LOAD_BALANCERS}
KILLED: Final = ("lb-b1", "lb-c1", "lb-a2")
"""Whom the demo kills in turn. lb-a1 stays: it alone has IPv6, and the guard would not let the last address go."""
_ENDPOINTS: Final = {
    "www": "{families: [ipv4]}",
    "api": "{families: [ipv4]}",
    "static": "{families: [ipv4], azs: [b, c]}",
    "cell-1": "{azs: [a, b]}",
}
NAMES: Final = tuple(_ENDPOINTS)
DUAL_STACK: Final = "cell-1"

MARGIN_S: Final = 1.0
"""Given on top of each stated maximum: for planning, writing, and a machine that is busy with other things."""
_NEWS_S: Final = 0.1
"""An operator's command and a changed fleet file are noticed in hundredths of a second."""
_BEAT_S: Final = 1.0
_RESTART_S: Final = 0.3
_START_UP_S: Final = 2.0

STATED_S: Final[dict[str, float]] = {
    "load_balancer_killed": round(FALL * INTERVAL_S * JITTER + TIMEOUT_S, 2),
    "load_balancer_back": round(RISE * INTERVAL_S * JITTER + TIMEOUT_S, 2),
    "addresses_deleted": LOOK_S,
    "marker_deleted": LOOK_S,
    "floor_deleted": LOOK_S,
    "name_deleted": LOOK_S,
    "garbage_marker": LOOK_S,
    "write_held": _BEAT_S + LOOK_S,
    "rollback": _NEWS_S,
    "resume": _NEWS_S,
    "fleet_changed": _NEWS_S,
    "enactor_killed": _RESTART_S + _START_UP_S + _BEAT_S,
    "enactor_stopped": _BEAT_S + LOOK_S,
}
"""The longest time to detection of each kind of fault, in seconds."""


def short(name: str) -> str:
    """An owner name as people call it."""
    return name.removesuffix(f".{ZONE}")


def full(name: str) -> str:
    """The owner name."""
    return f"{name}.{ZONE}"


def rrsets(ipv6: bool) -> tuple[tuple[str, int], ...]:
    """All that the prober asks for: owner name and type."""
    some = [(full(name), 1) for name in NAMES]
    return (*some, (full(DUAL_STACK), 28)) if ipv6 else tuple(some)


def config_text(port: int, health_port: int) -> str:
    """The configuration, as one would write it. `port` is where this process reaches the name server."""
    endpoints = "".join(f"  {name}: {text}\n" for name, text in _ENDPOINTS.items())
    return f"""\
# Written by `standfast demo`; everything in it is real, only faster than one would have it.
state: state
zone: {{name: {ZONE}, provider: embedded, server: "127.0.0.1:{port}", look: {_ms(LOOK_S)}}}
health:
  http: /healthz
  port: {health_port}
  interval: {_ms(INTERVAL_S)}
  timeout: {_ms(TIMEOUT_S)}
  fall: {FALL}
  rise: {RISE}
  warm_up: 0s
load_balancers: {{from: file, path: fleet.yaml}}
policy: {{removal: 100% in 10s, adding: 100% in 10s, coalesce: 0s}}  # the defaults would make the second fault wait
retention: {{plans: {RETAINED_PLANS}, days: 0}}
endpoints:
{endpoints}"""


def fleet_text(drained: Collection[str], ipv6: bool) -> str:
    """The fleet file with these load balancers drained."""
    lines = ["load_balancers:"]
    for one in LOAD_BALANCERS:
        some = f'{one.ipv4}, "{one.ipv6}"' if one.ipv6 and ipv6 else one.ipv4
        admin = "drain" if one.id in drained else "up"
        lines.append(f"  {one.id}: {{az: {one.az}, ip: [{some}], capacity: {one.capacity}, admin: {admin}}}")
    return "\n".join([*lines, f"count: {len(LOAD_BALANCERS)}", ""])


def folded(addresses: Collection[str]) -> str:
    """Addresses with what they share said once: 127.0.1.11 .12 .21."""
    parts: list[str] = []
    last = ""
    for address in sorted(addresses, key=_by_value):
        head, dot, tail = address.rpartition(".")
        parts.append(f".{tail}" if dot and head == last else address)
        last = head if dot else ""
    return " ".join(parts)


def _by_value(address: str) -> tuple[int, int]:
    found = ipaddress.ip_address(address)
    return found.version, int(found)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g}ms"
