"""What may be asked of a DNS provider: literal reading, one conditional change, prerequisites alone, news."""

from typing import Final, Protocol, TypeAlias, overload

from msgspec import Struct

from standfast.model.rrset import RRset

Key: TypeAlias = tuple[str, int]
"""(owner name, type)."""
MARKER_TTL: Final = 60
"""TTL of markers and floors, seconds. They are read at the primary, so caching does not matter."""


class Unknown(Struct, frozen=True):
    """The effect, or the contents, could not be learnt. Nothing may be concluded from it."""

    why: str


class Read(Struct, frozen=True):
    """What the primary answers for each key, now.

    Atomic per key only: the readings of one request may stem from different moments. Where a CNAME stands at the
    owner name, it is the reading (RFC 1034 §3.6.2); where routed variants of A or AAAA stand, they are. A reading may
    be *synthesised from a wildcard*: whoever wants to assert it must `Confirm` it first, for prerequisites are
    literal (RFC 2136 §3.2.5).
    """

    zone: str
    keys: tuple[Key, ...]


class Readings(Struct, frozen=True):
    """One reading a key, in the order asked; None means that the server said there is no such rrset."""

    values: tuple[RRset | Unknown | None, ...]

    @property
    def whole(self) -> "tuple[RRset | None, ...] | Unknown":
        """All values, for who can do nothing with some of them; the first that is unknown, if one is."""
        known = tuple(value for value in self.values if not isinstance(value, Unknown))
        if len(known) == len(self.values):
            return known
        return next(value for value in self.values if isinstance(value, Unknown))


class Prerequisite(Struct, frozen=True, array_like=True):
    """An rrset must have exactly these rdata (TTL ignored, RFC 2136 §2.4.2), or be absent if there are none.

    Absence of A or AAAA is of plain and routed ones alike.
    """

    owner: str
    rtype: int
    rdata: tuple[bytes, ...]


class Confirm(Struct, frozen=True):
    """Do these prerequisites hold literally? An update that changes nothing."""

    zone: str
    prerequisites: tuple[Prerequisite, ...]


class Holds(Struct, frozen=True):
    """Every prerequisite held."""


class Fails(Struct, frozen=True):
    """At least one did not."""


class Content(Struct, frozen=True, array_like=True):
    """An rrset to be put in place of whatever of that type stands at `owner`; no rdata: to be deleted.

    Plain and routed rrsets that answer the same type take each other's place.
    """

    owner: str
    rtype: int
    ttl: int
    rdata: tuple[bytes, ...]


class Write(Struct, frozen=True, array_like=True):
    """The part of a change that concerns one endpoint: it is never split."""

    name: str
    prerequisites: tuple[Prerequisite, ...]
    contents: tuple[Content, ...]


class Replace(Struct, frozen=True):
    """All prerequisites and all contents of one zone in one atomic change: the floor's and each endpoint's."""

    zone: str
    floor: Write
    writes: tuple[Write, ...]

    @property
    def contents(self) -> tuple[Content, ...]:
        """All that is put, of all parts."""
        return tuple(one for part in (self.floor, *self.writes) for one in part.contents)


class Written(Struct, frozen=True):
    """Every prerequisite held and every content stands."""


class Conflict(Struct, frozen=True):
    """A prerequisite did not hold, or an alias in it leads to nothing in its zone; nobody says which; nothing was
    changed."""


class Refused(Struct, frozen=True):
    """The provider answered that it will not; nothing was changed. `why` names its code and the likely remedy."""

    why: str


class ReadChanges(Struct, frozen=True):
    """Which owner names of the zone changed since `serial` (None: this is the first look)?"""

    zone: str
    serial: int | None


class Changes(Struct, frozen=True):
    """The zone's serial now, and the owner names that changed; None: it can't tell, look at everything, even if the
    serial is what it was.

    A hint that saves looking, never a proof: edits in a database may leave the serial alone.
    """

    serial: int
    owners: tuple[str, ...] | None


ReadReply: TypeAlias = Readings | Unknown
ConfirmReply: TypeAlias = Holds | Fails | Refused | Unknown
ReplaceReply: TypeAlias = Written | Conflict | Refused | Unknown
ChangesReply: TypeAlias = Changes | Unknown
ProviderRequest: TypeAlias = Read | Confirm | Replace | ReadChanges
ProviderReply: TypeAlias = ReadReply | ConfirmReply | ReplaceReply | ChangesReply


class Room(Struct, frozen=True):
    """What one change holds, so that a core makes none that is too large: `octets` of a message, about; and where the
    provider counts them, `records` deleted and created, and `characters` of their text. 0: it does not count them."""

    octets: int = 60_000
    records: int = 0
    characters: int = 0


class ZoneProvider(Protocol):
    """Who answers for one zone. Blocking, for one thread; the network's conditions are replies, never exceptions."""

    zone: str

    @property
    def room(self) -> Room:
        """What one change of this zone holds."""

    @overload
    def perform(self, request: Read) -> ReadReply: ...
    @overload
    def perform(self, request: Confirm) -> ConfirmReply: ...
    @overload
    def perform(self, request: Replace) -> ReplaceReply: ...
    @overload
    def perform(self, request: ReadChanges) -> ChangesReply: ...

    def prepare(self, request: Replace) -> None:
        """Make ready for a change that may be asked for later; nothing is sent."""

    def post(self, request: Replace) -> bool:
        """Send a change whose answer is asked for later, by performing it; changes may be posted one behind the other.

        False: that can't be done now, or not by this provider; nothing was sent.
        """

    def close(self) -> None:
        """Let go of connections; a later request makes new ones."""
