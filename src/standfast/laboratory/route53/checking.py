"""The operations on health checks, and on the tags of checks and zones."""

from __future__ import annotations

from typing import Any

from standfast.laboratory.route53 import checks
from standfast.laboratory.route53.account import Account, CheckDeleted, CheckPut, Tagged
from standfast.laboratory.route53.checks import Check
from standfast.laboratory.route53.faults import (
    ServiceError,
    invalid_input,
    no_such_health_check,
    no_such_hosted_zone,
)
from standfast.laboratory.route53.hosting import page_size
from standfast.laboratory.route53.probing import Observation, Prober

Parameters = dict[str, Any]
PAGE_MAX = 1_000
TAGS_MAX, TAG_CHANGES_MAX = 50, 10
KEY_CHARACTERS_MAX, VALUE_CHARACTERS_MAX = 128, 256
TAGGED_RESOURCES_MAX = 10


class Checking:
    """Health checks of one account."""

    def __init__(self, account: Account, prober: Prober) -> None:
        self.account = account
        self.prober = prober

    def verdict(self, check: str) -> bool:
        """Whether a check is healthy now."""
        gone = self.account.settings.deleted_check == "healthy"
        return checks.verdict(self.account.checks, self.prober.held(), check, gone)

    def check(self, identifier: str) -> Check:
        """Raises ServiceError (NoSuchHealthCheck)."""
        found = self.account.checks.get(identifier)
        if found is None:
            raise no_such_health_check(identifier)
        return found

    def create_health_check(self, given: Parameters) -> Parameters:
        """CreateHealthCheck: the same caller reference and settings give the existing check; HealthCheckAlreadyExists
        for other settings, and for the reference of a check that was deleted.

        Source: API Reference, CreateHealthCheck, CallerReference.
        """
        reference = given["CallerReference"]
        fresh = checks.new(reference, given["HealthCheckConfig"])
        with self.account.lock:
            standing = self.account.check_references.get(reference)
            if standing is None:
                self._check_children(fresh)
                self.account.record(CheckPut(fresh))
            elif standing not in self.account.checks or self.account.checks[standing].config != fresh.config:
                raise ServiceError(
                    "HealthCheckAlreadyExists",
                    f"A health check with caller reference {reference} already exists, with other settings or deleted.",
                    409,
                )
            else:
                fresh = self.account.checks[standing]
        location = f"https://route53.amazonaws.com/2013-04-01/healthcheck/{fresh.id}"
        return {"HealthCheck": fresh.shown(), "Location": location}

    def _check_children(self, check: Check) -> None:
        """Children exist and are no calculated ones (Developer Guide, "Monitoring other health checks")."""
        for child in check.children:
            if self.check(child).config["Type"] == "CALCULATED":
                raise invalid_input(f"Invalid request: the child {child} is itself a calculated health check")

    def get_health_check(self, given: Parameters) -> Parameters:
        """GetHealthCheck (API Reference, GetHealthCheck)."""
        return {"HealthCheck": self.check(given["HealthCheckId"]).shown()}

    def list_health_checks(self, given: Parameters) -> Parameters:
        """ListHealthChecks, in order of id; the marker is the next id (API Reference, ListHealthChecks)."""
        most = page_size(given.get("MaxItems"), PAGE_MAX)
        with self.account.lock:
            found = [one for key, one in sorted(self.account.checks.items()) if key >= given.get("Marker", "")]
        more = len(found) > most
        return {
            "HealthChecks": [one.shown() for one in found[:most]],
            "Marker": given.get("Marker", ""),
            "IsTruncated": more,
            "NextMarker": found[most].id if more else None,
            "MaxItems": str(most),
        }

    def get_health_check_count(self, given: Parameters) -> Parameters:
        """GetHealthCheckCount (API Reference, GetHealthCheckCount)."""
        return {"HealthCheckCount": len(self.account.checks)}

    def update_health_check(self, given: Parameters) -> Parameters:
        """UpdateHealthCheck: HealthCheckVersionMismatch if a version is given that is not the current one.

        Source: API Reference, UpdateHealthCheck, HealthCheckVersion.
        """
        with self.account.lock:
            check = self.check(given["HealthCheckId"])
            if given.get("HealthCheckVersion", check.version) != check.version:
                raise ServiceError(
                    "HealthCheckVersionMismatch",
                    "The value of HealthCheckVersion in the request doesn't match the value in the health check.",
                    409,
                )
            after = checks.updated(check, given)
            self._check_children(after)
            self.account.record(CheckPut(after))
        return {"HealthCheck": after.shown()}

    def delete_health_check(self, given: Parameters) -> Parameters:
        """DeleteHealthCheck: allowed while record sets name the check (API Reference, DeleteHealthCheck)."""
        with self.account.lock:
            self.account.record(CheckDeleted(self.check(given["HealthCheckId"]).id))
        return {}

    def get_health_check_status(self, given: Parameters) -> Parameters:
        """GetHealthCheckStatus: not for calculated checks (API Reference, GetHealthCheckStatus)."""
        return {"HealthCheckObservations": self._observed(given["HealthCheckId"], failures=False)}

    def get_health_check_last_failure_reason(self, given: Parameters) -> Parameters:
        """GetHealthCheckLastFailureReason: not for calculated checks (API Reference, the operation of that name)."""
        return {"HealthCheckObservations": self._observed(given["HealthCheckId"], failures=True)}

    def _observed(self, identifier: str, failures: bool) -> list[Parameters]:
        if self.check(identifier).config["Type"] == "CALCULATED":
            raise invalid_input("Invalid request: a calculated health check has no checkers of its own")
        found = []
        for checker in self.prober.checkers.get(identifier, ()):
            seen: Observation | None = checker.failure if failures else checker.last
            if seen:
                report = {"Status": seen.text, "CheckedTime": seen.at}
                found.append({"Region": "us-east-1", "IPAddress": "127.0.0.1", "StatusReport": report})
        return found

    def get_checker_ip_ranges(self, given: Parameters) -> Parameters:
        """GetCheckerIpRanges: where the checkers here come from."""
        return {"CheckerIpRanges": ["127.0.0.0/8", "::1/128"]}

    def change_tags_for_resource(self, given: Parameters) -> Parameters:
        """ChangeTagsForResource: at most ten changes a request (API Reference, ChangeTagsForResource)."""
        kind, resource = self._resource(given)
        add, remove = given.get("AddTags") or [], given.get("RemoveTagKeys") or []
        if not add and not remove:
            raise invalid_input("Invalid request: neither AddTags nor RemoveTagKeys is given")
        if max(len(add), len(remove)) > TAG_CHANGES_MAX:
            raise invalid_input(f"Invalid request: at most {TAG_CHANGES_MAX} tags are added or removed at a time")
        with self.account.lock:
            tags = {key: text for key, text in self.account.tags.get((kind, resource), {}).items() if key not in remove}
            for one in add:
                key, text = one.get("Key", ""), one.get("Value", "")
                if not 1 <= len(key) <= KEY_CHARACTERS_MAX or len(text) > VALUE_CHARACTERS_MAX or key in remove:
                    raise invalid_input(f"Invalid request: the tag {key!r} is not valid")
                tags[key] = text
            if len(tags) > TAGS_MAX:
                raise invalid_input(f"Invalid request: a resource has at most {TAGS_MAX} tags")
            self.account.record(Tagged(kind, resource, tags))
        return {}

    def list_tags_for_resource(self, given: Parameters) -> Parameters:
        """ListTagsForResource (API Reference, ListTagsForResource)."""
        return {"ResourceTagSet": self._tag_set(*self._resource(given))}

    def list_tags_for_resources(self, given: Parameters) -> Parameters:
        """ListTagsForResources: up to ten at a time (API Reference, ListTagsForResources)."""
        ids = given["ResourceIds"]
        if not 1 <= len(ids) <= TAGGED_RESOURCES_MAX:
            raise invalid_input(f"Invalid request: 1 to {TAGGED_RESOURCES_MAX} resources are asked for at a time")
        resources = [self._resource({**given, "ResourceId": one}) for one in ids]
        return {"ResourceTagSets": [self._tag_set(*one) for one in resources]}

    def _resource(self, given: Parameters) -> tuple[str, str]:
        kind, resource = given["ResourceType"], given["ResourceId"]
        if kind == "healthcheck":
            self.check(resource)
        elif kind != "hostedzone":
            raise invalid_input(f"Invalid request: {kind!r} is neither healthcheck nor hostedzone")
        elif resource not in self.account.zones:
            raise no_such_hosted_zone(resource)
        return kind, resource

    def _tag_set(self, kind: str, resource: str) -> Parameters:
        tags = sorted(self.account.tags.get((kind, resource), {}).items())
        shown = [{"Key": key, "Value": value} for key, value in tags]
        return {"ResourceType": kind, "ResourceId": resource, "Tags": shown}
