"""Mutants of what operators do in a zone directly: the seal, emergency publish, take-over, the way out."""

from typing import Final

from .mutant import Judge, Mutant

_SEALS: Final = "core/freezer.py"
_PUBLISHES: Final = "core/emergency.py"
_LEAVES: Final = "core/leaving.py"
_DRAFTS: Final = "core/drafting.py"
_PLANS: Final = "core/publisher.py"
_SEARCHED: Final[tuple[Judge, ...]] = ("search",)
_BY_HAND: Final[tuple[Judge, ...]] = ("schedules",)

OPERATORS: Final[tuple[Mutant, ...]] = (
    Mutant(
        name="a second seal keeps the first entry's nonce",
        file=_SEALS,
        old="        if changes or renew or name == self.first:\n",
        new="        if changes or renew:\n",
        rule="operators: from sealed on nothing lands that was sent before, a freeze of a lost floor included",
        expected=("G8",),
        judges=_SEARCHED,
        runs=("seal twice",),
    ),
    Mutant(
        name="an emergency below the floor",
        file=_PUBLISHES,
        old="    generation = 1 + max(floor.generation, own, above)\n",
        new="    generation = 1 + max(floor.generation - 1, above)\n",
        rule="operators: emergency publish is max(markers, floor) + 1",
        expected=("G2", "G5", "an_emergency_is_above"),
        judges=("search", "schedules"),
        runs=("emergency",),
    ),
    Mutant(
        name="an emergency leaves the floor",
        file=_PUBLISHES,
        old="        return Change(sights, ready, EMERGENCY, (intended,), raised, (part,))\n",
        new="        return Change(sights, ready, EMERGENCY, (intended,), None, (part,))\n",
        rule="5: a write above the floor raises it in the same change",
        expected=("G2",),
        judges=_SEARCHED,
        runs=("emergency",),
    ),
    Mutant(
        name="an emergency under a frozen floor",
        file=_PUBLISHES,
        old="    if floor.frozen:\n",
        new="    if floor.frozen and not name:\n",
        rule="operators: nobody writes under a frozen floor, an emergency included",
        expected=("G8",),
        judges=_SEARCHED,
        runs=("emergency",),
    ),
    Mutant(
        name="an emergency under a frozen marker",
        file=_PUBLISHES,
        old="    if isinstance(marker, Marker) and marker.frozen:\n",
        new="    if isinstance(marker, Marker) and marker.frozen and not name:\n",
        rule="operators: nobody writes under a frozen marker, an emergency included",
        expected=("G8",),
        judges=_SEARCHED,
        runs=("emergency",),
    ),
    Mutant(
        name="an emergency over a tombstone",
        file=_PUBLISHES,
        old='    if isinstance(marker, Marker) and marker.state == "retired":\n',
        new='    if isinstance(marker, Marker) and marker.state == "retired" and not name:\n',
        rule="8: a tombstone stands for ever",
        expected=("an_emergency_is_no_way_around",),
        judges=_BY_HAND,
    ),
    Mutant(
        name="an emergency is planned over",
        file=_PLANS,
        old="    drawn = _draft(task, followed, context)\n",
        new="    drawn = _draft(task, base.previous, context)\n",
        rule="operators: what was published without a plan is taken over by the planner, held",
        expected=("a_planner_takes_over", "without_any_plan", "cannot_be_read"),
        judges=_BY_HAND,
    ),
    Mutant(
        name="an operator's change does not assert markers",
        file=_DRAFTS,
        old="    return Write(mark.name, asserted, (*contents, *cleared))\n",
        new="    return Write(mark.name, asserted[:0], (*contents, *cleared))\n",
        rule="3: every change asserts the exact marker that it replaces or takes away",
        expected=("G2", "G8", "G10", "asserts", "crosses"),
        judges=("search", "schedules"),
        runs=("leaving", "frozen endpoint"),
    ),
    Mutant(
        name="leaving under a freeze",
        file=_LEAVES,
        old="            if isinstance(marker, Marker) and marker.stream == self.stream and marker.frozen:\n",
        new="            if isinstance(marker, Marker) and not marker.stream:\n",
        rule="operators: nobody writes under a freeze, nor leaves",
        expected=("G8",),
        judges=_SEARCHED,
        runs=("leaving",),
    ),
    Mutant(
        name="leaving keeps the floor's nonce",
        file=_LEAVES,
        old="        if not self.left:\n            return Change(sights, floor.generation, NO_PLAN, (), floor, ())\n",
        new="""        if not self.left:
            self = replace(self, left=sights.floor.rdata if sights.floor else ())
""",
        rule="operators: whatever was sent before asserts a floor that is gone",
        expected=("G8", "G2", "lands_after_leaving", "way_out"),
        judges=("search", "schedules"),
        runs=("leaving",),
    ),
    Mutant(
        name="leaving leaves the floor",
        file=_LEAVES,
        old="intended, None, parts, floor_goes=True)\n",
        new="intended, floor, parts, floor_goes=False)\n",
        rule="operators: nothing of ours is left",
        expected=("G8", "way_out"),
        judges=("search", "schedules"),
        runs=("leaving",),
    ),
    Mutant(
        name="leaving takes another stream's markers",
        file=_LEAVES,
        old="        return not isinstance(marker, Marker) or marker.stream == self.stream\n",
        new="        return True\n",
        rule="8: another stream's marker is not ours to touch",
        expected=("other_streams_stay",),
        judges=_BY_HAND,
    ),
    Mutant(
        name="a take-over of what is frozen",
        file=_PUBLISHES,
        old="    if isinstance(marker, Marker) and marker.frozen:\n",
        new="    if isinstance(marker, Marker) and marker.frozen and marker.stream == sights.stream:\n",
        rule="8, operators: a freeze binds every stream",
        expected=("crosses_another",),
        judges=_BY_HAND,
    ),
)
