"""Health checks: what one is set to, and what its verdict makes of what the checkers saw."""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A health check: its settings by the names of the API, as CreateHealthCheck and UpdateHealthCheck left them."""

    id: str
    reference: str
    version: int
    config: dict[str, str | int | bool | list[str]]
