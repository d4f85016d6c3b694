"""What a configuration means once it has been read: frozen values, every default filled in.

Durations are seconds, shares are fractions of one, names are absolute and lower case without trailing dot,
addresses are in canonical text, paths are absolute.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from standfast.config.hosted import HostedConfig
from standfast.config.leasing import RegistryConfig
from standfast.config.plugged import PluggedConfig
from standfast.config.rolekeys import RoleKeys
from standfast.config.secondaries import SecondaryConfig
from standfast.config.secrets import TsigKey
from standfast.config.signals import SignalsConfig
from standfast.config.source_kinds import DeclaredSource, LoadBalancerConfig, SourceConfig, meanings
from standfast.config.store_kinds import SqliteStoreConfig, StoreConfig
from standfast.errors import StoreError
from standfast.model import defaults
from standfast.model.entry import Layout

ProviderKind: TypeAlias = Literal["rfc2136", "embedded", "route53"]
AdminState: TypeAlias = Literal["up", "down", "drain"]
Family: TypeAlias = Literal["ipv4", "ipv6"]
HealthKind: TypeAlias = Literal["tcp", "http", "https"]
OnPanic: TypeAlias = Literal["hold", "all"]
AzLoss: TypeAlias = Literal["auto", "ask"]
EndpointKind: TypeAlias = Literal["public", "dual-stack", "ipv6-only", "fips", "account", "wildcard"]

PROVIDERS: Final[tuple[ProviderKind, ...]] = ("rfc2136", "embedded", "route53")
LAYOUTS: Final[tuple[Layout, ...]] = ("flat", "multivalue", "tree")
ADMIN_STATES: Final[tuple[AdminState, ...]] = ("up", "down", "drain")
FAMILIES: Final[tuple[Family, ...]] = ("ipv4", "ipv6")
HEALTH_KINDS: Final[tuple[HealthKind, ...]] = ("tcp", "http", "https")
AZ_LOSS: Final[tuple[AzLoss, ...]] = ("auto", "ask")
KINDS: Final[tuple[EndpointKind, ...]] = ("public", "dual-stack", "ipv6-only", "fips", "account", "wildcard")
ON_PANIC: Final[tuple[OnPanic, ...]] = ("hold", "all")
DEFAULT_POOL: Final = "default"


@dataclass(frozen=True, slots=True)
class ZoneConfig:
    """A zone and the primary that takes its updates.

    `keys` are those that each role signs with, `tsig` the first of them that can be read here; `embedded` needs none.
    `secondaries` say where other name servers are asked, if not where their NS records lead. `prefixes` are the
    networks that may be published in it; none: every address. `hosted` is what Route 53 needs, `plugged` what the
    provider of an installed package does; None elsewhere.
    """

    name: str
    provider: str
    host: str
    port: int
    tsig: TsigKey | None
    look_seconds: float
    keys: RoleKeys = field(default_factory=RoleKeys)
    secondaries: tuple[SecondaryConfig, ...] = ()
    prefixes: tuple[str, ...] = ()
    hosted: HostedConfig | None = None
    plugged: PluggedConfig | None = None

    @property
    def by_api(self) -> bool:
        """Whether it is reached by an interface of its own: then its primary hears no DNS of ours."""
        return self.hosted is not None or self.plugged is not None

    @property
    def where(self) -> str:
        """Its primary, for people."""
        if self.plugged is not None:
            return f"provider {self.plugged.kind}"
        if self.hosted is None:
            return f"{self.host} port {self.port}"
        return f"Route 53, {self.hosted.zone_id or 'the hosted zone of that name'}"


@dataclass(frozen=True, slots=True)
class HealthConfig:
    """How a load balancer is asked whether it works; its own `port` overrides this one.

    `status` are the good ones, from and to. `body` must occur in the answer. `ca` are the certificates (PEM) that stand
    for the system's authorities. `damp_max_s` is how long one that flaps must pass at most before it returns, 0: as
    long as any other. So many checks are under way at once as `concurrent` says.
    """

    kind: HealthKind
    port: int
    path: str | None = None
    host: str | None = None
    interval_s: float = defaults.CHECK_INTERVAL_S
    timeout_s: float = defaults.CHECK_TIMEOUT_S
    fall: int = defaults.FALL
    rise: int = defaults.RISE
    warm_up_s: float = defaults.WARM_UP_S
    damp_max_s: float = 900.0
    concurrent: int = 64
    status: tuple[tuple[int, int], ...] = ((200, 399),)
    body: str | None = None
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class VantageConfig:
    """A vantage point: the prober of that name, which stands in that AZ; empty: in none of the fleet's."""

    name: str
    az: str = ""


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """What every endpoint gets unless it says otherwise.

    `min_answers` None: 2 if at least three load balancers are eligible, else 1, for each family.
    `removal_share` of the capacity may leave within `removal_window_s`, and one load balancer always may; likewise
    `adding` for those who join. `az_loss`: whether a whole AZ may go by health alone. `reserve` is the share of
    capacity that is to stay free of what endpoints `need`. `rotation_s`: every so often another of more than
    `max_answers` has its turn; 0: never. Capacity, additions and turns are taken up at most once in `coalesce_s`.
    Who came back counts for its whole weight after `slow_start_s`; 0: at once.
    """

    ttl: int = defaults.TTL
    min_answers: int | None = None
    max_answers: int = defaults.MAX_ANSWERS
    hold_below: float = defaults.HOLD_BELOW
    removal_share: float = defaults.REMOVAL[0]
    removal_window_s: float = defaults.REMOVAL[1]
    on_panic: OnPanic = defaults.ON_PANIC
    adding_share: float = defaults.ADDING[0]
    adding_window_s: float = defaults.ADDING[1]
    az_loss: AzLoss = defaults.AZ_LOSS
    reserve: float = defaults.RESERVE
    rotation_s: float = defaults.ROTATION_S
    coalesce_s: float = defaults.COALESCE_S
    slow_start_s: float = defaults.SLOW_START_S


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """A name that users resolve, and which load balancers may answer for it.

    Empty `azs` or `pools`: all of them. Empty `families`: those that the eligible load balancers have.
    `min_answers` None: as in `PolicyConfig`. `kind` is None unless it is said. `follows` is the name of the endpoint
    whose answers this one copies, in the same zone; it then has that one's settings. `need` is the capacity that it
    must have, in the unit of the load balancers' `capacity`; 0: not said. `layout` auto: as the number of load
    balancers has it.
    """

    name: str
    zone: str
    ttl: int
    min_answers: int | None
    max_answers: int
    azs: tuple[str, ...]
    pools: tuple[str, ...]
    families: tuple[Family, ...]
    hold_below: float
    removal_share: float
    removal_window_s: float
    adding_share: float = defaults.ADDING[0]
    adding_window_s: float = defaults.ADDING[1]
    on_panic: OnPanic = defaults.ON_PANIC
    az_loss: AzLoss = defaults.AZ_LOSS
    kind: EndpointKind | None = None
    follows: str | None = None
    need: int = 0
    reserve: float = defaults.RESERVE
    rotation_s: float = defaults.ROTATION_S
    prefixes: tuple[str, ...] = ()
    layout: Layout | Literal["auto"] = "flat"

    def eligible(self, load_balancers: tuple[LoadBalancerConfig, ...]) -> tuple[LoadBalancerConfig, ...]:
        """Those that AZ and pool admit; admin state and health are not asked."""
        return tuple(
            one
            for one in load_balancers
            if (not self.azs or one.az in self.azs) and (not self.pools or one.pool in self.pools)
        )


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """The newest `plans` plans and everything younger than `days` are kept. In hosted zones so many of an endpoint's
    newest unneeded `trees`; and each for `tree_grace_s` after something last led to it (None: as long as what is served
    may be remembered)."""

    plans: int = defaults.PLANS
    days: int = defaults.PLAN_DAYS
    trees: int = defaults.TREES
    tree_grace_s: float | None = None


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Where the page is served. `password` lets people in, `token` programs that post events; None: not asked for.

    `certificate` and `key` are files for TLS; `hosts` are further names by which it may be asked for.
    """

    host: str = "127.0.0.1"
    port: int = 8053
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    key: Path | None = None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """One configuration, whole and checked.

    `sources` are in the order of their precedence, `vantage` is empty if each planner looks for itself. `digest` names
    the meaning: equal for two texts that mean the same, free of secrets, of where this machine keeps its files, and of
    what it tells to whom.
    """

    file: str
    stream: str
    state_dir: Path
    store: StoreConfig
    zones: tuple[ZoneConfig, ...]
    health: HealthConfig | None
    sources: tuple[SourceConfig, ...]
    endpoints: tuple[EndpointConfig, ...]
    policy: PolicyConfig
    retention: RetentionConfig
    signals: SignalsConfig = field(default_factory=SignalsConfig)
    web: WebConfig | None = None
    registry: RegistryConfig | None = None
    vantage: tuple[VantageConfig, ...] = ()
    digest: str = field(init=False, default="")

    @property
    def load_balancers(self) -> tuple[LoadBalancerConfig, ...]:
        """Those declared here: not all, if there are other sources."""
        found: dict[str, LoadBalancerConfig] = {}
        for source in self.sources:
            for one in source.load_balancers if isinstance(source, DeclaredSource) else ():
                found.setdefault(one.id, one)
        return tuple(found[name] for name in sorted(found))

    @property
    def store_file(self) -> Path:
        """The plan store's file. Raises StoreError if it has none."""
        if isinstance(self.store, SqliteStoreConfig):
            return self.store.path
        raise StoreError(f"The plan store {self.store} is no file.", "Say `store: sqlite:PATH` for this.")

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", _digest(self))


def _digest(config: Config) -> str:
    zones = [
        {
            "name": z.name,
            "provider": z.provider,
            "host": z.host,
            "port": z.port,
            "look": z.look_seconds,
            **({"prefixes": z.prefixes} if z.prefixes else {}),
            **({"hosted_zone": z.hosted.zone_id, "checks": asdict(z.hosted.checks)} if z.hosted else {}),
            **({"options": z.plugged.options, "accept": z.plugged.accept} if z.plugged else {}),
        }
        for z in config.zones
    ]
    meaning: dict[str, Any] = {
        "stream": config.stream,
        "zones": sorted(zones, key=lambda zone: str(zone["name"])),
        "health": asdict(config.health) if config.health else None,
        "vantage": {one.name: one.az for one in config.vantage},
        "sources": meanings(config.sources),
        "endpoints": {one.name: asdict(one) for one in config.endpoints},
        "policy": asdict(config.policy),
        "retention": asdict(config.retention),
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()
