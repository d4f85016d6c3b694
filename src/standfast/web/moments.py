"""Moments as the page writes them: UTC, with what a browser needs to add its own clock."""

import re
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup, escape

_CLOCK: Final = re.compile(r"(?:(\d{4}-\d\d-\d\d) )?\b(\d\d:\d\d:\d\d)\b")
_UNKNOWN: Final = "–"
FAR_S: Final = 1e11
"""The year 5138."""


def moment_of(at: float | None) -> datetime | None:
    """In UTC; None if it is none."""
    try:
        return None if at is None else datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def utc(at: float | None) -> str:
    """2026-11-28 03:04:12 UTC."""
    moment = moment_of(at)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else _UNKNOWN


def stamp(at: float | None, now: float) -> Markup:
    """As `<time>`: HH:MM:SS today, the day in front on others; the whole of it on hover."""
    moment, today = moment_of(at), moment_of(now)
    if moment is None or today is None:
        return escape(_UNKNOWN)
    text = moment.strftime("%H:%M:%S" if moment.date() == today.date() else "%d %b %H:%M")
    return _time(moment, text)


def _time(moment: datetime, text: str) -> Markup:
    iso = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, utc(moment.timestamp()), text)


def stamped(text: str, now: float) -> Markup:
    """A sentence with every clock time in it as `<time>`. The process must run in UTC for that to be true."""
    today = moment_of(now)
    parts, last = [], 0
    for match in _CLOCK.finditer(text):
        day = match[1] or (today.strftime("%Y-%m-%d") if today else "")
        try:
            moment = datetime.fromisoformat(f"{day}T{match[2]}+00:00")
        except ValueError:
            continue
        parts += [escape(text[last : match.start()]), _time(moment, match[0])]
        last = match.end()
    return Markup("").join([*parts, escape(text[last:])])


def parsed(text: str) -> float | None:
    """Seconds since the epoch from `1764298800`, or from 2026-11-28T03:04:12Z; None if it is neither, or so far off
    that what is reckoned from it would be no moment."""
    try:
        plain = re.fullmatch(r"\d{1,11}(\.\d{1,9})?", text, re.ASCII)
        at = float(text) if plain else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at < FAR_S else None
