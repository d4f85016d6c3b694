"""Providers of installed packages: what they raise or answer amiss is Unknown.

Without compare-and-set, what is asserted is read before each change, and what was put is read after it.
"""

from typing import Final, Protocol, cast, get_args, overload

from msgspec import structs

from standfast.model.name import is_below
from standfast.model.rrset import RRset
from standfast.ports.provider import (
    ChangesReply,
    Confirm,
    ConfirmReply,
    Conflict,
    Fails,
    Holds,
    Key,
    Prerequisite,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    Readings,
    ReadReply,
    Refused,
    Replace,
    ReplaceReply,
    Room,
    Unknown,
    Write,
    Written,
)

from .promises import Promises

_REPLIES: Final = {
    Read: get_args(ReadReply),
    Confirm: get_args(ConfirmReply),
    Replace: get_args(ReplaceReply),
    ReadChanges: get_args(ChangesReply),
}
_WHY_MAX: Final = 300


class Keeper(Protocol):
    """What a package's provider is: `perform` as the port has it, for one zone; `close`."""

    def perform(self, request: ProviderRequest) -> ProviderReply: ...
    def close(self) -> None: ...


class PluggedProvider:
    """A package's provider as a core may trust it. `whose` names the package, for people."""

    def __init__(self, zone: str, keeper: Keeper, promises: Promises, whose: str) -> None:
        self.zone, self.promises = zone, promises
        self._keeper, self._whose = keeper, whose

    @property
    def room(self) -> Room:
        """What one change holds, if the package says so."""
        room = getattr(self._keeper, "room", None)
        return room if isinstance(room, Room) else Room()

    @overload
    def perform(self, request: Read) -> ReadReply: ...
    @overload
    def perform(self, request: Confirm) -> ConfirmReply: ...
    @overload
    def perform(self, request: Replace) -> ReplaceReply: ...
    @overload
    def perform(self, request: ReadChanges) -> ChangesReply: ...
    def perform(self, request: ProviderRequest) -> ProviderReply:
        """Do what is asked. Raises ValueError if it concerns another zone."""
        if request.zone != self.zone:
            raise ValueError(f"this provider keeps {self.zone}, not {request.zone}")
        if isinstance(request, Confirm | Replace) and (stray := self._stray(request)):
            return Refused(f"NOTZONE: {stray} lies outside zone {self.zone}; nothing was sent")
        if not self.promises.compare_and_set and isinstance(request, Confirm | Replace):
            return self._confirmed(request.prerequisites) if isinstance(request, Confirm) else self._put(request)
        return self._asked(request)

    def _stray(self, request: Confirm | Replace) -> str:
        """An owner name outside the zone: no package is trusted to refuse it."""
        if isinstance(request, Confirm):
            owners = [one.owner for one in request.prerequisites]
        else:
            parts = (request.floor, *request.writes)
            owners = [one.owner for part in parts for one in part.prerequisites]
            owners += [one.owner for one in request.contents]
        return next((owner for owner in owners if not is_below(owner, self.zone)), "")

    def prepare(self, request: Replace) -> None:
        """Nothing to do: what a package prepares, it prepares itself."""

    def post(self, request: Replace) -> bool:
        """Nothing is sent ahead: what a package does with several changes at once is not known."""
        return False

    def close(self) -> None:
        """Let go of it; a failure in that harms nothing."""
        try:
            self._keeper.close()
        except Exception:  # noqa: S110 - somebody else's code, at its end
            pass

    def _asked(self, request: ProviderRequest) -> ProviderReply:
        try:
            reply: object = self._keeper.perform(request)
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())[:_WHY_MAX]
            return Unknown(f"{self._whose} failed: {text}")
        if not isinstance(reply, _REPLIES[type(request)]):
            return Unknown(f"{self._whose} answered {type(reply).__name__} to {type(request).__name__}")
        if isinstance(reply, Readings) and not _fits(reply, cast(Read, request).keys):
            return Unknown(f"{self._whose} answered a reading that is none of what was asked")
        return cast(ProviderReply, reply)

    def _held(self, prerequisites: tuple[Prerequisite, ...]) -> bool | Unknown:
        """Whether they hold by a reading of now."""
        found = self._read(tuple(dict.fromkeys((one.owner, int(one.rtype)) for one in prerequisites)))
        if isinstance(found, Unknown):
            return found
        return all(found[one.owner, int(one.rtype)] == tuple(sorted(one.rdata)) for one in prerequisites)

    def _confirmed(self, prerequisites: tuple[Prerequisite, ...]) -> ConfirmReply:
        held = self._held(prerequisites)
        return held if isinstance(held, Unknown) else Holds() if held else Fails()

    def _put(self, request: Replace) -> ReplaceReply:
        """Compare by reading, put without comparing, and read what was put: another's change may have come between."""
        parts = (request.floor, *request.writes)
        held = self._held(tuple(one for part in parts for one in part.prerequisites))
        if held is not True:
            return held if isinstance(held, Unknown) else Conflict()
        floor, *writes = (Write(part.name, (), part.contents) for part in parts)
        reply = cast(ReplaceReply, self._asked(structs.replace(request, floor=floor, writes=tuple(writes))))
        if not isinstance(reply, Written):
            return reply
        wanted = {(one.owner, int(one.rtype)): tuple(sorted(one.rdata)) for one in request.contents}
        found = self._read(tuple(wanted))
        if isinstance(found, Unknown):
            return Unknown(f"what was written could not be read back: {found.why}")
        other = next((owner for (owner, _), rdata in found.items() if rdata != wanted[owner, _]), None)
        return reply if other is None else Unknown(f"{other} is not what was just written: another write came between")

    def _read(self, keys: tuple[Key, ...]) -> dict[Key, tuple[bytes, ...]] | Unknown:
        """The rdata of each, literally; none where there is none of that type."""
        if not keys:
            return {}
        reply = cast(ReadReply, self._asked(Read(self.zone, keys)))
        values = reply if isinstance(reply, Unknown) else reply.whole
        if isinstance(values, Unknown):
            return values
        some = zip(keys, values, strict=True)
        return {key: value.rdata if value is not None and value.rtype == key[1] else () for key, value in some}


def _fits(reply: Readings, keys: tuple[Key, ...]) -> bool:
    return len(reply.values) == len(keys) and all(isinstance(one, RRset | Unknown | None) for one in reply.values)
