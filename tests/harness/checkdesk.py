"""An account's health checks, as a naive model: what AWS documents of references, versions, tags and deletions.

`lost` are numbers of requests (from 0) whose reply never comes; the even ones of them happen all the same.
"""

from collections.abc import Collection

from msgspec.structs import replace

from standfast.model.check import CheckSettings, StandingCheck
from standfast.ports.checks import (
    CheckGone,
    CheckMade,
    CheckReply,
    CheckRequest,
    ChecksListed,
    DeleteCheck,
    Done,
    ListChecks,
    ListUses,
    MakeCheck,
    MendCheck,
    ReadStatus,
    ReadTags,
    ReferenceSpent,
    StatusRead,
    TagCheck,
    TagsRead,
    UsesListed,
)
from standfast.ports.provider import Refused, Unknown


class Account:
    """The checks, whoever asks."""

    def __init__(self, lost: Collection[int] = ()) -> None:
        self.checks: dict[str, StandingCheck] = {}
        self.references: dict[str, tuple[str, CheckSettings]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.uses: dict[str, set[str]] = {}
        self.ill: set[str] = set()
        self.lost, self.asked, self.made = set(lost), 0, 0
        self.away, self.refusing, self.quota = "", "", 1_000
        self.log: list[CheckRequest] = []

    def perform(self, request: CheckRequest) -> CheckReply:
        """As AWS would."""
        number, self.asked = self.asked, self.asked + 1
        self.log.append(request)
        if self.away:
            return Unknown(self.away)
        if number in self.lost:
            if number % 2 == 0:
                self._done(request)
            return Unknown("no reply")
        return self._done(request)

    def _done(self, request: CheckRequest) -> CheckReply:
        match request:
            case MakeCheck():
                return self._make(request)
            case ListChecks():
                ours = tuple(one for one in self.checks.values() if one.reference.startswith(request.mark))
                others = [one for one in self.checks.values() if one not in ours and one.settings]
                counted = frozenset(child for one in others if one.settings for child in one.settings.children)
                return ChecksListed(ours, counted)
            case ReadTags():
                if any(one not in self.checks for one in request.ids):
                    return CheckGone()
                return TagsRead(tuple(tuple(sorted(self.tags.get(one, {}).items())) for one in request.ids))
            case ListUses():
                return UsesListed(frozenset(self.uses.get(request.zone, ())))
        if request.id not in self.checks:
            return CheckGone()
        match request:
            case TagCheck():
                self.tags.setdefault(request.id, {}).update(request.tags)
            case MendCheck():
                there = self.checks[request.id]
                if there.version != request.version:
                    return Refused("HealthCheckVersionMismatch")
                self.checks[request.id] = replace(there, version=there.version + 1, settings=request.settings)
            case DeleteCheck():
                del self.checks[request.id]
            case ReadStatus():
                well = request.id not in self.ill
                return StatusRead(((well, "Success: HTTP Status Code 200, OK" if well else "Failure: refused"),))
        return Done()

    def _make(self, request: MakeCheck) -> CheckReply:
        if self.refusing:
            return Refused(self.refusing)
        if request.reference in self.references:
            one, settings = self.references[request.reference]
            same = one in self.checks and settings == request.settings == self.checks[one].settings
            return CheckMade(one) if same else ReferenceSpent()
        if len(self.checks) >= self.quota:
            return Refused("TooManyHealthChecks")
        self.made += 1
        one = f"check-{self.made:04d}"
        self.references[request.reference] = (one, request.settings)
        self.checks[one] = StandingCheck(one, request.reference, 1, request.settings)
        return CheckMade(one)

    def edit(self, one: str, **changes: object) -> None:
        """By hand, in the console."""
        there = self.checks[one]
        assert there.settings is not None
        settings = replace(there.settings, **changes)
        self.checks[one] = replace(there, version=there.version + 1, settings=settings)
