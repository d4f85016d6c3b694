"""What a source thinks of a load balancer's health, beside what our own checks say. Pure.

Own checks come through the front door, as users do; a source sees what is behind. So its opinion decides only where
own checks say nothing (`advise`), or where the configuration says that it shall (`decide`). It has to be repeated
before it counts: published checks have alternated from one reading to the next.
"""

from typing import Final

from msgspec import Struct

from standfast.model.fleet import Verdict, VerdictState

FALL: Final = 3
RISE: Final = 3


class Opinion(Struct, frozen=True):
    """`state` counts; `next_state` was said `times` times in a row since."""

    state: VerdictState = "unknown"
    reason: str = "nothing was told of it"
    next_state: VerdictState = "unknown"
    times: int = 0

    @property
    def verdict(self) -> Verdict:
        """As it counts now."""
        return Verdict(self.state, self.reason)


def told(opinion: Opinion, said: Verdict) -> Opinion:
    """The source said this, once more. Unknown counts at once: it takes nothing out."""
    if said.state == opinion.state or said.state == "unknown":
        return Opinion(said.state, said.reason, said.state, 0)
    times = opinion.times + 1 if said.state == opinion.next_state else 1
    if times >= (FALL if said.state == "down" else RISE):
        return Opinion(said.state, said.reason, said.state, 0)
    return Opinion(opinion.state, opinion.reason, said.state, times)


def advised(own: Verdict, opinion: Verdict | None, *, checked: bool, decides: bool) -> Verdict:
    """Both together. `checked`: own checks are made; where they are not, an own "up" is no evidence."""
    if opinion is None or opinion.state not in ("up", "down"):
        return own
    silent = own.state == "unknown" or not checked
    if opinion.state == "down" and (silent or (decides and own.state == "up")):
        return Verdict("down", opinion.reason, own.outside)
    return Verdict("up", opinion.reason, own.outside) if silent and opinion.state == "up" else own
