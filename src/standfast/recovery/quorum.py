"""What several vantage points together conclude of a load balancer. Pure.

A vantage point is a process that checks, with a name and the AZ it stands in; its *vote* is what its own row of checks
says (`health.py`). A verdict needs the majority of all vantage points that are *declared*, not of those that happen to
be heard: else losing two of three would let the third decide. So an absent voter is no voice against anybody; it is
unknown, and where no majority is left everything stays as it is.

Whether a voter is heard is told by the revision of its source in the store rising, on the listener's own monotonic
clock: clocks of other machines are not looked at. A revision that comes after a silence may have been on its way for as
long, so it counts only once a second one follows in time, of the same process: a late voter is unknown, and so are two
processes that vote in one name.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.model.fleet import Verdict, VerdictState

VANTAGES_MAX: Final = 15
Cast: TypeAlias = VerdictState
Standing: TypeAlias = Literal["heard", "late", "silent", "absent"]
"""heard: it counts. late: it speaks again after a silence. silent: it has spoken once. absent: it never has."""


class Vantage(Struct, frozen=True):
    """Who looks: a name, and the AZ it stands in; empty if in none of the fleet's."""

    name: str
    az: str = ""


class Vote(Struct, frozen=True):
    """What one vantage point says of one load balancer. Who is not heard says `unknown`, with the reason why."""

    vantage: Vantage
    state: Cast
    reason: str


class Voter(Struct, frozen=True):
    """One vantage point as it is heard. `rose_at` is when its revision last changed, in the listener's seconds."""

    revision: int = 0
    instance: str = ""
    rose_at: float | None = None
    regular: bool = False


def heard(voter: Voter, revision: int, instance: str, now: float, silence_s: float) -> Voter:
    """After one more look at its source, which has this revision, put by this process."""
    if voter.rose_at is not None and now < voter.rose_at:
        voter = Voter(voter.revision, voter.instance, now, voter.regular)  # the clock went back: no silence
    if revision == voter.revision and voter.rose_at is not None:
        return voter
    if voter.rose_at is None:  # whatever stands there at our start may be of last week; only its absence is news
        return Voter(revision, instance, now, regular=False)
    in_time = now - voter.rose_at <= silence_s
    known = instance == voter.instance or voter.revision == 0
    return Voter(revision, instance, now, regular=in_time and known and revision > voter.revision)


def standing(voter: Voter, now: float, silence_s: float) -> Standing:
    """Whether its votes count."""
    if voter.revision == 0 or voter.rose_at is None:
        return "absent"
    if now - voter.rose_at > silence_s:
        return "silent"
    return "heard" if voter.regular else "late"


def majority(voters: int) -> int:
    """How many must agree: more than half of all that are declared."""
    return voters // 2 + 1


def concluded(votes: Sequence[Vote], az: str, before: Verdict | None = None) -> Verdict:
    """The verdict on a load balancer of this AZ. `votes` has one of every declared vantage point.

    The words stay as they were `before` while the state does, so that plans don't differ by who voted first.
    """
    needed = majority(len(votes))
    down = [one for one in votes if one.state == "down"]
    up = [one for one in votes if one.state == "up"]
    warming = [one for one in votes if one.state == "warming"]
    outside = sum(not one.vantage.az or one.vantage.az != az for one in down)
    state: VerdictState = "unknown"
    if len(down) >= needed:
        state, reason = "down", _seen_by(down, len(votes))
    elif len(up) >= needed:
        state, reason = "up", _seen_by(up, len(votes))
    elif len(up) + len(warming) >= needed:
        state, reason = "warming", _seen_by(warming, len(votes))
    else:
        reason = f"no {needed} of {len(votes)} vantage points agree: {_split(votes)}"
    if before is not None and before.state == state:
        reason = before.reason
    return Verdict(state, reason, outside)


def returns_at(moments: Iterable[float | None], voters: int) -> float | None:
    """When a majority will see it up, by the moments that each gives; None: that can't be told."""
    known = sorted(one for one in moments if one is not None)
    needed = majority(voters)
    return known[needed - 1] if len(known) >= needed else None


def seen_from(votes: Iterable[Vote]) -> str:
    """All votes in one phrase: `a ✓  c ✗  office ?`."""
    signs: Mapping[Cast, str] = {"up": "✓", "down": "✗", "warming": "…", "unknown": "?"}
    return "  ".join(f"{one.vantage.name} {signs[one.state]}" for one in votes)


def _seen_by(some: Sequence[Vote], voters: int) -> str:
    names = " and ".join(
        part for part in (", ".join(one.vantage.name for one in some[:-1]), some[-1].vantage.name) if part
    )
    return f"{some[0].reason}, seen from {names}" if voters > 1 else some[0].reason


def _split(votes: Iterable[Vote]) -> str:
    return "; ".join(
        f"{one.vantage.name} {one.state}" + (f" ({one.reason})" if one.state == "unknown" else "") for one in votes
    )
