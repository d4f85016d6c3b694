"""The configuration file: read it, check it, know what it means. Every problem at once, with line and remedy."""

from standfast.config.binding import check, load
from standfast.config.fleet import FleetReading, Unknown, load_fleet
from standfast.config.rolekeys import KeyPlace, KeyRole, RoleKeys
from standfast.config.schema import (
    Config,
    EndpointConfig,
    FleetSource,
    HealthConfig,
    LoadBalancerConfig,
    PolicyConfig,
    RetentionConfig,
    StoreConfig,
    VantageConfig,
    ZoneConfig,
)
from standfast.config.secondaries import SecondaryConfig
from standfast.config.secrets import TsigKey
from standfast.config.signals import JournalConfig, MetricsConfig, MonitorConfig, NotifyConfig, SignalsConfig

__all__ = [
    "Config",
    "EndpointConfig",
    "FleetReading",
    "FleetSource",
    "HealthConfig",
    "JournalConfig",
    "KeyPlace",
    "KeyRole",
    "LoadBalancerConfig",
    "MetricsConfig",
    "MonitorConfig",
    "NotifyConfig",
    "PolicyConfig",
    "RetentionConfig",
    "RoleKeys",
    "SecondaryConfig",
    "SignalsConfig",
    "StoreConfig",
    "TsigKey",
    "Unknown",
    "VantageConfig",
    "ZoneConfig",
    "check",
    "load",
    "load_fleet",
]
