"""What would a single remedy have changed? The same schedule on the cores as built, with one switch on.

The schedule is that of `sim/asbuilt/race.py`: the same turns in the same order. What comes of a turn is whatever the
cores do now, in their own words; that is why nothing here expects an outcome.
"""

from collections.abc import Callable, Sequence
from typing import Final

from standfast.sim.asbuilt import plans, telling
from standfast.sim.asbuilt.driving import Region, Turn, is_stuck
from standfast.sim.asbuilt.narrating import belief, scene
from standfast.sim.asbuilt.plans import ENDPOINTS
from standfast.sim.asbuilt.race import ACTORS, NAME, REGIONAL
from standfast.sim.asbuilt.remedies import SWITCHES, Built, Remedy

from .story import Moment, Scene, Story

OFFERED: Final[tuple[Remedy, ...]] = (
    "fence",
    "check-in-lock",
    "recheck",
    "assert-referenced",
    "spare-referenced",
    "velocity",
    "decoupled",
    "repair",
)
"""Those under which the schedule keeps its meaning: who waits for whom stays as it was."""

_DISTANCE: Final = 30
_TURNS_MAX: Final = 60
_Reached = Callable[[Turn], bool]


def remedied(remedy: Remedy | None) -> Story:
    """October 2025 with that one switch on; with none, to compare, it is what `race.py` tells by hand."""
    told = _Schedule(remedy)
    beginning = told.scene()
    told.old_plan_in_hand()
    told.far_behind()
    told.wakes()
    told.afterwards()
    return Story(
        f"As built, but {told.says}",
        ACTORS,
        beginning,
        tuple(told.moments),
        told.outcome(),
        f"standfast replay race --with {remedy or 'as-built'}",
    )


class _Schedule:
    """The region, and what was told of it so far."""

    def __init__(self, remedy: Remedy | None) -> None:
        self.remedy = remedy
        self.says = next((switch.says for switch in SWITCHES if switch.remedy == remedy), "nothing is changed")
        how = Built(ENDPOINTS[:2], _DISTANCE, frozenset({remedy} if remedy else ()))
        self.region = Region(how, ACTORS[1:4], latest=109)
        self.region.complete("enactor A")
        self.checked: dict[str, int] = {}
        self.published = ""
        self.moments: list[Moment] = []
        self.waiting: tuple[str, ...] = ()
        self.root = 109

    # -- the schedule --------------------------------------------------------------------------------------------

    def old_plan_in_hand(self) -> None:
        """Steps 1 to 4."""
        self.publish(110)
        for actor in ACTORS[1:4]:
            self.begin(actor)
        self.say("planner", "publishes plan 110; A, B and C read it", to="store")
        self.go("enactor A", _builds)
        self.go("enactor C", _waits, expired=False)
        self.waiting = ("enactor C",)
        self.say("enactor A", "wins the lock; C loses it and backs off")
        for actor in ("enactor A", "enactor B"):
            self.go(actor, _is_over)
        self.publish(127)
        self.begin("enactor A")
        self.go("enactor A", _is_over)
        self.say("planner", "publishes plans 111–127; C still holds 110", to="store")
        self.publish(128)
        self.begin("enactor B")
        self.go("enactor B", _builds)
        turn = self.region.turn("enactor C")
        lost = turn.before == turn.after
        self.say("enactor C", "comes back, loses again, backs off again" if lost else turn.text)
        self.go("enactor B", _is_over)

    def far_behind(self) -> None:
        """Steps 5 to 7."""
        self.publish(145)
        self.say("planner", "publishes plans 129–145; C still holds 110", to="store")
        self.begin("enactor A")
        self.go("enactor A", _sweeps)
        self.say("enactor A", "completes 145 everywhere; its clean-up begins")
        self.publish(146)
        self.begin("enactor B")
        self.say("enactor B", "takes plan 146", to="store")

    def wakes(self) -> None:
        """Steps 8 and 9."""
        self.waiting = ()
        self.tell("enactor C", self.go("enactor C", _tried))
        turns = [] if self.region.enactors["enactor A"].phase == "idle" else [self.region.turn("enactor A")]
        self.tell("clean-up", turns, idle="finds nothing to delete")
        self.go("enactor A", _is_over)
        self.go("enactor C", _is_over)

    def afterwards(self) -> None:
        """Steps 10 to 14."""
        self.tell("enactor B", self.go("enactor B", _tried))
        self.begin("enactor C")
        self.tell("enactor C", self.go("enactor C", _tried), idle="takes the latest plan: nothing to do")
        self.publish(147)
        self.say("planner", "publishes plan 147", to="store")
        self.begin("enactor A")
        self.tell("enactor A", self.go("enactor A", _tried))
        stuck = self.is_stuck
        text = "are needed" if stuck or not self.served else "are not needed"
        wedged = "wedged: no enactor, whatever its plan, can bring the endpoint to it" if stuck else ""
        self.say("operators", text, to="", violation=wedged)

    # -- turns ---------------------------------------------------------------------------------------------------

    def publish(self, generation: int) -> None:
        self.region.latest = generation
        self.published = f"published {generation}"

    def begin(self, actor: str) -> None:
        """Take the latest plan and compare it with what every zone has, if it is free to."""
        if self.region.enactors[actor].phase == "idle":
            self.region.turn(actor)
            while self.region.enactors[actor].phase == "checking":
                self.region.turn(actor)
            self.checked[actor] = len(self.moments) + 1

    def go(self, actor: str, reached: _Reached, *, expired: bool = True) -> list[Turn]:
        """On, until a turn is of that kind, or it is idle, or it goes round in circles."""
        turns: list[Turn] = []
        while self.region.enactors[actor].phase != "idle" and len(turns) < _TURNS_MAX:
            turns.append(self.region.turn(actor, expired=expired))
            if reached(turns[-1]):
                break
        return turns

    # -- telling -------------------------------------------------------------------------------------------------

    @property
    def served(self) -> bool:
        """Whether the regional name has addresses."""
        answers = scene(self.region.zones[REGIONAL:], self.region.latest, {}, {}).answers
        return bool(answers[0].addresses)

    @property
    def is_stuck(self) -> bool:
        """Whether the plan after all these cannot be installed by anybody."""
        return NAME in is_stuck(self.region.how, self.region.latest + 1, self.region.zones)

    def scene(self) -> Scene:
        region = self.region
        believed = {"planner": self.published}
        believed.update((name, belief(one, self.checked.get(name, 0))) for name, one in region.enactors.items())
        holders = {one.lock: name for name, one in region.enactors.items() if one.lock}
        whole = scene(region.zones, region.latest, believed, holders)
        regional = scene(region.zones[REGIONAL:], region.latest, {}, holders)
        return Scene(regional.zone, whole.answers[::-1], whole.store, whole.beliefs)

    def tell(self, actor: str, turns: Sequence[Turn], *, idle: str = "has nothing to do") -> None:
        """The turns as one moment."""
        here = [turn for turn in turns if turn.before.endpoint == REGIONAL] or list(turns)
        refused = next((turn.refused for turn in reversed(here) if turn.refused), "")
        text = telling.joined([turn.text for turn in here]) if here else idle
        self.say(actor, _shortly(text), refused=_shortly(refused))

    def say(self, actor: str, text: str, *, to: str = NAME, refused: str = "", violation: str = "") -> None:
        """One moment, with what it broke."""
        root = plans.root(self.region.zones[REGIONAL])
        was_served = not self.moments or bool(self.moments[-1].scene.answers[0].addresses)
        if not violation and root < self.root:
            violation = f"backwards: the root went from plan {self.root} to plan {root}"
        if not violation and was_served and not self.served:
            violation = f"emptied: the root refers to plan {root}, which is gone"
        self.root = root
        caption = f"The schedule of October 2025 with one thing changed: {self.says}."
        self.moments.append(Moment(actor, text, self.scene(), to, refused, violation, caption, waiting=self.waiting))

    def outcome(self) -> str:
        """In a sentence: empty, for how long, and for ever?"""
        empty = [step for step, one in enumerate(self.moments, start=1) if not one.scene.answers[0].addresses]
        back = any(one.violation.startswith("backwards") for one in self.moments)
        if self.is_stuck:
            return "The endpoint is emptied, and no later plan can mend it: on this schedule, this alone does not help."
        if empty and self.served:
            return f"The endpoint is emptied at step {empty[0]}, and healed by a later plan."
        if empty:
            return "The endpoint is emptied; the next plan can heal it."
        old = ", though an old plan is installed for a while" if back else ""
        others = f"For all other schedules: standfast verify --as-built --with {self.remedy}."
        return f"On this schedule the endpoint keeps its addresses{old}. {others}"


def _shortly(text: str) -> str:
    """Without the endpoint's name: it is about no other."""
    for long, brief in (
        (f"cleans up {NAME}: ", ""),
        (f" of {NAME}", ""),
        (f" in {NAME}", ""),
        (f".{NAME}", ""),
        (NAME, "the root"),
    ):
        text = text.replace(long, brief)
    return text


def _builds(turn: Turn) -> bool:
    return turn.after.endpoint == REGIONAL and turn.after.phase in ("building", "surveying", "flipping")


def _waits(turn: Turn) -> bool:
    return turn.after.endpoint == REGIONAL and turn.before == turn.after


def _sweeps(turn: Turn) -> bool:
    return turn.after.endpoint == REGIONAL and turn.after.phase == "sweeping"


def _tried(turn: Turn) -> bool:
    """It moved the regional root, could not, or left it alone."""
    if turn.before.endpoint != REGIONAL:
        return False
    return turn.before.phase == "flipping" or bool(turn.refused) or turn.after.phase in ("releasing", "listing")


def _is_over(turn: Turn) -> bool:
    return turn.after.phase == "idle"
