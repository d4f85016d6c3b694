"""What goes over the wire between agents and a registry, and the OpenAPI document that says so.

`python -m standfast.runtime.registry.wire` writes the document anew; a test compares, and the registry serves it.
"""

import json
import math
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from standfast import __version__
from standfast.config import LoadBalancerConfig
from standfast.model.lease import Report

BODY_OCTETS_MAX: Final = 8 << 10
DOCUMENT: Final = Path(__file__).parent.parent.parent / "standfast.registry.openapi.json"


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """What a load balancer says of itself at each renewal. `why` is for people, and belongs to `admin` and `health`."""

    az: str
    ip: list[str]
    pool: str = "default"
    capacity: int = 100
    admin: Literal["up", "drain", "down"] = "up"
    health: Literal["up", "down", "unknown"] = "unknown"
    port: int | None = None
    why: str = ""


class Held(Struct, frozen=True, gc=False):
    """A lease. Renew it after `renew_after_s` seconds; `number` rises with each grant. What it says is kept."""

    holder: str
    registry: str
    number: int
    granted: bool
    renew_after_s: float
    term_s: float


class Wrong(Struct, frozen=True):
    """Why not, and what to do."""

    error: str
    remedy: str


class Standing(Struct, frozen=True):
    """How the registry stands: leases `held`, `heard` within a term; `why` their age does not count now, if so."""

    registry: str
    held: int
    heard: int
    why: str
    rate: float
    admitted: int
    refused: int
    term_s: float
    renew_after_s: float


class Listed(Struct, frozen=True):
    """A lease in a list. `left`: it signed off."""

    holder: str
    number: int
    left: bool
    said: Said


class Page(Struct, frozen=True):
    """Some leases by rising id; `next` is where to go on with `after`, empty at the end."""

    leases: list[Listed]
    next: str


def report_of(said: Said) -> Report:
    """As it is kept."""
    four = tuple(sorted({text for text in said.ip if ":" not in text}))
    six = tuple(sorted({text for text in said.ip if ":" in text}))
    return Report(said.az, said.pool, four, six, said.capacity, said.admin, said.health, said.port, said.why)


def said_of(report: Report) -> Said:
    """As it was said."""
    addresses = [*report.ipv4, *report.ipv6]
    return Said(
        report.az, addresses, report.pool, report.capacity, report.admin, report.health, report.port, report.why
    )  # fmt: skip


def come_again(wait_s: float, *, appointment: bool = False) -> dict[str, str]:
    """The headers that say after how many seconds to come again (RFC 9110 §10.2.3).

    An `appointment` is one client's own, and said in milliseconds too, as Azure's services do (Retry-After-Ms): whole
    seconds would make crowds of those who were spread. What is told to everybody alike is not: they spread themselves.
    """
    whole = {"retry-after": str(max(1, math.ceil(wait_s)))}
    return whole | {"retry-after-ms": str(max(0, math.ceil(wait_s * 1000)))} if appointment else whole


def balancer_of(holder: str, report: Report) -> LoadBalancerConfig:
    """The load balancer that it makes."""
    return LoadBalancerConfig(
        holder, report.az, report.pool, report.ipv4, report.ipv6, report.capacity, report.admin, report.port
    )  # fmt: skip


_WRONG: Final = {
    "400": "Not JSON, or not as `Said` has it.",
    "401": "No key, or one that opens nothing.",
    "403": "The key is not good for this load balancer.",
    "409": "Another load balancer holds one of these addresses.",
    "413": "The body is larger than 8 KiB.",
    "422": "A value that a configuration would not take, or an address outside all prefixes.",
    "503": "It could not be done in time, or the plan store is away. Come again after Retry-After.",
}


def document() -> dict[str, Any]:
    """The interface, as OpenAPI 3.1 has it."""
    kinds = (Said, Held, Wrong, Standing, Listed, Page)
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    refusals = {code: _reply(text, "Wrong") for code, text in _WRONG.items()}
    refusals["503"]["headers"] = {
        "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."},
        "Retry-After-Ms": {"schema": {"type": "integer"}, "description": "An appointment; goes before Retry-After."},
    }
    holder = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 63}}
    after = {
        "name": "after",
        "in": "query",
        "schema": {"type": "string"},
        "description": "The id after which to begin.",
    }
    lease = {
        "put": {
            "summary": "Take the lease, or renew it",
            "parameters": [holder],
            "requestBody": {"required": True, "content": _content("Said")},
            "responses": {"200": _reply("It is held; what is new of it is in the plan store.", "Held"), **refusals},
        },
        "delete": {
            "summary": "Sign off, or (operator) end it",
            "parameters": [holder],
            "responses": {"204": {"description": "Done."}, **_some(refusals, "401", "403", "503")},
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Standfast registry",
            "version": __version__,
            "description": "Load balancers hold leases: who renews is there.",
        },
        "security": [{"key": []}],
        "paths": {
            "/v1/leases/{id}": lease,
            "/v1/leases": {
                "get": {
                    "summary": "All leases, 500 at a time (operator)",
                    "parameters": [after],
                    "responses": {"200": _reply("Some of them.", "Page"), **_some(refusals, "401", "403")},
                }
            },
            "/v1/registry": {
                "get": {
                    "summary": "How the registry stands",
                    "responses": {"200": _reply("So.", "Standing"), **_some(refusals, "401")},
                }
            },
            "/openapi.json": {
                "get": {"summary": "This document", "security": [], "responses": {"200": {"description": "It."}}}
            },
        },
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _reply(text: str, name: str) -> dict[str, Any]:
    return {"description": text, "content": _content(name)}


def _some(refusals: dict[str, Any], *codes: str) -> dict[str, Any]:
    return {code: refusals[code] for code in codes}


def rendered() -> str:
    """As it is shipped."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(), encoding="utf-8")
