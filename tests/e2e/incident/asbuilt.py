"""The system of October 2025 on a Route 53: three processes with the cores as built, and whose turn it is.

A request that waits at the provider's door stands for the delay that nobody has explained. Held is first C's request
for the lock: a flip that is held longer than a lease is refused by the lock that it asserts, which is what the lock is
for. Then, for a moment, C's flip and A's clean-up, so that they happen in the order of that night.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from e2e.incident.account import HERE, Account, Staged, Voice, account, whole_lines
from e2e.incident.asbuilt_enactor import listed
from e2e.roles import Process
from standfast.sim.asbuilt import plans
from standfast.sim.asbuilt.driving import is_stuck
from standfast.sim.asbuilt.plans import ENDPOINTS
from standfast.sim.asbuilt.race import NAME
from standfast.sim.asbuilt.remedies import Built
from standfast.sim.asbuilt.route53 import HostedZone

TITLE: Final = "As built in October 2025"
FIRST: Final = 110
"""The generation that C holds on to; it and 145, 146 are the speaker's invention (DAT453 at re:Invent 2025)."""
ACTORS: Final = ("A", "B", "C")
AFTERWARDS: Final = 3
"""Plans that are published after the endpoint is empty, beside 146."""


class AsBuilt:
    """The staged run. `generations` pass while C waits."""

    def __init__(self, at: Account, generations: int) -> None:
        self.at, self.generations = at, generations
        names = ENDPOINTS[:2]
        self.zones = {name: at.zone(name) for name in names}
        self.how = Built(names, generations, rendering="provider")
        self.latest = at.folder / "latest"
        self.running: dict[str, Process] = {}

    def publish(self, plan: int) -> None:
        """The planner's part: the pointer to the latest plan."""
        fresh = self.latest.with_suffix(".new")
        fresh.write_text(str(plan), encoding="ascii")
        fresh.replace(self.latest)

    def start(self, actor: str) -> None:
        """An enactor, anew."""
        arguments = [str(HERE / "asbuilt_enactor.py"), "--name", actor, "--latest", str(self.latest)]
        arguments += ["--told", str(self._told(actor)), "--distance", str(self.generations)]
        for name, zone in self.zones.items():
            arguments += ["--zone", f"{name}={zone}"]
        self.running[actor] = self.at.start(arguments, f"enactor-{actor}.log", actor)

    def told(self, actor: str) -> list[dict[str, Any]]:
        """What it said so far."""
        return whole_lines(self._told(actor))

    def _told(self, actor: str) -> Path:
        return self.at.folder / f"enactor-{actor}.jsonl"

    def zone(self, name: str = NAME) -> HostedZone:
        """What its zone holds now, by the API."""
        return listed(self.at.service.client(), name, self.zones[name])

    def carried_out(self, plan: int, actors: str) -> None:
        """Wait until every root is at the plan, and these enactors are idle."""
        for name in self.zones:
            self.at.until(lambda name=name: plans.root(self.zone(name)) == plan, f"{name} is at plan {plan}")  # type: ignore[misc]
        for actor in actors:
            self.at.until(lambda actor=actor: self.told(actor)[-1]["next"] == "idle", f"{actor} is idle")  # type: ignore[misc]

    def failed(self, actor: str, plan: int, since: int = 0) -> dict[str, Any]:
        """Wait until it has tried in vain to move the root to this plan; how it was refused."""

        def refused() -> dict[str, Any] | None:
            some = [one for one in self.told(actor)[since:] if one["plan"] == plan and one["phase"] == "flipping"]
            return next((one for one in some if one["refused"] and one["where"] == NAME), None)

        found = self.at.until(refused, f"{actor} tries to move {NAME} to plan {plan}")
        assert found is not None
        return found


def as_built(folder: Path, generations: int, voice: Voice | None = None) -> Staged:
    """Stage it. Raises AssertionError if the processes do not do what is told of them."""
    with account(folder, NAME, voice or Voice()) as at:
        run = AsBuilt(at, generations)
        _old_plan_in_hand(run)
        _late_flip(run)
        wedged = _for_good(run)
        asked = at.probed()
        emptied = at.steps[-1].dug.is_empty and bool(asked.empty)
        outcome = (
            f"EMPTIED AND WEDGED: {asked.empty:,} of {asked.queries:,} answers were empty; no enactor brings the "
            "endpoint to any plan again: people have to"
            if emptied and wedged
            else "it went otherwise: see the steps"
        )
        return Staged(TITLE, tuple(at.steps), asked, emptied, wedged, outcome)


def _old_plan_in_hand(run: AsBuilt) -> None:
    at, last = run.at, FIRST + run.generations - 1
    at.voice.note("its three enactors start")
    run.publish(FIRST - 1)
    run.start("A")
    run.carried_out(FIRST - 1, "A")
    at.probe()
    for actor in "BC":
        run.start(actor)
        at.until(lambda actor=actor: run.told(actor), f"{actor} is there")  # type: ignore[misc]
    for actor in ACTORS:
        at.hold(actor, plans.lock_name(NAME))
    run.publish(FIRST)
    held = {actor: at.wait_held(actor) for actor in ACTORS}
    for actor in "AB":
        at.let_in(held[actor])
    run.carried_out(FIRST, "AB")
    at.tell(
        "held",
        "enactor C",
        f"takes plan {FIRST}, finds it newer than what is applied, once, and asks for the lock; that request waits at "
        f"the provider's door. A and B carry {FIRST} out",
    )
    for plan in range(FIRST + 1, last + 1):
        at.voice.note(f"plan {plan} of {last}")
        run.publish(plan)
        run.carried_out(plan, "AB")
    at.tell("pass", "planner", f"plans {FIRST + 1}–{last} are carried out by A and B; C still holds {FIRST}")


def _late_flip(run: AsBuilt) -> None:
    at, last = run.at, FIRST + run.generations
    run.running["B"].kill()  # wherever it is: the next one is a new core, and takes the latest plan
    tree = f"{plans.tree_name(NAME, FIRST)}"
    at.hold("A", f"<Name>{tree}")
    run.publish(last)
    sweep = at.wait_held("A")
    assert plans.root(run.zone()) == last
    at.tell(
        "old",
        "enactor A",
        f"completes {last} everywhere; its clean-up finds plan {FIRST} far behind its own, and is about to delete it",
    )
    lock = at.wait_held("C")
    at.hold("C", plans.rollback_name(NAME))
    at.let_in(lock)
    flip = at.wait_held("C")
    run.running["C"].freeze()
    at.let_in(flip)
    at.until(lambda: plans.root(run.zone()) == FIRST, f"the root is at plan {FIRST}")
    at.tell(
        "late",
        "enactor C",
        f"gets the lock, and points the root at plan {FIRST}: the provider checks who holds the lock, and nobody "
        f"checks that {FIRST} is older than {last}",
        wrong=f"backwards: the root went from plan {last} to plan {FIRST}",
    )
    at.let_in(sweep)
    at.until(lambda: FIRST not in plans.trees(run.zone()), f"plan {FIRST} is gone")
    at.tell(
        "clean",
        "enactor A",
        f"its clean-up deletes plan {FIRST}, to which the root refers",
        wrong=f"emptied: the root refers to plan {FIRST}, which is gone",
    )


def _for_good(run: AsBuilt) -> bool:
    """Every enactor meets the same obstacle, with each later plan; whether no plan can be installed any more."""
    at, plan = run.at, FIRST + run.generations + 1
    run.running["A"].freeze()  # it would do the same; whoever comes first is blocked, and keeps the lock
    run.publish(plan)
    since = len(run.told("B"))
    run.start("B")
    one = run.failed("B", plan, since)
    at.tell(
        "next",
        "enactor B",
        f"takes plan {plan}, and tries to point root and rollback at {plan} and {FIRST} in one batch",
        refused=one["refused"],
    )
    words = ""
    for number, actor in enumerate("CAB"[:AFTERWARDS], start=1):
        for other in ACTORS:
            run.running[other].kill()
        since = len(run.told(actor))
        run.publish(plan + number)
        run.start(actor)
        words = run.failed(actor, plan + number, since)["refused"]
    for actor in "CA":
        run.start(actor)
    newest = plan + AFTERWARDS
    dug = at.tell(
        "after",
        "enactors",
        f"are killed and started again; plans {plan + 1}–{newest}: C, A and B each meet the same obstacle",
        refused=words,
    )
    zones = [run.zone(name) for name in run.zones]
    return dug.is_empty and plans.root(run.zone()) == FIRST and NAME in is_stuck(run.how, newest + 1, zones)
