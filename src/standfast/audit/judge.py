"""The audit: journals in, verdicts out."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from .chains import judge_chains
from .collecting import judge_collections
from .ends import ends_of
from .files import find
from .findings import Findings, Judged, Violation
from .floors import Floors
from .lines import Spoilt
from .plans import judge_plans
from .reading import Reader
from .record import LANDED, Record
from .setbacks import Damage, SetBacks
from .settling import settle

NOT_JUDGED: Final = "G9 (come back) is about time and load: journals don't show it, the simulator does."
_NO_REFILL: Final = LANDED - {"refilled"}
"""What is told of other changes that landed: none of them is sent without an intent."""


class Report(Struct, frozen=True):
    """What came of an audit. `violations` has at most a few hundred of each guarantee; `judged` counts all.

    `changes` landed or not, `writes` of endpoints in them, `chains` of markers by which they were ordered.
    `begins` tells of journals whose older files were not given, and from where on they are judged.
    `damages` is what others did to the zone, and no violation.
    """

    journals: tuple[str, ...]
    lines: int
    streams: tuple[str, ...]
    endpoints: int
    changes: int
    landed: int
    writes: int
    chains: int
    judged: tuple[Judged, ...]
    violations: tuple[Violation, ...]
    spoilt: tuple[Spoilt, ...]
    begins: tuple[str, ...] = ()
    damages: tuple[Damage, ...] = ()

    @property
    def violated(self) -> bool:
        """Whether any guarantee was."""
        return any(one.violations for one in self.judged)

    @property
    def unread(self) -> bool:
        """Whether a whole file could not be read."""
        return any(not one.place.line for one in self.spoilt)


def audit(
    paths: Iterable[Path],
    markers: Mapping[tuple[str, str], str] | None = None,
    advance: Callable[[str], None] = lambda name: None,
) -> Report:
    """Judge all journals at these paths together. `markers` are those that stand now (`read_ends`); `advance` is
    called with the name of each journal when it has been read. Raises JournalError if there is nothing to read."""
    findings = Findings()
    record, journals = Record(findings), find(paths)
    for number, journal in enumerate(journals):
        Reader(record, number).read(journal)
        advance(journal.name)
    ends = ends_of(markers or {}, record.links)
    settle(record, ends)
    _orphans(record)
    set_backs = SetBacks(record)
    floors = Floors(record, set_backs, findings)
    chains = judge_chains(record, floors, ends, set_backs, findings)
    judge_collections(record, findings)
    judge_plans(record, findings)
    if not record.changes:
        for guarantee in ("G1", "G2", "G5", "G8", "G10"):
            findings.doubted(guarantee, "no enactor's journal was given, or none has an intent")
    return Report(
        tuple(journal.name for journal in journals),
        record.lines,
        tuple(record.streams()),
        len(record.links),
        len(record.changes),
        sum(change.landed for change in record.changes.values()),
        sum(len(links) for links in record.links.values()),
        chains,
        findings.judged(),
        tuple(findings.violations),
        tuple(record.spoilt),
        tuple(record.begins),
        set_backs.damages(),
    )


def _orphans(record: Record) -> None:
    """Outcomes whose intent their own journal did not have before them."""
    findings = record.findings
    for one in record.orphans:
        change, line = record.changes.get(one.outcome.nonce or ""), one.outcome
        what = f"{line.name}: told as {line.result} under nonce {line.nonce}"
        remedy = "Report this with the journal: an intent is on disk before its write is sent."
        if change is not None and change.journal != one.journal:
            text = f"{what}, which another process intended"
            findings.violated("G10", text, change.place, one.place, remedy=remedy)
        elif change is not None:
            findings.violated("G10", f"{what} before it was intended", one.place, change.place, remedy=remedy)
        elif one.journal in record.beheaded:
            why = "outcomes whose intent is not in a journal that begins in the middle or has spoilt lines"
            findings.doubted("G10", why, one.place)
        elif line.unrecorded and line.result not in _NO_REFILL:
            # Addresses without a marker may be put back while the journal can't be written (design, rule of refills);
            # if there is room again a moment later, their outcome is the first line that finds some.
            why = "refills that say themselves that the journal did not take their intent; they leave no marker"
            findings.doubted("G10", why, one.place)
        else:
            findings.violated("G10", f"{what}, and nothing was intended under it", one.place, remedy=remedy)
