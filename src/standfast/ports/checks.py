"""What may be asked of a provider that checks health: make, tag, mend, list, read, delete; and who names a check."""

from typing import TypeAlias

from msgspec import Struct

from standfast.model.check import CheckSettings, StandingCheck

from .provider import Refused, Unknown


class MakeCheck(Struct, frozen=True):
    """Make the check of that caller reference, or find it made: asking twice is asking once."""

    zone: str
    reference: str
    settings: CheckSettings


class CheckMade(Struct, frozen=True):
    """It is there."""

    id: str


class ReferenceSpent(Struct, frozen=True):
    """A check of that reference was deleted, or is set otherwise: none can be made by it."""


class TagCheck(Struct, frozen=True):
    """Put these tags on it."""

    zone: str
    id: str
    tags: tuple[tuple[str, str], ...]


class MendCheck(Struct, frozen=True):
    """Set it back to these settings, if it is still of that version."""

    zone: str
    id: str
    version: int
    settings: CheckSettings


class Done(Struct, frozen=True):
    """Tagged, mended or deleted."""


class CheckGone(Struct, frozen=True):
    """There is no such check."""


class ListChecks(Struct, frozen=True):
    """All checks of the account whose reference begins like that."""

    zone: str
    mark: str


class ChecksListed(Struct, frozen=True):
    """All of them; and those that checks of others count."""

    checks: tuple[StandingCheck, ...]
    counted: frozenset[str] = frozenset()


class ReadTags(Struct, frozen=True):
    """The tags of these checks."""

    zone: str
    ids: tuple[str, ...]


class TagsRead(Struct, frozen=True):
    """Of each, in the same order."""

    tags: tuple[tuple[tuple[str, str], ...], ...]


class ReadStatus(Struct, frozen=True):
    """What the provider's checkers saw last; not of a calculated check."""

    zone: str
    id: str


class StatusRead(Struct, frozen=True):
    """Whether it passed, and in what words, by each checker."""

    observations: tuple[tuple[bool, str], ...]


class ListUses(Struct, frozen=True):
    """Which checks any record set of the zone names, whoever wrote it."""

    zone: str


class UsesListed(Struct, frozen=True):
    """All of them."""

    ids: frozenset[str]


class DeleteCheck(Struct, frozen=True):
    """Delete it. A record set that names it is not asked first: that is for the caller to know."""

    zone: str
    id: str


KeeperRequest: TypeAlias = ListChecks | MakeCheck | TagCheck | MendCheck | ReadStatus
CollectorRequest: TypeAlias = ListChecks | ReadTags | TagCheck | ListUses | DeleteCheck
CheckRequest: TypeAlias = KeeperRequest | CollectorRequest
CheckReply: TypeAlias = (
    CheckMade
    | ReferenceSpent
    | Done
    | CheckGone
    | ChecksListed
    | TagsRead
    | StatusRead
    | UsesListed
    | Refused
    | Unknown
)
