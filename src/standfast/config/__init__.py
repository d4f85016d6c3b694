"""The configuration file: read it, check it, know what it means. Every problem at once, with line and remedy."""

from standfast.config.agent import load_agent
from standfast.config.binding import check, load
from standfast.config.fleet import FleetReading, Unknown, load_fleet
from standfast.config.leasing import AgentConfig, LeaseKey, LocalCheck, RegistryConfig
from standfast.config.rolekeys import KeyPlace, KeyRole, RoleKeys
from standfast.config.schema import (
    Config,
    EndpointConfig,
    HealthConfig,
    PolicyConfig,
    RetentionConfig,
    VantageConfig,
    ZoneConfig,
)
from standfast.config.secondaries import SecondaryConfig
from standfast.config.secrets import SecretReference, TsigKey
from standfast.config.signals import (
    LEVELS,
    JournalConfig,
    Level,
    MetricsConfig,
    MonitorConfig,
    NotifyConfig,
    SignalsConfig,
)
from standfast.config.source_kinds import (
    AwsSource,
    DeclaredSource,
    FileSource,
    HttpSource,
    KubernetesSource,
    LeasesSource,
    LoadBalancerConfig,
    PluginSource,
    SourceConfig,
    asked_by,
)
from standfast.config.store_kinds import (
    PluginStoreConfig,
    PostgresqlStoreConfig,
    S3StoreConfig,
    SqliteStoreConfig,
    StoreConfig,
)

__all__ = [
    "LEVELS",
    "AgentConfig",
    "AwsSource",
    "Config",
    "DeclaredSource",
    "EndpointConfig",
    "FileSource",
    "FleetReading",
    "HealthConfig",
    "HttpSource",
    "JournalConfig",
    "KeyPlace",
    "KeyRole",
    "KubernetesSource",
    "LeaseKey",
    "LeasesSource",
    "Level",
    "LoadBalancerConfig",
    "LocalCheck",
    "MetricsConfig",
    "MonitorConfig",
    "NotifyConfig",
    "PluginSource",
    "PluginStoreConfig",
    "PolicyConfig",
    "PostgresqlStoreConfig",
    "RegistryConfig",
    "RetentionConfig",
    "RoleKeys",
    "S3StoreConfig",
    "SecondaryConfig",
    "SecretReference",
    "SignalsConfig",
    "SourceConfig",
    "SqliteStoreConfig",
    "StoreConfig",
    "TsigKey",
    "Unknown",
    "VantageConfig",
    "ZoneConfig",
    "asked_by",
    "check",
    "load",
    "load_agent",
    "load_fleet",
]
