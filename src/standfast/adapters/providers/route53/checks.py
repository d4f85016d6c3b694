"""Route 53's health checks: made, tagged, mended, listed, read, deleted; and which of them a hosted zone names.

Source: Route 53 API reference, CreateHealthCheck, UpdateHealthCheck, DeleteHealthCheck, GetHealthCheckStatus.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from standfast.model.check import CheckSettings, StandingCheck
from standfast.ports.checks import (
    CheckGone,
    CheckMade,
    CheckReply,
    CheckRequest,
    ChecksListed,
    DeleteCheck,
    Done,
    ListChecks,
    ListUses,
    MakeCheck,
    MendCheck,
    ReadStatus,
    ReadTags,
    ReferenceSpent,
    StatusRead,
    TagCheck,
    TagsRead,
    UsesListed,
)
from standfast.ports.provider import Refused, Unknown

from .calls import PAGE, CallFailed, Calls
from .records import their_name

CHECKS_PAGE: Final = "1000"
PAGES_MAX: Final = 4_000
_KINDS: Final = frozenset(("TCP", "HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "CALCULATED"))
_KIND: Final = "healthcheck"
_GONE: Final = "NoSuchHealthCheck"


class CheckDesk:
    """The health checks of one account, for one hosted zone. Blocking, for one thread; answers are replies."""

    def __init__(self, zone: str, calls: Calls, zone_id: Callable[[], str] = str) -> None:
        self.zone, self.calls, self._zone_id = zone, calls, zone_id

    def perform(self, request: CheckRequest) -> CheckReply:
        """Do what is asked. Raises ValueError if it concerns another zone."""
        if request.zone != self.zone:
            raise ValueError(f"these are the checks of {self.zone}, not of {request.zone}")
        try:
            return self._performed(request)
        except CallFailed as failed:
            if failed.code == _GONE:
                return CheckGone()
            return Refused(failed.why) if failed.kind == "refused" else Unknown(failed.why)
        except (KeyError, TypeError, ValueError) as error:
            return Unknown(f"Route 53's answer can't be understood: {type(error).__name__} {error}")

    def _performed(self, request: CheckRequest) -> CheckReply:
        match request:
            case MakeCheck():
                return self._made(request)
            case TagCheck():
                tags = [{"Key": key, "Value": value} for key, value in request.tags]
                self.calls.ask(
                    "change_tags_for_resource",
                    "ChangeTagsForResource",
                    ResourceType=_KIND,
                    ResourceId=request.id,
                    AddTags=tags,
                )
                return Done()
            case MendCheck():
                given = raw_of(request.settings)
                for fixed in ("Type", "RequestInterval", "MeasureLatency"):
                    given.pop(fixed, None)
                if request.settings.kind != "CALCULATED" and not request.settings.name:
                    given["ResetElements"] = ["FullyQualifiedDomainName"]  # what is not given stays as somebody has it
                self.calls.ask(
                    "update_health_check",
                    "UpdateHealthCheck",
                    HealthCheckId=request.id,
                    HealthCheckVersion=request.version,
                    **given,
                )
                return Done()
            case DeleteCheck():
                self.calls.ask("delete_health_check", "DeleteHealthCheck", HealthCheckId=request.id)
                return Done()
            case ListChecks():
                return self._listed(request.mark)
            case ReadTags():
                return self._tags(request.ids)
            case ReadStatus():
                return self._status(request.id)
            case ListUses():
                return self._uses()

    def _made(self, request: MakeCheck) -> CheckReply:
        try:
            reply = self.calls.ask(
                "create_health_check",
                "CreateHealthCheck",
                CallerReference=request.reference,
                HealthCheckConfig=raw_of(request.settings),
            )
        except CallFailed as failed:
            if failed.code == "HealthCheckAlreadyExists":
                return ReferenceSpent()
            if failed.code == "TooManyHealthChecks":
                return Refused(f"the account has as many health checks as its quota allows ({failed.why})")
            raise
        return CheckMade(str(reply["HealthCheck"]["Id"]))

    def _listed(self, mark: str) -> ChecksListed:
        found: list[StandingCheck] = []
        counted: set[str] = set()
        more: dict[str, str] = {}
        for _ in range(PAGES_MAX):
            reply = self.calls.ask("list_health_checks", "ListHealthChecks", MaxItems=CHECKS_PAGE, **more)
            for raw in reply["HealthChecks"]:
                config = raw["HealthCheckConfig"]
                if str(raw["CallerReference"]).startswith(mark):
                    found.append(
                        StandingCheck(
                            raw["Id"], raw["CallerReference"], int(raw["HealthCheckVersion"]), settings_of(config)
                        )
                    )
                else:
                    counted.update(config.get("ChildHealthChecks", ()))
            if not reply.get("IsTruncated"):
                return ChecksListed(tuple(found), frozenset(counted))
            more = {"Marker": str(reply["NextMarker"])}
        raise CallFailed("unknown", "Route 53's pages of health checks never end")

    def _tags(self, ids: tuple[str, ...]) -> TagsRead | Unknown:
        reply = self.calls.ask(
            "list_tags_for_resources", "ListTagsForResources", ResourceType=_KIND, ResourceIds=list(ids)
        )
        found = {
            one["ResourceId"]: tuple((tag["Key"], tag.get("Value", "")) for tag in one.get("Tags", ()))
            for one in reply["ResourceTagSets"]
        }
        if missing := set(ids) - found.keys():
            return Unknown(f"Route 53 says nothing of the tags of {min(missing)}")
        return TagsRead(tuple(found[one] for one in ids))

    def _status(self, identifier: str) -> StatusRead:
        reply = self.calls.ask("get_health_check_status", "GetHealthCheckStatus", HealthCheckId=identifier)
        observations = []
        for one in reply["HealthCheckObservations"]:
            said = " ".join(str(one.get("StatusReport", {}).get("Status", "")).split())
            if said:
                observations.append((said.startswith("Success"), said[:200]))
        return StatusRead(tuple(observations))

    def _uses(self) -> UsesListed:
        zone_id = self._zone_id()
        if not zone_id:
            raise CallFailed("unknown", "the hosted zone's id is not known")
        found: set[str] = set()
        start = (their_name(self.zone), "", "")
        for _ in range(PAGES_MAX):
            page = self.calls.listed(zone_id, start, PAGE)
            found.update(str(raw["HealthCheckId"]) for raw in page.raws if raw.get("HealthCheckId"))
            if page.following is None:
                return UsesListed(frozenset(found))
            if page.following == start:
                break
            start = page.following
        raise CallFailed("unknown", "Route 53's pages of record sets never end")


def raw_of(settings: CheckSettings) -> dict[str, Any]:
    """Settings as Route 53 takes them."""
    raw: dict[str, Any] = {"Type": settings.kind, "Inverted": settings.inverted, "Disabled": settings.disabled}
    if settings.kind == "CALCULATED":
        return {**raw, "ChildHealthChecks": list(settings.children), "HealthThreshold": settings.least}
    raw |= {"Port": settings.port, "RequestInterval": settings.interval_s, "FailureThreshold": settings.fall}
    if settings.address:
        raw["IPAddress"] = settings.address
    if settings.name:
        raw["FullyQualifiedDomainName"] = settings.name
    if settings.kind != "TCP":
        raw["ResourcePath"] = settings.path
    if settings.search:
        raw["SearchString"] = settings.search
    if settings.kind.startswith("HTTPS"):
        raw["EnableSNI"] = bool(settings.name)
    return raw


def settings_of(raw: Mapping[str, Any]) -> CheckSettings | None:
    """What a check is set to; None for a kind that is never ours."""
    kind = raw["Type"]
    if kind not in _KINDS:
        return None
    inverted, disabled = bool(raw.get("Inverted")), bool(raw.get("Disabled"))
    if kind == "CALCULATED":
        children = tuple(str(one) for one in raw.get("ChildHealthChecks", ()))
        least = int(raw.get("HealthThreshold", 0))
        return CheckSettings(
            kind, interval_s=0, fall=0, inverted=inverted, disabled=disabled, children=children, least=least
        )
    return CheckSettings(
        kind,
        address=str(raw.get("IPAddress", "")),
        name=str(raw.get("FullyQualifiedDomainName", "")),
        port=int(raw.get("Port", 0)),
        path=str(raw.get("ResourcePath", "")),
        search=str(raw.get("SearchString", "")),
        interval_s=int(raw.get("RequestInterval", 0)),
        fall=int(raw.get("FailureThreshold", 0)),
        inverted=inverted,
        disabled=disabled,
    )
