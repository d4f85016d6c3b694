"""The bounds of one run: who is there, which plans, which faults, how many of each that are counted."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from standfast.core.enactor import Occasion
from standfast.core.raising import ELEMENTS
from standfast.model.plan import Plan

Fault: TypeAlias = Literal[
    "lost",
    "late",
    "repeated",
    "blind",
    "partly blind",
    "journal",
    "refused",
]
"""What may go wrong with any request, any number of times (late and repeated ones as flights allow).

lost: the request or its reply; late: it arrives after its sender has given up; repeated: it arrives once more;
blind: a reading fails, or (partly) one of its keys; journal: the intent can't be written; refused: the provider says
no for a moment. That the store is out of reach needs no fault: it always may be.
"""
FAULT_WORDS: Final[dict[Fault, str]] = {
    "lost": "lost requests and replies",
    "late": "late requests",
    "repeated": "repeated requests",
    "blind": "failed readings",
    "partly blind": "readings that fail for one key",
    "journal": "a journal that can't be written",
    "refused": "refusals of a moment",
}
Publishing: TypeAlias = Literal["before", "atomic", "planner"]
"""When plans are published: all at the start, one after the other at any time, or by the planner's own core.

Nothing an enactor does depends on the store but which plans it is given, and a reading of the head may be old; so
"before" has every interleaving that "atomic" has, in fewer states. The tests compare the two.
"""
PATIENCE: Final = 3
"""How many conflicts and failures a pass bears in a search: each more is a copy of the states."""


class Run(Struct, frozen=True, kw_only=True):
    """One search.

    `flights` is how many requests may be under way after their sender has given up or died. `hands` are the acts that
    people may do, `acts` how many of them happen in all. `occasions` wake an idle enactor. `cut_off` enactors never
    hear of a newer plan than the one on their disk. `setbacks`: how often the store is lost or set back.
    `collectors` collect trees, and know any plan there is; `elements` of a tree at most are put in one change.
    `ticks`: how often time passes for those cleaners, who then wait for caches; without, their grace is over.
    `one_by_one` puts each endpoint into a change of its own. `key_by_key`: the keys of one reading come from different
    moments. `distinct`: each enactor has its own name, so they are not interchangeable. `fused`: steps that concern
    nobody else are taken at once. `memory`: what an enactor believes when a pass ends is there in the next; without,
    each pass is that of an enactor that was just started. `admission`: of what is due any part may be admitted or none,
    the zone be closed to a pass, and a pass end wherever a turn may.
    """

    name: str
    about: str
    plans: tuple[Plan, ...]
    enactors: int = 2
    flights: int = 0
    faults: frozenset[Fault] = frozenset()
    hands: tuple[str, ...] = ()
    acts: int = 0
    crashes: bool = True
    occasions: tuple[Occasion, ...] = ("look",)
    publishing: Publishing = "before"
    planners: int = 0
    publications: int = 0
    setbacks: int = 0
    cleaner: bool = False
    collectors: int = 0
    elements: int = ELEMENTS
    ticks: int = 0
    operator: tuple[str, ...] = ()
    commands: int = 0
    cut_off: int = 0
    one_by_one: bool = False
    key_by_key: bool = False
    distinct: bool = False
    fused: bool = True
    memory: bool = True
    admission: bool = False
    patience: int = PATIENCE
    reachable: bool = True
    """Whether G4 is checked in every state: it is the dearest of the properties."""
    survivors: bool = False
    """Whether it is checked of every enactor as well, left alone just as it stands, besides a fresh one."""

    @property
    def operates(self) -> bool:
        """Whether an operator works in the zone itself: freezes, thaws, publishes in an emergency, leaves."""
        return any(verb.startswith(("freeze", "thaw", "emergency", "leave")) for verb in self.operator)

    @property
    def bounds(self) -> str:
        """Everything that limits the run, in words."""
        endpoints = max((len(plan.shards) - 1 for plan in self.plans), default=1)
        plans = len(self.plans) or self.publications
        many = "s" * (self.enactors > 1)
        parts = [f"{self.enactors} enactor{many} × {plans} plans × {endpoints} endpoint{'s' * (endpoints > 1)}"]
        parts.append(f"{self.flights} late request{'s' * (self.flights != 1)} under way")
        parts.append("crash and restart at any time" if self.crashes else "no crashes")
        if self.faults:
            parts.append(", ".join(FAULT_WORDS[fault] for fault in sorted(self.faults)))
        if self.acts:
            parts.append(f"{self.acts} act{'s' * (self.acts > 1)} by hand, of: {', '.join(self.hands)}")
        if self.commands:
            parts.append(f"{self.commands} command{'s' * (self.commands > 1)} of: {', '.join(self.operator)}")
        if self.cut_off:
            parts.append(f"{self.cut_off} enactor cut off, with any plan on its disk")
        if self.planners:
            parts.append(f"{self.planners} planner{'s' * (self.planners > 1)}")
        if self.setbacks:
            parts.append(f"the store is lost or set back {self.setbacks} time{'s' * (self.setbacks > 1)}")
        if self.cleaner:
            parts.append("1 cleaner")
        if self.collectors:
            parts.append(f"{self.collectors} cleaner{'s' * (self.collectors > 1)} of trees, with any plan")
        if self.ticks:
            parts.append(f"{self.ticks} ticks of time, and caches that remember for some")
        if self.elements != ELEMENTS:
            parts.append(f"{self.elements} record{'s' * (self.elements > 1)} of a tree in a change")
        if self.key_by_key:
            parts.append("readings key by key")
        if self.one_by_one:
            parts.append("a change for each endpoint")
        if self.distinct:
            parts.append("enactors told apart")
        if self.admission:
            parts.append("any part of what is due admitted, passes that end at any turn")
        kept = "memory from pass to pass" if self.memory else "each pass that of an enactor just started"
        parts.append(f"{kept}; a pass ends with failure {self.patience}")
        if not self.reachable:
            parts.append("G4 not checked")
        return "; ".join(parts)
