"""DNS providers as somebody else's package would have them, each over one file that any number of processes share.

`Overwriting` has an API that many have: it reads, and it puts all of a change at once, without a condition. `Comparing`
does the same under a lock, with conditions. The others are each wrong in one way.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from standfast.adapters.providers.promises import Promises
from standfast.errors import ProviderError
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import (
    Changes,
    Confirm,
    Key,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    Readings,
    Refused,
    Replace,
    Unknown,
    Written,
)
from standfast.ports.provider_spec import ZoneState, apply

API = Promises(
    tells_changes=False,
    names_key_errors=False,
    beside_cname="refused",
    synthesises=False,
    tells_serial=False,
    compare_and_set=False,
)


class Overwriting:
    """Puts what it is told to. Options: `file` is where the zone is; while there is a file `held`, changes wait."""

    promises = API

    def __init__(self, zone: str, options: dict[str, str], *, role: str) -> None:
        if "file" not in options:
            raise ProviderError("Provider acme needs a file.", "Say options: {file: PATH}.")
        self.zone, self.role = zone, role
        self._file, self._held = Path(options["file"]), Path(options.get("held", "/nonexistent"))

    def perform(self, request: ProviderRequest) -> ProviderReply:
        match request:
            case Read():
                state = self.state
                return Readings(tuple(_literally(state, key) for key in request.keys))
            case ReadChanges():
                return Changes(0, () if request.serial == 0 else None)
            case Confirm():
                return apply(self.state, request)[1]
            case Replace():
                while self._held.exists():
                    time.sleep(0.01)
                with self._turn():
                    return self._replaced(request)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def state(self) -> ZoneState:
        """The zone as the file has it."""
        try:
            rows = msgspec.json.decode(self._file.read_bytes(), type=list[tuple[str, RRset]])
        except FileNotFoundError:
            rows = []
        return ZoneState(self.zone, {(owner, rrset.rtype): rrset for owner, rrset in rows})

    def _replaced(self, request: Replace) -> ProviderReply:
        before = self.state
        after, reply = apply(before, request)
        if reply == Written() and before.skips(request.contents):
            return Refused("data beside a CNAME")
        if after != before:
            draft = self._file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            draft.write_bytes(msgspec.json.encode([(owner, rrset) for (owner, _), rrset in after.rrsets.items()]))
            draft.replace(self._file)
        return reply

    @contextmanager
    def _turn(self) -> Iterator[None]:
        yield


class Comparing(Overwriting):
    """Heeds conditions, under a lock."""

    promises = msgspec.structs.replace(API, compare_and_set=True)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Sick(Comparing):
    """Fails in the way that `fault` says."""

    def __init__(self, zone: str, options: dict[str, str], *, role: str) -> None:
        self._fault = options.get("fault", "")
        if self._fault == "open":
            raise RuntimeError("no\nlicence")
        super().__init__(zone, options, role=role)

    def perform(self, request: ProviderRequest) -> ProviderReply:
        if self._fault == "raise":
            raise OSError("connection reset")
        if self._fault == "word":
            return "fine"  # type: ignore[return-value]
        return Readings((None,) * 99) if self._fault == "many" else super().perform(request)

    def close(self) -> None:
        raise RuntimeError("already closed")


class Speechless(Comparing):
    """States nothing."""

    promises = None  # type: ignore[assignment]


class Half:
    """Lacks what a provider has."""

    promises = msgspec.structs.replace(API, compare_and_set=True)

    def __init__(self, zone: str, options: dict[str, str], *, role: str) -> None:
        """Nothing."""


class Guessing(Overwriting):
    """Neither compares nor reads literally."""

    promises = msgspec.structs.replace(API, synthesises=True)


def _literally(state: ZoneState, key: Key) -> RRset | Unknown | None:
    owner, rtype = key
    if owner != state.apex and not owner.endswith(f".{state.apex}"):
        return Unknown(f"{owner} is not in {state.apex}")
    return state.rrsets.get((owner, int(RRType.CNAME))) or state.rrsets.get((owner, rtype))
