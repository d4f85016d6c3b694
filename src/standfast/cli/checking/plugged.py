"""Everything `check` says about a zone that a package's provider keeps: promises, whether it can be read, names."""

from collections.abc import Sequence
from typing import Final

from standfast.config import ZoneConfig
from standfast.errors import ProviderError
from standfast.model.name import floor_owner
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType
from standfast.ports.provider import Read, Readings, Unknown
from standfast.runtime.plugging import accepted, plugged_provider, stated

from .findings import Finding, ZoneReport
from .names import folded_findings, name_findings

_SAME_NAMES: Final = 4


def check_plugged(zone: ZoneConfig, stream: str, policies: Sequence[EndpointPolicy], plan: Plan | None) -> ZoneReport:
    """Look at one zone. Never raises for what the package does; rights can't be asked for without writing."""
    kind = zone.provider
    try:
        provider = plugged_provider(zone, "enactor")
        promises = stated(zone)
    except ProviderError as error:
        return ZoneReport(
            zone.name, zone.where, (Finding("problem", "server", zone.name, error.message, error.remedy),)
        )
    findings = [
        Finding("note", "promises", zone.name, f"{one.name} is accepted of {zone.where}: {one.lost}.", one.remedy)
        for one in accepted(zone)
    ]
    if promises.compare_and_set and zone.plugged is not None and zone.plugged.accept:
        text = f"{zone.where} compares and sets: `accept:` has nothing to accept."
        findings.append(
            Finding("note", "promises", zone.name, text, "Take it out, lest a later version lose it unseen.")
        )
    try:
        reply = provider.perform(Read(zone.name, ((floor_owner(stream, zone.name), int(RRType.TXT)),)))
        value = reply.values[0] if isinstance(reply, Readings) else reply
        if isinstance(value, Unknown):
            findings.append(Finding("problem", "server", zone.name, f"It can't be read: {value.why}."))
            return ZoneReport(zone.name, zone.where, tuple(findings), kind=kind)
        text = f"read by {zone.where}; whether it takes changes shows at the first"
        findings.append(Finding("ok", "zone", zone.name, text))
        findings += folded_findings(name_findings(provider, zone.name, stream, policies, plan), _SAME_NAMES)
    finally:
        provider.close()
    return ZoneReport(zone.name, zone.where, tuple(findings), answers=True, kind=kind)
