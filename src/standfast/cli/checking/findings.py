"""What a check found, as values: for the terminal and, with the same content, for `--json`."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from standfast.cli.texts import Level


class Finding(Struct, frozen=True):
    """One thing found. `area` is its stable name for machines, `subject` what it is about, `remedy` what to do."""

    level: Level
    area: str
    subject: str
    text: str
    remedy: str = ""

    @property
    def sentence(self) -> str:
        """Text and remedy."""
        return f"{self.text} {self.remedy}".rstrip()


class Secondary(Struct, frozen=True):
    """A name server of the zone beside the primary. `serial` is None if it did not answer; `why` says so."""

    name: str
    address: str
    serial: int | None
    why: str = ""


class ZoneReport(Struct, frozen=True):
    """One zone at its primary.

    `kind` is bind, knot, embedded or empty if the server does not tell. `answers` says whether it spoke at all.
    """

    zone: str
    server: str
    findings: tuple[Finding, ...]
    answers: bool = False
    kind: str = ""
    version: str = ""
    serial: int | None = None
    signed: bool | None = None
    key_accepted: bool | None = None
    clock_off_s: tuple[float, float] | None = None
    secondaries: tuple[Secondary, ...] = ()
    missing: tuple[tuple[str, tuple[str, ...]], ...] = ()


def levels(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each level."""
    counts = {"ok": 0, "note": 0, "problem": 0}
    for finding in findings:
        counts[finding.level] += 1
    return counts


def finding_json(finding: Finding) -> dict[str, Any]:
    """With its stable keys."""
    return {
        "level": finding.level,
        "area": finding.area,
        "subject": finding.subject,
        "text": finding.text,
        "remedy": finding.remedy,
    }


def zone_json(report: ZoneReport) -> dict[str, Any]:
    """With its stable keys; what could not be learnt is null."""
    off = report.clock_off_s
    return {
        "zone": report.zone,
        "server": report.server,
        "answers": report.answers,
        "kind": report.kind or None,
        "version": report.version or None,
        "serial": report.serial,
        "signed": report.signed,
        "key_accepted": report.key_accepted,
        "clock_off_s": {"least": round(off[0], 3), "most": round(off[1], 3)} if off else None,
        "secondaries": [
            {"name": one.name, "address": one.address, "serial": one.serial, "why": one.why}
            for one in report.secondaries
        ],
        "missing_rights": [{"owner": owner, "types": list(types)} for owner, types in report.missing],
    }
