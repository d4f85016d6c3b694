"""Mutants of trees: how they are named, built, flipped to, repaired and collected."""

from typing import Final

from .mutant import Judge, Mutant

_RAISES: Final = "core/raising.py"
_REACHES: Final = "core/reach.py"
_COLLECTS: Final = "core/collector.py"
_UNNEEDED: Final = "core/unneeded.py"
_NAMES: Final = "model/tree.py"
_SEARCHED: Final[tuple[Judge, ...]] = ("search",)
_ASSERTED: Final = (
    "    asserted = tuple(dict.fromkeys(as_seen(owner, rtype, rrset) for owner, rtype, rrset in sights))\n"
)

TREES: Final[tuple[Mutant, ...]] = (
    Mutant(
        name="a collection does not assert the marker",
        file=_COLLECTS,
        old=_ASSERTED,
        new=_ASSERTED.replace("in sights)", "in (sights[0], *sights[2:]))"),
        rule="clean-up: its change asserts the exact marker under which root and rollback were read",
        expected=("G3", "G8"),
        judges=_SEARCHED,
        runs=("tree collection", "tree frozen"),
        marked=True,
    ),
    Mutant(
        name="a collection does not assert root",
        file=_COLLECTS,
        old=_ASSERTED,
        new=_ASSERTED.replace("in sights)", "in (*sights[:2], *sights[4:]))"),
        rule="clean-up: it asserts what root points at, where the provider can",
        expected=("G1", "G3"),
        judges=_SEARCHED,
        runs=("tree collection",),
    ),
    Mutant(
        name="a collection does not assert the rollback alias",
        file=_COLLECTS,
        old=_ASSERTED,
        new=_ASSERTED.replace("in sights)", "in sights[:4])"),
        rule="clean-up: it asserts what the rollback alias points at, where the provider can",
        expected=("G3",),
        judges=_SEARCHED,
        runs=("tree collection",),
    ),
    Mutant(
        name="a collection does not assert the floor's state",
        file=_UNNEEDED,
        old="    if floor.frozen:\n",
        new="    if floor.frozen and not stream:\n",
        rule="operators: nobody writes under a frozen floor, who collects included",
        expected=("G8",),
        judges=_SEARCHED,
        runs=("tree frozen",),
    ),
    Mutant(
        name="trees are judged by the plan's generation",
        file=_COLLECTS,
        old="    surplus = unneeded_of(suspect.trees, marker,",
        new="    surplus = unneeded_of(suspect.trees, replace(marker, since=progress.plan.generation),",
        rule="clean-up compares since, never how far a plan has come: so it was in October 2025",
        expected=("G1", "G3"),
        judges=_SEARCHED,
        runs=("tree under way",),
        marked=True,
    ),
    Mutant(
        name="what root points at is collected",
        file=_UNNEEDED,
        old="tree.since < marker.since and tree not in referred and tree not in kept",
        new="tree.since < marker.since and tree not in kept",
        rule="clean-up never takes what root or rollback point at",
        expected=("G1", "G3"),
        judges=_SEARCHED,
        runs=("tree collection",),
    ),
    Mutant(
        name="a flip asserts nothing of its tree",
        file=_RAISES,
        old="    asserted = list(_records_asserted(reversed(records(entry)), elements))\n",
        new="    asserted: list[Prerequisite] = []\n",
        rule="layouts: a tree damaged or collected since it was verified makes the flip lose",
        expected=("G1", "G3", "G5"),
        judges=_SEARCHED,
        runs=("tree flip",),
        marked=True,
    ),
    Mutant(
        name="a flip without verification",
        file=_RAISES,
        old="        if stands == rrset:\n            continue\n",
        new="        if stands == rrset or owner != records(entry)[-1][0]:\n            continue\n",
        rule="layouts: a tree is verified whole before the flip",
        expected=("G1", "G3", "G4", "G5"),
        judges=_SEARCHED,
        runs=("tree flip", "tree damage"),
    ),
    Mutant(
        name="a current marker excuses its tree",
        file=_REACHES,
        old="    gone, altered = missing(entry, known)\n",
        new="    gone, altered = tuple(records(entry)[:0]), ()\n",
        rule="layouts: a current marker does not excuse an enactor from verifying its tree",
        expected=("G4",),
        judges=_SEARCHED,
        runs=("tree damage",),
    ),
    Mutant(
        name="the rollback alias at a tree that is not whole",
        file=_REACHES,
        old='        if not whole(reading, rtype, known):\n            return ""\n',
        new="",
        rule="layouts: the rollback alias is pointed at the root's present whole tree, kept, or removed",
        expected=("G3", "G4"),
        judges=_SEARCHED,
        runs=("tree damage", "tree flip"),
    ),
    Mutant(
        name="the rollback alias at a tree that is not asserted",
        file=_RAISES,
        old="        asserted += _records_asserted(below(contents, known), left)\n",
        new="        asserted += _records_asserted((), left)\n",
        rule="layouts: what the rollback alias is pointed at is asserted by the change",
        expected=("G3",),
        judges=_SEARCHED,
        runs=("tree flip",),
    ),
    Mutant(
        name="a live tree is mended under its old marker",
        file=_RAISES,
        old="    live = isinstance(marker, Marker) and marker.since == entry.since\n",
        new="    live = isinstance(marker, Marker) and marker.since > entry.since\n",
        rule="3: every change of what is live replaces the marker",
        expected=("G2",),
        judges=_SEARCHED,
        runs=("tree flip",),
    ),
    Mutant(
        name="one tree for all generations",
        file=_NAMES,
        old="    return TreeName(tree_parent(entry.name, entry.zone), entry.since).top\n",
        new="    return TreeName(tree_parent(entry.name, entry.zone), 0).top\n",
        rule="layouts: records live under the entry's since, so that nobody builds over another generation's leaves",
        expected=("G1", "G2", "G3", "G5"),
        judges=_SEARCHED,
        runs=("tree flip", "tree damage"),
    ),
    Mutant(
        name="trees named by the plan's generation",
        file="core/change.py",
        old="    for entry, sighting, verdict in verdicts:\n        match verdict:\n",
        new="    for entry, sighting, verdict in verdicts:\n"
        "        entry = structs.replace(entry, since=task.plan.generation if entry.has_tree else entry.since)\n"
        "        match verdict:\n",
        rule="layouts: never the plan's generation, or two plans with the same entry flip each other for ever",
        expected=("G2", "G4", "G5"),
        judges=_SEARCHED,
        runs=("tree named",),
    ),
    Mutant(
        name="a rollback alias outlives its trees",
        file=_RAISES,
        old="for owner, rtype in rollback_keys(entry)) if entry.knew_tree else ()",
        new="for owner, rtype in ()) if entry.knew_tree else ()",
        rule="layouts: an endpoint that has no tree any more has no rollback alias",
        expected=("G4",),
        judges=_SEARCHED,
        runs=("tree to flat",),
    ),
)
