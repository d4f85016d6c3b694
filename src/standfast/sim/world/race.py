"""The race of October 2025 on the cores that run in production: the same schedule, and the same enactor C asleep.

Planner, publisher, enactors A, B, C and cleaner are those of `core/`; zone and store are the executable specifications
of `ports/`. Nothing is decided here but whose turn it is. Where the system as built makes C lose a lock and back off,
C here falls asleep at the worst moment there is: its change with plan 110 is decided, recorded, and not yet sent.
"""

from collections.abc import Iterable
from typing import Final

from standfast.core.cleaner import Retention, Sweep, SweepingHead, Swept
from standfast.core.enactor import Enactor, Occasion
from standfast.core.publisher import Assignment, Done, Phase, publish
from standfast.model.fleet import Fleet, LoadBalancer, Verdict
from standfast.model.marker import Floor, Marker, read_floor, read_marker
from standfast.model.name import floor_owner, marker_owner
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRset, RRType
from standfast.ports import provider_spec, store_spec
from standfast.ports.local import DrawNonce, KeepCopy, Kept, Nonce, RecallCopy, Recorded, RecordIntent
from standfast.ports.provider import Conflict, Prerequisite, ProviderRequest, Replace, Written
from standfast.ports.provider_spec import ZoneState
from standfast.ports.store import PlanMissing, PlanRead
from standfast.sim.story.story import Answer, Moment, Record, Scene, Story

ZONE: Final = "us-east-1.amazonaws.com"
REGIONAL: Final = f"dynamodb.{ZONE}"
FIPS: Final = f"dynamodb-fips.{ZONE}"
_NAMES: Final = (REGIONAL, FIPS)
_STREAM: Final = "main"
_BEGUN: Final = 109
_TTL: Final = 60
_STEPS_MAX: Final = 10_000
_LONG_AFTER: Final = 1e9
"""Seconds on the clean-up's wall clock: no plan is young, so what it keeps it keeps for need."""
_UP: Final = Verdict("up", "6 checks passed")
ACTORS: Final = ("planner", "enactor A", "enactor B", "enactor C", "clean-up", "operators")


class RaceError(AssertionError):
    """The schedule did not go as it is told: the cores have changed, and the story must be told anew."""


def _balancer(pool: str, number: int, *, drained: bool) -> LoadBalancer:
    address = {"main": f"192.0.2.{number}", "fips": f"198.51.100.{number}"}[pool]
    return LoadBalancer(f"{pool}-{number}", "abcd"[number - 1], pool, (address,), (), 1, "drain" if drained else "up")


def _fleet(generation: int) -> Fleet:
    """Every generation another load balancer of the regional endpoint is drained; the FIPS one changed last at 110."""
    main = (_balancer("main", number, drained=generation % 4 == number - 1) for number in range(1, 5))
    fips = (_balancer("fips", number, drained=number == 3 and generation < _BEGUN + 1) for number in range(1, 4))
    return Fleet(tuple(sorted((*main, *fips), key=lambda one: one.id)))


class Region:
    """Zone, store and actors. Each method is one actor's turn; what an actor hears is what the specifications say."""

    def __init__(self) -> None:
        self.zone = ZoneState(ZONE, {})
        self.store = store_spec.StoreState()
        self.enactors = {letter: Enactor(f"enactor-{letter.lower()}", _STREAM) for letter in "ABC"}
        self.held: Plan | None = None
        self.asleep = False
        self.beliefs = dict.fromkeys(ACTORS, "")
        self._nonces = 0

    # -- turns ---------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """The production planner and publisher make the next plan the head."""
        generation = self.held.generation + 1 if self.held else 1
        policies = tuple(
            EndpointPolicy(name, ZONE, ttl=_TTL, pools=(pool,))
            for name, pool in zip(_NAMES, ("main", "fips"), strict=True)
        )
        fleet = _fleet(generation)
        verdicts = tuple((one.id, _UP) for one in fleet.load_balancers)
        task = Assignment(
            _STREAM, (ZONE,), fleet, verdicts, policies, generation * 3600.0, "planner", "traffic shift", held=self.held
        )
        phase: Phase = publish(task)
        for _ in range(_STEPS_MAX):
            if isinstance(phase, Done):
                break
            phase = phase.heard(self._answer(phase.request))  # type: ignore[arg-type]  # the specification pairs them
        if not isinstance(phase, Done) or phase.outcome.kind != "published" or phase.outcome.plan is None:
            raise RaceError(f"the planner did not publish generation {generation}: {phase}")
        self.held = phase.outcome.plan
        return self.held

    def wake(self, letter: str, occasion: Occasion = "news") -> None:
        """An enactor begins a pass."""
        core = self.enactors[letter]
        self.enactors[letter] = core.wake(occasion if core.plan else "start", 0.0)

    def until_sending(self, letter: str) -> Replace:
        """Let it go on to its next change of the zone, which it has decided and not yet sent."""
        for _ in range(_STEPS_MAX):
            request = self.enactors[letter].request
            if isinstance(request, Replace):
                return request
            if request is None:
                raise RaceError(f"enactor {letter} has nothing to write")
            self.step(letter)
        raise RaceError(f"enactor {letter} does not come to a change")

    def step(self, letter: str) -> object:
        """One request and its reply."""
        core = self.enactors[letter]
        reply = self._answer(core.request)
        self.enactors[letter] = core.heard(reply)
        return reply

    def finish(self, letter: str) -> tuple[str, ...]:
        """On to the end of its pass; what became of its writes."""
        results: list[str] = []
        for _ in range(_STEPS_MAX):
            if self.enactors[letter].request is None:
                return tuple(results)
            self.step(letter)
            results += [one.result for one in self.enactors[letter].outcomes if one.name in _NAMES]
        raise RaceError(f"enactor {letter} does not come to rest")

    def enact(self, letter: str) -> None:
        """A whole pass, which must write."""
        self.wake(letter)
        if "written" not in (results := self.finish(letter)):
            raise RaceError(f"enactor {letter} wrote nothing: {results}")

    def look(self, letters: Iterable[str]) -> None:
        """Each looks what others have changed, as the process does every two seconds."""
        for letter in letters:
            self.wake(letter, "look")
            self.finish(letter)

    def sweep(self) -> Swept:
        """The production cleaner; it would keep ten plans for people."""
        phase: Sweep = SweepingHead(_STREAM, Retention(plans=10, days=0.0), _LONG_AFTER)
        for _ in range(_STEPS_MAX):
            if isinstance(phase, Swept):
                return phase
            phase = phase.heard(self._answer(phase.request))  # type: ignore[arg-type]  # the specification pairs them
        raise RaceError("the clean-up does not come to an end")

    def _answer(self, request: object) -> object:
        match request:
            case DrawNonce():
                self._nonces += 1
                return Nonce(f"{self._nonces:016x}")
            case RecordIntent():
                return Recorded()
            case KeepCopy():
                return Kept()
            case RecallCopy():
                return PlanRead(self.held) if self.held else PlanMissing()
        if isinstance(request, ProviderRequest):
            self.zone, reply = provider_spec.apply(self.zone, request)
            return reply
        self.store, said = store_spec.apply(self.store, request)  # type: ignore[arg-type]  # all others are its own
        return said

    # -- what is there -------------------------------------------------------------------------------------------

    def since(self, name: str = REGIONAL) -> int:
        """What its marker says."""
        owner = marker_owner(name, ZONE)
        marker = read_marker(self.zone.rrsets.get((owner, int(RRType.TXT))), ZONE, owner)
        if not isinstance(marker, Marker):
            raise RaceError(f"{name} has no marker")
        return marker.since

    def scene(self) -> Scene:
        """What stands in zone and store, and what each actor believes."""
        zone, answers = [], []
        for name in _NAMES:
            rrset = self.zone.rrsets.get((name, int(RRType.A)))
            texts = rrset.texts() if rrset else ()
            if texts:
                zone.append(Record(name, "address", tuple(texts)))
            answers.append(Answer(name, "NOERROR", tuple(texts), below_minimum=len(texts) < 2))
        owners = [*(marker_owner(name, ZONE) for name in _NAMES), floor_owner(_STREAM, ZONE)]
        zone += [
            Record(owner, "floor" if owner == owners[-1] else "marker", (_said(owner, rrset),))
            for owner in owners
            if (rrset := self.zone.rrsets.get((owner, int(RRType.TXT))))
        ]
        plans = sorted(plan.generation for plan in self.store.plans)
        head = self.store.head.generation if self.store.head else 0
        store = (f"head: plan {head}", f"plans kept: {plans[0]}–{plans[-1]}" if plans else "no plans")
        flights = ("enactor C's change with plan 110: decided, not yet sent",) if self.asleep else ()
        beliefs = tuple((actor, text) for actor, text in self.beliefs.items() if text)
        return Scene(tuple(zone), tuple(answers), store, beliefs, flights)

    def unmet(self, change: Replace) -> str:
        """Which of its prerequisites do not hold in the zone now: expected and found."""
        wanted = [one for part in (change.floor, *change.writes) for one in part.prerequisites]
        return "; ".join(self._difference(one) for one in wanted if not self.zone.holds(one))

    def _difference(self, one: Prerequisite) -> str:
        expected = RRset(RRType.TXT, 0, one.rdata) if one.rdata else None
        found = self.zone.rrsets.get((one.owner, one.rtype))
        was, now = _said(one.owner, expected), _said(one.owner, found)
        return f"{_named(one.owner)}: expected {was}, found {now.rpartition(' ')[2]}"


def _named(owner: str) -> str:
    """Such as `marker of dynamodb`, `floor`."""
    if owner == floor_owner(_STREAM, ZONE):
        return "floor"
    return f"marker of {owner.partition('.')[0]}"


def _said(owner: str, rrset: RRset | None) -> str:
    marker, floor = read_marker(rrset, ZONE, owner), read_floor(rrset, ZONE, owner)
    if isinstance(marker, Marker):
        return f"since {marker.since}"
    return f"generation {floor.generation}" if isinstance(floor, Floor) else "nothing"


# -- the schedule ----------------------------------------------------------------------------------------------------


class _Telling:
    """Takes down each moment with the world after it."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.moments: list[Moment] = []

    def say(self, actor: str, text: str, caption: str, *, to: str = "", refused: str = "") -> None:
        waiting = ("enactor C",) if self.region.asleep else ()
        scene = self.region.scene()
        self.moments.append(Moment(actor, text, scene, to, refused, caption=caption, waiting=waiting))

    def believe(self, **held: str) -> None:
        for name, text in held.items():
            self.region.beliefs[{"cleanup": "clean-up"}.get(name, name.replace("_", " "))] = text


def _follow(region: Region, letters: Iterable[str], until: int) -> None:
    """Plans up to this one, each carried out by the next of these enactors."""
    turns = tuple(letters)
    while region.held is None or region.held.generation < until:
        generation = region.plan().generation
        region.enact(turns[generation % len(turns)])
        region.look(turns)


def race_with_standfast() -> Story:
    """Drive it and tell it. Raises RaceError if the cores do not do what the captions say."""
    region = Region()
    _follow(region, "ABC", _BEGUN)
    telling = _Telling(region)
    telling.believe(enactor_A="holds 109", enactor_B="holds 109", enactor_C="holds 109", planner="published 109")
    beginning = region.scene()
    late = _before_the_wake(region, telling)
    _from_the_wake(region, telling, late)
    _afterwards(region, telling)
    return Story(
        "The same schedule with Standfast",
        ACTORS,
        beginning,
        tuple(telling.moments),
        "Enactor C's old write was refused by the provider. The answer was never empty, and no person was needed.",
        "standfast replay race --with standfast",
    )


def _before_the_wake(region: Region, telling: _Telling) -> Replace:
    """Steps 1 to 7; C's change, decided at step 2."""
    plan, say = region.plan(), telling.say
    for letter in "ABC":
        region.wake(letter)
    late, _ = region.until_sending("C"), [region.until_sending(letter) for letter in "AB"]
    telling.believe(planner="published 110", enactor_A="holds 110", enactor_B="holds 110", enactor_C="holds 110")
    say(
        "planner",
        f"publishes plan {plan.generation}; A, B and C read it",
        "The same beginning: all three enactors take plan 110. Each reads marker and floor of what it is about to "
        "write, and both go into its change as preconditions.",
        to="store",
    )
    _expect(isinstance(region.step("A"), Written), "A's change with plan 110 was written")
    region.finish("A")
    region.finish("B")
    region.asleep = True
    telling.believe(enactor_C="holds 110, decided over marker 109", enactor_A="wrote 110", enactor_B="holds 110")
    say(
        "enactor A",
        "writes plan 110; C falls asleep, its change decided and unsent",
        "There is no lock to lose, so C is put to sleep where it is worst: its change with plan 110 is decided, "
        "recorded and not yet sent. It asserts the marker that says since 109.",
        to="zone",
    )
    _follow(region, "AB", 127)
    telling.believe(planner="published 127", enactor_A="holds 127", enactor_B="holds 127")
    asleep = "Each write replaces the marker; C sleeps on. Nobody waits for it, and nobody needs to know."
    say("planner", "publishes plans 111–127; A and B write them", asleep, to="store")
    _follow(region, "B", 128)
    telling.believe(planner="published 128", enactor_B="wrote 128")
    say("enactor B", "writes plan 128", "As built, C would come back now and lose the lock once more.", to="zone")
    _follow(region, "AB", 144)
    telling.believe(planner="published 144", enactor_A="holds 144", enactor_B="holds 144")
    say("planner", "publishes plans 129–144; A and B write them", asleep, to="store")
    region.plan()
    region.enact("A")
    region.look("AB")
    telling.believe(planner="published 145", enactor_A="wrote 145", enactor_B="holds 144")
    say("enactor A", "completes plan 145", "Marker and floor are at 145 now; both are in the zone itself.", to="zone")
    region.plan()
    region.wake("B")
    region.until_sending("B")
    telling.believe(planner="published 146", enactor_B="holds 146, decided over marker 145")
    say("enactor B", "takes plan 146", "B reads the marker, since 145, and decides on its change.", to="store")
    return late


def _from_the_wake(region: Region, telling: _Telling, late: Replace) -> None:
    """Steps 8 to 11."""
    before, say = region.zone, telling.say
    refused = region.unmet(late)
    _expect(region.enactors["C"].request == late, "C still holds the very change it decided on at step 2")
    _expect(isinstance(region.step("C"), Conflict) and region.zone == before, "C's change was refused, whole")
    region.asleep = False
    telling.believe(enactor_C="refused: believes nothing")
    say(
        "enactor C",
        "wakes and sends plan 110: refused",
        "The provider compares the marker and the floor inside the very change. Both have moved on, so nothing of it "
        "is done. C needed no clock, no lock and no luck to be stopped.",
        to="zone",
        refused=refused,
    )
    swept = region.sweep()
    lowest = min(region.since(name) for name in _NAMES)
    _expect(swept.collected == tuple(range(1, lowest)) and region.zone == before, "the clean-up took what nobody needs")
    telling.believe(cleanup=f"lowest since is {lowest}, read in this pass")
    say(
        "clean-up",
        f"deletes plans below {lowest} from the store; 110 is kept",
        f"Old means below the lowest since of all markers, read in this pass: {lowest}, where dynamodb-fips stands. So "
        "plan 110 stays, and the clean-up has no request that could touch the zone.",
        to="store",
    )
    _expect(isinstance(region.step("B"), Written), "B's change with plan 146 was written")
    region.finish("B")
    telling.believe(enactor_B="wrote 146")
    say(
        "enactor B",
        "writes plan 146",
        "B's preconditions still hold, for C changed nothing. What is asserted is what was observed, never what ought "
        "to exist: no damage can make a later plan impossible.",
        to="zone",
    )
    region.finish("C")
    held = region.enactors["C"].plan
    _expect(held is not None and held.generation == 146, "C took the newest plan after it was refused")
    telling.believe(enactor_C="holds 146, in step")
    say(
        "enactor C",
        "looks for a newer plan: 146, nothing to do",
        "After a refusal an enactor believes nothing that it held. C reads head, plan and marker again and is in step.",
        to="store",
    )


def _afterwards(region: Region, telling: _Telling) -> None:
    """Steps 12 to 14."""
    region.plan()
    telling.believe(planner="published 147")
    telling.say("planner", "publishes plan 147", "Work goes on: the next traffic shift.", to="store")
    region.enact("C")
    telling.believe(enactor_C="wrote 147")
    telling.say("enactor C", "writes plan 147", "The very enactor that slept carries it out.", to="zone")
    for letter in "ABC":
        region.wake(letter, "audit")
        _expect(not {"written", "refilled"} & set(region.finish(letter)), "an audit finds nothing to mend")
    telling.believe(enactor_A="holds 147, in step", enactor_B="holds 147, in step", operators="nobody was called")
    telling.say(
        "operators",
        "are not needed",
        "An audit by A, B and C finds nothing to mend. C's refused write is one line in its journal.",
    )


def _expect(held: bool, what: str) -> None:
    if not held:
        raise RaceError(f"this did not happen: {what}")
