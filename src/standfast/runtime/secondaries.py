"""What running enactors say of the zones' other name servers: who serves what, how late, who stays behind. Pure."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from .times import span

if TYPE_CHECKING:
    from .presence import Present

NEEDS_YOU_S: Final = 120.0
"""A name server that has been behind for longer will hardly catch up by itself."""


class Secondary(Struct, frozen=True):
    """One server of a zone beside its primary.

    `serves` is the generation of the floor that it has, `lag_s` how long after a write it served that (the slowest
    that anybody measured last; None: no write was followed yet), `behind_s` for how long it has been behind (None: it
    is not), `why` what it serves in place, or why it can't be asked.
    """

    zone: str
    server: str
    serves: int
    lag_s: float | None
    behind_s: float | None
    why: str

    @property
    def text(self) -> str:
        """For a line of `status`."""
        if self.behind_s is not None:
            return f"{self.server} BEHIND for {span(self.behind_s)} ({self.why})"
        late = "" if self.lag_s is None else f", {self.lag_s:.1f} s after a write"
        return f"{self.server} g{self.serves}{late}"


def followed(enactors: "Iterable[Present]") -> tuple[Secondary, ...]:
    """Each server once, by zone and name, as the least content of the enactors has it."""
    found: dict[tuple[str, str], Secondary] = {}
    for one in enactors:
        for told in _told(one.facts.get("secondaries")):
            known = found.get((told.zone, told.server))
            found[told.zone, told.server] = told if known is None else _worse(known, told)
    return tuple(found[key] for key in sorted(found))


def _told(zones: object) -> Iterator[Secondary]:
    for zone, servers in zones.items() if isinstance(zones, dict) else ():
        for server, facts in servers.items() if isinstance(servers, dict) else ():
            if isinstance(facts, dict):
                lag, behind = _number(facts.get("lag_s")), _number(facts.get("behind_s"))
                serves, why = int(_number(facts.get("serves")) or 0), str(facts.get("why") or "")
                yield Secondary(str(zone), str(server), serves, lag, behind, why)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _worse(one: Secondary, other: Secondary) -> Secondary:
    lags = [lag for lag in (one.lag_s, other.lag_s) if lag is not None]
    late, on_time = (one, other) if (one.behind_s or -1.0) >= (other.behind_s or -1.0) else (other, one)
    serves = late.serves if late.behind_s is not None else max(one.serves, other.serves)
    return Secondary(one.zone, one.server, serves, max(lags, default=None), late.behind_s, late.why or on_time.why)


def staying_behind(some: Iterable[Secondary]) -> Iterator[str]:
    """A sentence for each that people must look after."""
    for one in some:
        if one.behind_s is not None and one.behind_s > NEEDS_YOU_S:
            yield (
                f"{one.server} has been behind in {one.zone} for {span(one.behind_s)} ({one.why}): "
                "whoever asks it gets what was true before."
            )
