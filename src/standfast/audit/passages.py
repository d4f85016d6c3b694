"""What plans show of limits besides velocity (G7): a whole AZ that goes by itself, turns, how quickly others join."""

from typing import Final

from .findings import Findings
from .format import ChangeLine, PlannedLine
from .lines import Place
from .record import Key

AZ_REMAINING: Final = 0.6
AZ_OBSERVERS: Final = 2
AZ_AGAIN_S: Final = 1800.0
_REPORT: Final = "Report this with the planner's journal: a plan may not do that."
_ROUNDING: Final = 1e-6


class Passages:
    """Judges one change of a plan after the other, in the order of generations."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._azs: dict[str, dict[str, tuple[float, Place]]] = {}
        self._joined: dict[Key, list[tuple[float, float]]] = {}
        self._turns: dict[Key, tuple[float, Place]] = {}

    def judge(self, line: PlannedLine, change: ChangeLine, now: float, place: Place, *, orphaned: bool) -> None:
        """`orphaned`: the plan before is told of nowhere, so what it remembered is not known."""
        if orphaned:
            self._azs.pop(line.stream, None)
            self._joined.pop((line.stream, change.zone, change.name), None)
        self._az(line.stream, change, now, place)
        self._turn((line.stream, change.zone, change.name), change, now, place)
        self._joining((line.stream, change.zone, change.name), change, now, place)

    def _az(self, stream: str, change: ChangeLine, now: float, place: Place) -> None:
        azs = self._azs.setdefault(stream, {})
        for one in change.leaving or ():
            if one.cause != "az":
                continue
            self._findings.checked("G7")
            where = f"{change.name}: {one.load_balancer} goes with AZ {one.az}"
            if change.limits is not None and change.limits.az_loss != "auto":
                self._broken(f"{where}, and az_loss is {change.limits.az_loss}", place)
            if one.state != "down" or one.outside < AZ_OBSERVERS:
                self._broken(f"{where}, and {one.outside} outside it see it {one.state}", place)
            if change.healthy < AZ_REMAINING - _ROUNDING:
                self._broken(f"{where}, and only {change.healthy:.0%} is healthy without it", place)
            for other, (at, there) in azs.items():
                if other != one.az and at <= now < at + AZ_AGAIN_S:
                    self._broken(f"{where}, and AZ {other} went {now - at:g} s before", there, place)
            azs[one.az] = (now, place)

    def _turn(self, key: Key, change: ChangeLine, now: float, place: Place) -> None:
        """One out, one in, where rotation is on, and not again before its period is over."""
        gone = [one.load_balancer for one in change.leaving or () if one.cause == "rotation"]
        came = [one.load_balancer for one in change.joining or () if one.cause == "rotation"]
        if not gone and not came:
            return
        self._findings.checked("G7")
        period = change.limits.rotation_s if change.limits is not None else 0.0
        if len(gone) != 1 or len(came) != 1 or not period:
            where = (
                f"{change.name}: {', '.join(gone) or 'nobody'} goes and {', '.join(came) or 'nobody'} comes by turns"
            )
            self._broken(f"{where}, and rotation is {f'one each {period:g} s' if period else 'off'}", place)
        before = self._turns.get(key)
        if before is not None and before[0] <= now < before[0] + period - _ROUNDING:
            text = f"{change.name}: {gone[0] if gone else ''} goes by turns {now - before[0]:g} s after another"
            self._broken(f"{text}, and a turn lasts {period:g} s", before[1], place)
        self._turns[key] = (now, place)

    def _joining(self, key: Key, change: ChangeLine, now: float, place: Place) -> None:
        """Who is needed for min_answers, or comes in a panic that answers with all, is not limited."""
        limits = change.limits
        if change.joining is None or limits is None or limits.adding_share is None:
            return
        row = [one for one in self._joined.get(key, []) if one[0] <= now < one[0] + limits.adding_window_s]
        for one in change.joining:
            self._findings.checked("G7")
            total = sum(weight for _, weight in row) + one.weight
            if one.cause == "rotation":
                continue
            if one.cause == "share" and row and total > limits.adding_share * one.of + _ROUNDING:
                text = f"{change.name}: with {one.load_balancer} {total:g} of {one.of:g} has joined in"
                self._broken(f"{text} {limits.adding_window_s:g} s, and {limits.adding_share:.0%} may", place)
            row.append((now, one.weight))
        self._joined[key] = row

    def _broken(self, text: str, *places: Place) -> None:
        self._findings.violated("G7", text, *places, remedy=_REPORT)
