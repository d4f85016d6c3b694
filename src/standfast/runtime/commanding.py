"""An operator's command carried out in a zone itself: names, access, the core's requests, the journal. No store needed.

The deciding is the core's (`core.direct` and its orders). Here its requests are performed and each
intent and outcome goes into a journal of the operator's own, as an enactor's do.
"""

import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from standfast.adapters.providers.listing import Listing, listing
from standfast.adapters.providers.tsig import TsigKey as SigningKey
from standfast.config import ZoneConfig
from standfast.core.direct import Ended, Order, Settling, begin
from standfast.errors import JournalError
from standfast.model.marker import Marker, read_marker
from standfast.model.name import FIRST_LABEL, FLOOR_LABEL, SUBTREE, first_name, is_below, marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType
from standfast.ports.local import DrawNonce, Nonce, Recorded, RecordIntent, Unrecorded
from standfast.ports.provider import Confirm, Conflict, Read, Refused, Replace, Unknown, Written, ZoneProvider

from .observing import look_at_store, newest_copy
from .operating import file_name, operator
from .place import Place, resolved

WRITER_MAX: Final = 40


class Known(Struct, frozen=True):
    """The endpoints of a zone as far as anybody here knows. `source` says where the names come from, `generation` is
    that of the newest plan at hand (0: there is none), `plan` that plan."""

    names: tuple[str, ...]
    source: str
    generation: int = 0
    plan: Plan | None = None
    listed: Listing | None = None


def known_names(place: Place, zone: ZoneConfig, *, whole: bool = False) -> Known:
    """From the plan in the store; else from the newest copy an enactor keeps; else from the zone, by transfer. Those
    of the configuration come in addition. `whole`: the zone is asked in any case."""
    config = place.config
    configured = {one.name for one in config.endpoints if one.zone == zone.name}
    plan, source = _newest_plan(place)
    names = {entry.name for entry in (plan.by_zone.get(zone.name, ()) if plan else ())}
    listed = transferred(place, zone) if whole or plan is None else Unknown("not asked")
    if isinstance(listed, Listing):
        names |= set(names_in(listed, zone.name))
        source = f"{source} and the zone" if source else "the zone"
    source = source or "the configuration alone (no plan, no copy, no zone transfer)"
    names -= {first_name(config.stream, zone.name)}
    found = listed if isinstance(listed, Listing) else None
    return Known(tuple(sorted(names | configured)), source, plan.generation if plan else 0, plan, found)


def _newest_plan(place: Place) -> tuple[Plan | None, str]:
    sight = look_at_store(place)
    if sight.plan is not None and not sight.trouble:
        return sight.plan, f"plan g{sight.plan.generation}"
    copy, plan = newest_copy(place)
    return plan, f"plan g{plan.generation}, of which enactor {copy} keeps a copy" if plan else ""


def transferred(place: Place, zone: ZoneConfig) -> Listing | Unknown:
    """Everything in the zone, if its primary gives it to our key."""
    if zone.hosted is not None:
        from .hosted import hosted_listing

        return hosted_listing(zone)
    if zone.plugged is not None:
        return Unknown(f"{zone.where} gives no listing")
    key = place.key(zone)
    signing = SigningKey(key.name, key.algorithm, key.secret)
    return listing(zone.name, resolved(zone.host), zone.port, signing)


def names_in(found: Listing, zone: str) -> tuple[str, ...]:
    """The endpoints that have a record where a marker belongs, first entries of any stream left out.

    A name whose marker is under a digest (`_h-…`) can't be told from its record, and is left out.
    """
    below, names = f".{SUBTREE}.{zone}", []
    for owner, rtype in found.rrsets:
        if rtype not in (RRType.TXT, RRType.CNAME) or not owner.endswith(below):
            continue
        inner = owner.removesuffix(below)
        labels = inner.split(".")
        if FLOOR_LABEL in labels or FIRST_LABEL in labels or inner.startswith("_h-"):
            continue
        if labels[0] == "_any":
            inner = "*" + inner.removeprefix("_any")
        names.append(zone if inner == "_apex" else f"{inner}.{zone}")
    return tuple(sorted({name for name in names if is_below(name, zone)}))


def foreign_streams(found: Listing, zone: str, stream: str) -> Mapping[str, str]:
    """The endpoints that another stream's valid marker stands for, with that stream."""
    streams = {}
    for name in names_in(found, zone):
        owner = marker_owner(name, zone)
        marker = read_marker(found.rrsets.get((owner, int(RRType.TXT))), zone, owner)
        if isinstance(marker, Marker) and marker.stream != stream:
            streams[name] = marker.stream
    return streams


def writer_of(who: str) -> str:
    """Who, as a marker names its writer: lower case, ASCII (José is jos-), no spaces, short."""
    return "".join(one if one.isascii() else "-" for one in file_name(who).lower())[:WRITER_MAX]


class Desk:
    """One command in one zone: the operator's journal and the zone's primary, with our key. A context manager.

    Raises JournalError if what is asked can't be written down: then nothing is done.
    """

    def __init__(self, place: Place, zone: ZoneConfig, action: str, names: Iterable[str], reason: str) -> None:
        self.who = operator()
        self.stream = place.config.stream
        self._place, self._zone = place, zone
        what = f"{self.who} {action} {', '.join(names)}"
        self._facts = {
            "action": action, "names": list(names), "zone": zone.name, "to": None, "reason": reason, "by": self.who,
            "what": what, "stream": self.stream,
        }  # fmt: skip
        self._provider: ZoneProvider | None = None
        self._journal = place.open_journal("operator", file_name(self.who))
        self._sent_at = 0.0

    def __enter__(self) -> "Desk":
        self._place.prepare()
        self._told("asked")
        self._provider = self._place.open_provider(self._zone)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._provider is not None:
            self._provider.close()
        self._journal.close()

    def _told(self, stage: str, **facts: object) -> None:
        if not self._journal.write("operator", durable=True, stage=stage, **self._facts | facts):
            raise JournalError(f"{self._journal.broken}. Nothing was done.", "Make room, or mend its permissions.")

    def concluded(self, stage: str, why: str, generation: int = 0) -> None:
        """What came of the command, for those who come after."""
        facts = {"why": why, "generation": generation or None}
        self._journal.write("operator", durable=True, stage=stage, **self._facts | facts)

    def obeyed(self, order: Order) -> Ended:
        """Perform what the core asks until it has ended."""
        phase: Any = begin(order)
        while not isinstance(phase, Ended):
            request = phase.request
            reply = self._perform(request)
            if isinstance(request, Replace) and not isinstance(reply, Unknown):
                self._outcomes(phase, _word(reply), getattr(reply, "why", ""))
            if isinstance(phase, Settling):
                won = phase.won(reply)
                why = "settled by reading" if won else "no answer, and it has not been made so far"
                self._outcomes(phase, "written" if won else "unknown", why)
            phase = phase.heard(reply)
        return phase

    def _perform(self, request: Any) -> Any:
        match request:
            case DrawNonce():
                return Nonce(secrets.token_hex(8))
            case RecordIntent():
                from .recording import intent_facts

                if self._journal.write("intent", durable=True, **intent_facts(request)):
                    return Recorded()
                return Unrecorded(self._journal.broken)
            case Read() | Confirm() | Replace():
                self._sent_at = time.monotonic()
                assert self._provider is not None
                return self._provider.perform(request)
        raise AssertionError(f"{type(request).__name__} is nothing an operator's core asks")

    def _outcomes(self, phase: Any, result: str, why: str) -> None:
        """One for each endpoint of the change (G10)."""
        took = round((time.monotonic() - self._sent_at) * 1000, 1)
        change, nonce = phase.change, phase.nonce
        lines = [
            {"zone": self._zone.name, "name": part.name, "result": result, "why": why, "nonce": nonce, "took_ms": took}
            | self._sinces(part.name, part.seen, part.put)
            for part in change.parts
        ]
        if lines:
            self._journal.write_all("outcome", lines)

    def _sinces(self, name: str, seen: RRset | None, put: Marker | None) -> dict[str, Any]:
        marker = read_marker(seen, self._zone.name, marker_owner(name, self._zone.name))
        before = marker.since if isinstance(marker, Marker) else None
        return {"before": before, "since": put.since if put is not None else before or 0}


def _word(reply: object) -> str:
    match reply:
        case Written():
            return "written"
        case Conflict():
            return "conflict"
        case Refused():
            return "refused"
    return "unknown"
