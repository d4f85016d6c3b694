"""What is configured of leases: the registry that grants them, the keys that open it, and the agent that holds one."""

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from standfast.config.secrets import SecretReference

PORT: Final = 8054
TERM_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class LeaseKey:
    """Who shows `secret` may hold leases. `holders` are the ids it is good for: whole, or a beginning with `*` behind;
    empty: all. `derived`: each holder's own key is made of the secret and its id (`lease key`)."""

    name: str
    secret: str = field(repr=False)
    holders: tuple[str, ...] = ()
    derived: bool = False

    def token(self, holder: str) -> str:
        """What that holder has to show."""
        if not self.derived:
            return self.secret
        return hmac.new(self.secret.encode(), holder.encode(), hashlib.sha256).hexdigest()

    def same(self, holder: str, token: str) -> bool:
        """Whether that token is this key, shown by that holder; in the same time, right or wrong."""
        return hmac.compare_digest(token.encode(), self.token(holder).encode())

    def is_for(self, holder: str) -> bool:
        """Whether it is good for that holder."""
        return not self.holders or any(_matches(one, holder) for one in self.holders)


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """`term_s`: who does not renew for so long loses the lease. `answer_within_s`: what takes longer is not begun.

    `limit` is how many leases there may be, `connections` how many are open at once. `operator` may list all and end
    any; None: nobody may.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    keys: tuple[LeaseKey, ...] = ()
    operator: str | None = field(default=None, repr=False)
    term_s: float = TERM_S
    answer_within_s: float = 2.0
    limit: int = 10_000
    connections: int = 8000
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class LocalCheck:
    """How an agent checks its own load balancer: as `health` does, `fall` failures down and `rise` passes up."""

    kind: Literal["tcp", "http", "https"]
    path: str
    address: str
    port: int
    host: str | None = None
    interval_s: float = 2.0
    timeout_s: float = 2.0
    fall: int = 3
    rise: int = 2


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """An agent: the load balancer it speaks for, and the registries it speaks to, in the order of preference.

    `drain_file`: as long as it exists the load balancer is drained; its first line says why. `check` None: it says
    nothing of health.
    """

    file: str
    holder: str
    registries: tuple[str, ...]
    secret: SecretReference
    az: str
    pool: str
    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    capacity: int = 100
    admin: Literal["up", "down", "drain"] = "up"
    port: int | None = None
    ca: Path | None = None
    drain_file: Path | None = None
    check: LocalCheck | None = None
    timeout_s: float = 5.0


def _matches(pattern: str, holder: str) -> bool:
    return holder.startswith(pattern[:-1]) if pattern.endswith("*") else holder == pattern
