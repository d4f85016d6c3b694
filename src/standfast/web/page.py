"""The whole page as a value: what was asked, and what is shown for it. Pure but for reading stored plans."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlencode

from msgspec import Struct

from standfast.runtime.hindsight import remembered_since
from standfast.runtime.observing import Seen
from standfast.runtime.tailing import Event
from standfast.runtime.times import span
from standfast.runtime.verdict import SIGNS, Verdict

from . import chain, fleetview, lanes, names, registriesview, signs
from .detail import Detail, detail
from .gathering import STALE_S, Gatherer, Look
from .moments import parsed
from .signs import Tone

TEXT_MAX: Final = 255
FREEZE: Final = 'standfast freeze --all --reason "…"'


class Question(Struct, frozen=True):
    """What is to be shown. `at`: a moment of the past; `start` and `end` bound the lanes; `every`: names unfolded."""

    at: float | None = None
    start: float | None = None
    end: float | None = None
    opened: str = ""
    link: str = ""
    query: str = ""
    every: bool = False
    page: int = 1
    fleet: bool = False

    def but(self, **changes: object) -> str:
        """The address of this with something else, relative to the page."""
        told: dict[str, object] = {
            "at": self.at,
            "from": self.start,
            "to": self.end,
            "open": self.opened,
            "link": self.link,
            "q": self.query,
            "names": "all" if self.every else "",
            "page": self.page if self.every and self.page > 1 else "",
            "fleet": "all" if self.fleet else "",
        } | changes
        pairs = [
            (key, f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else value)
            for key, value in told.items()
        ]
        text = urlencode([(key, value) for key, value in pairs if value not in (None, "", False)])
        return f"?{text}" if text else "./"


def question(asked: Mapping[str, str]) -> Question:
    """From a query string; what cannot be understood is left out."""
    page = asked.get("page", "")
    return Question(
        at=parsed(asked.get("at", "")),
        start=parsed(asked.get("from", "")),
        end=parsed(asked.get("to", "")),
        opened=asked.get("open", "")[:TEXT_MAX].lower(),
        link=asked.get("link", "") if asked.get("link") in chain.KEYS else "",
        query=asked.get("q", "")[:TEXT_MAX].strip().lower(),
        every=asked.get("names") == "all",
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        fleet=asked.get("fleet") == "all",
    )


class Page(Struct, frozen=True):
    """All that the template shows."""

    asked: Question
    number: int
    seen: Seen
    found: Verdict
    sign: str
    tone: Tone
    age_s: float
    stale: str
    links: tuple[chain.Link, ...]
    lines: tuple[Event, ...]
    names: names.Names
    detail: Detail | None
    columns: tuple[fleetview.Column, ...]
    lanes: lanes.Lanes
    notes: tuple[str, ...]
    registries: tuple[registriesview.Registry, ...]
    host: str
    file: str
    freeze: str = FREEZE

    @property
    def past(self) -> bool:
        """Whether it shows a moment that is past."""
        return self.asked.at is not None


def page(gatherer: Gatherer, look: Look, asked: Question) -> Page:
    """What is shown for that question, from that look."""
    now = look.seen
    remembered = remembered_since(look.events, now.store.plans)
    shown, moment = look, asked.at
    if moment is not None:
        moment = min(moment, now.at)
        shown = gatherer.then(look, moment)
    seen = shown.seen
    start, end = lanes.bounds(asked.start, asked.end, now.at, moment)
    link = cast(chain.Key, asked.link) if asked.link else None
    until = [event for event in look.events if moment is None or event.at <= moment]
    return Page(
        asked=asked,
        number=look.number,
        seen=seen,
        found=shown.found,
        sign=SIGNS[shown.found.kind],
        tone=signs.VERDICTS[shown.found.kind],
        age_s=gatherer.age_s,
        stale=_stale(gatherer),
        links=chain.chain(shown.watched, gatherer.age_s, past=moment is not None),
        lines=tuple(chain.lines(link, until)) if link else (),
        names=names.names(
            seen, shown.each, gatherer.config,
            query=asked.query, every=asked.every, page=asked.page, opened=asked.opened,
        ),
        detail=_detail(gatherer, shown, asked),
        columns=fleetview.columns(seen, gatherer.config, every=asked.fleet),
        lanes=lanes.lanes(look.events, start, end, moment, remembered),
        notes=tuple(_notes(look, shown, moment, remembered)),
        registries=registriesview.registries(seen),
        host=socket.gethostname(),
        file=str(Path(gatherer.config.file).resolve()),
    )  # fmt: skip


def _stale(gatherer: Gatherer) -> str:
    """Why what is shown is old; empty if it is not."""
    if gatherer.age_s <= max(STALE_S, 5 * gatherer.look_s):
        return ""
    return gatherer.trouble or f"the last look was {span(gatherer.age_s)} ago"


def _detail(gatherer: Gatherer, shown: Look, asked: Question) -> Detail | None:
    if not asked.opened:
        return None
    sight = next((one for one, _ in shown.each if one.entry.name == asked.opened), None)
    if sight is None:
        return None
    answers = gatherer.answers_of(sight.entry) if asked.at is None else ()
    return detail(sight, shown.seen, gatherer.config, answers, gatherer.load)


def _whole(skew: float) -> float:
    """To ten seconds: what is 2 days off shall not be called 1."""
    return round(abs(skew), -1)


def _notes(look: Look, shown: Look, moment: float | None, remembered: float | None) -> list[str]:
    """What should be known of this page itself."""
    found = []
    watched, store = look.watched, shown.seen.store
    if store.trouble and store.copy and "Shown is the copy" not in shown.found.sentence:
        found.append(
            f"The plan store can't be read. This is the plan that enactor {store.copy} keeps on disk, and the journals."
        )
    if abs(watched.own_skew) > 0:
        way = "ahead of" if watched.own_skew > 0 else "behind"
        far = span(_whole(watched.own_skew))
        found.append(f"This page's clock is {far} {way} that of every process here; times follow theirs.")
    for who, skew in watched.skews:
        way = "ahead" if skew > 0 else "behind"
        found.append(
            f"The clock of {who} is {span(_whole(skew))} {way}. Nothing is decided by clocks; its times are off."
        )
    if moment is None and look.seen.store.plans and look.seen.store.plans[0].at > look.seen.at + 60:
        found.append("The newest plan was published in the future by this machine's clock: one of the clocks is off.")
    if moment is not None and (remembered is None or moment < remembered):
        found.append("Nothing is remembered of that moment: plans and journals here begin later.")
    return found
