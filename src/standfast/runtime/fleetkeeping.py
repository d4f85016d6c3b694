"""The planner's fleet: what its sources say, what the store holds of each, and what is told about them.

The fleet that is planned by is always the one in the store, so that planners don't alternate. A planner puts the part
of a source when *its own* reading of it is new; other parts it takes over as they stand there.

A source that was taken out of the configuration is not simply gone: what no other source names is held back by the
same rule as a source that shrank (`recovery/sources.py` rule 2).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

from standfast.adapters.sources import FleetSeen, FleetUnknown
from standfast.adapters.sources.opening import opened
from standfast.config import AwsSource, Config, LeasesSource, LoadBalancerConfig, SourceConfig
from standfast.model.fleet import Verdict
from standfast.recovery.opinion import Opinion, advised, told
from standfast.recovery.sources import Reading, Track, heard, merged, unheard

from .enacting import Store
from .place import Place
from .sharing import (
    ACCEPTED,
    FLEET,
    STANDINGS,
    Accepted,
    Board,
    SharedAccepted,
    SharedFleet,
    SharedPart,
    SharedStanding,
    SharedStandings,
    accepted_on,
    encode,
    read_fleet,
)
from .sourcing import Said, Sources
from .tidings import Tidings

AGAIN_S: Final = 0.25
Fleet: TypeAlias = tuple[LoadBalancerConfig, ...]
_Track: TypeAlias = Track[LoadBalancerConfig]
_REMOVED: Final = "was taken out of the configuration"


class FleetKeeper:
    """All sources of one planner. `fleet` is what is planned by; None: not known. In the planner's thread only."""

    def __init__(
        self,
        who: str,
        config: Config,
        store: Store,
        tidings: Tidings,
        wake: Callable[[], None],
        sources: Sources | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.board = Board(store, FLEET)
        self.fleet: Fleet | None = None
        self._who, self._tidings, self._wall = who, tidings, wall
        self._checked = config.health is not None
        self._sources = sources or Sources(config.sources, wake, open_=partial(opened, store=Place(config).late_store))
        self._accepted_board, self._standings_board = Board(store, ACCEPTED), Board(store, STANDINGS)
        now = time.monotonic()
        self._tracks: dict[str, _Track] = {
            one.name: Track(one.name, guarded=one.kind != "declared", began_at=now) for one in config.sources
        }
        self._kinds = {one.name: one.kind for one in config.sources}
        self._decides = {one.name: _says(one) == "decide" for one in config.sources if _says(one) != "off"}
        self._removed: dict[str, _Track] = {}
        self._readings: dict[str, FleetSeen] = {}
        self._pending: set[str] = set()
        self._opinions: dict[str, dict[str, Opinion]] = {}
        self._standings: dict[str, tuple[str, str]] = {}
        self._since: dict[str, float] = {}
        self._conflicts: tuple[str, ...] = ()
        self._put_at = 0.0
        self._unshared = False

    def start(self) -> None:
        """Begin to look at all sources."""
        self._sources.start()

    def close(self) -> None:
        """End that."""
        self._sources.close()

    def begin(self) -> bool:
        """What stands in the store, and the first word of each source that is quick. False: the store says nothing."""
        if not (self.board.read() and self._accepted_board.read() and self._standings_board.read()):
            return False
        self._take_over()
        self._sources.settle()
        return True

    def look(self) -> bool:
        """What did others write? True if the fleet is another one now."""
        before, revision = self.fleet, self.board.revision
        self._accepted_board.read()
        if self.board.read() and self.board.revision != revision:
            self._take_over()
        return self.fleet != before

    def _take_over(self) -> None:
        """The store's parts, but for those of which we have something newer to say."""
        shared = read_fleet(self.board.body)
        if shared is None:
            return
        self.fleet = shared.load_balancers
        parts = shared.sources or (SharedPart(next(iter(self._tracks)), "", 0.0, shared.load_balancers),)
        for part in parts:
            if part.name not in self._tracks:
                known = self._removed.get(part.name) or Track(part.name, began_at=time.monotonic(), why=_REMOVED)
                self._removed[part.name] = replace(known, part=part.load_balancers)
            elif part.name not in self._pending:
                known = self._tracks[part.name]
                self._tracks[part.name] = replace(known, part=part.load_balancers, revision=part.revision)
        for name in self._removed.keys() - {part.name for part in parts}:
            del self._removed[name]

    def hear(self, now: float, *, may_put: bool) -> bool:
        """What do our sources say? What is new goes into the store. True if the fleet is another one now."""
        before, news = self.fleet, False
        for said in self._sources.news(now):
            news |= self._heard(said)
        if self._held_is_accepted():
            news = True
        self._tell(now)
        if (self._pending or self._removed) and may_put and (news or now - self._put_at >= AGAIN_S):
            self._put_at = now
            self._share(now)
        return self.fleet != before

    def _heard(self, said: Said) -> bool:
        track, name = self._tracks[said.name], said.name
        if isinstance(said.sighting, FleetUnknown):
            self._tracks[name] = unheard(track, said.sighting.why, said.at)
            self._opinions.pop(name, None)
            return False
        self._hear_opinions(name, said.sighting)
        self._readings[name] = said.sighting
        return self._believe(name, said.sighting, said.at, new=not said.repeated or bool(track.why))

    def _believe(self, name: str, seen: FleetSeen, at: float, *, new: bool) -> bool:
        track = self._tracks[name]
        if not new:
            self._tracks[name] = replace(track, known_at=at) if not track.why else track
            return False
        accepted = accepted_on(self._accepted_board).get(name)
        reading = Reading(seen.load_balancers, seen.revision, seen.unsure)
        after = heard(track, reading, at, accepted.load_balancers if accepted else ())
        self._tracks[name] = after
        if after.why:
            return False
        self._pending.add(name)
        return True

    def _held_is_accepted(self) -> bool:
        """Has an operator accepted what is held? Then the reading counts, without waiting for the next."""
        news = False
        for name in accepted_on(self._accepted_board):
            if name in self._tracks and self._tracks[name].lost and name in self._readings:
                news |= self._believe(name, self._readings[name], time.monotonic(), new=True)
        return news

    def _share(self, now: float) -> None:
        """Put what is new, if the fleet is known by it; and forget what was accepted once it has come to pass."""
        merging = [*self._tracks.values(), *self._still_there(now)]
        fleet = merged(merging, self.fleet or ())
        self._tell_conflicts(fleet.conflicts)
        if fleet.load_balancers is None:
            return
        shared, wall = read_fleet(self.board.body), round(self._wall(), 3)
        stored = {part.name: part for part in shared.sources} if shared else {}
        parts = tuple(_part(track, stored.get(track.name), wall) for track in merging)
        if shared is None or (shared.load_balancers, shared.sources) != (fleet.load_balancers, parts):
            outcome = self.board.put(encode(SharedFleet(self._who, fleet.load_balancers, parts)))
            if outcome != "put":
                self._take_over()  # what is pending stays so
                return
        self._pending.clear()
        self._take_over()
        self._spend()

    def _still_there(self, now: float) -> list[_Track]:
        """Sources that the configuration no longer names: as long as what is only theirs may not go at once."""
        kept = []
        named = {one.id: one for track in self._tracks.values() for one in track.part or ()}
        everything_known = all(track.part is not None for track in self._tracks.values())
        for name, track in list(self._removed.items()):
            accepted = accepted_on(self._accepted_board).get(name)
            rest = tuple(one for one in track.part or () if one.id in named)
            after = heard(track, Reading(rest), now, accepted.load_balancers if accepted else ())
            if after.why or not everything_known:
                self._removed[name] = after if after.why else track
                kept.append(self._removed[name])
            else:
                del self._removed[name]
        return kept

    def _spend(self) -> None:
        """What was accepted has come to pass, or the source names them again."""
        accepted = accepted_on(self._accepted_board)
        held = {track.name for track in (*self._tracks.values(), *self._removed.values()) if track.lost}
        left = {name: one for name, one in accepted.items() if name in held}
        if left != accepted:
            self._accepted_board.put(encode(SharedAccepted(left)))

    # -- what is told --------------------------------------------------------------------------------------------

    def _tell(self, now: float) -> None:
        changed = False
        for track in (*self._tracks.values(), *self._removed.values()):
            state = track.state(now)
            standing = (state, track.why)
            if self._standings.get(track.name) == standing:
                continue
            first = track.name not in self._standings
            self._standings[track.name] = standing
            if first and state == "unknown" and not track.why:
                continue  # it has not answered yet
            self._since[track.name] = round(self._wall(), 3)
            changed = True
            facts = {"source": track.name, "kind": self._kinds.get(track.name, "removed"), "state": state}
            part = track.part or ()
            self._tidings.event(
                "source", **facts, revision=track.revision, load_balancers=len(part), lost=list(track.lost),
                why=track.why,
            )  # fmt: skip
        for name in self._standings.keys() - self._tracks.keys() - self._removed.keys():
            del self._standings[name]
            changed = True
        if changed or self._unshared:
            self._share_standings(now)

    def _share_standings(self, now: float) -> None:
        standings = {
            track.name: SharedStanding(
                self._kinds.get(track.name, "removed"), track.state(now), track.why,
                self._since.get(track.name, 0.0), len(track.part or ()), track.lost,
            )
            for track in (*self._tracks.values(), *self._removed.values())
        }  # fmt: skip
        outcome = self._standings_board.put(encode(SharedStandings(self._who, standings)))
        self._unshared = outcome == "unknown"

    def _tell_conflicts(self, conflicts: tuple[str, ...]) -> None:
        self._conflicts = conflicts
        self._tidings.state("conflict", "; ".join(conflicts[:5]))

    def facts(self, now: float) -> dict[str, Any]:
        """For a sign of life: each source's state, age, and why."""
        return {
            track.name: {
                "kind": self._kinds.get(track.name, "removed"),
                "state": track.state(now),
                "read_s": round(track.age(now), 1),
                "why": track.why,
                "revision": track.revision,
                "load_balancers": None if track.part is None else len(track.part),
                "lost": list(track.lost[:50]),
                "unsure": [f"{name}: {why}" for name, why in track.unsure[:20]],
            }
            for track in (*self._tracks.values(), *self._removed.values())
        }

    # -- opinions ------------------------------------------------------------------------------------------------

    def _hear_opinions(self, name: str, seen: FleetSeen) -> None:
        if name not in self._decides:
            return
        before = self._opinions.get(name, {})
        self._opinions[name] = {one: told(before.get(one, Opinion()), verdict) for one, verdict in seen.told}

    def advised(self, own: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """Own verdicts, with what sources think where that counts."""
        found = dict(own)
        for name, opinions in self._opinions.items():
            for load_balancer, opinion in opinions.items():
                if load_balancer in found:
                    found[load_balancer] = advised(
                        found[load_balancer], opinion.verdict, checked=self._checked, decides=self._decides[name]
                    )
        return found


def _says(source: SourceConfig) -> str:
    """What becomes of what that source says of health."""
    match source:
        case AwsSource():
            return source.target_health
        case LeasesSource():
            return source.local_health
    return "advise"


def _part(track: _Track, stored: SharedPart | None, wall: float) -> SharedPart:
    """As stored, if nothing changed: `at` is when it was first seen so."""
    some = track.part or ()
    if stored is not None and stored.load_balancers == some:
        return stored  # a revision alone is no news: some sources have a new one each second
    return SharedPart(track.name, track.revision, wall, some)


def accept(board: Board, name: str, accepted: Accepted) -> bool:
    """Say that a loss is meant. False if the store did not take it."""
    if not board.read():
        return False
    return board.put(encode(SharedAccepted({**accepted_on(board), name: accepted}))) == "put"
