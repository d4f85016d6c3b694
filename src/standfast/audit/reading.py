"""Reads a journal into the record: what its own process knew in which order."""

from sys import intern

from standfast.model.name import first_name

from .files import Journal
from .findings import PROMISES
from .format import (
    CheckpointLine,
    CollectedLine,
    IntentLine,
    OperatorLine,
    OutcomeLine,
    PlannedLine,
    SetBackLine,
    WriteLine,
)
from .lines import Place, Spoilt, Told, read
from .payloads import EMERGENCY, NO_PLAN, OF_TREES, judge_intent
from .record import DEFAULT_STREAM, LANDED, Change, Link, Orphan, Record, Sight
from .resuming import Count, compare, resume


class Reader:
    """Reads one journal into the record: what its own process knew in which order."""

    def __init__(self, record: Record, number: int) -> None:
        self._record, self._number = record, number
        self._stream = DEFAULT_STREAM
        self._in_flight: set[str] = set()
        self._count = Count()
        self._resumed = False
        self._lines = 0

    def read(self, journal: Journal) -> None:
        """Every line of it."""
        record, first = self._record, True
        spoilt: Spoilt | None = None
        for line in read(journal):
            record.lines += 1
            self._lines += 1
            if isinstance(line, Spoilt):
                record.spoilt.append(line)
                record.beheaded.add(self._number)
                record.findings.doubted("G10", "lines that can't be read", line.place)
                spoilt = spoilt or line
                continue
            if spoilt is not None and line.header.event != "started":
                self._lost(spoilt)
            spoilt = None
            if first and line.header.event not in ("started", "checkpoint") and line.header.role == "enactor":
                record.beheaded.add(self._number)
            first = False
            if isinstance(line.body, CheckpointLine):
                self._checkpoint(journal, line.body, line.place)
            else:
                self._count.heard(line.header.event)
                self._heard(line)
        if spoilt is not None and first:
            self._lost(spoilt)  # not one line of it is a journal's

    def _lost(self, line: Spoilt) -> None:
        """Something was told there, and what followed went on. The last line of a process that was killed is another
        matter: what is not on disk whole was not acted upon."""
        for guarantee in PROMISES:
            if guarantee != "G10":
                self._record.findings.doubted(guarantee, "lines in the midst of a journal can't be read", line.place)

    def _checkpoint(self, journal: Journal, line: CheckpointLine, place: Place) -> None:
        """A file begins. Its parts are of one mind: what the first does with them, all do."""
        if line.part == 1:
            follows, missing = self._count.follows(line), self._count.missing(line)
            self._resumed = not follows or missing > 0
            if self._count.file == 0:
                since = f"; its first line was of {line.began}" if line.began else ""
                self._record.begins.append(f"{journal.name}: from file {line.file} on{since}")
            elif self._resumed:
                self._record.beheaded.add(self._number)
                for guarantee in PROMISES:
                    why = "lines in the midst of a journal are not there: the next checkpoint counts them"
                    self._record.findings.doubted(guarantee, why, place)
            self._count.begin(line)
            self._stream = intern(line.stream)
        elif self._count.file == 0:
            self._record.beheaded.add(self._number)
        if self._resumed:
            resume(self._record, line, place, self._number)
        else:
            compare(self._record, line, place)
        self._in_flight |= {write.nonce for write in line.writes if not write.told}

    def _heard(self, line: Told) -> None:
        if line.header.event == "started":
            self._stream = intern(line.header.stream or DEFAULT_STREAM)
            self._in_flight.clear()
        match line.body:
            case IntentLine():
                self._intent(line.body, line.place, line.header.at)
            case OutcomeLine():
                self._outcome(line.body, line.place)
            case SetBackLine():
                self._set_back(line.body, line.place, line.header.at)
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

    def _set_back(self, line: SetBackLine, place: Place, at: str) -> None:
        for one in line.records:
            key = (self._stream, intern(line.zone), intern(one.name))
            sight = Sight(self._number, self._lines, intern(one.knew), intern(one.found), at, place)
            self._record.sights.setdefault(key, []).append(sight)

    def _intent(self, line: IntentLine, place: Place, at: str) -> None:
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
            number=self._lines,
            at=at,
        )
        record.changes[line.nonce] = change
        if line.floor is not None and line.floor.generation is None:
            place_of = (stream, change.zone)
            record.floors_gone[place_of] = max(record.floors_gone.get(place_of, 0), line.generation)
        for write in line.writes:
            if write.act in OF_TREES and write.puts is None:
                record.of_trees.add(((stream, change.zone, write.name), line.nonce))
                continue  # its marker is asserted and stays: another change may stand over the same
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
        if link is None and ((change.stream, line.zone, line.name), change.nonce) in self._record.of_trees:
            change.landed = change.landed or line.result in LANDED
            return
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
