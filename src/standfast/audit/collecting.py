"""G3 from journals: a plan was collected only below the least since of all markers.

No clock tells when, and none is needed: when g was collected every endpoint had a marker with a since above g. So each
chain must have reached one; and nothing of plan g is written over a since above it.
"""

from collections.abc import Mapping

from .findings import Findings
from .format import CollectedLine
from .lines import Place
from .record import Key, Link, Record

_REPORT = "Report this with the cleaner's journal, and do not run a cleaner until it is understood."


def judge_collections(record: Record, findings: Findings) -> None:
    """Every collection by itself, and against every chain."""
    highest: dict[str, tuple[int, Place]] = {}
    gone: dict[str, dict[int, Place]] = {}
    for line, place in record.collected:
        findings.checked("G3", len(line.generations))
        _by_itself(line, place, findings)
        _pins(line, place, record, findings)
        for generation in line.generations:
            gone.setdefault(line.stream, {}).setdefault(generation, place)
        top = max(line.generations)
        if top > highest.get(line.stream, (0, place))[0]:
            highest[line.stream] = (top, place)
    torn = {(one.outcome.zone, one.outcome.name) for one in record.orphans}
    for key, links in record.links.items():
        if key[0] in highest:
            _needed(key, links, key[1:] not in torn, *highest[key[0]], findings)
            _installed(key, links, gone[key[0]], findings)


def _by_itself(line: CollectedLine, place: Place, findings: Findings) -> None:
    for generation in line.generations:
        if line.lowest is not None and generation >= line.lowest:
            text = f"g{generation} was collected, and a marker stood at since {line.lowest}"
            findings.violated("G3", text, place, remedy=_REPORT)
        if line.head is not None and generation >= line.head:
            findings.violated("G3", f"g{generation} was collected, and was the newest plan", place, remedy=_REPORT)
    if line.lowest is None:
        findings.doubted("G3", "collections of version 1 don't tell which since they rested on", place)


def _pins(line: CollectedLine, place: Place, record: Record, findings: Findings) -> None:
    """Whoever pins looks again whether it is there. So what was collected and never unpinned was collected since."""
    for generation in line.generations:
        of = (line.stream, generation)
        if of in record.pinned and of not in record.unpinned:
            text = f"g{generation} was collected, and was pinned"
            findings.violated("G3", text, place, record.pinned[of], remedy=_REPORT)


def _needed(key: Key, links: Mapping[str, Link], whole: bool, top: int, place: Place, findings: Findings) -> None:
    """The endpoint reached a since above what was collected. `whole`: no outcome of it lacks its intent."""
    writes = [one for one in links.values() if one.act == "write"]
    if any(one.kind == "first" for one in writes) or any(one.kind == "retired" for one in writes):
        return  # what has no contents to go back to needs no plan
    landed = [one for one in writes if one.change.landed]
    if any(one.since > top for one in landed):
        return
    whole = whole and all(not one.over or one.over in links for one in writes)
    if not landed or not whole or any(one.since > top for one in writes if one.told in ("", "unknown")):
        findings.doubted("G3", "a chain whose end is not known may have needed what was collected", place)
        return
    last = max(landed, key=lambda one: one.since)
    text = f"g{top} was collected, and {key[2]} is at since {last.since}"
    findings.violated("G3", text, place, last.change.place, remedy=_REPORT)


def _installed(key: Key, links: Mapping[str, Link], gone: Mapping[int, Place], findings: Findings) -> None:
    """Nothing of a collected plan is put over what came after it."""
    for link in links.values():
        before = links.get(link.over)
        generation = link.change.generation
        if link.act != "write" or before is None or generation not in gone or before.since <= generation:
            continue
        text = f"{key[2]}: g{generation}, which was collected, is written over since {before.since}"
        findings.violated("G3", text, gone[generation], link.change.place, remedy=_REPORT)
