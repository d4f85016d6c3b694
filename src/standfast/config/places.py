"""Which absolute name, in which zone, an endpoint's key means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from standfast.config import scalars
from standfast.config.document import shown
from standfast.config.scalars import BadValue
from standfast.model.name import is_below

_TOP_LEVEL: Final = frozenset(
    (
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "mil",
        "int",
        "arpa",
        "info",
        "biz",
        "dev",
        "app",
        "cloud",
        "io",
        "test",
        "example",
        "invalid",
        "localhost",
        "local",
        "internal",
    )
)
"""A name that ends so was meant in full, not relative to the zone."""


_NO_ZONE: Final = "zone.invalid"
"""Stands for the zone as long as that has a problem of its own (RFC 6761 §6.4)."""


@dataclass(frozen=True, slots=True)
class ZoneNames:
    """The apexes, and whether these are all: one with a problem may be missing. `prefixes`: by zone, what
    may be published; `hosted`: those at Route 53."""

    names: tuple[str, ...]
    known: bool
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hosted: frozenset[str] = frozenset()

    def covering(self, name: str) -> str | None:
        """The zone that holds `name`: the nearest apex at or above it."""
        return max((apex for apex in self.names if is_below(name, apex)), key=len, default=None)


def absolute(text: str, chosen: str | None, zones: ZoneNames) -> tuple[str, str]:
    """The name in full and its zone; below a zone that cannot be, if a problem hides which one it is."""
    base = chosen or (zones.names[0] if len(zones.names) == 1 and zones.known else None)
    if text != "@":
        name = scalars.owner_name(text)
        covering = zones.covering(name)
        if covering is not None:
            return name, chosen if chosen and is_below(name, chosen) else covering
        if not zones.known and chosen is None:
            return f"{name}.{_NO_ZONE}", _NO_ZONE
        if text.endswith(".") or _ends_like_a_full_name(name, zones):
            apexes = ", ".join(zones.names[:10])
            full = f"; if it is relative, write it in full: {name}.{base}" if base and not text.endswith(".") else ""
            raise BadValue(f"No zone of this file covers {name}.", f"Add its zone (there are: {apexes}){full}.")
    elif not zones.known and chosen is None:
        return _NO_ZONE, _NO_ZONE
    if base is None:
        raise BadValue(f"{shown(text)} could be in any of {len(zones.names)} zones.", "Add zone: or write it in full.")
    return (base if text == "@" else f"{name}.{base}"), base


def _ends_like_a_full_name(name: str, zones: ZoneNames) -> bool:
    *others, last = name.split(".")
    return bool(others) and (last in _TOP_LEVEL or any(apex.split(".")[-1] == last for apex in zones.names))
