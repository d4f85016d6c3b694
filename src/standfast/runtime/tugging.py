"""Tug-of-war made visible: who writes what to an endpoint again and again, and how to let them win or stop them.

The core decides that somebody means it (rule 9: the same harmless contents, back after a repair, within ten minutes).
Here it is said: what they write, how soon it came back, and by what tool it looks like.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from standfast.core.beliefs import TugOfWar
from standfast.core.reach import Contents
from standfast.core.task import Outcome
from standfast.errors import EXIT_DIFFERS, EXIT_REFUSED
from standfast.model.entry import Entry, Key
from standfast.model.name import relative
from standfast.model.plan import Plan
from standfast.model.rrset import ADDRESS_TYPES, RRset, RRType
from standfast.ports.provider import Read, Readings

from .phrases import listed
from .times import span

if TYPE_CHECKING:
    from .presence import Present

Ask = Callable[[Read], object]
"""How a zone is read."""
_STUCK: Final = frozenset({"refused", "unrecorded", "unsafe", "left", "foreign", "retired"})
_SHOWN: Final = 3
_GUESSES: Final[Mapping[str, str]] = {
    "external-dns": "docs/beside-external-dns.md",
    "octoDNS": "docs/beside-octodns.md",
}
_UNKNOWN_TOOL: Final = "a tool that runs from time to time, such as octoDNS or Terraform, or a person"


class Tug(Struct, frozen=True):
    """One endpoint that somebody else insists on: what they write, seconds until it came back, the likely tool."""

    writes: str
    after_s: float
    tool: str


class TugWatch:
    """What one enactor knows of tugs-of-war, from its core's memory and its outcomes."""

    def __init__(self) -> None:
        self._tugs: dict[Key, Tug] = {}

    def heard(self, outcome: Outcome, plan: Plan | None, tug: TugOfWar, now: float, ask: Ask) -> str:
        """Another outcome; a sentence if a tug-of-war has just become one."""
        key = (outcome.zone, outcome.name)
        if outcome.result in ("in_step", "written", "frozen", "retired"):
            self._tugs.pop(key, None)
            return ""
        if outcome.result != "left" or key in self._tugs:
            return ""
        entry = plan.entry(key) if plan else None
        change = next((one for one in reversed(tug.changes) if one.key == key), None)
        if change is None or entry is None:
            return ""
        found = Tug(written_by_others(entry, change.contents), now - change.at, looks_like(ask, *key))
        self._tugs[key] = found
        return sentence(relative(key[1], key[0]) or "@", found)

    @property
    def standing(self) -> list[dict[str, Any]]:
        """For presence."""
        return [
            {"name": name, "zone": zone, "writes": one.writes, "after_s": round(one.after_s, 1), "tool": one.tool}
            for (zone, name), one in self._tugs.items()
        ]


def sentence(name: str, tug: Tug) -> str:
    """With both ways out."""
    where = _GUESSES.get(tug.tool, "docs/beside-octodns.md, docs/beside-terraform.md")
    return (
        f"{name}: somebody {tug.writes}, again {span(tug.after_s)} after it was put back; it looks like "
        f"{tug.tool or _UNKNOWN_TOOL}. It is left so. To let it win: `standfast freeze {name}`. "
        f"To stop it: take {name} out of that tool ({where})."
    )


def written_by_others(entry: Entry, contents: Contents) -> str:
    """What they do, as a predicate: `writes 192.0.2.99 and takes 192.0.2.2 out`."""
    found: list[str] = []
    ttls: set[int] = set()
    added: list[str] = []
    removed: list[str] = []
    for rtype, reading in zip(ADDRESS_TYPES, contents, strict=True):
        if reading is not None and reading.rtype == RRType.CNAME:
            return f"makes it a CNAME to {reading.texts()[0].rstrip('.')}"
        wanted = entry.rrset(rtype)
        theirs, ours = _texts(reading), _texts(wanted)
        added += [text for text in theirs if text not in ours]
        removed += [text for text in ours if text not in theirs]
        if reading is not None and wanted is not None and reading.ttl != wanted.ttl:
            ttls.add(reading.ttl)
    if added:
        found.append(f"writes {listed(added, _SHOWN)}")
    if removed:
        found.append(f"takes {listed(removed, _SHOWN)} out")
    if ttls:
        found.append(f"sets its TTL to {', '.join(map(str, sorted(ttls)))}")
    if len(found) > 2:
        found = [", ".join(found[:-1]), found[-1]]
    return " and ".join(found) or "changes it"


def _texts(rrset: RRset | None) -> tuple[str, ...]:
    return tuple(rrset.texts()) if rrset is not None else ()


def looks_like(ask: Ask, zone: str, name: str) -> str:
    """The tool that left its own records beside the name, if one did; empty if none can be told.

    external-dns keeps `heritage=external-dns` in TXT at the name or at `a-NAME` and the like; octoDNS, where it is told
    to, `octodns-meta` at the apex. Terraform and people leave nothing.
    """
    label, _, rest = name.partition(".")
    places = [name, *(f"{kind}-{label}.{rest}" for kind in ("a", "aaaa", "cname")), f"octodns-meta.{zone}"]
    reply = ask(Read(zone, tuple((place, int(RRType.TXT)) for place in places)))
    if not isinstance(reply, Readings):
        return ""
    for place, value in zip(places, reply.values, strict=True):
        if isinstance(value, RRset) and value.rtype == RRType.TXT:
            if any(b"heritage=external-dns" in rdata for rdata in value.rdata):
                return "external-dns"
            if place.startswith("octodns-meta."):
                return "octoDNS"
    return ""


def quarrels(enactors: "Iterable[Present]", twins: frozenset[str] = frozenset()) -> Iterator[tuple[str, str, int]]:
    """For the verdict: a sentence, the command that fits and the exit code of each tug-of-war, of each endpoint that
    is put back again and again, and of each that enactors are stuck at."""
    some = tuple(enactors)
    told: set[str] = set()
    for one in some:
        for facts in _listed(one.facts.get("tugs")):
            name = str(facts.get("name"))
            short = relative(name, str(facts.get("zone"))) or "@"
            short = name if short in twins else short
            if name not in told:
                told.add(name)
                tug = Tug(str(facts.get("writes")), float(facts.get("after_s") or 0), str(facts.get("tool") or ""))
                yield sentence(short, tug), f"standfast freeze {short}", EXIT_REFUSED
    for name, count in _put_back(some).items():
        if name not in told:
            yield contested_sentence(name, count), f"standfast explain {name}", EXIT_DIFFERS
    for name, result, why in _stuck(some):
        if name not in told and result == "refused":
            yield f"{name}: {why}. Nothing is written to it until that is mended.", "standfast check", EXIT_REFUSED
        elif name not in told:
            yield f"{name}: {why}.", f"standfast explain {name}", EXIT_REFUSED


def contested_sentence(name: str, count: int | str) -> str:
    """Of a name that somebody else keeps changing."""
    return f"{name} was put back {count} times in ten minutes: somebody, or another tool, keeps changing it in DNS."


def _put_back(enactors: "Iterable[Present]") -> dict[str, int]:
    """How often enactors had to repair an endpoint lately, where that was more than chance."""
    counts: dict[str, int] = {}
    for one in enactors:
        told = one.facts.get("put_back")
        for name, count in told.items() if isinstance(told, dict) else ():
            if isinstance(count, int):
                counts[str(name)] = counts.get(str(name), 0) + count
    return counts


def _stuck(enactors: "Iterable[Present]") -> list[tuple[str, str, str]]:
    """What enactors are stuck at, in their own words: name, result, why."""
    found: dict[tuple[str, str, str], None] = {}
    for one in enactors:
        troubles = one.facts.get("troubles")
        for text in troubles if isinstance(troubles, list) else ():
            parts = str(text).split(": ", 2)
            if len(parts) == 3 and parts[1] in _STUCK and not one.facts.get("observe"):
                found[parts[0], parts[1], parts[2]] = None
    return list(found)


def _listed(told: object) -> Iterator[dict[str, Any]]:
    return (one for one in told if isinstance(one, dict)) if isinstance(told, list) else iter(())
