"""What is told of registries: leases held and unheard, what they admit, who is still to come, who is away. Pure.

A registry that is away takes nobody out of an answer. But who comes new gets no lease, and of those it knows health
checks alone tell who is gone; and nothing but a person brings it back.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Literal

from standfast.errors import EXIT_DIFFERS, EXIT_FINE

from .observing import Seen, at_work
from .phrases import listed
from .times import clock, span

if TYPE_CHECKING:
    from .registry.standing import RegistryStanding

RESTART_S: Final = 120.0
"""So long a restart, or an upgrade, may take: then nobody needs to act. As of the fleet's sources (`sourced`)."""


def registry_findings(seen: Seen) -> Iterator[tuple[Literal["NEEDS YOU", "HANDLED"], str, str, int]]:
    """(kind, sentence, command, exit code) if registries are away: for a person if no other one is at work.

    One that holds no lease and has others at work in its place is missed by nobody.
    """
    all_away = all(one.silent for one in seen.store.registries)
    away = [one for one in seen.store.registries if one.silent and (one.held or all_away)]
    if not away:
        return
    last = min(away, key=lambda one: one.age_s)
    long = (last if all_away else max(away, key=lambda one: one.age_s)).age_s > RESTART_S
    who, count = _away(away, seen.at), sum(one.held for one in away)
    stay = "Its lease stays as it is" if count == 1 else f"{count} leases stay as they are"
    command = _command(seen, last.name)
    code = EXIT_DIFFERS if long else EXIT_FINE
    if others := [one.name for one in seen.store.registries if not one.silent]:
        verb, them = ("goes", "it") if len(others) == 1 else ("go", "them")
        text = f"{who}; {', '.join(others)} {verb} on. {stay} until agents come to {them}. Nobody needs to act."
        yield "HANDLED", text, command, code
    elif long:
        text = f"{who}, and there is no other: newcomers get no lease. {stay}; health checks alone tell who is gone."
        yield "NEEDS YOU", text, command, code
    else:
        yield "HANDLED", f"{who}; agents come again. {stay}. Nobody needs to act.", command, code


def _command(seen: Seen, name: str) -> str:
    """What brings it back. One that was stopped or hangs on this machine still has the port, so no other can begin."""
    again = f"standfast run --role registry --name {name}"
    for one in seen.present:
        if (one.role, one.who) == ("registry", name) and one.alive and not at_work(one):
            return f"kill -CONT {one.pid}" if one.stopped else f"kill {one.pid}; {again}"
    return again


def _away(away: "list[RegistryStanding]", now: float) -> str:
    some = listed((f"{one.name} (since {clock(now - one.age_s, now)}, for {span(one.age_s)})" for one in away), 4)
    verb = "is" if len(away) == 1 else "are"
    return f"Registr{'y' if len(away) == 1 else 'ies'} {some} {verb} away"


def registry_lines(seen: Seen) -> list[str]:
    """A line for each registry that ever kept leases in this plan store, on whichever machine."""
    return [one.line for one in seen.store.registries]


def registries_json(seen: Seen) -> list[dict[str, Any]]:
    """For programs. Of those on this machine also what was refused at the door since their start, null elsewhere;
    `why` leases don't age at present, null if they do."""
    here = {one.who: one.facts for one in seen.present if one.role == "registry" and at_work(one)}
    return [
        {**one.facts(), "unheard": one.held - one.heard, "refused": here.get(one.name, {}).get("refused")}
        for one in seen.store.registries
    ]
