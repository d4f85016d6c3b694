"""The race of October 2025 as the talk tells it, driven through the cores as built: fourteen moments.

The schedule is that of DAT453 at re:Invent 2025; the generation numbers 110, 145 and 146 are the speaker's invention.
How many generations count as too old is not published; here it is thirty. Nothing is decided in this file but whose
turn it is: what each enactor does, and what the provider says to it, are the cores' and the specification's own.
"""

from typing import Final

from standfast.sim.story.story import Certainty, Moment, Scene, Story

from . import plans
from .driving import Region, ScheduleError, Turn, is_stuck
from .enactor import Enactor, Phase
from .narrating import PREVENTED_BY, belief, scene
from .plans import ENDPOINTS
from .remedies import Built

ACTORS: Final = ("planner", "enactor A", "enactor B", "enactor C", "clean-up", "operators")
REGIONAL: Final = 1
"""The regional name is walked last here; that being slow elsewhere delays the arrival at it is published."""
NAME: Final = ENDPOINTS[REGIONAL]
TALK: Final = "DAT453 at re:Invent 2025"
SUMMARY: Final = "AWS post-event summary, message/101925"
_DISTANCE: Final = 30
_BEFORE: Final = 109


def race() -> Story:
    """Drive it and tell it. Raises ScheduleError if the cores do not do what the captions say."""
    told = _Race()
    beginning = told.scene()
    _old_plan_in_hand(told)
    _thirty_five_later(told)
    _emptied(told)
    _for_good(told)
    return Story(
        "October 2025 as built: an old plan, a clean-up, and an endpoint without addresses",
        ACTORS,
        beginning,
        tuple(told.moments),
        "The endpoint has no addresses, and no enactor can ever install a plan again: people have to.",
        "standfast replay race",
    )


class _Race:
    """The region under the schedule, and what was told of it so far."""

    def __init__(self) -> None:
        self.region = Region(Built(ENDPOINTS[:2], _DISTANCE), ACTORS[1:4], latest=_BEFORE)
        self.region.complete("enactor A")
        self.checked: dict[str, int] = {}
        self.believed = dict.fromkeys(ACTORS, "")
        self.moments: list[Moment] = []
        self.waiting: tuple[str, ...] = ()

    def scene(self) -> Scene:
        """The regional endpoint's zone; the other one stays well, and only its answer is shown."""
        region = self.region
        for name, one in region.enactors.items():
            self.believed[name] = belief(one, self.checked.get(name, 0))
        holders = {one.lock: name for name, one in region.enactors.items() if one.lock}
        whole = scene(region.zones, region.latest, self.believed, holders)
        regional = scene(region.zones[REGIONAL:], region.latest, {}, holders)
        return Scene(regional.zone, whole.answers[::-1], whole.store, whole.beliefs)

    def say(
        self,
        actor: str,
        text: str,
        caption: str,
        *,
        to: str = NAME,
        refused: str = "",
        violation: str = "",
        source: str = TALK,
        certainty: Certainty = "published",
        prevented_by: tuple[str, ...] = (),
    ) -> None:
        """One moment."""
        said = (self.scene(), to, refused, violation, caption, source, certainty, prevented_by, self.waiting)
        self.moments.append(Moment(actor, text, *said))

    def publish(self, generation: int) -> None:
        """The planner goes on to this generation."""
        self.region.latest = generation
        self.believed["planner"] = f"published {generation}"

    def begin(self, actor: str) -> None:
        """Take the latest plan, and compare it with what is applied: the only time in a pass."""
        self.region.turn(actor)
        turn = self.region.until(actor, lambda one: one.phase != "checking", "has checked its plan")[-1]
        _expect(turn.after.phase == "locking", f"{actor} finds plan {self.region.latest} newer than what is applied")
        self.checked[actor] = len(self.moments) + 1

    def reach(self, actor: str, phase: Phase) -> Turn:
        """Let it go on until it is about to do this at the regional endpoint; its last turn on the way."""
        turns = self.region.until(
            actor, lambda one: (one.endpoint, one.phase) == (REGIONAL, phase), f"comes to {phase}"
        )
        return turns[-1]

    def fails(self, actor: str) -> str:
        """On through the regional endpoint, up to the root that it can't move: which precondition failed."""
        self.reach(actor, "surveying")
        turn = self.region.turn(actor)
        _expect(bool(turn.refused), f"{actor} can't move the root")
        return turn.refused


def _old_plan_in_hand(told: _Race) -> None:
    """Steps 1 to 4: one enactor keeps losing the lock while generations go by."""
    say, region = told.say, told.region
    told.publish(110)
    for actor in ACTORS[1:4]:
        told.begin(actor)
    say(
        "planner",
        "publishes plan 110; A, B and C read it",
        "All three enactors do the same work on the same plan. Each checks once, now, that it is newer than what is "
        "applied, and will believe it until the end of its pass.",
        to="store",
    )
    told.reach("enactor A", "locking")
    told.reach("enactor A", "building")
    told.reach("enactor C", "locking")
    _loses(told, "enactor C")
    told.waiting = ("enactor C",)
    say(
        "enactor A",
        "wins the lock; C loses it and backs off",
        "Each endpoint has a lock, a TXT record in its zone. Two enactors contend for that of the regional endpoint: "
        "one wins, C backs off.",
    )
    region.until("enactor A", _is_idle, "completes 110")
    region.until("enactor B", _is_idle, "completes 110")
    told.publish(127)
    region.complete("enactor A")
    say(
        "planner",
        "publishes plans 111–127; C still holds 110",
        "The others go on: plans appear, and the latest is carried out. C waits, and what it checked at step 1 grows "
        "old. Nothing will make it check again.",
        to="store",
    )
    told.publish(128)
    told.begin("enactor B")
    told.reach("enactor B", "building")
    found = _loses(told, "enactor C")
    say(
        "enactor C",
        "comes back, loses again, backs off again",
        "C's back-off ends while B holds the lock for plan 128. To lose several times running is very unusual; this is "
        "all that “unusual delay” meant.",
        refused=found,
    )
    region.until("enactor B", _is_idle, "completes 128")


def _thirty_five_later(told: _Race) -> None:
    """Steps 5 to 7: what C holds is far behind, by the measure of others."""
    say = told.say
    told.publish(145)
    say(
        "planner",
        "publishes plans 129–145; C still holds 110",
        "Most plans come from added capacity and shifted traffic, none of them urgent. With fewer of them the race "
        "would have stayed hidden.",
        to="store",
    )
    told.begin("enactor A")
    told.reach("enactor A", "sweeping")
    told.believed["clean-up"] = "109 and 110 lie far behind 145: too old"
    say(
        "enactor A",
        "completes 145 everywhere; its clean-up begins",
        "Clean-up measures age from the plan that its own enactor has just completed: 110 lies far behind 145. What "
        "the root refers to is not asked. (How far is too far is not published; thirty here.)",
        source=f"{TALK}; {SUMMARY}",
        certainty="inferred",
    )
    told.publish(146)
    told.begin("enactor B")
    say("enactor B", "takes plan 146", "The next plan is there, and B starts to install it.", to="store")


def _emptied(told: _Race) -> None:
    """Steps 8 and 9: the essential pair."""
    say, region = told.say, told.region
    told.waiting = ()
    told.reach("enactor C", "flipping")
    region.turn("enactor C")
    zone = region.zones[REGIONAL]
    _expect((plans.root(zone), plans.rollback(zone)) == (110, 145), "C moved the root to 110 and rollback to 145")
    say(
        "enactor C",
        "gets the lock and points the root at plan 110",
        "C holds the lock rightly, and the provider checks that in the very change. Nobody checks that 110 is older "
        "than 145. In the same transaction rollback is pointed at 145.",
        violation="backwards: the root went from plan 145 to plan 110",
        prevented_by=PREVENTED_BY["backwards"],
    )
    turn = region.turn("enactor A")
    _expect(not turn.refused and 110 not in plans.trees(region.zones[REGIONAL]), "the clean-up deleted plan 110")
    told.believed["clean-up"] = "109 and 110 are gone, as they should be"
    say(
        "clean-up",
        "deletes plan 110, and 109",
        "Much older than 145, it thinks. The root is left behind, an alias of nothing: resolvers are told NOERROR "
        "without addresses, for A and AAAA alike. The event begins, 19 October 23:48 PDT.",
        violation="emptied: the root refers to plan 110, which is gone",
        source=f"{TALK}; {SUMMARY}",
        prevented_by=("assert-referenced",),
    )
    region.until("enactor A", _is_idle, "completes 145")


def _for_good(told: _Race) -> None:
    """Steps 10 to 14: the rollback alias makes it permanent."""
    say, region = told.say, told.region
    coupled = PREVENTED_BY["wedged"]
    say(
        "enactor B",
        "tries to point root and rollback at 146 and 110",
        "The two move in one transaction, and rollback is to refer to what the root refers to now. That is gone, and "
        "the enactor cannot cope with it; so the root cannot move either. (Whether its code or the provider said no is "
        "not published; the talk's words point to the code.)",
        refused=told.fails("enactor B"),
        prevented_by=coupled,
    )
    region.until("enactor C", _is_idle, "completes 110")
    told.begin("enactor C")
    say(
        "enactor C",
        "takes 146, and fails the same way",
        "C has finished with 110 and has forgotten it. With the latest plan in hand it meets the same obstacle.",
        refused=told.fails("enactor C"),
        certainty="inferred",
        prevented_by=coupled,
    )
    told.publish(147)
    say(
        "planner",
        "publishes plan 147",
        "Without the rollback alias this plan would have ended a short outage: it would simply have overwritten the "
        "bad root.",
        to="store",
    )
    told.begin("enactor A")
    say(
        "enactor A",
        "takes 147, and fails the same way",
        "All three enactors meet the same obstacle, with this plan and with every later one.",
        refused=told.fails("enactor A"),
        prevented_by=coupled,
    )
    stuck = is_stuck(region.how, 148, region.zones)
    _expect(NAME in stuck, "no later plan can be installed")
    told.believed["operators"] = "00:38: it is DNS; 02:25: a whole tree is put in by hand"
    say(
        "operators",
        "are needed",
        "No enactor can ever move this root again. People find the cause at 00:38 and put a whole tree in place by "
        "hand at 02:25 PDT; which records they changed is not published.",
        to="",
        violation="wedged: no enactor, whatever its plan, can bring the endpoint to it",
        source=f"{TALK}; {SUMMARY}",
        prevented_by=coupled,
    )


def _loses(told: _Race, actor: str) -> str:
    """It finds the lock held, and backs off; who holds it."""
    turn = told.region.turn(actor)
    _expect(turn.before == turn.after and turn.after.phase == "locking", f"{actor} finds the lock held")
    value = plans.written(told.region.zones[REGIONAL], plans.lock_name(NAME))
    holder = next(name for name, one in told.region.enactors.items() if one.lock == value)
    return f"lock: expected to be free, found held by {holder}"


def _is_idle(enactor: Enactor) -> bool:
    return enactor.phase == "idle"


def _expect(held: bool, what: str) -> None:
    if not held:
        raise ScheduleError(f"this did not happen: {what}")
