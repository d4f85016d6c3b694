"""What is to be said of overrides: who gave them, until when, what ends them, and when a person is needed. Pure."""

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.errors import EXIT_FINE
from standfast.model.override import Override

from .observing import Seen
from .times import clock

SOON_S: Final = 600.0
"""So long before its end a long override is announced: whoever still works there wants to know."""
LONG_S: Final = 3600.0


Kind: TypeAlias = Literal["FINE", "HANDLED", "NEEDS YOU", "HELD", "FROZEN", "BLIND"]


class Remark(Struct, frozen=True):
    """A sentence with its command, as `runtime.verdict` takes it."""

    kind: Kind
    sentence: str
    command: str
    exit_code: int = EXIT_FINE


def ending(one: Override) -> str:
    """The command that ends it."""
    if one.scope == "load_balancer" and one.state == "drain":
        return f"standfast drain {one.target} --end"
    if one.scope == "az" and one.state == "drain":
        return f"standfast evacuate az {one.target} --end"
    return f"standfast override {one.subject} --clear"


def until(one: Override, now: float) -> str:
    """`drained until 18:03:21 by bob@ops1: kernel`."""
    verb = {"up": "up", "down": "down", "drain": "drained"}[one.state]
    return f"{verb} until {clock(one.until, now)} by {one.by}: {one.reason}"


def told(one: Override, now: float) -> str:
    """For `explain`: when it ends by itself, and what ends it now."""
    what = "drain" if one.state == "drain" else "override"
    return f"The {what}, given at {clock(one.at, now)}, ends at {clock(one.until, now)}; to end it now: {ending(one)}"


def remarks(seen: Seen) -> Iterator[Remark]:
    """Overrides that somebody should know of, those that need a person first."""
    for one in seen.store.in_force(seen.at):
        if one.until - seen.at <= SOON_S and one.until - one.at > LONG_S:
            longer = f"standfast override {one.subject} {one.state} --for 1h --reason TEXT"
            text = f"The override of {one.subject} ({until(one, seen.at)}) is about to end"
            yield Remark("NEEDS YOU", f"{text}; if that is too early, give it again.", longer)
    failing = [
        (name, one)
        for name, one in sorted(seen.store.ruling(seen.at).items())
        if one.state == "up" and (judged := seen.store.judged(name)) is not None and judged.state == "down"
    ]
    for name, one in failing:
        text = f"{name} counts as up by order of {one.by} until {clock(one.until, seen.at)}, and fails its checks."
        yield Remark("HANDLED", text, ending(one))
