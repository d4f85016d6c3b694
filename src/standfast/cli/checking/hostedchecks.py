"""What `check` says about Route 53's own health checks: how many, what they cost, which right is missing.

Each right is asked for by a request that can't be carried out: of a check that does not exist. AWS looks at rights
first, so it answers AccessDenied where one is missing.
"""

import uuid
from collections.abc import Callable
from typing import Final

from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.checks import CheckDesk
from standfast.cli.texts import counted
from standfast.config import Config, KeyRole, ZoneConfig
from standfast.model.check import CheckSettings
from standfast.ports.checks import (
    CheckRequest,
    DeleteCheck,
    ListChecks,
    MakeCheck,
    MendCheck,
    ReadStatus,
    ReadTags,
    TagCheck,
)
from standfast.ports.provider import Refused, Unknown
from standfast.runtime.checkwishes import wishes_of
from standfast.runtime.hosted import hosted_provider
from standfast.runtime.phrases import listed

from .findings import Finding

QUOTA: Final = 200
"""Health checks of an account, unless AWS raised it (Developer Guide, "Quotas on health checks")."""
_NEVER: Final = CheckSettings("CALCULATED", children=("00000000-0000-4000-8000-000000000000",), least=1)
_ASKED: Final[tuple[tuple[KeyRole, tuple[str, ...]], ...]] = (
    ("planner", ("ListHealthChecks", "CreateHealthCheck", "ChangeTagsForResource", "UpdateHealthCheck")),
    ("planner", ("GetHealthCheckStatus",)),
    ("cleaner", ("ListHealthChecks", "ListTagsForResources", "ChangeTagsForResource", "DeleteHealthCheck")),
)


def check_findings(
    config: Config, zone: ZoneConfig, opened: Callable[[KeyRole], Route53Provider] | None = None
) -> list[Finding]:
    """Of one hosted zone. Nothing is made and nothing deleted."""
    wishes = wishes_of(config, zone, config.load_balancers)
    if not wishes.wanted:
        return []
    count = sum(len(one.parts) + (len(one.parts) > 1) for one in wishes.wanted)
    text = f"{counted(count, 'health check')} of {counted(len(wishes.wanted), 'load balancer')}, at Route 53's prices"
    found = [Finding("ok", "health checks", zone.name, text)]
    if count > QUOTA:
        text = f"{count} health checks are wanted; an account has {QUOTA} unless AWS raised that."
        found.append(Finding("note", "health checks", zone.name, text, "Ask AWS for more; plans don't wait for them."))
    missing: dict[KeyRole, list[str]] = {}
    for role, actions in _ASKED:
        provider = (opened or (lambda one: hosted_provider(zone, one, "check")))(role)
        try:
            desk = CheckDesk(zone.name, provider.calls)
            missing.setdefault(role, []).extend(one for one in actions if _denied(desk, zone.name, one))
        finally:
            provider.close()
    for role, some in missing.items():
        if some:
            text = f"AWS allows the {role} no {listed(some)}: health checks are not kept, and plans name none."
            remedy = "`standfast iam-policy` prints what each role needs; health_checks: off needs none."
            found.append(Finding("note", "health checks", zone.name, text, remedy))
    return found


def _denied(desk: CheckDesk, zone: str, action: str) -> bool:
    reply = desk.perform(_request(zone, action))
    return isinstance(reply, Refused | Unknown) and reply.why.startswith("AWS allows no")


def _request(zone: str, action: str) -> CheckRequest:
    nobody = str(uuid.uuid4())
    match action:
        case "ListHealthChecks":
            return ListChecks(zone, "none of these")
        case "CreateHealthCheck":
            return MakeCheck(zone, f"standfast-check-{nobody[:8]}", _NEVER)
        case "ChangeTagsForResource":
            return TagCheck(zone, nobody, (("Name", "nobody"),))
        case "UpdateHealthCheck":
            return MendCheck(zone, nobody, 1, CheckSettings("TCP", "192.0.2.1", port=443))
        case "GetHealthCheckStatus":
            return ReadStatus(zone, nobody)
        case "ListTagsForResources":
            return ReadTags(zone, (nobody,))
    return DeleteCheck(zone, nobody)
