"""One showing, from raising the curtain to the report: on a live screen, in lines, or silent for machines."""

import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from rich.console import Console
from rich.live import Live

from standfast.errors import StandfastError

from .faults import Faults
from .ledger import Ledger
from .report import problems, report
from .screen import Screen, dig, fault_words
from .script import Script
from .setting import NAMES, full, rrsets
from .stage import START_S, Stage
from .telling import told
from .watch import Watch

Say = Callable[[str], None]
_FRAMES: Final = 8
_LOOK_S: Final = 0.1
_WIDTH_MIN, _HEIGHT_MIN = 80, 24


class Showing(Struct):
    """What came of it: the report, why it is not as promised, and whether somebody ended it early."""

    found: dict[str, Any]
    why: list[str]
    cut_short: bool


def show(seconds: float, mode: str, folder: Path | None, say: Say) -> Showing:
    """Play for so many seconds, one whole round at least. `mode`: live, lines or silent.

    Raises StandfastError if something can't be started, dies, or gets stuck.
    """
    stop = threading.Event()
    with _signals(stop), _place(folder) as root, Stage(root) as stage:
        stage.start(stop)
        asked = rrsets(stage.ipv6)
        watch = Watch(stage.config.store_file, stage.answers_file, stage.place.journal, asked)
        watch.start()
        ledger = Ledger()
        try:
            _in_step(stage, watch, stop)
            script = Script(Faults(stage, watch, ledger, stop), watch, ledger, stop, seconds)
            script.start()
            _watched(mode, Screen(stage, watch, ledger, script), stage, watch, ledger, script, stop, say)
            lasted = time.monotonic() - script.began
        finally:
            cut_short = stop.is_set()
            stop.set()
            if prober := stage.processes.get("prober"):
                prober.end()
                prober.gone(time.monotonic() + 2.0)
            watch.close()
        if script.error is not None:
            raise script.error
        return _result(watch, ledger, lasted, cut_short)


def _result(watch: Watch, ledger: Ledger, lasted: float, cut_short: bool) -> Showing:
    span = watch.last_sent - watch.first_sent
    found = report(
        watch.judge,
        ledger,
        seconds=lasted,
        rate=watch.judge.heard / span if span else 0.0,
        gap_s=watch.longest_gap,
        generations=watch.generation,
        collected=watch.collected,
    )
    why = problems(found, whole=not cut_short)
    if watch.missed:
        why.append(f"{watch.missed} plans were collected before they could be looked at")
    return Showing(found, why, cut_short)


def _in_step(stage: Stage, watch: Watch, stop: threading.Event) -> None:
    """Wait for the first plan in the zone; then the prober begins."""
    deadline = time.monotonic() + START_S

    def written() -> bool:
        if fallen := stage.fallen():
            raise StandfastError(f"{fallen}.")
        return watch.generation > 0 and all(stage.hand.marker(full(name)) for name in NAMES)

    if not watch.until(written, deadline, stop) and not stop.is_set():
        raise StandfastError(f"Nothing was written within {START_S:g} s.", f"See the logs in {stage.root}.")
    stage.start_prober()
    if not watch.until(watch.in_step, deadline, stop) and not stop.is_set():
        raise StandfastError(f"The prober sees no answers within {START_S:g} s.", "Is the machine very busy?")


def _watched(
    mode: str,
    screen: Screen,
    stage: Stage,
    watch: Watch,
    ledger: Ledger,
    script: Script,
    stop: threading.Event,
    say: Say,
) -> None:
    """Until the script is over, or somebody has seen enough."""

    def alive() -> bool:
        if (fallen := stage.fallen()) and not script.over.is_set():
            raise StandfastError(f"{fallen}.", "That is a fault of ours: nothing in the demo should do that.")
        if watch.trouble:
            raise StandfastError(f"{watch.trouble[:1].upper()}{watch.trouble[1:]}.")
        return not (script.over.is_set() or stop.is_set())

    if mode == "live":
        with Live(screen, console=Console(), screen=True, refresh_per_second=_FRAMES):
            while alive():
                script.over.wait(_LOOK_S)
        return
    lines = _Lines(watch, ledger, say) if mode == "lines" else None
    if lines:
        say(f"While it runs:  {dig(stage.port)}")
    while alive():
        script.over.wait(_LOOK_S)
        if lines:
            lines.more()
        elif sys.stderr.isatty():
            done = min(script.seconds, time.monotonic() - script.began)
            sys.stderr.write(f"\r{done:3.0f} of {script.seconds:.0f} s  {script.now:<40}")
            sys.stderr.flush()
    if lines:
        lines.more()
    elif sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 60 + "\r")


class _Lines:
    """For where there is no terminal: journal and faults as they come."""

    def __init__(self, watch: Watch, ledger: Ledger, say: Say) -> None:
        self._watch, self._ledger, self._say = watch, ledger, say
        self._read = 0
        self._told: dict[int, str] = {}

    def more(self) -> None:
        """What is new."""
        with self._watch.changed:
            events = list(self._watch.events)
            fresh = self._watch.heard_events - self._read
            self._read = self._watch.heard_events
        for line in told(events[-fresh:] if fresh else []):
            self._say(line)
        for place, fault in enumerate(list(self._ledger.faults)):
            state = "healed" if fault.over else "injected"
            if self._told.get(place) != state:
                self._told[place] = state
                what, went = fault_words(fault)
                mark = "✓" if fault.in_time else "■" if fault.over else "▶"
                clock = time.strftime("%H:%M:%S", time.localtime())
                self._say(f"{clock}  {mark} {what}" + (f"  {went}" if fault.over else ""))


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The given empty folder, or one that is gone afterwards. Raises StandfastError."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="standfast-demo-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise StandfastError(f"{folder} can't be used: {error.strerror}.", "Name a folder of yours.") from None
    if not empty:
        raise StandfastError(f"{folder} is not empty.", "Name a new folder: the demo never touches old state.")
    yield folder.absolute()


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM end the showing in order."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def heard(number: int, frame: object) -> None:
        # In a thread: the one interrupted may just hold the event's lock, in `wait`, for ever.
        threading.Thread(target=stop.set, daemon=True).start()

    before = {number: signal.signal(number, heard) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def fits_a_screen() -> bool:
    """Whether the live view can be read here."""
    size = shutil.get_terminal_size()
    return sys.stdout.isatty() and size.columns >= _WIDTH_MIN and size.lines >= _HEIGHT_MIN
