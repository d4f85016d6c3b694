"""Who ought to be at work and does not show itself: stopped, gone, hanging; what that means, and what to type. Pure.

Where nobody of a role is at work a person is needed. Where others of it go on nobody is, but it is told: the next one
to fall may be the last.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from standfast.errors import EXIT_DIFFERS, EXIT_FINE

from .observing import LATE_S, Seen, at_work
from .overridden import Remark
from .phrases import capital, listed
from .presence import Present
from .registriestold import RESTART_S
from .times import clock, span

NO_ENACTOR: Final = "No enactor is running: nothing is written and nothing is repaired."
NO_PLANNER: Final = "No planner is running: a load balancer that dies stays in the answer."
FORGOTTEN_S: Final = 86_400.0
"""Whoever left a day ago without a word is not expected any more."""
_BUSY_S: Final[Mapping[str, float]] = {"planner": 15.0, "enactor": 15.0, "cleaner": 300.0, "monitor": 60.0}
"""How long one of several may be busy with one thing before it is told."""
_ALONE: Final[Mapping[str, str]] = {
    "planner": "a load balancer that dies stays in the answer",
    "enactor": "nothing is written and nothing is repaired",
    "cleaner": "plans and trees that nothing needs stay until one runs",
    "monitor": "nobody asks name servers as users do until one runs",
}


def nobody(seen: Seen) -> Iterator[Remark]:
    """No planner or no enactor is at work: a person is needed."""
    planner, enactor = bool(seen.running("planner")), bool(seen.running("enactor"))
    if (planner and enactor) or seen.hidden:
        return
    wanted = [role for role, there in (("planner", planner), ("enactor", enactor)) if not there]
    silent = [one for one in seen.present if one.role in wanted and one.alive and not at_work(one)]
    if silent:
        means = "; ".join(dict.fromkeys(_ALONE[one.role] for one in silent))
        yield Remark("NEEDS YOU", f"{_told(silent, seen.at)}. So {means}.", _command(silent[0]), EXIT_DIFFERS)
        return
    if not planner and not enactor:
        text = "Nobody is running: DNS stays as it is, whatever dies and whoever changes it."
    elif not planner:
        text = NO_PLANNER
    else:
        text = NO_ENACTOR
    if not planner and seen.overdue:
        text += " What is stored calls for another plan already."
    yield Remark("NEEDS YOU", text, "standfast run", EXIT_DIFFERS)


def some_missing(seen: Seen) -> Iterator[Remark]:
    """Who does not show itself while others of its role go on, or while what it does can wait."""
    if seen.hidden:
        return
    for role, busy_s in _BUSY_S.items():
        others = [one.who for one in seen.running(role)]
        if not others and role in ("planner", "enactor"):
            continue  # `nobody` says so
        for one in seen.present:
            late = one.age_s > (busy_s if one.alive and not one.stopped else LATE_S)
            if one.role != role or one.who in others or not late or one.age_s > FORGOTTEN_S:
                continue
            rest = f"{', '.join(others[:4])} {'goes' if len(others) == 1 else 'go'} on" if others else _ALONE[role]
            code = EXIT_DIFFERS if one.age_s > RESTART_S else EXIT_FINE
            yield Remark("HANDLED", f"{_told([one], seen.at)}; {rest}. Nobody needs to act.", _command(one), code)


def _told(some: list[Present], now: float) -> str:
    """`Planner ops1 (pid 7) was stopped (SIGSTOP); last seen at 03:12:40, 18 s ago`; those alike together."""
    alike: dict[str, list[Present]] = {}
    for one in some:
        alike.setdefault(_how(one), []).append(one)
    return capital("; ".join(_those(them, how, now) for how, them in alike.items()))


def _those(some: list[Present], how: str, now: float) -> str:
    who = listed((f"{one.role} {one.who}" + (f" (pid {one.pid})" if one.alive else "") for one in some), 4)
    age_s = min(one.age_s for one in some)
    return (
        f"{who} {how.format(*(('was', 'has', 'shows') if len(some) == 1 else ('were', 'have', 'show')))}; "
        f"last seen at {clock(now - age_s, now)}, {span(age_s)} ago"
    )


def _how(one: Present) -> str:
    """A clause with its three verbs left open."""
    if not one.alive:
        return "{1} ended without a word"
    if one.stopped:
        return "{0} stopped (SIGSTOP)"
    return "{2} no sign of life: hanging, overloaded, or unable to write into the state directory (is the disk full?)"


def _command(one: Present) -> str:
    if not one.alive:
        return f"standfast run --role {one.role} --name {one.who}"
    return f"kill -CONT {one.pid}" if one.stopped else "standfast check"
