"""What a checkpoint says of the files before its own: taken where they are not given, compared where they are.

A journal whose older files are gone can be judged from its oldest checkpoint on: the markers and floors that its
process had put, what was on its way, what plans said. What only the older lines could tell (the payloads, the steps
before) is not judged, and the report says from where on it is.
"""

from collections import Counter
from sys import intern

from .format import CheckpointLine, CollectedLine, PlannedLine, WritePoint
from .lines import Place
from .record import Change, Link, Record

_REPORT = "Report this with the journal: a checkpoint repeats what was told before it, and nothing else."


def resume(record: Record, line: CheckpointLine, place: Place, journal: int) -> None:
    """Take in what it says; what other lines have told stays as they told it."""
    for point in line.changes:
        if point.nonce not in record.changes:
            record.changes[point.nonce] = Change(
                intern(point.stream),
                intern(point.zone),
                point.nonce,
                point.generation,
                intern(point.plan),
                place,
                journal,
                point.floor,
                ahead=False,
                landed=point.landed,
                recalled=True,
            )
    for write in line.writes:
        change = record.changes.get(write.nonce)
        if change is not None and change.recalled:
            key = (change.stream, change.zone, intern(write.name))
            record.links.setdefault(key, {}).setdefault(write.nonce, _link(change, write))
    for entry in line.entries:
        key = (intern(entry.stream), intern(entry.zone), intern(entry.name))
        record.recalled_entries[key] = (entry.since, entry.contents, place)
    for gone in line.departures:
        key = (intern(gone.stream), intern(gone.zone), intern(gone.name))
        record.recalled_departures[key] = (gone.window_s, gone.departures, place)
    if (plan := line.plan) is not None:
        told = PlannedLine(plan.generation, plan.digest, [], plan.stream, None, plan.planned_at, plan.sources)
        record.plans.setdefault((intern(plan.stream), plan.generation), (intern(plan.digest), place))
        record.planned.append((told, place))
    if (collected := line.collected) is not None:
        gathered = CollectedLine([collected.generation], line.stream, collected.lowest, collected.head)
        record.collected.append((gathered, place))


def _link(change: Change, write: WritePoint) -> Link:
    puts, names = write.puts, (change.generation, change.plan)
    state = "live" if change.floor is None else ""
    if puts is not None:
        state, names = puts.state, (puts.generation or names[0], puts.plan or names[1])
    return Link(
        change,
        puts.since if puts is not None else write.since,
        write.over,
        write.before,
        intern(write.act),
        intern(write.kind),
        intern(write.found),
        intern(state),
        names,
        write.contents,
        ahead=False,
        told=intern(write.told),
    )


def compare(record: Record, line: CheckpointLine, place: Place) -> None:
    """Against the lines before it, all of which were read."""
    for point in line.changes:
        change = record.changes.get(point.nonce)
        if change is None or (change.generation, change.plan) != (point.generation, point.plan):
            text = f"a checkpoint repeats a change {point.nonce} of {point.zone} otherwise than it was intended"
            sides = (place,) if change is None else (change.place, place)
            record.findings.violated("G10", text, *sides, remedy=_REPORT)
    for write in line.writes:
        change = record.changes.get(write.nonce)
        link = (
            None if change is None else record.links.get((change.stream, change.zone, write.name), {}).get(write.nonce)
        )
        if change is not None and (link is None or (link.told, link.over) != (write.told, write.over)):
            text = f"{write.name}: a checkpoint repeats change {write.nonce} otherwise than it was told"
            record.findings.violated("G10", text, change.place, place, remedy=_REPORT)
    record.findings.checked("G10", len(line.writes))


class Count:
    """How many lines of each event a journal has had: a checkpoint knows, and so do we."""

    def __init__(self) -> None:
        self.file = 0
        """The number of the file that is being read; 0: nothing was read."""
        self._lines: Counter[str] = Counter()

    def heard(self, event: str) -> None:
        """A line that is no checkpoint."""
        self.file = self.file or 1
        self._lines[event] += 1

    def follows(self, line: CheckpointLine) -> bool:
        """Whether this checkpoint continues what was read."""
        return self.file > 0 and line.file == self.file + 1

    def missing(self, line: CheckpointLine) -> int:
        """How many lines it counts that were not read."""
        return sum((Counter(line.counts) - self._lines).values())

    def begin(self, line: CheckpointLine) -> None:
        """A file begins with it."""
        self.file, self._lines = line.file, Counter(line.counts)
