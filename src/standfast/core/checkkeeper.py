"""Keep the provider's own health checks as they are wanted: find, make, tag, mend. Pure; it deletes nothing.

Rule 1.  A check is made by a reference that is a digest of all that it is, so whoever asks again finds it made. A spent
         reference is followed by its next turn. A check that a cleaner has doomed is never used again, deleted or not.
Rule 2.  What can't be made keeps nobody waiting: the load balancer keeps the check it had, or has none.
Rule 3.  A check that somebody edited is set back once, by compare-and-set on its version; edited again, it is left and
         told. One that is gone is made anew.
Rule 4.  A load balancer that is on its way out keeps its check while a plan names it.
Rule 5.  Of one that can't be made whole the parts are shared all the same: else a cleaner would delete them, and each
         time they were made again, another reference would be spent.

A phase is a frozen value with one `request`; `heard(reply)` gives the next. It ends with `Kept`.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.check import (
    TURNS_MAX,
    BalancerCheck,
    CheckSettings,
    StandingCheck,
    WantedCheck,
    owner_mark,
    reference,
    tags_of,
)
from standfast.ports.checks import (
    CheckGone,
    CheckMade,
    ChecksListed,
    Done,
    ListChecks,
    MakeCheck,
    MendCheck,
    ReferenceSpent,
    TagCheck,
)
from standfast.ports.provider import Refused, Unknown

WHOLE: Final = "all"
"""The part that counts the others."""
REFUSALS_MAX: Final = 3
"""After so many refusals a pass asks no more: a right or a quota is what is missing."""


class CheckTask(Struct, frozen=True):
    """What one pass is given, of one zone.

    `known` are the checks that planners share, `doomed` the ids that cleaners delete, `named` those that the newest
    plan names. `audit`: look at all that stands first. `leave` are ids that are not set back any more. `barred` are
    load balancers that shall have none: they keep none either.
    """

    stream: str
    zone: str
    wanted: tuple[WantedCheck, ...]
    known: tuple[BalancerCheck, ...] = ()
    doomed: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    audit: bool = False
    leave: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()


class Kept(Struct, frozen=True):
    """The pass is over: the checks from now on.

    `troubles` say of a load balancer why it has no check, or not the one that is wanted; `why` why the pass ended
    early. `mended` and `left` are ids that somebody edited: set back, and left as they are. `made` counts new ones.
    """

    checks: tuple[BalancerCheck, ...]
    troubles: tuple[tuple[str, str], ...] = ()
    why: str = ""
    mended: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    made: int = 0


class Listing(Struct, frozen=True):
    """What stands there of ours."""

    task: CheckTask

    @property
    def request(self) -> ListChecks:
        """All of this stream's in this zone."""
        return ListChecks(self.task.zone, owner_mark(self.task.stream, self.task.zone))

    def heard(self, reply: ChecksListed | Refused | Unknown) -> "Keep":
        """On with those that were edited, or that are gone. What can't be listed is not gone."""
        if not isinstance(reply, ChecksListed):
            return _ended(Making(self.task, self.task.wanted), reply.why)
        standing = {one.id: one for one in reply.checks}
        gone = frozenset().union(*(one.ids for one in self.task.known)) - standing.keys()
        edited = [pair for one in self.task.known for pair in _edited(self.task, one, standing)]
        left = tuple(one.id for one, _ in edited if one.id in self.task.leave)
        mending = tuple(pair for pair in edited if pair[0].id not in self.task.leave)
        making = Making(self.task, self.task.wanted, gone=gone, edited_left=left)
        return Mending(making, mending) if mending else _next(making)


class Mending(Struct, frozen=True):
    """Set back what somebody edited, one after the other."""

    making: "Making"
    edited: tuple[tuple[StandingCheck, CheckSettings], ...]

    @property
    def request(self) -> MendCheck:
        """The first."""
        standing, settings = self.edited[0]
        return MendCheck(self.making.task.zone, standing.id, standing.version, settings)

    def heard(self, reply: Done | CheckGone | Refused | Unknown) -> "Keep":
        """One that could not be set back is looked at again in the next audit."""
        making, one = self.making, self.edited[0][0].id
        if isinstance(reply, Unknown):
            return _ended(making, reply.why)
        if isinstance(reply, Done):
            making = replace(making, mended=(*making.mended, one))
        elif isinstance(reply, CheckGone):
            making = replace(making, gone=making.gone | {one})
        return Mending(making, self.edited[1:]) if self.edited[1:] else _next(making)


class Making(Struct, frozen=True):
    """Make what is missing. `todo` begins with the one under way, of which `parts` are made."""

    task: CheckTask
    todo: tuple[WantedCheck, ...]
    parts: tuple[tuple[str, str], ...] = ()
    turn: int = 0
    done: tuple[BalancerCheck, ...] = ()
    begun: tuple[BalancerCheck, ...] = ()
    troubles: tuple[tuple[str, str], ...] = ()
    gone: frozenset[str] = frozenset()
    mended: tuple[str, ...] = ()
    edited_left: tuple[str, ...] = ()
    made: int = 0

    @property
    def part(self) -> tuple[str, CheckSettings]:
        """What is to be made next."""
        return _parts(self.todo[0], self.parts)[len(self.parts)]

    @property
    def request(self) -> MakeCheck:
        """By its reference."""
        name, settings = self.part
        task = self.task
        made_by = reference(task.stream, task.zone, self.todo[0].load_balancer, name, settings, self.turn)
        return MakeCheck(task.zone, made_by, settings)

    def heard(self, reply: CheckMade | ReferenceSpent | Refused | Unknown) -> "Keep":
        """A spent reference, and a doomed check, give way to the next turn."""
        match reply:
            case CheckMade(one) if one not in self.task.doomed:
                return Tagging(self, one)
            case CheckMade() | ReferenceSpent():
                if self.turn < TURNS_MAX:
                    return replace(self, turn=self.turn + 1)
                return _without(self, f"{TURNS_MAX} checks of it were deleted")
            case Refused(why):
                return _without(self, why)
            case Unknown(why):
                return _ended(self, why)


class Tagging(Struct, frozen=True):
    """Say whose it is. One without tags is never deleted, and is tagged when it is found."""

    making: Making
    id: str

    @property
    def request(self) -> TagCheck:
        """Stream, zone, load balancer."""
        making, task = self.making, self.making.task
        tags = tags_of(task.stream, task.zone, making.todo[0].load_balancer, making.part[0])
        return TagCheck(task.zone, self.id, tags)

    def heard(self, reply: Done | CheckGone | Refused | Unknown) -> "Keep":
        """Only what is tagged is used."""
        making = self.making
        if isinstance(reply, Unknown):
            return _ended(making, reply.why)
        if isinstance(reply, Refused):
            return _without(making, reply.why)
        if isinstance(reply, CheckGone):
            return replace(making, turn=making.turn + 1)
        parts, wanted = (*making.parts, (making.part[0], self.id)), making.todo[0]
        made = replace(making, parts=parts, turn=0, made=making.made + 1)
        if len(parts) < len(_parts(wanted, parts)):
            return made
        whole = BalancerCheck(wanted.load_balancer, wanted.addresses, self.id, wanted.digest, parts)
        return _next(replace(made, todo=made.todo[1:], parts=(), done=(*made.done, whole)))


Keeping: TypeAlias = Listing | Mending | Making | Tagging
Keep: TypeAlias = Keeping | Kept


def keep(task: CheckTask) -> Keep:
    """The first phase of a pass."""
    return Listing(task) if task.audit else _next(Making(task, task.wanted))


def _parts(wanted: WantedCheck, made: tuple[tuple[str, str], ...]) -> tuple[tuple[str, CheckSettings], ...]:
    """All that it consists of; what counts the others comes last, when their ids are known."""
    count = len(wanted.parts)
    if count == 1:
        return wanted.parts
    children = tuple(one for _, one in made[:count])
    return (*wanted.parts, (WHOLE, CheckSettings("CALCULATED", children=children, least=count, interval_s=0, fall=0)))


def _edited(
    task: CheckTask, known: BalancerCheck, standing: dict[str, StandingCheck]
) -> list[tuple[StandingCheck, CheckSettings]]:
    wanted = next((one for one in task.wanted if one.digest == known.digest), None)
    if wanted is None:
        return []
    ids, found = dict(known.parts), []
    for name, settings in _parts(wanted, known.parts):
        there = standing.get(ids.get(name, ""))
        if there is not None and there.settings != settings:
            found.append((there, settings))
    return found


def _usable(making: Making, known: BalancerCheck) -> bool:
    return not known.ids & (making.task.doomed | making.gone)


def _next(making: Making) -> Keep:
    """The next that is not there yet; or the end."""
    task, done, todo = making.task, making.done, making.todo
    while todo:
        wanted = todo[0]
        some = (one for one in task.known if one.id and one.digest == wanted.digest)
        known = next((one for one in some if _usable(making, one)), None)
        if known is None:
            return replace(making, todo=todo, done=done)
        done, todo = (*done, known), todo[1:]
    return _kept(replace(making, todo=(), done=done), "")


def _without(making: Making, why: str) -> Keep:
    name = making.todo[0].load_balancer
    begun, troubles = _begun(making), (*making.troubles, (name, why))
    after = replace(making, todo=making.todo[1:], parts=(), turn=0, begun=begun, troubles=troubles)
    if len(after.troubles) >= REFUSALS_MAX:
        return _ended(after, why)
    return _next(after)


def _begun(making: Making) -> tuple[BalancerCheck, ...]:
    """Those that could not be made whole, the one under way included."""
    if not making.parts:
        return making.begun
    wanted = making.todo[0]
    return (*making.begun, BalancerCheck(wanted.load_balancer, wanted.addresses, "", wanted.digest, making.parts))


def _ended(making: Making, why: str) -> Kept:
    """Early. What was known of the rest stays as it is."""
    return _kept(replace(making, begun=_begun(making)), why)


def _kept(making: Making, why: str) -> Kept:
    task, checks = making.task, list(making.done)
    covered = {(one.load_balancer, address) for one in checks for address in one.addresses}
    wanted = {(one.load_balancer, address) for one in task.wanted for address in one.addresses}
    for known in task.known:
        if not known.id or known in checks or known.load_balancer in task.barred or not _usable(making, known):
            continue
        places = {(known.load_balancer, address) for address in known.addresses}
        waiting = places <= wanted and known.load_balancer not in {one.load_balancer for one in checks}
        leaving = bool(known.ids & task.named) and not places & covered
        if waiting or leaving:
            checks.append(known)
    checks += _unfinished(making)
    in_order = tuple(sorted(checks, key=lambda one: (one.load_balancer, one.addresses, one.id)))
    return Kept(in_order, making.troubles, why, making.mended, making.edited_left, making.made)


def _unfinished(making: Making) -> Iterator[BalancerCheck]:
    """What still waits for the rest of its parts, as this pass left it, or as an earlier one did."""
    over = {one.digest for one in making.done}
    due = {one.digest for one in making.task.wanted} - over
    now = {one.digest: one for one in making.begun}
    for known in making.task.known:
        other = now.get(known.digest)
        more = other is None or len(known.parts) > len(other.parts)
        if not known.id and known.digest in due and more and _usable(making, known):
            now[known.digest] = known
    yield from now.values()
