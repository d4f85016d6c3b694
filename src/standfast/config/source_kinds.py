"""What a configuration says of each source of load balancers, by kind: frozen values, every default filled in.

`meaning` is what the configuration's digest takes of it: no secret, and nothing of where this machine keeps its files.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from standfast.config.secrets import SecretReference

Scheme: TypeAlias = Literal["internet-facing", "internal"]
TargetHealth: TypeAlias = Literal["off", "advise", "decide"]
What: TypeAlias = Literal["services", "gateways", "nodes"]
SCHEMES: Final[tuple[Scheme, ...]] = ("internet-facing", "internal")
TARGET_HEALTH: Final[tuple[TargetHealth, ...]] = ("off", "advise", "decide")
WHAT: Final[tuple[What, ...]] = ("services", "gateways", "nodes")
EVERY_S: Final = 10.0
TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class LoadBalancerConfig:
    """A load balancer as declared; health is judged elsewhere. `capacity` is relative to the others'.

    `why` is for people: who gave the admin state, and in what words, where that was not the configuration.
    """

    id: str
    az: str
    pool: str
    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    capacity: int
    admin: Literal["up", "down", "drain"]
    port: int | None
    why: str = ""

    def addresses(self, family: Literal["ipv4", "ipv6"]) -> tuple[str, ...]:
        return self.ipv4 if family == "ipv4" else self.ipv6


def asked_by(admin: str, who: str, words: str = "") -> str:
    """`why` of an admin state that `who` gave: `drained by its agent: new kernel`. Empty for "up"."""
    if admin == "up":
        return ""
    verb = "drained" if admin == "drain" else "taken down"
    return f"{verb} by {who}: {words}" if words else f"{verb} by {who}"


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """Load balancers written down in the configuration itself."""

    name: str
    load_balancers: tuple[LoadBalancerConfig, ...]
    kind: Literal["declared"] = "declared"

    @property
    def meaning(self) -> dict[str, Any]:
        some = {one.id: asdict(one) for one in self.load_balancers}
        return {"load_balancers": {name: {k: v for k, v in one.items() if k != "why"} for name, one in some.items()}}


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file of its own, read again whenever it changes."""

    name: str
    path: Path
    kind: Literal["file"] = "file"

    @property
    def meaning(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A JSON document behind a URL. `headers` are sent with each request, their values read anew each time."""

    name: str
    url: str
    headers: tuple[tuple[str, SecretReference], ...] = ()
    ca: Path | None = None
    every_s: float = EVERY_S
    timeout_s: float = TIMEOUT_S
    kind: Literal["http"] = "http"

    @property
    def meaning(self) -> dict[str, Any]:
        return {"url": self.url}


@dataclass(frozen=True, slots=True)
class AwsSource:
    """Network Load Balancers of one region, those with all of `tags`. `endpoint` replaces Amazon's own."""

    name: str
    region: str
    scheme: Scheme = "internet-facing"
    tags: tuple[tuple[str, str], ...] = ()
    target_health: TargetHealth = "advise"
    endpoint: str | None = None
    every_s: float = 30.0
    timeout_s: float = TIMEOUT_S
    kind: Literal["aws"] = "aws"

    @property
    def meaning(self) -> dict[str, Any]:
        return {"region": self.region, "scheme": self.scheme, "tags": self.tags, "health": self.target_health}


@dataclass(frozen=True, slots=True)
class KubernetesSource:
    """Addresses that a cluster's API server knows. Without `server`: the cluster that this process runs in.

    `az` is for objects that don't say in which AZ they are; `selector` is a label selector.
    """

    name: str
    what: What
    server: str | None = None
    token: SecretReference | None = None
    ca: Path | None = None
    namespace: str | None = None
    selector: str = ""
    az: str | None = None
    every_s: float = EVERY_S
    timeout_s: float = TIMEOUT_S
    kind: Literal["kubernetes"] = "kubernetes"

    @property
    def meaning(self) -> dict[str, Any]:
        return {"what": self.what, "namespace": self.namespace, "selector": self.selector, "az": self.az}


@dataclass(frozen=True, slots=True)
class LeasesSource:
    """Load balancers that hold a lease of a registry, as the plan store has them; empty `pools`: all of them.

    `local_health` is what becomes of what their agents say of their health.
    """

    name: str
    local_health: TargetHealth = "advise"
    pools: tuple[str, ...] = ()
    every_s: float = 2.0
    kind: Literal["leases"] = "leases"

    @property
    def meaning(self) -> dict[str, Any]:
        return {"health": self.local_health, "pools": self.pools}


@dataclass(frozen=True, slots=True)
class PluginSource:
    """Somebody else's: `kind` is the name of an entry point of `standfast.sources`, `options` are for it alone."""

    name: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()
    every_s: float = EVERY_S

    @property
    def meaning(self) -> dict[str, Any]:
        return {"options": self.options}


SourceConfig: TypeAlias = (
    DeclaredSource | FileSource | HttpSource | AwsSource | KubernetesSource | LeasesSource | PluginSource
)
KINDS: Final = ("declared", "file", "http", "aws", "kubernetes", "leases")


def meanings(sources: tuple[SourceConfig, ...]) -> list[dict[str, Any]]:
    """For the digest, in order: the order is the precedence."""
    return [{"name": one.name, "kind": one.kind, **one.meaning} for one in sources]
