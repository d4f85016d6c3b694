"""What the planner's own records show: G7 (who left, how much in one window, why), G6 (from what it was planned), and
how far the chains have come (G4)."""

from typing import Final

from msgspec import Struct

from .findings import Findings, Guarantee
from .format import ChangeLine, LeavingLine, LimitsLine, PlannedLine
from .lines import Place
from .passages import Passages
from .record import Key, Record

_REPORT: Final = "Report this with the planner's journal: a plan may not do that."
_ROUNDING: Final = 1e-6
_HEALTH: Final = "health"
_AZ: Final = "az"
"""It goes with its whole AZ: bound by the rules for that (`passages`), and it counts for those who leave after it."""
_ROTATION: Final = "rotation"
"""It changes places with another by turns: not limited and not counted, but bound by its period (`passages`)."""
_CONSENT: Final = "consent"
"""An operator consented to it beyond the budget: it is not limited, and counts for those who leave after it."""
_NEVER_SAID: Final = frozenset({"overrides", "route53.checks", "route53.doomed"})
"""Sources of which nobody need ever have said anything."""


def judge_plans(record: Record, findings: Findings) -> None:
    """Every published plan, in the order of generations."""
    planned = sorted(record.planned, key=lambda one: (one[0].stream, one[0].generation))
    guarantee: Guarantee
    if not planned:
        for guarantee in ("G4", "G6", "G7"):
            findings.doubted(guarantee, "no planner's journal was given")
    memory = {
        key: tuple(_Gone(name, weight, at, installed, at + window, place) for name, weight, at, installed in gone)
        for key, (window, gone, place) in record.recalled_departures.items()
    }
    passages = Passages(findings)
    before: tuple[PlannedLine, Place] | None = None
    for line, place in planned:
        if before is not None and before[0].stream != line.stream:
            before = None
        if line.planned_at is None:
            for guarantee in ("G6", "G7"):
                findings.doubted(guarantee, "plans of version 1 don't tell who leaves why, and from what", place)
        else:
            _sources(before, line, place, findings)
            orphaned = not _follows_known(record, line)
            for change in line.changes:
                key = (line.stream, change.zone, change.name)
                _answers(change, place, findings)
                past = memory.get(key, ())
                if orphaned and past:
                    findings.doubted("G7", "the plan before is in no journal given here: what it remembered", place)
                    past = ()
                memory[key] = _bounded(past, change, line.planned_at, place, findings)
                passages.judge(line, change, line.planned_at, place, orphaned=orphaned)
        before = (line, place)
    _progress(record, planned, findings)


def _follows_known(record: Record, line: PlannedLine) -> bool:
    """Whether the plan over which it was published, whose departures it carries on, is told of here."""
    if line.over is None:
        return False
    known = record.plans.get((line.stream, line.over.generation))
    return known is not None and known[0] == line.over.digest


def _sources(before: tuple[PlannedLine, Place] | None, line: PlannedLine, place: Place, findings: Findings) -> None:
    """A plan names the revision of every source, none is unknown, and none is older than that of the plan before.

    Health may never have been shared (nothing is checked); then nobody leaves for it. Nor need anybody ever have
    given an override, or made or deleted a health check of the provider's.
    """
    sources = {name: revision for name, revision in (line.sources or {}).items() if revision or name not in _NEVER_SAID}
    findings.checked("G6")
    by_health = any(one.cause == "health" for change in line.changes for one in change.leaving or ())
    unknown = sorted(name for name, revision in sources.items() if not revision and (name != _HEALTH or by_health))
    if unknown or not sources:
        names = ", ".join(unknown) or "every source"
        text = f"g{line.generation} was planned, and {names} was unknown"
        findings.violated("G6", text, place, remedy=_REPORT)
    if before is None or line.over is None or line.over.digest != before[0].digest:
        return  # another store may stand there, and its revisions begin anew
    for name, revision in (before[0].sources or {}).items():
        if sources.get(name, revision) < revision:
            text = f"g{line.generation} was planned from {name} {sources[name]}, older than {revision} before"
            findings.violated("G6", text, before[1], place, remedy=_REPORT)


def _answers(change: ChangeLine, place: Place, findings: Findings) -> None:
    """G1 of the plan; G6: whoever goes for health's sake is known to be down."""
    if change.least is not None:
        findings.checked("G1")
        for family, wanted in change.least.items():
            count = (change.answers or {}).get(family, 0)
            if count < max(1, wanted):
                text = f"{change.name}: a plan gives it {count} {family} where min_answers is {wanted}"
                findings.violated("G1", text, place, remedy=_REPORT)
    for one in change.leaving or ():
        findings.checked("G6")
        if one.cause == "health" and one.state != "down":
            text = f"{change.name}: {one.load_balancer} leaves for its health, and its health is {one.state}"
            findings.violated("G6", text, place, remedy=_REPORT)


class _Gone(Struct, frozen=True):
    """A departure that counts until `until`, on the planner's clock."""

    load_balancer: str
    weight: float
    at: float
    installed: float
    until: float
    place: Place


def _bounded(
    memory: tuple[_Gone, ...], change: ChangeLine, now: float, place: Place, findings: Findings
) -> tuple[_Gone, ...]:
    """G7 for one endpoint of one plan; the departures to be remembered after it.

    The window is measured on the planner's clock, which dated the departures; nothing else has one.
    """
    leaving, limits = change.leaving or [], change.limits
    for name in change.removed:
        if not any(one.load_balancer == name for one in leaving):
            findings.violated("G7", f"{change.name}: {name} leaves without a record", place, remedy=_REPORT)
    if limits is None:
        if leaving:
            findings.doubted("G7", "an endpoint that is not in the configuration has no limits to go by", place)
        return memory
    if leaving and change.healthy < limits.hold_below - _ROUNDING:
        text = f"{change.name}: {leaving[0].load_balancer} leaves while {change.healthy:.0%} is believed healthy"
        findings.violated("G7", f"{text}, under {limits.hold_below:.0%}", place, remedy=_REPORT)
    past = _past(memory, change, limits.window_s, now, place, findings)
    for one in leaving:
        findings.checked("G7")
        if not one.why:
            findings.violated("G7", f"{change.name}: {one.load_balancer} leaves without reason", place, remedy=_REPORT)
        if one.cause == _ROTATION:
            continue
        if one.cause not in (_CONSENT, _AZ):
            _within(past, one, change.name, limits, place, findings)
        past.append(_Gone(one.load_balancer, one.weight, now, one.installed, now + limits.window_s, place))
    return tuple(past)


def _past(
    memory: tuple[_Gone, ...], change: ChangeLine, window_s: float, now: float, place: Place, findings: Findings
) -> list[_Gone]:
    """What left before this plan and counts in its window: as earlier plans told it, and as this one remembers it.

    What is dated in the future comes from a clock that was set back, and is only as this plan remembers it.
    """
    told = change.departures or []
    past = [gone for gone in memory if gone.at <= now < gone.until]
    for gone in past:
        if not any((name, at) == (gone.load_balancer, gone.at) for name, _, at, _ in told):
            text = f"{change.name}: the departure of {gone.load_balancer} counts in this window, and was forgotten"
            findings.violated("G7", text, gone.place, place, remedy=_REPORT)
    known = {(gone.load_balancer, gone.at) for gone in past}
    mine = {(one.load_balancer, now) for one in change.leaving or ()}
    return past + [
        _Gone(name, weight, at, installed, at + window_s, place)
        for name, weight, at, installed in told
        if (name, at) not in known | mine and at + window_s > now
    ]


def _within(
    past: list[_Gone], one: LeavingLine, name: str, limits: LimitsLine, place: Place, findings: Findings
) -> None:
    """One load balancer may always leave a window in which nothing left; another only within the share."""
    if not past:
        return
    oldest = min(past, key=lambda gone: gone.at)
    installed, left = oldest.installed or one.installed, sum(gone.weight for gone in past) + one.weight
    if left > limits.share * installed + _ROUNDING:
        text = (
            f"{name}: with {one.load_balancer} {left:g} of {installed:g} has left in {limits.window_s:g} s, "
            f"and {limits.share:.0%} may"
        )
        places = (place,) if oldest.place == place else (oldest.place, place)
        findings.violated("G7", text, *places, remedy=_REPORT)


def _progress(record: Record, planned: list[tuple[PlannedLine, Place]], findings: Findings) -> None:
    """G4: whoever writes an endpoint writes what the plan says, and it comes to its newest plan or a newer one."""
    wanted = {key: (since, place) for key, (since, _, place) in record.recalled_entries.items()}
    for key, (since, contents, place) in record.recalled_entries.items():
        _written_as(record, key, ChangeLine(key[2], since=since, contents=contents), "its plan", place, findings)
    for line, place in planned:
        for change in line.changes:
            if change.since is not None:
                key = (line.stream, change.zone, change.name)
                wanted[key] = (change.since, place)
                _as_planned(record, key, change, line, place, findings)
    for key, (since, place) in wanted.items():
        reached = max((one.since for one in record.links.get(key, {}).values() if one.change.landed), default=0)
        if reached >= since:
            findings.checked("G4")
        else:
            findings.doubted("G4", "endpoints that had not come to their newest plan when the journals end", place)


def _as_planned(
    record: Record, key: Key, change: ChangeLine, line: PlannedLine, place: Place, findings: Findings
) -> None:
    if (line.stream, line.generation) in record.forks:
        return  # a fork: either plan may be meant
    _written_as(record, key, change, f"g{line.generation}", place, findings)


def _written_as(record: Record, key: Key, change: ChangeLine, says: str, place: Place, findings: Findings) -> None:
    for link in record.links.get(key, {}).values():
        if link.since != change.since or link.act != "write" or not link.contents or not change.contents:
            continue
        findings.checked("G4")
        if link.contents != change.contents:
            text = f"{key[2]}: what is written as since {link.since} is not what {says} says"
            findings.violated("G4", text, place, link.change.place, remedy=_REPORT)
