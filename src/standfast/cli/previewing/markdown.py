"""A preview as Markdown, for the comment under a merge request: a table of what changes, why, and what guards say."""

import re
from collections.abc import Iterator
from typing import Final

from standfast.cli.texts import counted
from standfast.runtime.phrases import capital

from .differences import EndpointChange, TypeChange
from .showing import Preview, budget_lines, limits, marker_text, spread_lines

NAMES_MAX: Final = 100
ADDRESSES_MAX: Final = 12
OCTETS_MAX: Final = 60_000
"""GitHub takes 65,536 characters in a comment."""


def preview_markdown(preview: Preview) -> str:
    """The whole comment."""
    differing = [one for one in preview.changes if one.differs and not one.unread]
    lines = [f"### Standfast: {_title(preview, len(differing))}", ""]
    if differing:
        lines += ["| name | type | stay | + | − | TTL | why |", "|---|---|--:|---|---|---|---|"]
    room, shown = OCTETS_MAX, 0
    for change in differing[:NAMES_MAX]:
        rows = list(_rows(change))
        room -= sum(len(row.encode()) + 1 for row in rows)
        if room < 0:
            break
        lines += rows
        shown += 1
    if shown < len(differing):
        lines.append(f"\n… and {counted(len(differing) - shown, 'more name')}: `standfast plan --json` has all.")
    lines += ["", *_guards(preview), *_footer(preview)]
    return "\n".join(lines) + "\n"


def _title(preview: Preview, count: int) -> str:
    if preview.exit_code == 1:
        return "not everything could be read"
    if not count:
        return "in step, nothing to do" if preview.in_sync else "nothing to write"
    return f"{counted(count, 'name')} would change"


def _rows(change: EndpointChange) -> Iterator[str]:
    name = f"`{_cell(change.entry.name)}` {marker_text(change.marker)} → g{change.entry.since}"
    reasons = {address: (who, why) for address, who, why in change.reasons}
    told = False
    for one in change.types:
        if not one.differs:
            continue
        whys = dict.fromkeys(_why(*reasons[text]) for text in (*one.added, *one.removed) if text in reasons)
        cells = [
            "" if told else name,
            one.rtype,
            str(len(one.stay)),
            _addresses(one.added),
            _addresses(one.removed),
            _ttl(one),
            "<br>".join(list(whys)[:6]) + (f"<br>and {len(whys) - 6} more" if len(whys) > 6 else ""),
        ]
        told = True
        yield f"| {' | '.join(cells)} |"
    if change.alias:
        yield f"| {'' if told else name} | CNAME | | | `{_cell(change.alias)}` | | an address takes its place |"
        told = True
    if not told:
        yield f"| {name} | TXT | | our marker | | | {_cell(change.decision.why if change.decision else '')} |"


def _why(who: str, why: str) -> str:
    return _cell(f"{who}: {why}" if who else why)


def _addresses(some: tuple[str, ...]) -> str:
    more = f" and {len(some) - ADDRESSES_MAX} more" if len(some) > ADDRESSES_MAX else ""
    return " ".join(f"`{one}`" for one in some[:ADDRESSES_MAX]) + more


def _ttl(one: TypeChange) -> str:
    if one.ttl_before is not None and one.ttl_after is not None and one.ttl_before != one.ttl_after:
        return f"{one.ttl_before} → {one.ttl_after}"
    return str(one.ttl_after if one.ttl_after is not None else one.ttl_before)


def _guards(preview: Preview) -> Iterator[str]:
    said = False
    for name, load_balancer, why in preview.held_back:
        said = True
        yield f"- **A guard holds** `{_cell(name)}`: keeps {_cell(load_balancer)}: {_cell(why)}"
    for refusal in preview.refusals:
        said = True
        yield f"- **Refused** `{_cell(refusal.key[1])}`: {_cell(refusal.reason)}. {_cell(refusal.remedy)}."
    for text in budget_lines(preview):
        said = True
        yield f"- **Guards** {_cell(text)}"
    for refusal in preview.drawn.consent:
        said = True
        yield f"- **Consent** `{_cell(refusal.key[1])}` exists and is not ours: `--take {_cell(refusal.key[1])}`"
    for text in preview.unread:
        said = True
        yield f"- **Unknown**: {_cell(text)}"
    if preview.drawn.refused:
        said = True
        yield f"- **No plan can be made**: {_cell(preview.drawn.refused)}"
    if not said:
        yield f"Guards pass ({limits(preview.policies)})."
    for text in spread_lines(preview):
        yield f"\n{_cell(text)}"


def _footer(preview: Preview) -> list[str]:
    others = [f"{counted(count, 'other name')} in {_cell(zone)} not touched" for zone, count in preview.others if count]
    notes = [f"- {_cell(one)}" for one in preview.drawn.notes]
    parts = [*others, "nothing was written", f"exit code {preview.exit_code}"]
    text = "; ".join(parts)
    return [*notes, "", f"<sub>{capital(text)}.</sub>"]


def _cell(text: str) -> str:
    """One cell: what would end it, or be markup, is only text."""
    flat = " ".join(text.split())
    return re.sub(r"([|`*_<>\[\]\\])", r"\\\1", flat) if not re.fullmatch(r"[\w.:@*/ -]+", flat) else flat
