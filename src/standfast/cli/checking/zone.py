"""Everything `check` says about one zone: server, key, rights, names, secondaries. Reads only."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from standfast.adapters.providers.promises import PROMISES, Promises
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.cli.texts import counted
from standfast.config import TsigKey, ZoneConfig
from standfast.model.name import relative, subtree
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType
from standfast.runtime.phrases import listed
from standfast.runtime.signing import signing

from . import asking
from .findings import Finding, ZoneReport
from .keys import reader_findings, working_key
from .names import folded_findings, name_findings
from .rights import Rights, endpoint_contents, examine, zone_contents
from .server import NEGATIVE_LONG_S, Seen, look_at_server, secondary_findings

_PRINT: Final = "`standfast check --print-server-config` prints what the server needs."
_SAME_NAMES: Final = 4
_TIMEOUT_S: Final = 5.0


def check_zone(
    zone: ZoneConfig, stream: str, keys: Sequence[TsigKey], policies: Sequence[EndpointPolicy], plan: Plan | None
) -> ZoneReport:
    """Look at one zone with the keys that an enactor would try. Never raises for what a server says or not."""
    key, doubted = working_key(zone, keys)
    seen = look_at_server(zone, key)
    if isinstance(seen, ZoneReport):
        return seen
    report = replace(seen.report, findings=(*seen.report.findings, *doubted))
    if key is None or not report.key_accepted:
        return replace(report, findings=(*report.findings, *secondary_findings(report)))
    provider = Rfc2136Provider(zone.name, seen.server.host, zone.port, signing(key), timeout_s=_TIMEOUT_S)
    try:
        names = [policy.name for policy in policies]
        rights = examine(provider, zone.name, stream, names)
        about_names = name_findings(provider, zone.name, stream, policies, plan)
    finally:
        provider.close()
    findings = [
        *report.findings,
        *_zone_line(report, rights),
        *secondary_findings(report),
        *folded_findings(right_findings(zone.name, stream, key.name, names, rights, report.kind), _SAME_NAMES),
        *reader_findings(seen.server, zone, stream, names),
        *folded_findings(about_names, _SAME_NAMES),
        *_zone_notes(seen, zone, key),
    ]
    return replace(report, findings=tuple(findings), missing=_by_owner(rights))


def _zone_line(report: ZoneReport, rights: Rights) -> list[Finding]:
    signed = "; signed (left to the server)" if report.signed else ""
    if rights.trouble:
        text = f"It takes no update: {rights.trouble}."
        return [Finding("problem", "updates", report.zone, text)]
    takes = "" if rights.missing or rights.apart else "takes updates; "
    return [Finding("ok", "zone", report.zone, f"{takes}serial {report.serial}{signed}")]


def _zone_notes(seen: Seen, zone: ZoneConfig, key: TsigKey) -> list[Finding]:
    found = []
    if seen.negative_s > NEGATIVE_LONG_S:
        subject = f"SOA minimum {seen.negative_s}"
        text = f"An empty answer would be remembered for {_spelled(seen.negative_s)}. 60 is enough."
        found.append(Finding("note", "negative_ttl", subject, text))
    if not PROMISES.get(seen.report.kind, Promises()).tells_changes:
        text = "It does not tell which names changed, so a look after any change reads every name of ours."
        found.append(Finding("note", "changes", zone.name, text, "See docs/powerdns.md."))
    elif not asking.may_transfer(seen.server, zone.name, seen.report.serial or 0, key):
        text = "The key may not transfer the zone, so each look for damage reads every name instead of what changed."
        found.append(Finding("note", "transfer", zone.name, text, "Allow it: `allow-transfer` on BIND, acl on Knot."))
    return found


def _spelled(value: int) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if value >= size and value % size == 0:
            return f"an {unit}" if value == 3600 else counted(value // size, unit)
    return counted(value, "second")


def _by_owner(rights: Rights) -> tuple[tuple[str, tuple[str, ...]], ...]:
    owners: dict[str, list[str]] = {}
    for owner, rtype in rights.missing:
        owners.setdefault(owner, []).append(RRType(rtype).name)
    return tuple((owner, tuple(types)) for owner, types in owners.items())


def right_findings(zone: str, stream: str, key: str, names: Sequence[str], rights: Rights, kind: str) -> list[Finding]:
    """What is missing, endpoint by endpoint; what is all missing is said once."""
    missing = frozenset(rights.missing)
    common = {(one.owner, int(one.rtype)) for one in zone_contents(zone, stream)}
    every = common | {(one.owner, int(one.rtype)) for name in names for one in endpoint_contents(zone, name)}
    if not rights.examined:
        text = (
            f"So many rights are missing that {rights.messages} questions did not find them all; some are named here."
        )
        return [Finding("problem", "rights", zone, text, _PRINT), *_one_by_one(zone, key, names, missing, common, kind)]
    if missing and missing == every:
        text = f"Key {key} is right but may change nothing here{_translated(kind)}."
        return [Finding("problem", "rights", zone, text, _PRINT)]
    found = _one_by_one(zone, key, names, missing, common, kind)
    for name in rights.apart:
        text = "Every right is there, but no single acl rule covers them together, so its updates would be refused."
        found.append(Finding("problem", "rights", relative(name, zone) or "@", text, _PRINT))
    if not found and not rights.trouble:
        text = f"key {key} may change A, AAAA and CNAME of {counted(len(names), 'name')}, and TXT below {subtree(zone)}"
        found.append(Finding("ok", "rights", zone, text))
        if not rights.together:
            text = "No single acl rule covers several endpoints, so each is written by an update of its own: slower."
            found.append(Finding("note", "rights", zone, text, _PRINT))
    return found


def _one_by_one(
    zone: str,
    key: str,
    names: Sequence[str],
    missing: frozenset[tuple[str, int]],
    common: set[tuple[str, int]],
    kind: str,
) -> list[Finding]:
    found = []
    texts = {pair for pair in missing if pair[1] == RRType.TXT}
    wanted = common | {(endpoint_contents(zone, name)[0].owner, int(RRType.TXT)) for name in names}
    if texts and texts == wanted:
        text = f"Key {key} may not change TXT below {subtree(zone)}{_translated(kind)}: no write can be made."
        found.append(Finding("problem", "rights", zone, text, _PRINT))
        texts = set()
    elif lacking := sorted(owner for owner, _ in texts & common):
        text = f"Key {key} may not change TXT at {listed(lacking)}{_translated(kind)}: no write can be made."
        found.append(Finding("problem", "rights", zone, text, _PRINT))
    for name in names:
        contents = endpoint_contents(zone, name)
        types = [RRType(one.rtype).name for one in contents[1:] if (one.owner, int(one.rtype)) in missing]
        parts = [f"{', '.join(types)} at the name"] if types else []
        if (contents[0].owner, int(RRType.TXT)) in texts:
            parts.append("TXT at its marker")
        if parts:
            text = f"Key {key} may not change {' and '.join(parts)}{_translated(kind)}: its updates would be refused."
            found.append(Finding("problem", "rights", relative(name, zone) or "@", text, _PRINT))
    return found


def _translated(kind: str) -> str:
    """What the server answered, and which part of its configuration says so."""
    if kind == "knot":
        return " (Knot answers NOTAUTH, BADKEY: the key is known, no acl rule covers this)"
    if kind == "bind":
        return " (REFUSED: no grant in the update-policy covers this)"
    if kind == "pdns":
        return (
            " (REFUSED: it is not in the zone's TSIG-ALLOW-DNSUPDATE, or its secret is another one; the log says which)"
        )
    return ""
