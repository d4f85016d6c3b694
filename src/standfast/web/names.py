"""The names, worst first: what they answer with, how much capacity that is, since when and why. Identical ones fold."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.config import Config
from standfast.model.entry import NOT_CHOSEN, Entry, Key, Member
from standfast.model.rrset import type_name
from standfast.runtime.calling import said_of
from standfast.runtime.keeping import kept as kept_back
from standfast.runtime.observing import Seen, azs_of
from standfast.runtime.phrases import listed
from standfast.runtime.verdict import Standing, by, published_at

from . import signs
from .signs import Sign

if TYPE_CHECKING:
    from standfast.runtime.verdict import Each
    from standfast.runtime.zonesight import EndpointSight

SHOWN_MAX: Final = 25
SHOWN_FINE: Final = 8
"""So many rows are shown at most; of names that are fine and unchanged only as many as fill up to the second."""
PAGE: Final = 60
QUIET_S: Final = 3600.0
DOTS_MAX: Final = 12
"""Beyond so many load balancers in a group, dots become a count."""
_ORDER: Final = ("refused", "unread", "damaged", "behind", "ahead", "frozen", "held", "ok", "retired")


class Dots(Struct, frozen=True):
    """Some load balancers of one AZ in one state: `text` is a row of shapes, or a shape and a count."""

    sign: Sign
    text: str
    names: str


class Az(Struct, frozen=True):
    """One AZ in a row."""

    az: str
    dots: tuple[Dots, ...]


class Bar(Struct, frozen=True):
    """Capacity in percent of all that is eligible: served and well, served though failing; and its two ticks."""

    served: int
    kept: int
    panic: int
    least: int


class Row(Struct, frozen=True):
    """One name. `served` of `considered` load balancers are in its answer."""

    key: Key
    short: str
    sign: Sign
    why: str
    served: int
    considered: int
    azs: tuple[Az, ...]
    answer: str
    bar: Bar | None
    since: float | None
    generation: int
    change: str
    fold: str
    """Rows with the same text are alike."""

    @property
    def fine(self) -> bool:
        """Whether there is nothing to see."""
        return self.sign.tone in ("good", "plain")


class Fold(Struct, frozen=True):
    """Rows that are not shown: how many, and what is alike in them."""

    sign: Sign
    count: int
    text: str


class Names(Struct, frozen=True):
    """`rows` are shown, `folds` are not. `page` counts from 1, of `pages`, if all are asked for."""

    rows: tuple[Row, ...]
    folds: tuple[Fold, ...]
    total: int
    matching: int
    query: str = ""
    every: bool = False
    page: int = 1
    pages: int = 1


def names(seen: Seen, each: "Each", config: Config, *, query: str, every: bool, page: int, opened: str) -> Names:
    """Those that match `query`, a part of a name; `every`: unfolded, page by page. `opened` is shown in any case."""
    words = _Words(seen, config)
    if query:
        each = [pair for pair in each if query in pair[0].entry.name]
    ranked = sorted(each, key=lambda pair: _rank(pair[0], pair[1], words))
    total = len(seen.endpoints)
    if every:
        pages = max(1, -(-len(ranked) // PAGE))
        page = min(max(1, page), pages)
        some = ranked[(page - 1) * PAGE : page * PAGE]
        return Names(tuple(row(*pair, words) for pair in some), (), total, len(ranked), query, True, page, pages)
    rows: list[Row] = []
    folded: dict[str, Fold] = {}
    shown: Counter[str] = Counter()
    for sight, how in ranked:
        alike = _alike(sight, how, words)
        quiet = _quiet(sight, how, words)
        wanted = sight.entry.name == opened
        if wanted or (len(rows) < SHOWN_MAX and not (quiet and len(rows) >= SHOWN_FINE) and shown[alike] < SHOWN_FINE):
            rows.append(row(sight, how, words))
            shown[alike] += 1
        else:
            was = folded.get(alike)
            folded[alike] = Fold(_sign(sight, how, words), was.count + 1 if was else 1, alike)
    return Names(tuple(rows), tuple(folded.values()), total, len(ranked), query)


class _Words:
    """What all rows are made from, looked up once."""

    def __init__(self, seen: Seen, config: Config) -> None:
        self.seen = seen
        self.azs = azs_of(seen, config)
        self.when = published_at(seen.store.plans)
        self.plans = {one.generation: one for one in seen.store.plans}
        self.decisions = {one.key: one for one in seen.decisions}
        self.refused = {one.key for one in seen.refusals}
        self.policies = {(one.zone, one.name): one for one in config.endpoints}
        overlaid = seen.store.overlaid(seen.at)
        fleet = overlaid[0] if overlaid else seen.store.fleet
        self.admin: Mapping[str, str] = {one.id: one.admin for one in fleet.load_balancers} if fleet else {}


def members(entry: Entry, decided: Iterable[Member]) -> list[Member]:
    """Who is considered, each once, with the reasons of now where they are known; who is served the plan says."""
    reasons = {one.load_balancer: one.reason for one in decided}
    some: dict[str, Member] = {}
    for one in entry.members:
        if one.load_balancer not in some or one.served:
            some[one.load_balancer] = replace(one, reason=reasons.get(one.load_balancer, one.reason))
    return [some[name] for name in sorted(some)]


def _members(words: _Words, entry: Entry) -> list[Member]:
    decision = words.decisions.get(entry.key)
    return members(entry, decision.members if decision else ())


def _whole(entry: Entry) -> bool:
    return all(one.served or one.reason.startswith(NOT_CHOSEN) for one in entry.members)


def _guarded(entry: Entry, words: _Words) -> bool:
    decision = words.decisions.get(entry.key)
    kept = decision is not None and any(map(kept_back, decision.members))
    return entry.key in words.refused or (kept and not entry.held)


def _rank(sight: "EndpointSight", how: Standing, words: _Words) -> tuple[int, bool, bool, bool, str]:
    entry = sight.entry
    bad = 0 if _guarded(entry, words) or how.state == "refused" else _ORDER.index(how.state)
    return bad, _whole(entry), how.state == "retired", _quiet(sight, how, words), entry.name


def _quiet(sight: "EndpointSight", how: Standing, words: _Words) -> bool:
    """Fine, and unchanged for an hour."""
    entry = sight.entry
    if how.state not in ("ok", "retired") or not _whole(entry) or _guarded(entry, words):
        return False
    at = words.when.get(entry.since)
    return at is None or words.seen.at - at > QUIET_S


def _sign(sight: "EndpointSight", how: Standing, words: _Words) -> Sign:
    if _guarded(sight.entry, words):
        return Sign("■", "bad", "GUARDED")
    if how.state == "ok" and not _whole(sight.entry):
        return Sign("▲", "watch", "PARTLY")
    return signs.STANDINGS[how.state]


def _alike(sight: "EndpointSight", how: Standing, words: _Words) -> str:
    """What is to be said of it when it is folded."""
    entry = sight.entry
    sign = _sign(sight, how, words)
    if how.state == "ok" and _whole(entry) and sign is signs.GOOD:
        return "OK and unchanged for more than an hour" if _quiet(sight, how, words) else "OK, changed within the hour"
    out = sorted({one.load_balancer for one in entry.members} - {m.load_balancer for m in entry.members if m.served})
    missing = f" without {listed(out, 4)}" if out else ""
    return f"{sign.word}{missing}" + (f": {how.why}" if how.why and how.state != "behind" else "")


def row(sight: "EndpointSight", how: Standing, words: _Words) -> Row:
    """One name, as it is shown."""
    entry = sight.entry
    some = _members(words, entry)
    counts = [f"{type_name(one.rtype)} {one.count}" for one in entry.rrsets]
    ttls = sorted({one.ttl for one in entry.rrsets})
    answer = "  ".join([*counts, *(f"TTL {ttl}" for ttl in ttls)]) or "no address"
    return Row(
        key=entry.key,
        short=words.seen.short(entry.key),
        sign=_sign(sight, how, words),
        why=f"on its way ({how.why})" if how.state == "behind" else how.why,
        served=sum(one.served for one in some),
        considered=len(some),
        azs=_azs(words, some),
        answer=answer,
        bar=_bar(words, entry, some),
        since=words.when.get(entry.since),
        generation=entry.since,
        change=_change(words, entry),
        fold=_alike(sight, how, words),
    )


def place_of(one: Member, admin: str) -> Sign:
    """Its place in an answer."""
    if one.served:
        return signs.KEPT if kept_back(one) else signs.IN
    if one.reason.startswith(NOT_CHOSEN):
        return signs.REST
    drained = admin in ("drain", "down") or one.reason.startswith(("drained", "taken down"))
    return signs.DRAINED if drained else signs.OUT


def _azs(words: _Words, some: Iterable[Member]) -> tuple[Az, ...]:
    groups: dict[str, dict[Sign, list[str]]] = {}
    for one in some:
        sign = place_of(one, words.admin.get(one.load_balancer, "up"))
        groups.setdefault(words.azs.get(one.load_balancer, "–"), {}).setdefault(sign, []).append(one.load_balancer)
    return tuple(Az(az, tuple(_dots(sign, ids) for sign, ids in found.items())) for az, found in sorted(groups.items()))


def _dots(sign: Sign, ids: list[str]) -> Dots:
    text = sign.shape * len(ids) if len(ids) <= DOTS_MAX else f"{sign.shape}×{len(ids)}"
    return Dots(sign, text, f"{sign.word}: {listed(ids, DOTS_MAX)}")


def _bar(words: _Words, entry: Entry, some: Sequence[Member]) -> Bar | None:
    eligible = sum(one.weight for one in some)
    if not eligible or entry.kind != "live":
        return None
    served = sum(one.weight for one in some if one.served)
    kept = sum(one.weight for one in some if kept_back(one))
    policy = words.policies.get(entry.key)
    least = max((count for _, count in entry.min_answers), default=0)
    return Bar(
        served=round(100 * served / eligible),
        kept=round(100 * kept / eligible),
        panic=round(100 * (policy.hold_below if policy else 0.5)),
        least=min(100, round(100 * least / len(some))),
    )


def _change(words: _Words, entry: Entry) -> str:
    summary = words.plans.get(entry.since)
    if entry.held:
        return f"held: {entry.held}"
    out = [one for one in entry.members if not one.served and not one.reason.startswith(NOT_CHOSEN)]
    if out:
        more = f" (and {len(out) - 1} more)" if out[1:] else ""
        return f"{out[0].load_balancer} {out[0].reason}{more}"
    if summary is None:
        return f"g{entry.since}"
    mine = said_of(entry.name, summary.reason)
    text = "; ".join(one for one in mine if one != "…") or ("" if mine else summary.reason)
    return f"{text[:120]} ({by(summary.author)})" if text else f"by {by(summary.author)}"
