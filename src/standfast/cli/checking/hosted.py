"""Everything `check` says about a zone at Route 53: credentials, hosted zone, rights, names. Changes nothing.

Each right is asked for by the very batch that would be sent, together with the deletion of a record set that does not
exist: AWS looks at rights first, so it answers AccessDenied where one is missing, and InvalidChangeBatch where none is.
"""

import math
import secrets
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import CallFailed
from standfast.adapters.providers.route53.pace import SPARE_PART
from standfast.adapters.providers.route53.records import kind_of, raws_of, their_name
from standfast.cli.texts import counted
from standfast.config import Config, KeyRole, ZoneConfig
from standfast.config.hosted import FOUND_WITHIN_S, PATROL_S, RATE
from standfast.core.patrol import calls_of_a_round, record_sets
from standfast.errors import ProviderError
from standfast.model.name import floor_owner, relative, subtree
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.routing import MULTIVALUE_ANSWERS
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType, txt_rdata
from standfast.ports.provider import Conflict, Content, Read, Refused, Replace, ReplaceReply, Unknown
from standfast.runtime.hosted import hosted_provider
from standfast.runtime.nameturns import round_s
from standfast.runtime.phrases import capital, listed

from .findings import Finding, ZoneReport
from .hostedchecks import check_findings
from .hostedroom import room_findings
from .hostedservers import server_findings
from .hostedtrees import tree_findings
from .names import folded_findings, name_findings
from .rights import Rights, examine

_PRINT: Final = "`standfast iam-policy` prints what each role needs."
_READERS: Final[tuple[KeyRole, ...]] = ("planner", "cleaner")
_QUESTIONS_MAX: Final = 60
"""Batches asked at most: AWS answers few a second."""
_SAME_NAMES: Final = 4
MONTH_S: Final = 30 * 86_400
QUERY_DOLLARS: Final = 0.4e-6
"""A query of a name server (aws.amazon.com/route53/pricing, as of September 2026), half above QUERIES_FULL a month."""
QUERIES_FULL: Final = 1e9


def check_hosted(zone: ZoneConfig, stream: str, policies: Sequence[EndpointPolicy], plan: Plan | None) -> ZoneReport:
    """Look at one hosted zone as an enactor would. Never raises for what AWS says or not."""
    blank = ZoneReport(zone.name, zone.where, ())
    try:
        provider = hosted_provider(zone, "enactor", "check")
    except ProviderError as error:
        return _with(blank, [Finding("problem", "server", zone.where, f"{error.message}.", error.remedy)])
    try:
        findings = _zone_findings(provider, zone)
        if any(one.level == "problem" for one in findings):
            return _with(blank, findings)
        names = [policy.name for policy in policies]
        rights = examine(_Doubtful(provider, stream), zone.name, stream, names, questions=_QUESTIONS_MAX)
        findings += folded_findings(_right_findings(zone, names, rights), _SAME_NAMES)
        findings += _reader_findings(zone, stream)
        findings.append(_found_by(zone, len(names)))
        findings.append(_patrol_finding(zone, len(names), plan))
        findings += server_findings(zone, provider)
        findings += folded_findings(name_findings(provider, zone.name, stream, policies, plan), _SAME_NAMES)
    finally:
        provider.close()
    report = _with(blank, findings)
    missing: dict[str, list[str]] = {}
    for owner, rtype in rights.missing:
        missing.setdefault(owner, []).append(RRType(rtype).name)
    return _replaced(report, missing)


def with_checks(report: ZoneReport, config: Config, zone: ZoneConfig) -> ZoneReport:
    """With what is to be said of Route 53's own health checks and of trees, if AWS answered at all."""
    if not report.answers:
        return report
    more = (*check_findings(config, zone), *tree_findings(config, zone), *room_findings(config, zone))
    return replace(report, findings=(*report.findings, *more))


def _with(report: ZoneReport, findings: list[Finding]) -> ZoneReport:
    answers = not any(one.area == "server" and one.level == "problem" for one in findings)
    return ZoneReport(report.zone, report.server, tuple(findings), answers=answers, kind="route53")


def _replaced(report: ZoneReport, missing: dict[str, list[str]]) -> ZoneReport:
    some = tuple((owner, tuple(types)) for owner, types in missing.items())
    return ZoneReport(report.zone, report.server, report.findings, answers=True, kind="route53", missing=some)


def _zone_findings(provider: Route53Provider, zone: ZoneConfig) -> list[Finding]:
    """Credentials, the hosted zone's id, its name, and whether it can be read."""
    try:
        zone_id = provider.zone_id()
        name, servers, private = provider.calls.zone(zone_id)
    except CallFailed as failed:
        return [Finding("problem", "server", zone.where, f"{capital(failed.why)}.", _remedy(failed))]
    if name != zone.name:
        text = f"Hosted zone {zone_id} is {name}, not {zone.name}."
        return [Finding("problem", "zone", zone.name, text, "Mend hosted_zone: or the zone's name.")]
    reply = provider.perform(Read(zone.name, ((floor_owner("main", zone.name), int(RRType.TXT)),)))
    if isinstance(reply, Unknown):
        return [Finding("problem", "rights", zone.name, f"{capital(reply.why)}.", _PRINT)]
    if private:
        text = (
            f"Hosted zone {zone_id} is private: it is answered in its VPCs alone, and Route 53's checkers are outside."
        )
        remedy = "Give secondaries: with an address of the VPC's resolver for each, and health_checks: off."
        return [Finding("note", "zone", zone.name, text, remedy)]
    text = f"hosted zone {zone_id}, served by {listed(list(servers[:4])) if servers else 'nobody that is named'}"
    return [Finding("ok", "zone", zone.name, text)]


def _patrol_finding(zone: ZoneConfig, endpoints: int, plan: Plan | None) -> Finding:
    """How soon damage by hand is noticed: the rounds of all enactors together. Without a plan as long as it can be."""
    rate, least = (zone.hosted.rate, zone.hosted.patrol_seconds) if zone.hosted is not None else (RATE, PATROL_S)
    entries = [one for one in plan.by_zone.get(zone.name, ()) if one.kind != "first"] if plan is not None else []
    plain = [record_sets(one) for one in entries if not one.has_tree]
    of_each = sum(plain) / len(plain) if plain else 2.0 * MULTIVALUE_ANSWERS
    trees = len(entries) - len(plain)
    calls = calls_of_a_round(max(endpoints, len(entries)) - trees, of_each, trees)
    pause = max(least, calls / (rate * SPARE_PART))
    within = f"{math.ceil(pause / 60)} min" if pause > 90 else f"{math.ceil(pause)} s"
    text = (
        f"damage by hand in {zone.name} is noticed within {within}: {counted(calls, 'request')} look through it, "
        f"{rate * SPARE_PART:g} a second at most, all enactors together"
    )
    return Finding("ok", "patrol", zone.name, text)


class _Doubtful:
    """Asks for changes that cannot be made, and says what the answer proves of rights."""

    def __init__(self, provider: Route53Provider, stream: str) -> None:
        self._provider = provider
        self._floor = floor_owner(stream, provider.zone)

    def perform(self, request: Replace) -> ReplaceReply:
        try:
            self._provider.calls.change(self._provider.zone_id(), self._changes(request.contents))
        except CallFailed as failed:
            if failed.denied:
                return Refused("REFUSED")
            fits = failed.kind == "conflict" or failed.why.startswith("InvalidChangeBatch")
            return Conflict() if fits else Refused(failed.why)
        return Refused("AWS made a change that deletes what does not exist: it must not be used")

    def _changes(self, contents: tuple[Content, ...]) -> list[dict[str, Any]]:
        """Every name and type deleted and created; and first a TXT whose text nobody has."""
        never = RRset.of(RRType.TXT, 1, [txt_rdata(f"never {secrets.token_hex(16)}")])
        gone = [dict(raw) for raw in raws_of(self._floor, never, self._provider.zone_id())]
        made = []
        for content in contents:
            if (content.owner, content.rtype) == (self._floor, RRType.TXT):
                continue
            rdata = content.rdata or (b"\x07invalid\0",)
            made += [dict(raw) for raw in raws_of(content.owner, RRset.of(content.rtype, 60, rdata), "")]
        deletions = [{"Action": "DELETE", "ResourceRecordSet": raw} for raw in (*gone, *made)]
        return deletions + [{"Action": "CREATE", "ResourceRecordSet": raw} for raw in made]


def _right_findings(zone: ZoneConfig, names: Sequence[str], rights: Rights) -> list[Finding]:
    if rights.trouble:
        return [Finding("problem", "updates", zone.name, f"It takes no change: {rights.trouble}.", _PRINT)]
    if not rights.examined:
        text = (
            f"So many rights are missing that {rights.messages} questions did not find them all; some are named here."
        )
        return [Finding("problem", "rights", zone.name, text, _PRINT), *_one_by_one(zone, rights)]
    if rights.missing:
        return _one_by_one(zone, rights)
    whom = f"role {zone.hosted.role('enactor')}" if zone.hosted and zone.hosted.role("enactor") else "the enactor"
    text = f"{whom} may change A, AAAA and CNAME of {counted(len(names), 'name')}, and TXT below {subtree(zone.name)}"
    return [Finding("ok", "rights", zone.name, text)]


def _one_by_one(zone: ZoneConfig, rights: Rights) -> list[Finding]:
    """Owner by owner, with the types that may not be changed there."""
    owners: dict[str, list[str]] = {}
    for owner, rtype in rights.missing:
        owners.setdefault(owner, []).append(kind_of(rtype))
    found = []
    for owner, kinds in owners.items():
        text = (
            f"AWS allows no change of {listed(kinds)} at {their_name(owner).rstrip('.')}: no write of it can be made."
        )
        found.append(Finding("problem", "rights", relative(owner, zone.name) or "@", text, _PRINT))
    return found


def _found_by(zone: ZoneConfig, names: int) -> Finding:
    """How soon an emptied name is seen, by what, and what AWS asks for that."""
    within = zone.hosted.found_seconds if zone.hosted is not None else FOUND_WITHIN_S
    questions = names * len(ADDRESS_TYPES)
    rate = questions / round_s(within, questions, enactors=2)
    count = rate * MONTH_S
    dollars = (min(count, QUERIES_FULL) + max(0.0, count - QUERIES_FULL) / 2) * QUERY_DOLLARS
    text = (
        f"an emptied name is found within {max(within, round_s(within, questions)):.0f} s, by asking the name servers: "
        f"{rate:.2g} queries a second, all enactors together, {dollars:,.2f} dollars a month"
    )
    return Finding("ok", "repair", zone.name, text)


def _reader_findings(zone: ZoneConfig, stream: str) -> list[Finding]:
    """Whether roles that assume another role than the enactor's can read."""
    found = []
    hosted = zone.hosted
    for role in _READERS:
        if hosted is None or hosted.role(role) == hosted.role("enactor"):
            continue
        provider = hosted_provider(zone, role, "check")
        try:
            reply = provider.perform(Read(zone.name, ((floor_owner(stream, zone.name), int(RRType.TXT)),)))
        finally:
            provider.close()
        if isinstance(reply, Unknown):
            found.append(Finding("problem", "rights", zone.name, f"The {role} can't read: {reply.why}.", _PRINT))
    return found


def _remedy(failed: CallFailed) -> str:
    return _PRINT if failed.denied else "docs/route53.md says how AWS is reached."
