"""A preview for people, and with the same content for machines (the keys are described in `cli/plan.py`)."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from standfast.cli.texts import counted, folded, paint, seconds
from standfast.core.decisions import Refusal
from standfast.model.entry import KEPT
from standfast.model.marker import Absent, Damaged, Marker, MarkerReading
from standfast.model.name import marker_owner, relative
from standfast.model.policy import EndpointPolicy
from standfast.runtime.budgets import (
    budget_facts,
    limits_told,
    loads_facts,
    loads_told,
    shares_facts,
    shares_told,
)
from standfast.runtime.keeping import kept
from standfast.runtime.phrases import listed

from .differences import EndpointChange, TypeChange
from .drawing import Drawn

SHOWN_MAX: Final = 50
"""Endpoints told one by one; the rest is counted, and `--json` has all."""
_COLUMN: Final = 34
_SOURCES: Final = {
    "planner": "Health: as the planner that runs here says.",
    "probes": "Health: one check from here (a planner asks several times before it believes).",
    "none": "Health: nothing checks the load balancers.",
}


class Preview(Struct, frozen=True):
    """Everything that is shown. `others` has zone and how many other names it holds; None: not known. `hosted` has the
    ids of hosted zones, as far as they are known."""

    drawn: Drawn
    changes: tuple[EndpointChange, ...]
    policies: tuple[EndpointPolicy, ...]
    others: tuple[tuple[str, int | None], ...]
    hosted: tuple[tuple[str, str], ...] = ()

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Those by a guard or rule, consent aside."""
        some = self.drawn.draft.refusals if self.drawn.draft else ()
        return tuple(one for one in some if one.rule not in ("consent", "unreadable", "presence"))

    @property
    def unread(self) -> tuple[str, ...]:
        """What could not be read, so that nothing is known of it."""
        some = self.drawn.draft.refusals if self.drawn.draft else ()
        silent = set(self.drawn.unreadable)
        names = [
            f"{one.key[1]}: {one.reason}"
            for one in some
            if one.rule in ("unreadable", "presence") and one.key[0] not in silent
        ]
        names += [f"{one.entry.name}: {one.unread}" for one in self.changes if one.unread]
        zones = [f"zone {zone} could not be read; `standfast check` says why" for zone in self.drawn.unreadable]
        return (*zones, *dict.fromkeys(names))

    @property
    def held_back(self) -> tuple[tuple[str, str, str], ...]:
        """(name, load balancer, why) of every removal that a guard keeps back."""
        decisions = self.drawn.draft.decisions if self.drawn.draft else ()
        return tuple(
            (decision.key[1], member.load_balancer, member.reason.removeprefix(KEPT))
            for decision in decisions
            for member in decision.members
            if kept(member)
        )

    @property
    def in_sync(self) -> bool:
        """Whether the zones are as the plan wants them, and no other plan is due."""
        return self.drawn.plan is None and not any(one.differs for one in self.changes)

    @property
    def exit_code(self) -> int:
        """1 not known, 3 refused or for want of consent, 2 differs, 0 in sync."""
        if self.unread or self.drawn.refused:
            return 1
        if self.refusals or self.held_back or self.drawn.consent:
            return 3
        return 0 if self.in_sync else 2


def preview_lines(preview: Preview) -> list[str]:
    """For people."""
    lines: list[str] = []
    differing = [one for one in preview.changes if one.differs and not one.unread]
    consent = {one.key: one for one in preview.drawn.consent}
    for change in differing[:SHOWN_MAX]:
        lines += _endpoint(change, change.entry.key in consent)
    if more := len(differing) - SHOWN_MAX:
        lines += [f"… and {counted(more, 'more name')}: --json has all."] if more > 0 else []
    same = [one.entry.name for one in preview.changes if not one.differs and not one.unread]
    if same:
        lines.append(f"{paint('=', 'good')} {counted(len(same), 'name')} in step: {listed(same, 8)}.")
    lines += _others(preview.others)
    lines += _guards(preview)
    lines += spread_lines(preview)
    lines += [f"{paint('■', 'bad')} {text}" for text in preview.unread]
    lines += [f"{paint('■', 'bad')} no plan can be made: {preview.drawn.refused}"] if preview.drawn.refused else []
    silent = {f"zone {zone} could not be read" for zone in preview.drawn.unreadable}
    lines += [f"{paint('▲', 'watch')} {note}" for note in preview.drawn.notes if note not in silent]
    lines += [_SOURCES[preview.drawn.health_from], "", _ending(preview)]
    return lines


def _endpoint(change: EndpointChange, asks: bool) -> list[str]:
    entry, before = change.entry, marker_text(change.marker)
    step = f"{before} → g{entry.since}" if change.marker_differs else f"{before}, to be repaired"
    held = f"   held: {entry.held}" if entry.held else ""
    lines = [f"{paint(entry.name, 'strong')}   {step}{_laid_out(change)}{paint(held, 'watch')}"]
    reasons = {address: (lb, why) for address, lb, why in change.reasons}
    for one in change.types:
        lines += _type(one, reasons)
    ttls = {(one.ttl_before, one.ttl_after) for one in change.types if _retimed(one)}
    lines += [f"    TTL    {before_s} → {after_s}" for before_s, after_s in sorted(ttls, key=str)]
    if change.damage:
        lines.append(f"    tree {paint('~', 'good')} {change.damage}")
    if change.alias:
        lines.append(f"    CNAME {paint('−', 'bad')} {change.alias}")
    if change.marker_differs:
        sign = "+" if isinstance(change.marker, Absent) else "~"
        shown = relative(marker_owner(entry.name, entry.zone), entry.zone)
        lines.append(f"    TXT  {paint(sign, 'good')} {shown.ljust(_COLUMN)}our marker")
    if change.decision is not None and change.decision.panic:
        lines.append(f"    {paint('▲', 'watch')} panic: too few are believed healthy, so nothing is dropped")
    if entry.note:
        lines.append(f"    {paint('▲', 'watch')} {entry.note}")
    if asks:
        text = "it exists and has no marker of ours; to take it over, `standfast run` wants"
        lines.append(f"    {paint('■', 'watch')} {text} --take {entry.name}")
        lines.append(f"      {BESIDE}")
    return lines


BESIDE: Final = (
    "If another tool manages it (octoDNS, Terraform, external-dns), take it out there first: docs/beside-*.md"
)
"""Terraform leaves no trace in DNS, so this can't be known."""


def _laid_out(change: EndpointChange) -> str:
    """How it stands in the zone, where that is not what stood there."""
    before, after = change.layout_before, change.entry.layout
    if before == after or (not before and after == "flat"):
        return ""
    return f"   layout {before} → {after}" if before else f"   layout {after}"


def _retimed(one: TypeChange) -> bool:
    return one.ttl_before is not None and one.ttl_after is not None and one.ttl_before != one.ttl_after


def _type(one: TypeChange, reasons: Mapping[str, tuple[str, str]]) -> list[str]:
    lines = []
    label = f"    {one.rtype.ljust(5)}"
    if one.stay:
        lines.append(f"{label}  {folded(one.stay).ljust(_COLUMN)}{'stays' if len(one.stay) == 1 else 'stay'}")
        label = " " * len(label)
    for sign, tone, addresses in (("+", "good", one.added), ("−", "bad", one.removed)):
        for some, why in _by_reason(addresses, reasons):
            mark = paint(sign, "good" if tone == "good" else "bad")
            lines.append(f"{label}{mark} {some.ljust(_COLUMN)}{why}".rstrip())
            label = " " * len(label)
    return lines


def _by_reason(addresses: Sequence[str], reasons: Mapping[str, tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Addresses with the same reason on one line, several of them only counted where that is clearer."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for address in addresses:
        name, why = reasons.get(address, ("", ""))
        groups.setdefault(why, []).append((address, name))
    for why, some in groups.items():
        names = listed(dict.fromkeys(name for _, name in some if name), 6)
        shown = folded([address for address, _ in some])
        if len(shown) > _COLUMN - 2 and len(some) > 1:
            shown = counted(len(some), "address", "addresses")
        yield shown, f"{names}: {why}" if names else why


def marker_text(marker: MarkerReading) -> str:
    """What stands where the marker belongs, in a word."""
    if isinstance(marker, Marker):
        return f"g{marker.since}" if marker.state == "live" else f"g{marker.since} ({marker.state})"
    return "(damaged marker)" if isinstance(marker, Damaged) else "(no marker)"


def _others(others: Iterable[tuple[str, int | None]]) -> list[str]:
    known = [(zone, count) for zone, count in others if count is not None]
    return [f"Not touched: {counted(count, 'other name')} in {zone}." for zone, count in known]


def _guards(preview: Preview) -> list[str]:
    lines = []
    for name, load_balancer, why in preview.held_back:
        lines.append(f"Guards: {paint('HOLD', 'watch')}  {name} keeps {load_balancer}: {why}")
    for refusal in preview.refusals:
        text = f"{refusal.key[1]}: {refusal.reason}. Remedy: {refusal.remedy}."
        lines.append(f"Guards: {paint('REFUSED', 'bad')}  {text}")
    for refusal in preview.drawn.consent:
        shown = {change.entry.key for change in preview.changes}
        if refusal.key not in shown:
            text = f"{refusal.key[1]}: {refusal.reason}. Remedy: {refusal.remedy}."
            lines.append(f"{paint('■ CONSENT', 'watch')}  {text}")
    lines += _budgets(preview)
    if lines or preview.exit_code == 1:
        return lines
    return [f"Guards: {paint('pass', 'good')}  ({limits(preview.policies)})"]


def _budgets(preview: Preview) -> list[str]:
    """With the heading of guards."""
    return [f"Guards: {line}" for line in budget_lines(preview)]


def budget_lines(preview: Preview) -> list[str]:
    """What has left or joined lately, and who waits to join."""
    decisions = preview.drawn.draft.decisions if preview.drawn.draft else ()
    return [
        f"{decision.key[1]}: {line}"
        for decision in decisions
        for line in limits_told(decision, time.time(), kept=False)
    ]


def spread_lines(preview: Preview) -> list[str]:
    """What load balancers would carry together, and how far answers would be from weights."""
    draft = preview.drawn.draft
    return [*loads_told(draft.loads), *shares_told(draft.shares)] if draft else []


def limits(policies: Sequence[EndpointPolicy]) -> str:
    """What the guards hold to."""
    removals = sorted({(one.removal_share, one.removal_window_s) for one in policies})
    answers = sorted({one.min_answers for one in policies if one.min_answers is not None})
    parts = [f"at least {' or '.join(map(str, answers)) if answers else '2'} answers (1 of a pair)"]
    if answers:
        parts = [f"at least {' or '.join(map(str, answers))} answers where configured"]
    parts += [f"at most {share * 100:.3g} % leave in {_span(window)}" for share, window in removals[:2]]
    parts += [f"hold under {least * 100:.3g} % healthy" for least in sorted({one.hold_below for one in policies})[:2]]
    return " · ".join(parts)


def _span(value: float) -> str:
    return f"{value / 60:g} min" if value >= 60 and value % 60 == 0 else seconds(value)


def _ending(preview: Preview) -> str:
    if preview.exit_code == 1:
        return "Nothing was written. What could not be read is not known to be in step."
    if preview.in_sync and not preview.drawn.consent and not preview.refusals:
        return f"{paint('✓ In step.', 'good')} Nothing to do, nothing was written."
    return "Nothing was written. `standfast run` does this; `standfast run --observe` watches and writes nothing."


def preview_json(preview: Preview) -> dict[str, Any]:
    """With its stable keys."""
    drawn = preview.drawn
    return {
        "head": drawn.head.generation if drawn.head else None,
        "generation": drawn.plan.generation if drawn.plan else None,
        "in_sync": preview.in_sync,
        "health_from": drawn.health_from,
        "endpoints": [_endpoint_json(change) for change in preview.changes],
        "consent": [one.key[1] for one in drawn.consent],
        "refusals": [
            {"name": one.key[1], "zone": one.key[0], "rule": one.rule, "reason": one.reason, "remedy": one.remedy}
            for one in preview.refusals
        ],
        "held_back": [
            {"name": name, "load_balancer": load_balancer, "reason": why}
            for name, load_balancer, why in preview.held_back
        ],
        "loads": loads_facts(drawn.draft.loads if drawn.draft else ()),
        "shares": shares_facts(drawn.draft.shares if drawn.draft else ()),
        "unread": list(preview.unread),
        "refused": drawn.refused,
        "notes": list(drawn.notes),
        "not_touched": [{"zone": zone, "names": count} for zone, count in preview.others],
        "written": False,
        "exit": preview.exit_code,
    }


def _endpoint_json(change: EndpointChange) -> dict[str, Any]:
    entry, marker, decision = change.entry, change.marker, change.decision
    return {
        "name": entry.name,
        "zone": entry.zone,
        "differs": None if change.unread else change.differs,
        "marker": {
            "before": marker.since if isinstance(marker, Marker) else None,
            "state": "damaged" if isinstance(marker, Damaged) else getattr(marker, "state", "absent"),
            "after": entry.since,
        },
        "types": {
            one.rtype: {
                "stay": list(one.stay),
                "added": list(one.added),
                "removed": list(one.removed),
                "ttl_before": one.ttl_before,
                "ttl_after": one.ttl_after,
            }
            for one in change.types
        },
        "alias": change.alias or None,
        "layout": {"before": change.layout_before or None, "after": entry.layout},
        "damage": change.damage or None,
        "reasons": [
            {"address": address, "load_balancer": name or None, "reason": why} for address, name, why in change.reasons
        ],
        "action": decision.action if decision else "carried",
        "why": decision.why if decision else "",
        "panic": decision.panic if decision else False,
        **(budget_facts(decision) if decision else {}),
        "held": entry.held or None,
        "note": entry.note or None,
    }
