"""Mutants of how a cleaner treats trees that no plan knows, how long it waits, and how many trees it keeps."""

from typing import Final

from .mutant import Judge, Mutant

_COLLECTS: Final = "core/collector.py"
_ORPHANS: Final = "core/orphans.py"
_UNNEEDED: Final = "core/unneeded.py"
_SEARCHED: Final[tuple[Judge, ...]] = ("search",)
_TESTED: Final[tuple[Judge, ...]] = ("trees",)
_ASSERTED: Final = (
    "    asserted = tuple(dict.fromkeys(as_seen(owner, rtype, rrset) for owner, rtype, rrset in sights))\n"
)

ORPHANS: Final[tuple[Mutant, ...]] = (
    Mutant(
        name="a collection does not assert the floor",
        file=_COLLECTS,
        old=_ASSERTED,
        new=_ASSERTED.replace("in sights)", "in sights[1:])"),
        rule="clean-up: where there is no marker the floor fences; and every change of ours asserts it (freeze)",
        expected=("G3", "G8"),
        judges=_SEARCHED,
        runs=("tree frozen", "tree orphans frozen"),
        marked=True,
    ),
    Mutant(
        name="without a marker every tree is unclaimed",
        file=_UNNEEDED,
        old="if not head < tree.since <= floor.generation)\n",
        new="if tree.since > 0)\n",
        rule="clean-up: without a marker no tree goes that a plan above ours may be building",
        expected=("G3",),
        judges=_SEARCHED,
        runs=("tree orphans",),
    ),
    Mutant(
        name="without a marker a floor below the head will do",
        file=_ORPHANS,
        old="        if floor.generation < head:\n",
        new="        if floor.generation < 0:\n",
        rule="clean-up: without a marker nothing goes while a plan that was lost may still be written",
        expected=("G3",),
        judges=_SEARCHED,
        runs=("tree orphans forgotten",),
    ),
    Mutant(
        name="an orphan's trees go whatever leads there",
        file=_ORPHANS,
        old="        if tree in some:\n",
        new="        if tree in some and not owner:\n",
        rule="clean-up: of an endpoint in no plan nothing goes that any name of the zone leads to",
        expected=("schedule",),
        judges=_TESTED,
    ),
    Mutant(
        name="another stream's floor says nothing",
        file=_ORPHANS,
        old="    if some and others and isinstance(marker, Absent):\n",
        new="    if some and others and not isinstance(marker, Absent | Marker):\n",
        rule="clean-up: without a marker trees may be what another stream of the zone builds",
        expected=("schedule",),
        judges=_TESTED,
    ),
    Mutant(
        name="a marker of another stream is nobody's",
        file=_ORPHANS,
        old="    return suspect.orphan and isinstance(marker, Marker) and marker.stream != stream\n",
        new="    return False\n",
        rule="8: another stream's endpoint is its own affair, and nothing to tell",
        expected=("schedule",),
        judges=_TESTED,
    ),
    Mutant(
        name="a zone that can't be looked through is empty",
        file=_COLLECTS,
        old="            return _combed(replace(progress, told=(*progress.told, why)), self.zones[1:])\n",
        new="            return _combed(replace(progress, combed=(*progress.combed, at)), self.zones[1:])\n",
        rule="G6: unknown is not empty",
        expected=("schedule",),
        judges=_TESTED,
    ),
    Mutant(
        name="grace is counted from the beginning of a pass",
        file=_UNNEEDED,
        old="    return tuple(replace(one, at=ended) if one.at == began else one for one in memory)\n",
        new="    return memory\n",
        rule="clean-up: who may have cached a tree's names is waited for, from when something last led there",
        expected=("G1",),
        judges=_SEARCHED,
        runs=("tree waiting",),
    ),
    Mutant(
        name="no grace",
        file=_UNNEEDED,
        old="        if wait_s is not None and now - known.at >= max(ttl + wait_s, least_s):\n",
        new="        if wait_s is not None:\n",
        rule="clean-up: it waits out the largest TTL ever served, negative answers, and lag",
        expected=("G1",),
        judges=_SEARCHED,
        runs=("tree waiting",),
    ),
    Mutant(
        name="a tree_grace that is too short is believed",
        file=_UNNEEDED,
        old="max(ttl + wait_s, least_s)",
        new="(least_s or ttl + wait_s)",
        rule="clean-up: never shorter than what is served",
        expected=("schedule",),
        judges=_TESTED,
    ),
    Mutant(
        name="who was retired keeps trees to look back",
        file=_ORPHANS,
        old="        keep = progress.charge.keep if suspect.treed or answering else 0\n",
        new="        keep = progress.charge.keep\n",
        rule="clean-up: retention is for endpoints that answer by a tree",
        expected=("schedule",),
        judges=_TESTED,
    ),
)
