"""Mutants of the write protocol: what an enactor asserts, compares, writes and believes (rules 2, 3, 6 to 10)."""

from typing import Final

from .mutant import Mutant

_WRITES: Final = "core/drafting.py"
_JUDGES: Final = "core/judgement.py"
_LOOKS: Final = "core/change.py"
_SETTLES: Final = "core/writing.py"

PROTOCOL: Final = (
    # Rule 2: compare-and-set on the very marker, and comparing since
    Mutant(
        name="no endpoint prerequisite",
        file=_WRITES,
        old="return Write(entry.name, prerequisites, (*contents, *cleared))",
        new="return Write(entry.name, (), (*contents, *cleared))",
        rule="2: the write asserts the very marker it was judged by",
        expected=("G2", "G8"),
        runs=("late write",),
        marked=True,
    ),
    Mutant(
        name="blind writes",
        file=_WRITES,
        old="    return (Prerequisite(owner, RRType.TXT, seen.rdata if seen else ()),), ()\n",
        new="    return (), ()\n",
        rule="2, 5: as the tools of the field write, asserting nothing",
        expected=("G2", "G8"),
        runs=("late write",),
        marked=True,
    ),
    Mutant(
        name="since compared for difference",
        file=_JUDGES,
        old="""    if marker.since > entry.since:
        return Leave("superseded", f"its marker is at {marker.since}, above this plan's {entry.since}")
""",
        new="""    if marker.since > entry.since:
        return Due("it differs")
""",
        rule="2: write only if the marker's since is lower, or equal with damage",
        expected=("G2",),
        runs=("old plan",),
        marked=True,
    ),
    Mutant(
        name="since compared off by one",
        file=_JUDGES,
        old="    if marker.since > entry.since:\n",
        new="    if marker.since > entry.since + 1:\n",
        rule="2: write only if the marker's since is lower, or equal with damage",
        expected=("G2",),
        runs=("old plan",),
        marked=True,
    ),
    Mutant(
        name="a plan that was lost wins",
        file=_JUDGES,
        old="    if marker.since < entry.since and marker.generation > plan.generation:\n",
        new="    if marker.since < entry.since and marker.generation > plan.generation + 1000:\n",
        rule="2, 10: a marker of a newer plan that does not know this entry's since is of another history",
        expected=("G2", "G4", "schedule"),
        judges=("simulation", "schedules"),
    ),
    # Rule 3: every change replaces the marker; what a marker says never goes back
    Mutant(
        name="a repair lowers the marker's generation",
        file=_WRITES,
        old="    if isinstance(before, Marker) and before.generation > generation:\n",
        new="    if isinstance(before, Marker) and before.generation > generation + 1000:\n",
        rule="3, 5: a lost floor is rebuilt from the generations that markers name, so a repair never lowers one",
        expected=("G2",),
        runs=("repair",),
    ),
    Mutant(
        name="checksum ignored",
        file="model/marker.py",
        old="    if checksum != _checksum(body, zone, owner):\n",
        new="    if not checksum:\n",
        rule="3: a wrong checksum is damage, not authority",
        expected=("G2", "G4", "a_marker_copied", "a_wildcard"),
        judges=("simulation", "schedules"),
        marked=True,
    ),
    Mutant(
        name="one nonce for all",
        file=_SETTLES,
        old="        task = self.task\n        change = change_of(",
        new='        task, reply = self.task, Nonce("0" * 16)\n        change = change_of(',
        runs=("lost reply",),
        expected=("G10",),
        rule="3: a marker value never repeats",
        marked=True,
    ),
    # Rule 6: whole rrsets
    Mutant(
        name="a CNAME is left beside",
        file=_WRITES,
        old="        for rtype in FLAT_TYPES:\n",
        new="        for rtype in ADDRESS_TYPES:\n",
        rule="6: a flat write also deletes CNAME, observed or not",
        expected=("G1", "G5", "G4"),
        runs=("damage",),
        marked=True,
    ),
    Mutant(
        name="a family that went is left",
        file=_WRITES,
        old="            rrset = entry.rrset(rtype)\n",
        new="            if (rrset := entry.rrset(rtype)) is None:\n                continue\n",
        rule="6: the payload is always whole rrsets",
        expected=("G5", "G4"),
        runs=("families",),
        marked=True,
    ),
    Mutant(
        name="marker without addresses",
        file=_WRITES,
        old='    if entry.kind != "first":\n        for rtype in FLAT',
        new='    if entry.kind == "retired":\n        for rtype in FLAT',
        rule="1: payload and marker go in one change",
        expected=("G5", "G4", "G1"),
        runs=("damage",),
    ),
    Mutant(
        name="no repair",
        file=_JUDGES,
        old="    if contents is not None and (damage := damage_of(entry, contents, known)):\n",
        new="    if contents == () and (damage := damage_of(entry, contents, known)):\n",
        rule="2: equal since with damage is repaired",
        expected=("G4",),
        runs=("damage",),
        marked=True,
    ),
    # Rule 7: what is not known is settled by reading
    Mutant(
        name="no answer is taken for written",
        file=_SETTLES,
        old="                return Settling(self.drawn, self.change, self.nonce, why)\n",
        new="                return _written(self.drawn, self.change, self.nonce)\n",
        rule="7: a lost reply is settled by reading",
        expected=("G10",),
        runs=("lost reply",),
        marked=True,
    ),
    Mutant(
        name="anybody's marker settles",
        file=_SETTLES,
        old="        if isinstance(record, Marker | Floor) and record.nonce == self.nonce:\n",
        new="        if isinstance(record, Marker | Floor):\n",
        rule="7: the nonce says whether ours won",
        expected=("G10",),
        runs=("lost reply",),
        marked=True,
    ),
    Mutant(
        name="wildcards believed",
        file=_LOOKS,
        old="    if doubts := _doubts(sights):\n",
        new="    if doubts := _doubts(sights)[:0]:\n",
        rule="7: a reading that a wildcard could have made is confirmed before it is asserted",
        expected=("G4", "a_wildcard"),
        judges=("simulation", "schedules"),
        marked=True,
    ),
    Mutant(
        name="garbage blocks",
        file=_JUDGES,
        old="    if isinstance(marker, Marker):\n        verdict =",
        new="""    if not isinstance(marker, Marker) and getattr(marker, "rdata", ()):
        return Leave("unsafe", "its marker can't be read")
    if isinstance(marker, Marker):
        verdict =""",
        rule="3, G4: what does not check is damage, and damage is repaired",
        expected=("G4",),
        runs=("damage",),
        marked=True,
    ),
    # Rule 8 and freezes: what is obeyed
    Mutant(
        name="frozen markers ignored",
        file=_JUDGES,
        old="    if marker.frozen:\n",
        new="    if marker.frozen and not entry:\n",
        rule="operators: nobody writes under a frozen marker",
        expected=("G8",),
        runs=("frozen endpoint",),
    ),
    Mutant(
        name="frozen floors ignored",
        file=_JUDGES,
        old="    if floor.frozen:\n",
        new="    if floor.frozen and not entry:\n",
        rule="operators: nobody writes under a frozen floor",
        expected=("G8",),
        runs=("seal",),
    ),
    Mutant(
        name="tombstones ignored",
        file=_JUDGES,
        old='    if marker.state == "retired" and entry.kind != "retired":\n',
        new='    if marker.state == "retired" and entry.kind == "first":\n',
        rule="8: a tombstone stands for ever",
        expected=("G2",),
        runs=("revival",),
    ),
    Mutant(
        name="a retirement leaves a live marker",
        file=_WRITES,
        old='    state: MarkerState = "retired" if write.entry.kind == "retired" else "live"\n',
        new='    state: MarkerState = "live"\n',
        rule="8: retiring leaves a tombstone",
        expected=("G1", "G2", "G4", "G5"),
        runs=("retiring",),
    ),
    Mutant(
        name="streams ignored",
        file=_JUDGES,
        old="    if marker.stream != plan.record.stream:\n",
        new="    if not marker.stream:\n",
        rule="8: another stream's marker is refused and reported",
        expected=("G2", "another_streams_marker"),
        judges=("simulation", "schedules"),
    ),
    Mutant(
        name="forks ignored",
        file=_JUDGES,
        old="    if marker.generation == plan.generation and marker.plan != plan.digest:\n",
        new="    if marker.generation == plan.generation and not marker.plan:\n",
        rule="10: of two plans of one generation, nobody writes",
        expected=("G4", "G5"),
        judges=("simulation", "schedules"),
    ),
)
