"""Three vantage points and who listens to them, second by second: faults drawn from a seed, the automata of production.

A vantage point may be absent, see nothing, lie about some, or have its words arrive late; load balancers die and come
back. What must hold: whoever serves is never concluded to be down while at most a minority lies, however many are
absent, blind or late; and whoever is dead is out within a bound while a majority is well.
"""

import random
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.model.fleet import Verdict
from standfast.recovery import quorum, sight
from standfast.recovery.health import Failed, Health, HealthPolicy, Passed, observed, started, verdict
from standfast.recovery.quorum import Vantage, Vote, Voter

Ill: TypeAlias = Literal["absent", "blind", "lies", "late"]
AZS: Final = {f"{az}{place}": az for place in (1, 2) for az in "abc"}
VANTAGES: Final = (Vantage("ops1", "a"), Vantage("ops2", "b"), Vantage("office"))
BEAT_S: Final = 5.0
SILENCE_S: Final = 3 * BEAT_S
SECONDS: Final = 1500
LATE_MAX_S: Final = 30.0
"""So long a process waits for the store at most."""
FORGIVEN_S: Final = 60.0 + LATE_MAX_S
"""For so long after it came back one may still be down: six passed checks, a wait for the store, and beats."""
OUT_WITHIN_S: Final = 60.0 + LATE_MAX_S
"""Of one that died: an AZ that fails together takes six checks, a majority that is well again its wait and beats."""
_POLICY: Final = HealthPolicy(damp_max_s=0.0)
_CALM_S: Final = 100.0


class Wrong(Struct, frozen=True):
    """What was concluded and must not be, and when."""

    at: float
    what: str


class _Prober:
    """One vantage point; `ill` is what is wrong with it now."""

    def __init__(self, place: int, draw: random.Random) -> None:
        self.ill: Ill | None = None
        self.well_at = -1e9
        self.lied: frozenset[str] = frozenset()
        self._draw, self._phase, self._place = draw, [draw.randrange(5) for _ in AZS], place
        self.stored: tuple[int, dict[str, Verdict]] = (0, {})
        self._underway: tuple[float, int, dict[str, Verdict]] | None = None
        self._put_at = -BEAT_S
        self._health: dict[str, Health] = {}
        self._sight = sight.Sight()
        self.begin()

    def begin(self, now: float = 0.0) -> None:
        """Knowing nothing: what it said before it was absent is old."""
        self._sight = sight.Sight()
        self._health = {name: started(_POLICY, now, newcomer=False) for name in AZS}

    def second(self, now: float, dead: set[str]) -> None:
        """Check those whose turn it is, and put what is thought."""
        if self.ill == "absent":
            return
        for place, name in enumerate(AZS):
            if int(now) % 5 == self._phase[place]:
                self._check(name, now, self.ill != "blind" and (name in dead) == (name in self.lied))
        if self._underway is not None and now >= self._underway[0]:
            _, revision, votes = self._underway
            if revision > self.stored[0]:
                self.stored = (revision, votes)
            self._underway = None
        votes = {name: verdict(health, now) for name, health in self._health.items()}
        if self._underway is None and (votes != self.stored[1] or now - self._put_at >= BEAT_S):
            late = self._draw.uniform(0.0, LATE_MAX_S) if self.ill == "late" else 0.0
            self._underway, self._put_at = (now + late, self.stored[0] + 1, votes), now

    def _check(self, name: str, now: float, passes: bool) -> None:
        if passes:
            self._sight = sight.passed(self._sight, name, now)
            self._health[name] = observed(self._health[name], Passed(), now)
        else:
            seen = sight.evidence(self._sight, name, self._health, AZS, now)
            self._health[name] = observed(self._health[name], Failed("timed out"), now, seen)


def wrong_with(seed: int, ills: tuple[Ill, ...], at_once: int) -> Wrong | None:
    """What goes wrong first in the run of that seed, at most so many vantage points being ill at a time."""
    draw = random.Random(f"vantages {seed}")
    probers = [_Prober(place, draw) for place in range(len(VANTAGES))]
    voters = [Voter() for _ in probers]
    concluded: dict[str, Verdict] = {}
    died: dict[str, float] = {}
    back = dict.fromkeys(AZS, -1e9)
    well_since = 0.0
    for second in range(SECONDS):
        now = float(second)
        if now > _CALM_S and draw.random() < 0.02:
            _die_or_return(draw, died, back, now)
        if now > _CALM_S and draw.random() < 0.03 and _fall_ill(draw, probers, ills, at_once, now):
            well_since = now
        for prober in probers:
            prober.second(now, set(died))
        for place, prober in enumerate(probers):
            revision = prober.stored[0]
            voters[place] = quorum.heard(voters[place], revision, "one" if revision else "", now, SILENCE_S)
        for name, az in AZS.items():
            votes = [_vote(place, probers, voters, name, now) for place in range(len(probers))]
            concluded[name] = quorum.concluded(votes, az, concluded.get(name))
            if concluded[name].state == "down" and name not in died and now - back[name] > FORGIVEN_S:
                return Wrong(now, f"{name} serves, and is down: {concluded[name].reason}")
        well = sum(one.ill is None for one in probers) >= quorum.majority(len(probers))
        well_since = well_since if well else now
        for name, since in died.items():
            if now - max(since, well_since) > OUT_WITHIN_S and concluded[name].state != "down":
                return Wrong(now, f"{name} is dead for {now - since:g} s, and {concluded[name].state}")
    return None


def _vote(place: int, probers: list[_Prober], voters: list[Voter], name: str, now: float) -> Vote:
    found = probers[place].stored[1].get(name)
    if quorum.standing(voters[place], now, SILENCE_S) != "heard" or found is None:
        return Vote(VANTAGES[place], "unknown", "not heard")
    return Vote(VANTAGES[place], found.state, found.reason)


def _die_or_return(draw: random.Random, died: dict[str, float], back: dict[str, float], now: float) -> None:
    """At most half are dead; who came back stays for a while."""
    name = draw.choice(sorted(AZS))
    if name in died:
        del died[name]
        back[name] = now
    elif len(died) < len(AZS) // 2 and now - back[name] > FORGIVEN_S:
        died[name] = now


def _fall_ill(draw: random.Random, probers: list[_Prober], ills: tuple[Ill, ...], at_once: int, now: float) -> bool:
    """One falls ill, or gets well. Who was absent begins anew."""
    prober = draw.choice(probers)
    if prober.ill is not None:
        was, prober.ill, prober.lied, prober.well_at = prober.ill, None, frozenset(), now
        if was == "absent":
            prober.begin(now)
        return True
    # Whoever lied is believed to have lied until a row of checks has told it better.
    if sum(one.ill is not None or now - one.well_at < FORGIVEN_S for one in probers) < at_once:
        prober.ill = draw.choice(ills)
        if prober.ill == "lies":
            prober.lied = frozenset(draw.sample(sorted(AZS), 3))
        return True
    return False
