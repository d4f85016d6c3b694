"""The package `acme-dns` of `tests/plugins`, as if it were installed, and zones that its providers keep."""

from pathlib import Path

from standfast import config as configuration
from standfast.config import Config, ZoneConfig

PLUGINS = Path(__file__).parent.parent / "plugins"
ZONE = "lb.example.com"


def text(provider: str, more: str = "", **options: str) -> str:
    """A configuration whose only zone is kept so."""
    some = ", ".join(f"{name}: '{value}'" for name, value in options.items())
    return (
        f"zone: {{name: {ZONE}, provider: {provider}, options: {{{some}}}{more}}}\n"
        "health: none\n"
        "load_balancers: {lb-1: {az: a, ip: 192.0.2.1}, lb-2: {az: b, ip: 192.0.2.2}}\n"
        "endpoints: {www: {}}\n"
    )


def config_of(provider: str, more: str = "", folder: Path = Path("."), **options: str) -> Config:
    config, problems, _ = configuration.check(text(provider, more, **options), str(folder / "standfast.yaml"))
    assert config is not None, problems
    return config


def zone_of(provider: str, more: str = "", **options: str) -> ZoneConfig:
    return config_of(provider, more, Path("."), **options).zones[0]
