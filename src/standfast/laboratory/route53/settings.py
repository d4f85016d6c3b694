"""The stand-in's switches; `docs/route53-standin.md` says what each stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from standfast.laboratory.route53.batch import Rules

Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a stand-in behaves. Seconds are real ones."""

    rules: Rules = Rules()
    propagation: tuple[Seconds, ...] = (0.0,)
    """Seconds until a change is visible on each DNS server; the last holds for the servers that follow."""

    rate: Annotated[float, Meta(ge=0)] = 0.0
    """Requests per second of the whole account; 0 for no throttling."""

    burst: Annotated[int, Meta(ge=1)] = 50
    processing: Seconds = 0.0
    """Seconds that a change of a zone takes, in which another is answered PriorRequestNotComplete."""

    stale_listing: Seconds = 0.0
    """Seconds that ListResourceRecordSets lags behind; AWS says that it does not."""

    hurry: Annotated[float, Meta(gt=0)] = 1.0
    """By how much the clock of health checks runs faster."""

    checkers: Annotated[int, Meta(ge=1, le=16)] = 1
    """How many checkers watch each endpoint."""

    via: tuple[tuple[str, str], ...] = ()
    """Where a health check of `address:port` really connects."""

    deleted_check: Literal["healthy", "unhealthy"] = "unhealthy"
    """What a record set counts as whose health check was deleted; AWS says that it can't be predicted."""

    seed: int = 0
    """Of every choice: ids, weights, which eight of many."""

    services: Path | None = None
    """Names of AWS services that aliases may point at, such as load balancers."""

    data: Path | None = None
    rights: Path | None = None
    account: Annotated[str, Meta(pattern="^[0-9]{12}$")] = "123456789012"
