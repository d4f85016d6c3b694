"""What the journals say happened: changes, their endpoints, plans, collections. Read once, line by line.

What is kept is a few small values for each write of an endpoint and for each line about plans, at most 2 kB a write: a
million lines (half a million changes of one endpoint each) take 0.8 GB. The lines themselves are not kept.
"""

from sys import intern
from typing import Final, TypeAlias

from msgspec import Struct

from standfast.model.name import first_name

from .findings import PROMISES, Findings
from .format import CollectedLine, FloorLine, IntentLine, OperatorLine, OutcomeLine, PlannedLine, WriteLine
from .lines import Journal, Place, Spoilt, Told, read
from .payloads import EMERGENCY, NO_PLAN, judge_intent

Key: TypeAlias = tuple[str, str, str]
"""(stream, zone, name)."""
DEFAULT_STREAM: Final = "main"
LANDED: Final = frozenset({"written", "refilled"})
FAILED: Final = frozenset({"conflict", "refused"})


class Change(Struct, gc=False):
    """One change of one zone, named by its nonce. `floor` is None where the journal (version 1) does not tell.

    `ahead`: it was prepared on a floor that its own process had not heard to stand. `landed`: the provider took it.
    """

    stream: str
    zone: str
    nonce: str
    generation: int
    plan: str
    place: Place
    journal: int
    floor: FloorLine | None
    ahead: bool
    landed: bool = False


class Link(Struct, gc=False):
    """One endpoint's part of a change: a marker over another marker. `told` is its outcome.

    `state` is that of the marker it puts, empty if it puts none; `names` the generation and plan that this marker
    names. `contents` is a digest of what it puts at the name. `ahead`: as of a Change, on a marker.
    """

    change: Change
    since: int
    over: str
    before: int | None
    act: str
    kind: str
    found: str
    state: str
    names: tuple[int, str]
    contents: str
    ahead: bool
    told: str = ""

    @property
    def makes_marker(self) -> bool:
        """Whether a marker with the change's nonce stands once it has landed."""
        return bool(self.state)


class Orphan(Struct, frozen=True):
    """An outcome for which its journal had no intent so far."""

    outcome: OutcomeLine
    place: Place
    journal: int


class Record:
    """Everything that the checks go by."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.changes: dict[str, Change] = {}
        self.links: dict[Key, dict[str, Link]] = {}
        self.planned: list[tuple[PlannedLine, Place]] = []
        self.collected: list[tuple[CollectedLine, Place]] = []
        self.pinned: dict[tuple[str, int], Place] = {}
        """Generations that somebody pinned, which were seen to be there afterwards."""
        self.unpinned: set[tuple[str, int]] = set()
        """Those of which anybody ever asked to take the pin away: no clock tells which came first."""
        self.plans: dict[tuple[str, int], tuple[str, Place]] = {}
        self.forks: dict[tuple[str, int], Place] = {}
        """Generations of which there are two plans, and where the second is first named."""
        self.floors_gone: dict[tuple[str, str], int] = {}
        """By stream and zone the newest generation of a change that found no readable floor."""
        self.orphans: list[Orphan] = []
        self.spoilt: list[Spoilt] = []
        self.beheaded: set[int] = set()
        """Journals that begin in the middle, or have spoilt lines: what they lack says nothing."""
        self.lines = 0

    def may_stand_twice(self, nonce: str) -> bool:
        """Whether that change may have landed once more: it asserted that no floor is there, and so it was later.

        Absence has no nonce. A message that creates everything can be repeated after people deleted everything.
        """
        change = self.changes[nonce]
        created = change.floor is not None and not change.floor.over
        return created and self.floors_gone.get((change.stream, change.zone), 0) > change.generation

    def streams(self) -> list[str]:
        """Those that anybody writes or plans for."""
        return sorted({change.stream for change in self.changes.values()} | {stream for stream, _ in self.plans})


class Reader:
    """Reads one journal into the record: what its own process knew in which order."""

    def __init__(self, record: Record, number: int) -> None:
        self._record, self._number = record, number
        self._stream = DEFAULT_STREAM
        self._in_flight: set[str] = set()

    def read(self, journal: Journal) -> None:
        """Every line of it."""
        record, first = self._record, True
        spoilt: Spoilt | None = None
        for line in read(journal):
            record.lines += 1
            if isinstance(line, Spoilt):
                record.spoilt.append(line)
                record.beheaded.add(self._number)
                record.findings.doubted("G10", "lines that can't be read", line.place)
                spoilt = spoilt or line
                continue
            if spoilt is not None and line.header.event != "started":
                self._lost(spoilt)
            spoilt = None
            if first and line.header.event != "started" and line.header.role == "enactor":
                record.beheaded.add(self._number)
            first = False
            self._heard(line)
        if spoilt is not None and first:
            self._lost(spoilt)  # not one line of it is a journal's

    def _lost(self, line: Spoilt) -> None:
        """Something was told there, and what followed went on. The last line of a process that was killed is another
        matter: what is not on disk whole was not acted upon."""
        for guarantee in PROMISES:
            if guarantee != "G10":
                self._record.findings.doubted(guarantee, "lines in the midst of a journal can't be read", line.place)

    def _heard(self, line: Told) -> None:
        if line.header.event == "started":
            self._stream = intern(line.header.stream or DEFAULT_STREAM)
            self._in_flight.clear()
        match line.body:
            case IntentLine():
                self._intent(line.body, line.place)
            case OutcomeLine():
                self._outcome(line.body, line.place)
            case PlannedLine():
                line.body.stream = line.body.stream or self._stream
                self._plan(line.body.stream, line.body.generation, line.body.digest, line.place)
                self._record.planned.append((line.body, line.place))
            case CollectedLine() if line.body.generations:
                line.body.stream = line.body.stream or self._stream
                self._record.collected.append((line.body, line.place))
            case OperatorLine() if line.body.action in ("pin", "unpin") and line.body.to is not None:
                of = (line.body.stream or self._stream, line.body.to)
                if line.body.action == "unpin":
                    self._record.unpinned.add(of)
                elif line.body.stage == "pinned":
                    self._record.pinned[of] = line.place
            case OperatorLine() if line.body.stage == "published" and line.body.generation and line.body.digest:
                stream = line.body.stream or self._stream
                self._plan(stream, line.body.generation, line.body.digest, line.place)

    def _plan(self, stream: str, generation: int, digest: str, place: Place) -> None:
        known = self._record.plans.setdefault((intern(stream), generation), (intern(digest), place))
        if known[0] != digest:
            self._record.forks.setdefault((stream, generation), place)

    def _intent(self, line: IntentLine, place: Place) -> None:
        record, stream = self._record, intern(line.stream or self._stream)
        if twin := record.changes.get(line.nonce):
            text = f"two changes have one nonce, {line.nonce}"
            remedy = "Was a state directory copied, or a journal given twice? A nonce must name one change."
            record.findings.violated("G10", text, twin.place, place, remedy=remedy)
            return
        if line.plan not in (NO_PLAN, EMERGENCY):
            self._plan(stream, line.generation, line.plan, place)
        judge_intent(line, place, record.findings)
        change = Change(
            stream,
            intern(line.zone),
            line.nonce,
            line.generation,
            intern(line.plan),
            place,
            self._number,
            line.floor,
            ahead=line.floor is not None and line.floor.over in self._in_flight,
        )
        record.changes[line.nonce] = change
        if line.floor is not None and line.floor.generation is None:
            place_of = (stream, change.zone)
            record.floors_gone[place_of] = max(record.floors_gone.get(place_of, 0), line.generation)
        for write in line.writes:
            key = (stream, change.zone, intern(write.name))
            record.links.setdefault(key, {})[line.nonce] = self._link(change, write)
        self._in_flight.add(line.nonce)

    def _link(self, change: Change, write: WriteLine) -> Link:
        puts, names = write.puts, (change.generation, change.plan)
        state, kind = "live" if change.floor is None else "", write.kind
        if change.floor is None and write.name == first_name(change.stream, change.zone):
            kind = "first"
        if puts is not None:
            state, names = puts.state, (puts.generation or names[0], puts.plan or names[1])
        return Link(
            change,
            puts.since if puts is not None else write.since,
            write.over,
            write.before,
            intern(write.act),
            intern(kind),
            intern(write.found),
            intern(state),
            names,
            write.contents,
            ahead=write.over in self._in_flight,
        )

    def _outcome(self, line: OutcomeLine, place: Place) -> None:
        record, nonce = self._record, line.nonce
        if not nonce:
            if line.result in LANDED:
                text = f"{line.name}: told as {line.result} and names no change"
                record.findings.violated("G10", text, place, remedy="Report this: every write has an intent.")
            return
        self._in_flight.discard(nonce)
        change = record.changes.get(nonce)
        if change is None or change.journal != self._number:
            record.orphans.append(Orphan(line, place, self._number))
            return
        self._told(change, line, place)

    def _told(self, change: Change, line: OutcomeLine, place: Place) -> None:
        findings = self._record.findings
        findings.checked("G10")
        link = self._record.links.get((change.stream, line.zone, line.name), {}).get(change.nonce)
        if link is None:
            text = f"{line.name}: an outcome under nonce {change.nonce}, whose intent is not about it"
            findings.violated("G10", text, change.place, place, remedy="Report this: outcomes follow their intents.")
            return
        if line.result in LANDED and line.since is not None and line.since != link.since:
            text = f"{line.name}: intended as since {link.since}, told as since {line.since}"
            findings.violated("G10", text, change.place, place, remedy="Report this: outcomes follow their intents.")
        if link.told and link.told != line.result and {link.told, line.result} & LANDED:
            text = f"{line.name}: one change is told as {link.told} and as {line.result}"
            findings.violated("G10", text, change.place, place, remedy="Report this: a change has one outcome.")
        if line.result == "blind":
            text = f"{line.name}: it could not be read, and a change was sent"
            findings.violated("G6", text, change.place, place, remedy="Report this: unknown is not empty.")
        link.told = intern(line.result)
        change.landed = change.landed or line.result in LANDED
