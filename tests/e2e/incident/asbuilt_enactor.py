"""One enactor of October 2025 as a process at a Route 53: the core of `sim/asbuilt`, with an unmodified boto3 under it.

    python tests/e2e/incident/asbuilt_enactor.py --name C --latest FILE --told FILE --zone NAME=ID …

Test-only: it decides nothing, and nothing of ours protects what it writes. What it does it tells in lines of JSON:
`at` (monotonic seconds), `text`, `plan`, `where`, `phase`, and `refused`, the provider's words. A crash and a new start
are a new core.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from standfast.sim.asbuilt import plans, telling
from standfast.sim.asbuilt.enactor import Enactor, Latest, Look, ReadLatest, Reply, Request, Seen, Send
from standfast.sim.asbuilt.remedies import Built, Rendering, chosen
from standfast.sim.asbuilt.route53 import Applied, Batch, Change, HostedZone, RecordSet, Refused

TTL: Final = 1
PATIENCE_S: Final = 900
"""A request held at the provider's door is waited for, as long as the stand-in holds one."""
BACK_OFF_S: Final = (0.02, 0.06)


def wire(record: RecordSet, zone: str) -> dict[str, Any]:
    """A record set as the API has it."""
    raw: dict[str, Any] = {"Name": record.name, "Type": record.type}
    if record.identifier:
        raw |= {"SetIdentifier": record.identifier, "Weight": record.weight}
    if record.alias:
        raw["AliasTarget"] = {"HostedZoneId": zone, "DNSName": record.alias, "EvaluateTargetHealth": False}
        return raw
    quoted = [f'"{value}"' if record.type == "TXT" else value for value in record.values]
    return {**raw, "TTL": TTL, "ResourceRecords": [{"Value": value} for value in quoted]}


def read(raw: Mapping[str, Any]) -> RecordSet:
    """And back."""
    values = tuple(one["Value"].strip('"') for one in raw.get("ResourceRecords", ()))
    alias = str(raw.get("AliasTarget", {}).get("DNSName", "")).rstrip(".")
    name, identifier = str(raw["Name"]).rstrip("."), str(raw.get("SetIdentifier", ""))
    return RecordSet(name, raw["Type"], identifier, values, alias, int(raw.get("Weight", 0)))


def listed(client: Any, apex: str, zone: str) -> HostedZone:
    """What the zone holds, by the API; its NS and SOA are nobody's business here."""
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    raws = [raw for page in pages for raw in page["ResourceRecordSets"] if raw["Type"] in ("A", "TXT")]
    return HostedZone(apex, tuple(sorted(map(read, raws))))


class World:
    """Route 53, the pointer to the latest plan (a file with a number), and this machine's clock."""

    def __init__(self, name: str, latest: Path, zones: Mapping[str, str], lease_s: float) -> None:
        self.name, self.latest, self.zones, self.lease_s = name, latest, zones, lease_s
        self.client = boto3.client("route53", config=Config(retries={"max_attempts": 0}, read_timeout=PATIENCE_S))
        self.why = ""
        self._stamps = 0

    def stamp(self) -> str:
        """A lock's value, never used again: who, and until when."""
        self._stamps += 1
        return f"{self.name} {self._stamps} until {time.time() + self.lease_s:.3f}"

    def perform(self, request: Request) -> Reply:
        """Ask, and give what is answered; `why` has the provider's words if it refused."""
        self.why = ""
        if isinstance(request, ReadLatest):
            return Latest(int(self.latest.read_text(encoding="ascii")))
        apex, zone = list(self.zones.items())[request.endpoint]
        if isinstance(request, Look):
            there = listed(self.client, apex, zone)
            lock = plans.written(there, plans.lock_name(apex))
            return Seen(there, bool(lock) and time.time() > float(lock.rpartition(" ")[2]))
        return self._send(request, apex, zone)

    def _send(self, request: Send, apex: str, zone: str) -> Applied | Refused:
        changes = [{"Action": one.action, "ResourceRecordSet": wire(one.record, zone)} for one in request.batch]
        try:
            self.client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidChangeBatch":
                raise
            self.why = error.response["Error"]["Message"]
            return Refused(_blamed(request.batch, self.why), self.why)
        return Applied(HostedZone(apex))


def _blamed(batch: Batch, why: str) -> Change:
    """The change that the provider's words are about: the one whose record, or else whose target, they name first."""
    named = [(why.find(f"name='{one.record.name}.'"), place) for place, one in enumerate(batch)]
    found = [one for one in named if one[0] >= 0] or [
        (why.find(f"{one.record.alias}."), place)
        for place, one in enumerate(batch)
        if one.record.alias and f"{one.record.alias}." in why
    ]
    if not found:
        raise AssertionError(f"the provider's words name nothing of the batch: {why}")
    return batch[min(found)[1]]


def work(world: World, core: Enactor, told: Path, over: list[int]) -> None:
    """Pass after pass, until told to end."""
    with told.open("a", encoding="utf-8", buffering=1) as out:
        out.write(
            json.dumps({"at": time.monotonic(), "text": "started", "phase": "", "next": "idle", "plan": 0}) + "\n"
        )
        while not over:
            stamp = world.stamp()
            request = core.request(stamp)
            reply = world.perform(request)
            after = core.heard(reply, stamp)
            if worth_telling(core, request, after):
                line = _line(core, request, after, reply, world.why)
                out.write(json.dumps({"at": time.monotonic(), **line}) + "\n")
            if world.why or after.phase == "idle" or (after.phase, after.plan) == (core.phase, core.plan):
                time.sleep(random.uniform(*BACK_OFF_S))
            core = after


def worth_telling(core: Enactor, request: Request, after: Enactor) -> bool:
    """Not every look at a lock that is held, nor at a plan that is not newer."""
    return isinstance(request, Send) or core.phase in ("surveying", "listing") or after.phase == "locking" != core.phase


def _line(core: Enactor, request: Request, after: Enactor, reply: Reply, why: str) -> dict[str, Any]:
    where = "" if isinstance(request, ReadLatest) else core.how.endpoints[request.endpoint]
    refused = why or telling.refusal(core, reply)
    facts = {"phase": core.phase, "next": after.phase, "plan": after.plan or core.plan}
    return {"text": telling.step(core, request, after, reply), "where": where, "refused": refused, **facts}


def main() -> None:
    """Work until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--name", required=True)
    parser.add_argument("--latest", type=Path, required=True)
    parser.add_argument("--told", type=Path, required=True)
    parser.add_argument("--zone", action="append", required=True, metavar="NAME=ID")
    parser.add_argument("--distance", type=int, default=35)
    parser.add_argument("--lease", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--rendering", choices=get_args(Rendering), default="provider")
    parser.add_argument("--with", action="append", default=[], dest="remedies", metavar="REMEDY")
    given = parser.parse_args()
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: over.append(number))
    zones = dict(one.split("=", 1) for one in given.zone)
    how = Built(tuple(zones), given.distance, chosen(given.remedies), given.rendering)
    work(World(given.name, given.latest, zones, given.lease), Enactor(how), given.told, over)


if __name__ == "__main__":
    main()
