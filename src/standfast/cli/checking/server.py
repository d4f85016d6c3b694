"""One zone at its primary: does it answer, who is it, does it take our key, who else serves the zone."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.cli.texts import counted, seconds
from standfast.config import TsigKey, ZoneConfig
from standfast.runtime.phrases import listed

from . import asking
from .asking import Server, Silent
from .findings import Finding, Secondary, ZoneReport

NEGATIVE_LONG_S: Final = 300
_CLOCK_WARN_S: Final = 60.0
_AT_ONCE: Final = 16


class Seen(Struct, frozen=True):
    """A primary that answers, and what to go on with."""

    server: Server
    report: ZoneReport
    negative_s: int


def look_at_server(zone: ZoneConfig, key: TsigKey | None, secondary_port: int = asking.DNS_PORT) -> Seen | ZoneReport:
    """What the primary says of itself and the zone; only a report if it says nothing."""
    shown = zone.host if zone.port == asking.DNS_PORT else f"{zone.host}:{zone.port}"
    blank = ZoneReport(zone.name, shown, ())
    addresses = asking.resolved(zone.host)
    if not addresses:
        remedy = "Give `server:` an address, or a name that resolves on this machine."
        return _unanswered(blank, "server", f"{zone.host} has no address.", remedy)
    server = Server(addresses[0], zone.port)
    try:
        soa = asking.soa(server, zone.name)
    except Silent as silent:
        return _silent(blank, zone, str(silent))
    version = asking.version(server)
    kind = "embedded" if zone.provider == "embedded" else asking.kind_of(version)
    report = replace(
        blank, answers=True, kind=kind, version=version, serial=soa.serial, signed=asking.is_signed(server, zone.name)
    )
    report = _with_key(report, server, zone, key)
    report = replace(report, secondaries=_secondaries(server, zone, soa.serial, addresses, secondary_port))
    return Seen(server, report, soa.negative_s)


def _unanswered(report: ZoneReport, area: str, text: str, remedy: str) -> ZoneReport:
    return replace(report, findings=(*report.findings, Finding("problem", area, report.server, text, remedy)))


def _silent(report: ZoneReport, zone: ZoneConfig, why: str) -> ZoneReport:
    if zone.provider == "embedded":
        text = "Standfast's own name server does not run yet."
        note = Finding("note", "server", report.server, text, "`standfast run` starts it.")
        return replace(report, findings=(note,))
    if "serve this zone" in why or "authoritative" in why:
        remedy = "Mend the zone's name, or name the zone's primary in `server:`."
        return _unanswered(replace(report, answers=True), "zone", f"It has no zone {zone.name}: {why}.", remedy)
    remedy = "Is it the zone's primary, does it run, and does a firewall let TCP through from here?"
    return _unanswered(report, "server", f"It cannot be asked: {why}.", remedy)


def _with_key(report: ZoneReport, server: Server, zone: ZoneConfig, key: TsigKey | None) -> ZoneReport:
    name = report.version or ("Standfast's own" if report.kind == "embedded" else "answers")
    if key is None:
        return replace(report, findings=(*report.findings, Finding("ok", "server", report.server, name)))
    try:
        signed = asking.signature(server, zone.name, key)
    except Silent as silent:
        return _unanswered(report, "key", f"Asked with key {key.name}: {silent}.", "See the server's log.")
    if not signed.accepted or signed.off_s is None:
        remedy = "Copy name, algorithm and secret from the server again; `standfast check --print-server-config`."
        if "clock" in signed.why:
            remedy = "Set both by NTP: TSIG allows no more (RFC 8945 §10)."
        report = replace(report, key_accepted=False)
        return _unanswered(report, "key", f"{signed.why[0].upper()}{signed.why[1:]}.", remedy)
    report = replace(report, key_accepted=True, clock_off_s=signed.off_s)
    text, level = _clock(signed.off_s)
    found = Finding("ok", "server", report.server, f"{name}; key {key.name} accepted{text}")
    report = replace(report, findings=(*report.findings, found))
    if level:
        note = Finding("note", "clock", report.server, level, "TSIG ends at 300 s: set both by NTP.")
        report = replace(report, findings=(*report.findings, note))
    return report


def _clock(off_s: tuple[float, float]) -> tuple[str, str]:
    """For the line on the server, and a note if it is much."""
    least, most = off_s
    if least <= 0 <= most:
        return "; our clock agrees to 1 s", ""
    off = min(abs(least), abs(most))
    words = f"our clock is {seconds(off)} {'behind' if least > 0 else 'ahead'}"
    return f"; {words}", f"{words[0].upper()}{words[1:]}." if off > _CLOCK_WARN_S else ""


def _secondaries(
    server: Server, zone: ZoneConfig, serial: int, primary: Sequence[str], port: int
) -> tuple[Secondary, ...]:
    """Every name server of the zone that is not the primary itself, with the serial it has."""
    if zone.provider == "embedded":
        return ()
    try:
        hosts = asking.name_servers(server, zone.name)
    except Silent:
        hosts = ()
    told = {one.name: one for one in zone.secondaries}
    others: list[tuple[str, tuple[str, ...], int]] = []
    for host in hosts:
        if declared := told.pop(host, None) or told.pop(host.partition(".")[0], None):
            others.append((host, asking.resolved(declared.host), declared.port))
        elif host != zone.host and not asking.same_host(found := asking.addresses_of(server, host, zone.name), primary):
            others.append((host, found, port))
    others += [(one.name, asking.resolved(one.host), one.port) for one in told.values()]
    if not others:
        return ()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(lambda one: _secondary(one[0], one[1], zone.name, one[2]), others))


def _secondary(host: str, addresses: tuple[str, ...], zone: str, port: int) -> Secondary:
    if not addresses:
        return Secondary(host, "", None, "it has no address")
    try:
        return Secondary(host, addresses[0], asking.soa(Server(addresses[0], port), zone).serial)
    except Silent as silent:
        return Secondary(host, addresses[0], None, str(silent))


def secondary_findings(report: ZoneReport) -> list[Finding]:
    """What the other name servers' serials say."""
    found: list[Finding] = []
    serial = report.serial
    if serial is None:
        return found
    same = [one for one in report.secondaries if one.serial == serial]
    if same:
        names = listed(one.name.partition(".")[0] for one in same)
        found.append(Finding("ok", "secondaries", names, "same serial as the primary"))
    for one in report.secondaries:
        if one.serial is None:
            text = f"It does not answer for {report.zone}: {one.why}."
            found.append(Finding("note", "secondaries", one.name, text, "Users who ask it get no answer."))
        elif one.serial != serial:
            behind = asking.serial_order(serial, one.serial)
            where = f"{counted(behind, 'version')} behind" if behind > 0 else "ahead of the primary"
            text = f"It serves serial {one.serial}, {where} (the primary has {serial})."
            found.append(Finding("note", "secondaries", one.name, text, "Right after a change it needs some seconds."))
    return found
