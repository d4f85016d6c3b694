"""Which rights the key has, proved without writing: the enactor's own update, with a prerequisite that cannot hold.

Where the right is there, the server gets as far as the prerequisite and answers NXRRSET. Where it is missing, BIND
answers REFUSED and Knot NOTAUTH (BADKEY), although the key is right: its acl does not cover the update. Knot also
wants *one* acl rule to cover *all* of an update: rights that are there one by one may be missing together.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from standfast.model.name import first_name, floor_owner, marker_owner
from standfast.model.rrset import RRType, address_rdata, txt_rdata
from standfast.ports.provider import (
    MARKER_TTL,
    Conflict,
    Content,
    Prerequisite,
    Refused,
    Replace,
    ReplaceReply,
    Write,
)

MESSAGES_MAX: Final = 500
"""Updates sent for one zone at most; one takes about a millisecond."""
_ENDPOINTS_PER_MESSAGE: Final = 100
_ADDRESSES: Final = {RRType.A: "192.0.2.1", RRType.AAAA: "2001:db8::1"}
"""For documentation (RFC 5737, RFC 3849): rights depend on owner and type, not on data."""
_TYPES: Final = (RRType.TXT, RRType.A, RRType.AAAA, RRType.CNAME)
_NO_RIGHT: Final = ("REFUSED", "NOTAUTH (BADKEY)")


class Changer(Protocol):
    """A provider, as far as this needs one."""

    def perform(self, request: Replace) -> ReplaceReply: ...


class Rights(Struct, frozen=True):
    """What was learnt.

    `missing` has (owner, type) pairs. `apart` are endpoints whose rights are there one by one but not in one update;
    `together` whether every endpoint's update passes and only several at once don't. `trouble` is what ended the
    examination early, `examined` whether it ended at all.
    """

    missing: tuple[tuple[str, int], ...] = ()
    apart: tuple[str, ...] = ()
    together: bool = True
    trouble: str = ""
    examined: bool = True
    messages: int = 0


class _Trouble(Exception):
    """An answer that is neither yes nor no."""


class _Exhausted(Exception):
    """Too many messages."""


def endpoint_contents(zone: str, name: str) -> tuple[Content, ...]:
    """What an enactor's write of that endpoint touches: its marker, addresses, and a CNAME that may be in the way."""
    addresses = tuple(Content(name, rtype, 60, (address_rdata(text),)) for rtype, text in _ADDRESSES.items())
    return (_text(marker_owner(name, zone)), *addresses, Content(name, RRType.CNAME, 0, ()))


def zone_contents(zone: str, stream: str) -> tuple[Content, ...]:
    """What concerns the zone as a whole: its floor, and the marker of its first entry."""
    return (_text(floor_owner(stream, zone)), _text(marker_owner(first_name(stream, zone), zone)))


def _text(owner: str) -> Content:
    return Content(owner, RRType.TXT, MARKER_TTL, (txt_rdata("standfast check"),))


def examine(
    provider: Changer, zone: str, stream: str, names: Sequence[str], *, questions: int = MESSAGES_MAX
) -> Rights:
    """Ask for every right that these endpoints of the zone need, by `questions` at most. Writes nothing."""
    asked = _Asking(provider, zone, stream, questions)
    try:
        for at in range(0, max(1, len(names)), _ENDPOINTS_PER_MESSAGE):
            asked.chunk(names[at : at + _ENDPOINTS_PER_MESSAGE])
    except _Trouble as trouble:
        return asked.result(trouble=str(trouble))
    except _Exhausted:
        return asked.result(examined=False)
    return asked.result()


class _Asking:
    def __init__(self, provider: Changer, zone: str, stream: str, questions: int) -> None:
        self._provider, self._most = provider, questions
        self._zone = zone
        self._common = zone_contents(zone, stream)
        owner = self._common[0].owner
        # drawn at random, so that not even a zone with such a text in it makes this hold
        self._never = Prerequisite(owner, RRType.TXT, (txt_rdata(f"never {secrets.token_hex(16)}"),))
        self._missing: dict[tuple[str, int], None] = {}
        self._apart: list[str] = []
        self._together = True
        self._messages = 0

    def result(self, trouble: str = "", examined: bool = True) -> Rights:
        return Rights(
            tuple(self._missing), tuple(self._apart), self._together, trouble, examined, messages=self._messages
        )

    def chunk(self, names: Sequence[str]) -> None:
        """As one update; if that is refused, type by type and name by name; what is left, endpoint by endpoint."""
        wanted = {name: endpoint_contents(self._zone, name) for name in names}
        every = [*self._common, *(content for contents in wanted.values() for content in contents)]
        if self._allowed(every):
            return
        for rtype in _TYPES:
            for content in self._refused([content for content in every if content.rtype == rtype]):
                self._missing[content.owner, int(content.rtype)] = None
        if any((content.owner, int(content.rtype)) in self._missing for content in self._common):
            return
        whole = [name for name in names if not self._lacks(wanted[name])]
        if not whole or self._allowed([*self._common, *(content for name in whole for content in wanted[name])]):
            return
        apart = [name for name in whole if not self._allowed([*self._common[:1], *wanted[name]])]
        self._apart += apart
        self._together = self._together and bool(apart)

    def _lacks(self, contents: Iterable[Content]) -> bool:
        return any((content.owner, int(content.rtype)) in self._missing for content in contents)

    def _refused(self, contents: Sequence[Content]) -> list[Content]:
        """Those that may not be changed, found by halving."""
        if not contents or self._allowed(contents):
            return []
        if len(contents) == 1:
            return list(contents)
        half = len(contents) // 2
        return self._refused(contents[:half]) + self._refused(contents[half:])

    def _allowed(self, contents: Sequence[Content]) -> bool:
        """Whether the server would make this change, were it not for the prerequisite."""
        if self._messages >= self._most:
            raise _Exhausted
        self._messages += 1
        change = Replace(self._zone, Write("", (self._never,), tuple(contents)), ())
        reply = self._provider.perform(change)
        match reply:
            case Conflict():
                return True
            case Refused(why) if why.startswith(_NO_RIGHT):
                return False
            case Refused(why):
                raise _Trouble(why)
        why = getattr(reply, "why", "")
        raise _Trouble(why or "the server made a change whose prerequisite does not hold: it must not be used")
