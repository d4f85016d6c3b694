"""Mutants of design rule 5: the floor, which remembers for markers that are gone, and refills without a marker."""

from typing import Final

from .mutant import Mutant

_WRITES: Final = "core/drafting.py"
_JUDGES: Final = "core/judgement.py"
_LOOKS: Final = "core/change.py"

FLOORS: Final = (
    Mutant(
        name="floor not asserted",
        file=_WRITES,
        old="        return Write(owner, asserted, ())\n    raised =",
        new="        return Write(owner, (), ())\n    raised =",
        rule="5: every change asserts the floor's exact bytes, or its absence",
        expected=("G2", "G8"),
        runs=("seal",),
        marked=True,
    ),
    Mutant(
        name="floor put without asserting it",
        file=_WRITES,
        old="    return Write(owner, asserted, (Content(owner, RRType.TXT, MARKER_TTL, (raised,)), *cleared))",
        new="    return Write(owner, (), (Content(owner, RRType.TXT, MARKER_TTL, (raised,)), *cleared))",
        rule="5: every change asserts the floor's exact bytes, or its absence",
        expected=("G2", "G8"),
        runs=("late write",),
        marked=True,
    ),
    Mutant(
        name="floor not raised",
        file=_WRITES,
        old="    if floor.lost or blind or plan.generation > floor.generation:\n",
        new="    if floor.lost or blind:\n",
        rule="5: a write with a plan above the floor sets it to that plan's generation in the same change",
        expected=("G2",),
        runs=("late creation",),
        marked=True,
    ),
    Mutant(
        name="creation leaves the floor's nonce",
        file=_WRITES,
        old="    if floor.lost or blind or plan.generation > floor.generation:\n",
        new="    if floor.lost or plan.generation > floor.generation:\n",
        judges=("search",),
        runs=("late creation", "frozen endpoint", "seal of nothing"),
        equivalent="a late creation is by a plan that the floor has passed, or brings what stands there; "
        "freezes renew the floor themselves",
        expected=(),
        rule="5: a write against a missing or unreadable marker gives the floor a fresh nonce",
        marked=True,
    ),
    Mutant(
        name="a lost floor stays lost",
        file=_WRITES,
        old="    if floor.lost or blind or plan.generation > floor.generation:\n",
        new="    if blind or plan.generation > floor.generation:\n",
        rule="5: every write under a missing or unreadable floor rebuilds it",
        expected=("G4", "G2"),
        runs=("damage",),
        marked=True,
    ),
    Mutant(
        name="a missing marker is permission",
        file=_JUDGES,
        old="    elif plan.generation < floor.generation or refills_only:\n",
        new="    elif refills_only:\n",
        rule="5: a write against a missing marker needs a plan at or above the floor",
        expected=("G2",),
        runs=("old plan",),
        marked=True,
    ),
    Mutant(
        name="a lost floor rebuilt at one's own generation",
        file=_LOOKS,
        old="        generation = max([task.plan.generation, *(marker.generation for marker in readable)])\n",
        new="        generation = task.plan.generation\n",
        rule="5: a lost floor is rebuilt as the highest generation that any marker names",
        expected=("G2",),
        runs=("old plan",),
        marked=True,
    ),
    Mutant(
        name="a marker that was not read is absent",
        file=_LOOKS,
        old="""        failed = next((value for value in reply.values if isinstance(value, Unknown)), None)
        if failed is not None:
            return all_end(task, "blind", failed.why)
        found: dict""",
        new="        found: dict",
        rule="5, G6: the floor is rebuilt from all markers, each read; a failed reading is no absence",
        expected=("G2",),
        judges=("simulation", "schedules"),
    ),
    Mutant(
        name="anybody creates the floor",
        file=_LOOKS,
        old="    if full and floor.orphan and all(",
        new="    if full and floor.orphan and not full and all(",
        rule="5: if no marker is readable, only the zone's first entry may create the floor",
        expected=("G2", "G4"),
        runs=("emptied twice",),
        marked=True,
    ),
    Mutant(
        name="the survey believes what was read before it",
        file=_LOOKS,
        old="            if now == sighting.marker or literal:\n",
        new="            if True or literal:\n",
        judges=("search",),
        runs=("half read", "lost floor"),
        equivalent="what was read is asserted by the change, so that a marker that moved is a conflict; this "
        "spares the conflict",
        expected=(),
        rule="5: the markers from which a floor is rebuilt are read after its absence was seen",
    ),
    # Refills
    Mutant(
        name="a refill leaves a marker",
        file=_JUDGES,
        old="    return RefillDue(short, ",
        new="    return Due(",
        rule="5: a refill writes no marker: one would let a plan in between pass",
        expected=("G2",),
        runs=("old plan",),
        marked=True,
    ),
    Mutant(
        name="a refill leaves the floor's nonce",
        file=_WRITES,
        old="        return floor.generation\n",
        new="        return None\n",
        judges=("search",),
        runs=("late refill", "seal of nothing"),
        equivalent="a second refill asserts the same addresses, and any other change of the endpoint brings a marker",
        expected=(),
        rule="5: a refill gives the floor a fresh nonce",
        marked=True,
    ),
    Mutant(
        name="a refill asserts no addresses",
        file=_WRITES,
        old="        prerequisites.append(as_seen(entry.name, rtype, seen if present else None))\n",
        new="        # the addresses are whatever they are\n",
        judges=("search",),
        runs=("late refill",),
        equivalent="marker's absence and the floor's nonce say already that no write of ours came between; "
        "the rest is what people did",
        expected=(),
        rule="5: a refill asserts each address rrset exactly as observed",
        marked=True,
    ),
    Mutant(
        name="a refill asserts no marker",
        file=_WRITES,
        old="    prerequisites, puts = list(asserted), list(cleared)\n",
        new="    prerequisites, puts = [], list(cleared)\n",
        rule="5: a refill asserts the marker's absence or exact unreadable bytes",
        expected=("G2", "G5", "G8"),
        runs=("marker put back",),
        marked=True,
    ),
    Mutant(
        name="a refill writes every family",
        file=_WRITES,
        old="""        if rtype in judgement.rtypes and wanted is not None:
            puts.append(_put(entry.name, rtype, wanted))
""",
        new="        puts.append(Content(entry.name, rtype, 60, wanted.rdata if wanted else ()))\n",
        rule="5: a refill writes only the families below min_answers; every other stays",
        expected=("G1",),
        judges=("simulation", "schedules"),
        marked=True,
    ),
)
