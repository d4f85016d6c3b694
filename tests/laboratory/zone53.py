"""A hosted zone in a test's hands: changes in few words, refusals as code and message."""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import ClientError

from harness.route53 import Route53


class Refused(Exception):
    """What a request was refused with."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Zone53:
    """A zone of a Route 53, asked through a boto3 client; names are given relative to the apex, `@` is the apex."""

    def __init__(self, client: Any, identifier: str, apex: str) -> None:
        self.client = client
        self.id = identifier
        self.apex = apex

    @classmethod
    def create(cls, route53: Route53, apex: str) -> Zone53:
        """A new zone."""
        client = route53.client()
        made = client.create_hosted_zone(Name=apex, CallerReference=str(uuid.uuid4()))
        return cls(client, made["HostedZone"]["Id"].rpartition("/")[2], apex)

    def name(self, label: str) -> str:
        """A name in the zone."""
        return self.apex if label == "@" else f"{label}.{self.apex}"

    def a(self, label: str, *addresses: str, ttl: int = 60, **more: Any) -> dict[str, Any]:
        """A plain or routed A set."""
        records = [{"Value": one} for one in addresses]
        return {"Name": self.name(label), "Type": "A", "TTL": ttl, "ResourceRecords": records, **more}

    def rr(self, label: str, kind: str, *values: str, ttl: int = 60, **more: Any) -> dict[str, Any]:
        """A set of any type."""
        return {**self.a(label, *values, ttl=ttl, **more), "Type": kind}

    def alias(self, label: str, target: str, kind: str = "A", evaluate: bool = False, **more: Any) -> dict[str, Any]:
        """An alias of a name in this zone."""
        to = {"HostedZoneId": self.id, "DNSName": self.name(target), "EvaluateTargetHealth": evaluate}
        return {"Name": self.name(label), "Type": kind, "AliasTarget": to, **more}

    def change(self, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """Send one batch; raises Refused."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": one} for action, one in changes]}
        try:
            answer = self.client.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)
        except ClientError as wrong:
            raise Refused(wrong.response["Error"]["Code"], wrong.response["Error"]["Message"]) from None
        info: dict[str, Any] = answer["ChangeInfo"]
        return info

    def create_set(self, one: dict[str, Any]) -> dict[str, Any]:
        """CREATE one set."""
        self.change(("CREATE", one))
        return one

    def listed(self, **start: Any) -> list[dict[str, Any]]:
        """All sets but the apex's SOA and NS, in the order they are listed."""
        found, more = [], dict(start)
        while True:
            page = self.client.list_resource_record_sets(HostedZoneId=self.id, **more)
            found += page["ResourceRecordSets"]
            if not page["IsTruncated"]:
                return [one for one in found if one["Type"] not in ("SOA", "NS") or one["Name"] != self.apex]
            fields = ("Name", "Type", "Identifier")
            more = {**start, **{f"StartRecord{f}": page[f"NextRecord{f}"] for f in fields if f"NextRecord{f}" in page}}
