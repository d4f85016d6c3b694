"""Whether an observer sees at all: what its failures are worth, from what it sees of everybody. Pure.

An observer whose own network is cut sees every load balancer fail. That it has lost its sight is then likelier than
that all have died, so a failure counts only if *another* load balancer has passed since this one was last checked
(`Evidence.witnessed`), and two of them must, whatever `fall` says: when sight is lost, each has one failure whose
witness passed before. Whoever sees nothing at all concludes nothing: after three intervals everybody is `unknown`,
under which the plan leaves every load balancer where it is. From `fall: 2` on this costs no time, as somebody else
passes between two checks. An observer of a single load balancer has no witness and is believed; `min_answers` keeps
that one anyway.

Those that fail together with most of their AZ must fail twice as often (`Evidence.together`): the path to an AZ breaks
more often than an AZ. That confirms, it does not decide: the loss of an AZ is the planner's, by the votes of several
observers (`quorum.py`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from .health import PLAIN, Evidence, Health

BLIND_LEAST: Final = 2
"""Fewer load balancers can't bear witness for each other."""


class Sight(Struct, frozen=True):
    """Who passed last, and who last beside that one: name and moment. That is all a witness must know."""

    last: tuple[str, float] | None = None
    other: tuple[str, float] | None = None


def passed(sight: Sight, name: str, now: float) -> Sight:
    """This one has just passed."""
    if sight.last is None or sight.last[0] == name:
        return Sight((name, now), sight.other)
    return Sight((name, now), sight.last)


def evidence(sight: Sight, name: str, healths: Mapping[str, Health], azs: Mapping[str, str], now: float) -> Evidence:
    """What else there is to see while this one fails."""
    if len(healths) < BLIND_LEAST:
        return PLAIN
    mine = healths[name]
    before = mine.checked_at if mine.checked_at is not None else now - mine.policy.interval_s
    witness = sight.last if sight.last is None or sight.last[0] != name else sight.other
    if witness is None or witness[0] not in healths or witness[1] < min(before, now):
        return Evidence(witnessed=False)
    began = mine.failing_since if mine.failing_since is not None else now
    return Evidence(least=BLIND_LEAST, together=_together(name, began, healths, azs))


def blind(healths: Iterable[Health]) -> bool:
    """Whether nothing passes, of several load balancers that were checked."""
    looked = [one for one in healths if one.failing_since is not None or one.passing_since is not None]
    return len(looked) >= BLIND_LEAST and all(one.failing_since is not None for one in looked)


def _together(name: str, began: float, healths: Mapping[str, Health], azs: Mapping[str, str]) -> str:
    """With how many of its AZ it began to fail, in words; empty unless they are most of it, and two at least."""
    az, mine = azs.get(name), healths[name]
    if az is None:
        return ""
    span = mine.policy.fall * mine.policy.interval_s
    fellows = [other for other, where in azs.items() if where == az and other in healths]
    failing = 1
    for other in fellows:
        since = healths[other].failing_since
        failing += other != name and since is not None and abs(since - began) <= span
    if failing < BLIND_LEAST or 2 * failing <= len(fellows):
        return ""
    return f"{failing} of {len(fellows)} in AZ {az} failed together"
