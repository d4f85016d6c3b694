"""The operations on hosted zones, their record sets and changes."""

from __future__ import annotations

import datetime
import time
from typing import Any

from standfast.laboratory.route53 import names, sets
from standfast.laboratory.route53.account import NAME_SERVERS, Account, ZoneCreated, ZoneDeleted
from standfast.laboratory.route53.batch import Change, Surroundings, judge
from standfast.laboratory.route53.faults import (
    ServiceError,
    invalid_change_batch,
    invalid_input,
    no_such_hosted_zone,
    prior_request_not_complete,
)
from standfast.laboratory.route53.zones import Submitted, Zone, born

Parameters = dict[str, Any]

RECORD_SETS_PAGE_MAX = 300
"""API Reference, ListResourceRecordSets: up to 300 at a time."""

ZONES_PAGE_MAX = 100
"""API Reference, ListHostedZones: up to 100 at a time."""


class Hosting:
    """Hosted zones of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._busy: set[str] = set()

    def zone(self, identifier: str) -> Zone:
        """Raises ServiceError (NoSuchHostedZone)."""
        zone = self.account.zones.get(identifier)
        if zone is None:
            raise no_such_hosted_zone(identifier)
        return zone

    def create_hosted_zone(self, given: Parameters) -> Parameters:
        """CreateHostedZone: public zones only; a caller reference is used once (HostedZoneAlreadyExists).

        Source: API Reference, CreateHostedZone.
        """
        apex, reference = names.canonical(given["Name"]), given["CallerReference"]
        config = given.get("HostedZoneConfig") or {}
        if given.get("VPC") or config.get("PrivateZone") or given.get("DelegationSetId"):
            raise invalid_input("The stand-in has public hosted zones without delegation sets only")
        with self.account.lock:
            if reference in self.account.references:
                raise ServiceError(
                    "HostedZoneAlreadyExists",
                    "A hosted zone has already been created with the specified caller reference.",
                    409,
                )
            if apex.count(".") < 2:
                raise ServiceError("InvalidDomainName", f"{apex.rstrip('.')} is reserved by AWS!")
            created = ZoneCreated(self.account.fresh("Z"), apex, reference, config.get("Comment"))
            self.account.record(created)
            zone = self.account.zones[created.zone]
            submitted = self.account.change(zone, born(zone, NAME_SERVERS))
            return {
                "HostedZone": _shown(zone),
                "ChangeInfo": self._info(submitted),
                "DelegationSet": {"NameServers": [one.rstrip(".") for one in NAME_SERVERS]},
                "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.id}",
            }

    def get_hosted_zone(self, given: Parameters) -> Parameters:
        """GetHostedZone (API Reference, GetHostedZone)."""
        with self.account.lock:
            return {
                "HostedZone": _shown(self.zone(given["Id"])),
                "DelegationSet": {"NameServers": [one.rstrip(".") for one in NAME_SERVERS]},
            }

    def get_hosted_zone_count(self, given: Parameters) -> Parameters:
        """GetHostedZoneCount (API Reference, GetHostedZoneCount)."""
        return {"HostedZoneCount": len(self.account.zones)}

    def list_hosted_zones(self, given: Parameters) -> Parameters:
        """ListHostedZones, in order of id; the marker is the next id (API Reference, ListHostedZones)."""
        most = page_size(given.get("MaxItems"), ZONES_PAGE_MAX)
        with self.account.lock:
            zones = [zone for key, zone in sorted(self.account.zones.items()) if key >= given.get("Marker", "")]
        more = len(zones) > most
        return {
            "HostedZones": [_shown(zone) for zone in zones[:most]],
            "Marker": given.get("Marker", ""),
            "IsTruncated": more,
            "NextMarker": zones[most].id if more else None,
            "MaxItems": str(most),
        }

    def list_hosted_zones_by_name(self, given: Parameters) -> Parameters:
        """ListHostedZonesByName: names with the labels reversed, from DNSName and HostedZoneId on.

        Source: API Reference, ListHostedZonesByName.
        """
        most = page_size(given.get("MaxItems"), ZONES_PAGE_MAX)
        if given.get("HostedZoneId") and not given.get("DNSName"):
            raise invalid_input("Invalid request: HostedZoneId needs DNSName")
        start = (
            names.order(names.canonical(given["DNSName"])) if given.get("DNSName") else "",
            given.get("HostedZoneId", ""),
        )
        with self.account.lock:
            ordered = sorted((names.order(zone.apex), zone.id) for zone in self.account.zones.values())
            zones = [self.account.zones[key] for order, key in ordered if (order, key) >= start]
        more = len(zones) > most
        return {
            "HostedZones": [_shown(zone) for zone in zones[:most]],
            "DNSName": given.get("DNSName"),
            "HostedZoneId": given.get("HostedZoneId"),
            "IsTruncated": more,
            "NextDNSName": zones[most].apex if more else None,
            "NextHostedZoneId": zones[most].id if more else None,
            "MaxItems": str(most),
        }

    def delete_hosted_zone(self, given: Parameters) -> Parameters:
        """DeleteHostedZone: only with nothing but SOA and NS at the apex (HostedZoneNotEmpty).

        Source: API Reference, DeleteHostedZone; the words are AWS's.
        """
        with self.account.lock:
            zone = self.zone(given["Id"])
            if zone.records() > 2 or set(zone.groups) != {(zone.apex, "NS"), (zone.apex, "SOA")}:
                raise ServiceError(
                    "HostedZoneNotEmpty",
                    "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
                )
            self.account.record(ZoneDeleted(zone.id))
            submitted = Submitted(self.account.fresh("C"), time.time())
            self.account.changes[submitted.id] = (submitted, self.account.clock())
            return {"ChangeInfo": self._info(submitted)}

    def change_resource_record_sets(self, given: Parameters) -> Parameters:
        """ChangeResourceRecordSets: all of the batch or none; one at a time for a zone.

        Sources: API Reference, ChangeResourceRecordSets; Developer Guide, Quotas, "Quotas on API requests"
        (PriorRequestNotComplete).
        """
        batch = given["ChangeBatch"]
        changes = [_change(one) for one in batch["Changes"]]
        with self.account.lock:
            zone = self.zone(given["HostedZoneId"])
            if zone.id in self._busy:
                raise prior_request_not_complete()
            self._busy.add(zone.id)
        try:
            if self.account.settings.processing:
                time.sleep(self.account.settings.processing)
            with self.account.lock:
                self._check_health_checks(changes)
                judged = judge(
                    zone.groups,
                    changes,
                    Surroundings(zone.id, zone.apex, self.account.alias_problem),
                    self.account.settings.rules,
                )
                if isinstance(judged, list):
                    raise invalid_change_batch(judged)
                return {"ChangeInfo": self._info(self.account.change(zone, judged, batch.get("Comment")))}
        finally:
            self._busy.discard(zone.id)

    def _check_health_checks(self, changes: list[Change]) -> None:
        """A health check that a batch names must exist (API Reference, ChangeResourceRecordSets, NoSuchHealthCheck)."""
        for one in changes:
            check = one.wanted.health_check
            if one.action != "DELETE" and check is not None and check not in self.account.checks:
                raise ServiceError("NoSuchHealthCheck", f"A health check with id {check} does not exist.", 404)

    def list_resource_record_sets(self, given: Parameters) -> Parameters:
        """ListResourceRecordSets: pages in Route 53's order; what is PENDING is in it.

        Source: API Reference, ListResourceRecordSets.
        """
        name, kind, key = (given.get(f"StartRecord{field}") for field in ("Name", "Type", "Identifier"))
        if kind and not name:
            raise invalid_input("Invalid request: StartRecordType needs StartRecordName")
        if key and not kind:
            raise invalid_input("Invalid request: StartRecordIdentifier needs StartRecordType")
        most = page_size(given.get("MaxItems"), RECORD_SETS_PAGE_MAX)
        with self.account.lock:
            zone = self.zone(given["HostedZoneId"])
            start = (names.order(names.canonical(name)) if name else "", kind or "", key or "")
            page, following = self.account.listing(zone).listed(start, most)
        return {
            "ResourceRecordSets": [one.shown() for one in page],
            "IsTruncated": following is not None,
            "NextRecordName": following and following.name,
            "NextRecordType": following and following.type,
            "NextRecordIdentifier": following and following.identifier,
            "MaxItems": str(most),
        }

    def get_change(self, given: Parameters) -> Parameters:
        """GetChange: PENDING until every DNS server has the change, then INSYNC (API Reference, GetChange)."""
        with self.account.lock:
            found = self.account.changes.get(given["Id"])
            if found is None:
                raise ServiceError("NoSuchChange", "A change with the specified change ID does not exist.", 404)
            return {"ChangeInfo": self._info(found[0])}

    def _info(self, submitted: Submitted) -> Parameters:
        done = self.account.in_sync(submitted.id)
        return {
            "Id": f"/change/{submitted.id}",
            "Status": "INSYNC" if done else "PENDING",
            "SubmittedAt": datetime.datetime.fromtimestamp(submitted.at, datetime.UTC),
            "Comment": submitted.comment,
        }


def page_size(given: str | None, most: int) -> int:
    """MaxItems; raises ServiceError (InvalidInput) for what is no positive number."""
    if given is None:
        return most
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise invalid_input(f"Invalid request: MaxItems {given!r} is no number from 1 on")
    return min(int(given), most)


def _change(given: Parameters) -> Change:
    return Change(given["Action"], sets.read(given["Action"], given["ResourceRecordSet"]))


def _shown(zone: Zone) -> Parameters:
    return {
        "Id": f"/hostedzone/{zone.id}",
        "Name": zone.apex,
        "CallerReference": zone.reference,
        "Config": {"Comment": zone.comment, "PrivateZone": False},
        "ResourceRecordSetCount": zone.records(),
    }
