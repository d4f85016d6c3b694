"""The live view: fleet, processes, endpoints, faults, journal and prober on one screen of 80 × 24 or more.

Colour only repeats what a word and a shape say.
"""

import time
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from .ledger import WORDS, Fault, Ledger
from .script import Script
from .setting import DUAL_STACK, ENACTORS, HELD_ENACTOR, LOAD_BALANCERS, NAMES, ZONE, folded, full
from .stage import Stage
from .telling import told
from .watch import Watch

_GOOD, _WATCH, _BAD, _FAINT, _STRONG = "green", "yellow", "bold red", "dim", "bold"
_FIXED_ROWS: Final = 16
_EVENTS_READ: Final = 120
HEALED: Final = Text("✓", style=_GOOD)


class Screen:
    """Renders the present state whenever it is asked."""

    def __init__(self, stage: Stage, watch: Watch, ledger: Ledger, script: Script) -> None:
        self._stage, self._watch, self._ledger, self._script = stage, watch, ledger, script

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """All lines, cut to the width."""
        width, height = options.max_width, options.height or console.height
        free = max(4, height - _FIXED_ROWS)
        faults = max(2, min(len(self._ledger.faults) or 1, free // 2))
        lines = [
            self._title(width),
            Text.assemble("  while it runs:  ", (dig(self._stage.port), _STRONG)),
            _rule("fleet and processes", width),
            *self._fleet(),
            _rule("endpoints", width),
            *self._endpoints(width),
            _rule("faults", width),
            *self._faults(faults, width),
            _rule("what the processes say", width),
            *self._said(free - faults),
            _rule("an independent prober", width),
            self._prober(),
        ]
        for line in lines[:height]:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
            yield line

    def _title(self, width: int) -> Text:
        seconds, gone = self._script.seconds, time.monotonic() - self._script.began
        label = f" {min(gone, 9999):.0f} of {seconds:.0f} s   {self._script.now}"
        room = max(8, min(36, width - 18 - cell_len(label)))
        done = min(room, int(room * gone / seconds))
        bar = ("━" * done, "cyan"), ("─" * (room - done), _FAINT)
        return Text.assemble((" Standfast demo  ", _STRONG), *bar, label)

    def _fleet(self) -> list[Text]:
        rows = []
        processes = (self._enactors(), self._others(), self._store())
        for az, beside in zip("abc", processes, strict=True):
            row = Text.assemble((f"  AZ {az}  ", _STRONG))
            for one in LOAD_BALANCERS:
                if one.az == az:
                    row.append_text(self._load_balancer(one.id))
            row.append(" " * max(1, 42 - row.cell_len))
            row.append("│ ", style=_FAINT)
            rows.append(row.append_text(beside))
        return rows

    def _load_balancer(self, name: str) -> Text:
        process = self._stage.processes.get(name)
        shape, word, style = "✓", "up", _GOOD
        if self._watch.verdicts.get(name) == "down":
            shape, word, style = "■", "DOWN", _BAD
        elif process is not None and process.state == "killed":
            shape, word, style = "▲", "killed", _WATCH
        elif name in self._stage.drained:
            shape, word, style = "◐", "drained", _WATCH
        return Text.assemble((f"{shape} {name} {word:<8}", style), " ")

    def _enactors(self) -> Text:
        line = Text("enactors ")
        for who in ENACTORS:
            process = self._stage.processes.get(f"enactor {who}")
            state = process.state if process is not None else "gone"
            words = {"killed": "■ {} killed", "stopped": "◐ {} asleep", "gone": "· {}"}
            text, style = words.get(state, "✓ {}").format(who), _GOOD if state == "runs" else _WATCH
            if who == HELD_ENACTOR and self._stage.proxy.held:
                text, style = f"◆ {who} held", _BAD
            line.append(f" {text} ", style=style)
        return line

    def _others(self) -> Text:
        return Text.assemble("planner ", ("✓", _GOOD), f" g{self._watch.generation} is the newest plan")

    def _store(self) -> Text:
        return Text.assemble("cleaner ", ("✓", _GOOD), f" {self._watch.collected} old plans collected")

    def _endpoints(self, width: int) -> list[Text]:
        room = max(30, width - 37)
        head = f"  {'name':<8} {'as since':<14} {'answers now':<{room}} written by"
        rows = [Text(head, style=_FAINT)]
        for name in NAMES:
            wrote, since = self._watch.wrote.get(name, ("–", 0))
            plan = self._watch.plans.get(since)
            age = f"{_age(time.time() - plan.record.at)} ago" if plan else ""
            answer, style = self._answer(name)
            row = Text.assemble(f"  {name:<8} ", f"{f'g{since}  {age}':<14} ")
            row.append(set_cell_size(answer, room) if cell_len(answer) > room else answer, style=style)
            row.append(" " * max(1, 26 + room - row.cell_len))
            rows.append(row.append(f"enactor {wrote}"))
        return rows

    def _answer(self, name: str) -> tuple[str, str]:
        latest = self._watch.latest.get((full(name), 1))
        if latest is None:
            return "not asked yet", _FAINT
        text = f"{folded(latest.addresses)}" if latest.addresses else "■ EMPTY"
        other = self._watch.latest.get((full(name), 28))
        if name == DUAL_STACK and other is not None:
            text += f"  {folded(other.addresses)}" if other.addresses else "  ■ EMPTY"
        return text, _BAD if "EMPTY" in text else ""

    def _faults(self, rows: int, width: int) -> list[Text]:
        if not self._ledger.faults:
            return [Text("  none so far", style=_FAINT), *[Text("")] * (rows - 1)]
        some = [_fault(fault, width) for fault in self._ledger.faults[-rows:]]
        return some + [Text("")] * (rows - len(some))

    def _said(self, rows: int) -> list[Text]:
        with self._watch.changed:
            events = list(self._watch.events)[-_EVENTS_READ:]
        some = [Text(f"  {line}", style=_BAD if "REFUSED" in line else "") for line in told(events)[-rows:]]
        return some + [Text("")] * (rows - len(some))

    def _prober(self) -> Text:
        judge, span = self._watch.judge, self._watch.last_sent - self._watch.first_sent
        rate = self._watch.heard_answers / span if span > 1 else 0.0
        made = sum(one.answers for one in judge.damages)
        gap = self._watch.longest_gap * 1000
        return Text.assemble(
            f"  {judge.heard:,} answers, {rate:.0f}/s, longest pause {gap:.0f} ms   ",
            ("✓ bad 0" if not judge.bad else f"■ BAD {judge.bad}", _GOOD if not judge.bad else _BAD),
            (f"   on purpose {made}", _FAINT),
        )


def dig(port: int) -> str:
    """What to type meanwhile."""
    return f"dig @127.0.0.1 -p {port} www.{ZONE} A"


def fault_words(fault: Fault, *, briefly: bool = False) -> tuple[str, str]:
    """What happened, and how it went so far; briefly: the note alone, if there is one."""
    what = f"{WORDS[fault.kind]}: {fault.what}"
    if fault.took_s is not None:
        went = f"healed in {fault.took_s:.2f} s of {fault.allowed_s:.1f}" if fault.in_time else "TOO LATE"
        if not fault.in_time:
            went = f"healed after {fault.took_s:.2f} s, TOO LATE"
    elif fault.over:
        went = "NOT HEALED"
    else:
        went = f"… {time.monotonic() - fault.injected:.1f} s of {fault.allowed_s:.1f}"
    if fault.note and (briefly or not fault.over):
        return what, fault.note
    return what, f"{fault.note}, {went}" if fault.note else went


def _fault(fault: Fault, width: int) -> Text:
    what, went = fault_words(fault, briefly=width < 110)
    mark, style = ("✓", _GOOD) if fault.in_time else ("■", _BAD) if fault.over else ("▶", _WATCH)
    clock = time.strftime("%H:%M:%S", time.localtime(fault.wall))
    row = Text.assemble(f"  {clock}  ", (f"{mark} ", style), what)
    row.truncate(max(20, width - 3 - cell_len(went)), overflow="ellipsis")
    row.append(" " * max(2, width - 1 - row.cell_len - cell_len(went)))
    return row.append(went, style=style)


def _rule(title: str, width: int) -> Text:
    return Text.assemble(("─ ", _FAINT), (title, "cyan"), (" " + "─" * max(0, width - len(title) - 3), _FAINT))


def _age(seconds: float) -> str:
    return f"{max(0, seconds):.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
