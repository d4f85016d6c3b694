"""Mutants of the provider's own health checks: who makes them twice, and who deletes what is still named."""

from typing import Final

from .mutant import Judge, Mutant

_TESTS: Final[tuple[Judge, ...]] = ("checks",)
_KEEPER: Final = "core/checkkeeper.py"
_COLLECTOR: Final = "core/checkcollector.py"
_ONCE: Final = "a check is made by a reference that is a digest of all that it is"
_NAMED: Final = "G3: a check is never deleted while anything names it"

CHECKS: Final = (
    Mutant(
        name="every check under a reference of its own",
        file="model/check.py",
        old='    return f"{owner_mark(stream, zone)}{what[:32]}-{turn}"\n',
        new="""    from random import random

    return f"{owner_mark(stream, zone)}{what[:9]}{random():.12f}-{turn}"
""",
        rule=_ONCE,
        expected=("schedule",),
        judges=_TESTS,
    ),
    Mutant(
        name="what can't be listed is gone",
        file=_KEEPER,
        old="            return _ended(Making(self.task, self.task.wanted), reply.why)\n",
        new="            reply = ChecksListed(())\n",
        rule="G6: unknown is not empty",
        expected=("G6",),
        judges=_TESTS,
    ),
    Mutant(
        name="a doomed check is used again",
        file=_KEEPER,
        old="            case CheckMade(one) if one not in self.task.doomed:\n",
        new="            case CheckMade(one):\n",
        rule="what is doomed is never used again",
        expected=("G3", "schedule"),
        judges=_TESTS,
    ),
    Mutant(
        name="parts of a check that can't be made whole are nobody's",
        file=_KEEPER,
        old="    checks += _unfinished(making)\n",
        new="",
        rule="a used-up quota spends no reference after the other",
        expected=("schedule",),
        judges=_TESTS,
    ),
    Mutant(
        name="an edited check is set back for ever",
        file=_KEEPER,
        old="        mending = tuple(pair for pair in edited if pair[0].id not in self.task.leave)\n",
        new="        mending = tuple(edited)\n",
        rule="9: what comes back at once is meant by somebody",
        expected=("schedule",),
        judges=_TESTS,
    ),
    Mutant(
        name="collector of checks ignores record sets",
        file=_COLLECTOR,
        old="        start = replace(self.start, ids=self.start.ids - reply.ids)\n",
        new="        start = self.start\n",
        rule=_NAMED,
        expected=("G3",),
        judges=_TESTS,
    ),
    Mutant(
        name="collector of checks ignores plans",
        file=_COLLECTOR,
        old="        ids = self.start.ids - frozenset().union(*named.values())\n",
        new="        ids = self.start.ids\n",
        rule=_NAMED,
        expected=("G3",),
        judges=_TESTS,
    ),
    Mutant(
        name="collector of checks does not wait for the markers",
        file=_COLLECTOR,
        old="            if not isinstance(marker, Marker) or not known or marker.since < entry.since:\n",
        new="            if isinstance(marker, Marker) and not known:\n",
        rule="a check goes only when no older entry can still be written",
        expected=("G3",),
        judges=_TESTS,
    ),
    Mutant(
        name="collector looks at the zone before it dooms",
        file=_COLLECTOR,
        old="        return Doom((self.task.doomed & there) | {one.id for one in self.ours})\n",
        new="        return Doom(self.task.doomed & there)\n",
        rule="first doomed, then looked for, then deleted",
        expected=("schedule", "G3"),
        judges=_TESTS,
    ),
    Mutant(
        name="collector of checks takes others'",
        file=_COLLECTOR,
        old="            if (said.get(STREAM_TAG), said.get(ZONE_TAG)) == (self.task.stream, self.task.zone):\n",
        new="            if said:\n",
        rule="only what is tagged as this stream's in this zone",
        expected=("G3",),
        judges=_TESTS,
    ),
    Mutant(
        name="plans do not name the doomed",
        file="runtime/checkboards.py",
        old="        return tuple((board.source, board.revision) for board in (self._checks, self._doomed))\n",
        new="        return ((self._checks.source, self._checks.revision),)\n",
        rule="planner: publishing asserts that the store holds no newer source",
        expected=("G3",),
        judges=_TESTS,
    ),
    Mutant(
        name="a rollback brings dead checks back",
        file="core/layout.py",
        old="now = {one.health_check: check_for(some, one.load_balancer, one.addresses) for one in entry.members}\n",
        new="now = {one.health_check: one.health_check for one in entry.members if some}\n",
        rule=_NAMED,
        expected=("schedule", "G3"),
        judges=_TESTS,
    ),
    Mutant(
        name="an address that can't be reached is checked",
        file="runtime/checkwishes.py",
        old='    if checks.kind == "auto" and closed:\n',
        new='    if checks.kind == "never" and closed:\n',
        rule="a check that always fails would take a load balancer out",
        expected=("schedule",),
        judges=_TESTS,
    ),
)
