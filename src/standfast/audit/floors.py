"""The floors' chains: each change asserts a floor, and some put the next. They order even what no marker orders.

An endpoint whose marker was deleted by hand begins a new chain of markers. Both chains asserted floors, and where no
floor was lost between them that tells which came first.
"""

from typing import TypeAlias

from .findings import Findings
from .record import Change, Record
from .setbacks import SetBacks
from .settling import floor_before

Moment: TypeAlias = tuple[int, int]
"""(chain of floors, place in it); moments of different chains can't be compared."""
TWINS_REMEDY = (
    "Either the provider let two changes replace one value; or one value stood twice, since people put an old one back "
    "by hand, or deleted everything and a repeated message created it once more. If no hand was there, stop the "
    "enactors and look at the provider."
)
TWICE = "two changes over one value that may have stood twice: everything was deleted by hand, and a message repeated"


class Floors:
    """All chains of floors. `moment` tells where in them a change stands."""

    def __init__(self, record: Record, set_backs: SetBacks, findings: Findings) -> None:
        self._record, self._set_backs = record, set_backs
        self._moments: dict[str, Moment] = {}
        self._judge(findings)

    def moment(self, change: Change) -> Moment | None:
        """When it landed; None if that can't be told. Changes that only assert one floor have one moment."""
        if (own := self._moments.get(change.nonce)) is not None:
            return own
        before = floor_before(self._record, change)
        if before is None or (place := self._moments.get(before.nonce)) is None:
            return None
        return place[0], place[1] + 1

    def _judge(self, findings: Findings) -> None:
        followers: dict[str, list[Change]] = {}
        roots: list[Change] = []
        for change in self._record.changes.values():
            if change.floor is None:
                continue
            before = floor_before(self._record, change)
            self._step(before, change, findings)
            if change.landed and change.floor.sets is not None:
                if before is None:
                    roots.append(change)
                else:
                    followers.setdefault(before.nonce, []).append(change)
        for over, twins in followers.items():
            if len(twins) > 1 and self._set_backs.explain((*_of(twins[0]), ""), over, twins):
                roots += twins  # what followed a floor that came back is not compared with what stood before
                continue
            for other in twins[1:]:
                if self._record.may_stand_twice(over):
                    findings.doubted("G2", TWICE, other.place)
                    continue
                text = f"{other.zone}: two changes replaced the floor {over}"
                findings.violated("G2", text, twins[0].place, other.place, remedy=TWINS_REMEDY)
        self._number(roots, followers)

    def _step(self, before: Change | None, change: Change, findings: Findings) -> None:
        """That what a change says of the floor it found is what the change that put it says."""
        floor = change.floor
        if floor is None or not floor.over:
            return
        if before is None and change.recalled and floor.over not in self._record.changes:
            return  # files tell of it that are not given
        if before is None:
            known = floor.over in self._record.changes
            why = "a floor put by a change that is in no journal given here (or by hand)"
            if known:
                text = f"{change.zone}: its floor carries nonce {floor.over}, whose intent puts no floor there"
                other = self._record.changes[floor.over].place
                findings.violated("G10", text, other, change.place, remedy="Report this: intents precede writes.")
            else:
                findings.doubted("G2", why, change.place)
            return
        findings.checked("G2")
        put = before.floor.sets if before.floor is not None else None
        if floor.generation != put:
            text = f"{change.zone}: the floor {floor.over} was put as {put} and found as {floor.generation}"
            remedy = "Report this: a nonce names one value of a floor."
            findings.violated("G2", text, before.place, change.place, remedy=remedy)
        elif floor.sets is not None and put is not None and floor.sets < put:
            text = f"{change.zone}: the floor goes back from {put} to {floor.sets}"
            findings.violated("G2", text, before.place, change.place, remedy="Report this: floors only rise.")

    def _number(self, roots: list[Change], followers: dict[str, list[Change]]) -> None:
        for chain, root in enumerate(roots):
            stack = [(root, 0)]
            while stack:
                change, place = stack.pop()
                if change.nonce in self._moments:
                    continue
                self._moments[change.nonce] = (chain, place)
                following = followers.get(change.nonce, ())
                if len(following) == 1:  # of twins nobody knows which was first
                    stack.append((following[0], place + 2))


def _of(change: Change) -> tuple[str, str]:
    return change.stream, change.zone
