"""The catalogue of an S3 plan store: read, and replaced by one conditional write after the other.

Rule 1.  One object, the *catalogue*, holds all that is compared together: head, plans, pins, source revisions. Every
         request that changes anything is one conditional write of it, from exactly the version that was decided upon;
         so requests stand in one order, as transactions would.
Rule 2.  Each version has a nonce of its own. A write whose reply was lost is settled by reading: its nonce is among
         the recent ones, or another version stands there and it can never come. Where the version before still
         stands, the same bytes are sent again under the same condition: both can't come.
Rule 3.  Shards lie in immutable objects whose names never repeat, written before the catalogue that refers to them.
         A name begins with the catalogue's *fence*, and is referred to for the first time only from a version with that
         very fence. Clean-up draws a new fence by conditional write, and then deletes what has an older one and is not
         referred to by the version that it wrote: nothing later can. No age, no clock.
Rule 4.  A version that does not follow the one seen before (removed, made anew, set back) is another store: Unknown
         from then on, and `replaced()`.
"""

import random
import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.errors import StoreAbsent
from standfast.ports.store import StoreReply

from .s3_bucket import Absent, Bucket, Conflict, Trouble
from .s3_catalogue import FORMAT, RECENT_MAX, Catalogue, decode, encode

CATALOGUE: Final = "catalogue"
OBJECTS: Final = "objects/"
TRIAL: Final = "trial"
_OURS: Final = re.compile(rf"{OBJECTS}([0-9a-f]{{12}}|check)-[0-9a-f]{{16}}")
"""What `new_object` and `rights.py` call theirs. Nothing else is ever deleted."""
_SETTLING_MAX: Final = 6
_PAUSE_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4)


class Seen(Struct, frozen=True):
    """A version of the catalogue as it stood."""

    etag: str
    catalogue: Catalogue


class Change(Struct, frozen=True):
    """What a request makes of the catalogue, and its answer if that is written. `catalogue` None: nothing changes."""

    reply: StoreReply
    catalogue: Catalogue | None = None


Decide: TypeAlias = Callable[[Catalogue], Change]


class Replaced(Exception):
    """What was opened is gone."""


class Ledger:
    """The catalogue in one place. `seen` is the version seen last, `why_gone` says that the store is another one now,
    `news` that somebody else wrote. Raises Trouble, Damage, Replaced; StoreError if a newer program wrote it."""

    def __init__(self, bucket: Bucket, patience_s: float) -> None:
        self.bucket, self._patience_s = bucket, patience_s
        self.seen: Seen | None = None
        self.why_gone, self.news = "", True
        self._tried = False

    def begin(self, make: bool) -> None:
        """Look whether it is there; else make it, or raise StoreAbsent."""
        try:
            self.fetch()
        except Replaced:
            if not make:
                raise StoreAbsent(f"There is no plan store in {self.bucket.place}.") from None
            self.why_gone = ""
            self.try_conditions()
            nonce = secrets.token_hex(8)
            first = Catalogue(FORMAT, secrets.token_hex(8), 1, (nonce,), secrets.token_hex(6))
            try:
                self.bucket.put(CATALOGUE, encode(first))
            except Conflict:
                pass  # somebody else was first
            self.fetch()

    # -- the catalogue -------------------------------------------------------------------------------------------

    def fetch(self) -> Seen:
        """As it stands now."""
        try:
            got = self.bucket.get(CATALOGUE, self.seen.etag if self.seen else "")
        except Absent:
            self.why_gone = f"{self.bucket.place}{CATALOGUE} was removed."
            raise Replaced from None
        if got is None and self.seen is not None:
            return self.seen
        assert got is not None
        seen = Seen(got.etag, decode(got.body))
        if self.seen is not None and not seen.catalogue.follows(self.seen.catalogue):
            self.why_gone = f"{self.bucket.place}{CATALOGUE} was replaced, or set back to an earlier version."
            raise Replaced
        self.seen, self.news = seen, True
        return seen

    def change(self, decide: Decide, *, fresh: bool = False) -> StoreReply:
        """Decide on the catalogue as it is and write what comes of it, again and again until nobody was faster.

        What was seen before is good enough to write from, for the write proves it; not to refuse from.
        """
        deadline = time.monotonic() + self._patience_s
        seen = self.fetch() if fresh or self.seen is None else self.seen
        for attempt in range(1_000_000):
            change = decide(seen.catalogue)
            if change.catalogue is None:
                if fresh or attempt:
                    return change.reply
            else:
                self.try_conditions()
                if self._written(seen, change.catalogue):
                    return change.reply
                if time.monotonic() > deadline:
                    break
                time.sleep(random.uniform(0, _PAUSE_S[min(attempt, len(_PAUSE_S) - 1)]))
            fresh, seen = True, self.fetch()
        raise Trouble(f"{self.bucket.place}: others write all the time. Ask again; docs/stores.md has how many may.")

    def _written(self, seen: Seen, draft: Catalogue) -> bool:
        """Put it in the place of `seen`: True if it came, False if it never will; Trouble if that can't be told."""
        nonce = secrets.token_hex(8)
        recent = (nonce, *seen.catalogue.recent)[:RECENT_MAX]
        ours = replace(draft, version=seen.catalogue.version + 1, recent=recent)
        body = encode(ours)
        for attempt in range(_SETTLING_MAX):
            try:
                self.seen = Seen(self.bucket.put(CATALOGUE, body, over=seen.etag), ours)
                return True
            except Absent:
                self.why_gone = f"{self.bucket.place}{CATALOGUE} was removed."
                raise Replaced from None
            except Conflict:
                pass
            except Trouble as trouble:
                if not trouble.sent:
                    raise
            now = self.fetch()
            if nonce in now.catalogue.recent:
                return True
            if now.etag != seen.etag:
                if now.catalogue.version - seen.catalogue.version >= RECENT_MAX:
                    raise Trouble(f"{self.bucket.place}: so much was written since that nobody knows what came of it.")
                return False
            time.sleep(_PAUSE_S[min(attempt, len(_PAUSE_S) - 1)])
        raise Trouble(f"{self.bucket.place}: it can't be told whether the catalogue was written. Ask again.", away=True)

    def try_conditions(self) -> None:
        """Before the first write: does the service heed conditions at all? Else it would lose updates in silence.

        The trial object stays, so that nobody's trial meets another's clean-up.
        """
        if self._tried:
            return
        try:
            self.bucket.put(TRIAL, b"Whether conditional writes are heeded.\n")
        except Conflict:
            pass
        for over in ("", '"00000000000000000000000000000000"'):
            try:
                self.bucket.put(TRIAL, b"They are not.\n", over=over)
            except Conflict:
                continue
            raise Trouble(
                f"{self.bucket.place}: this service ignores conditions on writes, so it would lose updates. "
                "Keep the plans elsewhere."
            )
        self._tried = True

    def tidied(self, keys: Sequence[str]) -> None:
        """Delete what nobody can refer to; what can't be deleted now is for the next clean-up."""
        try:
            if keys:
                self.bucket.delete(keys)
        except (Trouble, Conflict, Absent):
            pass

    def new_object(self, fence: str, body: bytes) -> str:
        """The name of an object that is there now and that nothing refers to yet."""
        name = f"{OBJECTS}{fence}-{secrets.token_hex(8)}"
        self.bucket.put(name, body)
        return name

    def sweep(self, fence: str) -> str:
        """Delete what lies outside the new fence and is not referred to. Why it did not come to that, if it did not:
        the next one goes on. What others keep under the prefix is theirs."""
        seen = self.seen
        if seen is None or seen.catalogue.fence != fence:
            return ""  # another clean-up came in between, and sweeps
        needed, begin = seen.catalogue.objects, f"{OBJECTS}{fence}-"
        try:
            there = [key for key in self.bucket.keys(OBJECTS) if _OURS.fullmatch(key) and not key.startswith(begin)]
            if lost := [key for key in there if key not in needed]:
                self.bucket.delete(lost)
        except (Trouble, Absent, Conflict) as error:
            return str(error)
        return ""
