"""The day as plots, in SVG or PNG: all services at a glance, each service's curves, and how far the model is off.

matplotlib draws them; it comes with the extra `plots`. Equal days give equal SVG files.
"""

import io
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from standfast.errors import StandfastError

from ..day import Day
from ..published import clock_of, seconds_of
from ..scoring import AIM, Score, Scored
from .slots import BEGINS_S, availability_of, on_axis, others_of, slots
from .wording import LEGEND, TITLE, error, judged, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Format: TypeAlias = Literal["svg", "png"]
Pair: TypeAlias = tuple[Day, Score]
_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "standfast",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "axes.titlelocation": "left",
    "axes.titlesize": 10.0,
}
_SLOTS: Final = 300
_SEEN: Final = 0.2
"""A curve that wavers by less within a slot is drawn as a line."""
_HEAT_SLOTS: Final = 200
_BUILT, _WITH, _INPUT, _HELD, _FITTED = "#c21c28", "#0969da", "#8a5a00", "#8250df", "#0f6d8f"
_HEAT: Final = ("#2da44e", "#d4a72c", "#e16f24", "#a40e26")
_BOUNDS: Final = (0.99, 0.9, 0.5)
_DPI: Final = 130
_MEANT: Final = {"s of work": " (in time of normal load)", "× normal": " (× normal)"}
_ROUND_S: Final = (15, 60, 300, 600, 1800, 3600, 2 * 3600, 4 * 3600, 10**9)


def draw(days: Sequence[Pair], folder: Path, kind: Format) -> tuple[Path, ...]:
    """Write every plot of the day, or of the day as built beside the same day with protections.

    Raises StandfastError if the library is missing or the folder can't be written.
    """
    prepared(folder)
    import matplotlib as mpl

    written = []
    try:
        with mpl.rc_context(_STYLE):
            for name, figure in _figures(days):
                path = folder / f"{name}.{kind}"
                _save(figure, path, kind)
                written.append(path)
    except OSError as failed:
        raise _unwritable(folder, failed) from None
    return tuple(written)


def _save(figure: "Figure", path: Path, kind: Format) -> None:
    """SVG without date, and with hundredths of a point instead of millionths: half the size."""
    if kind == "png":
        figure.savefig(path, format="png", dpi=_DPI)
        return
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    path.write_text(re.sub(r"(\d\.\d\d)\d+", r"\1", text.getvalue()), encoding="utf-8")


def prepared(folder: Path) -> None:
    """Make the folder and look for the library, so that nothing is run for plots that can't be drawn.

    Raises StandfastError.
    """
    if find_spec("matplotlib") is None:
        raise StandfastError(
            "Plots need matplotlib, which is not installed.", "Install it: pip install 'standfast[plots]'."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failed:
        raise _unwritable(folder, failed) from None


def _unwritable(folder: Path, failed: OSError) -> StandfastError:
    return StandfastError(f"{folder} can't be written: {failed.strerror}.", "Name a directory that can be written.")


def _figures(days: Sequence[Pair]) -> Iterator[tuple[str, "Figure"]]:
    yield "day", _overview(days)
    yield "errors", _errors(days[0][1])
    for service in days[0][0].services:
        yield "".join(c for c in service.lower().replace(" ", "-") if c.isalnum() or c == "-"), _curves(days, service)


def _new(wide: float, tall: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(wide, tall), layout="constrained")


def _hours(axes: "Axes", day: Day) -> None:
    """Clock times below."""
    every = [seconds_of(f"20 Oct {hour:02}:00") for hour in range(0, 24, 2)]
    shown = [moment for moment in every if moment <= day.until]
    axes.set_xlim(BEGINS_S, day.until)
    axes.set_xticks(shown, [clock_of(moment) for moment in shown])


def _overview(days: Sequence[Pair]) -> "Figure":
    """Every service's availability as a bar of colours, with the published times on it."""
    day, score = days[0]
    services = [one for one in day.services if availability_of(day, one)]
    each = 0.26 * len(days) + 0.16
    figure = _new(11.0, 1.5 + each * len(services))
    axes = figure.add_subplot()
    for row, service in enumerate(services):
        for place, (shown, _) in enumerate(days):
            _heat(axes, shown, service, row + 0.8 * place / len(days), 0.74 / len(days))
        for line in (one for one in score.lines if one.milestone.service == service and one.half):
            _diamond(axes, line.milestone.seconds, row + 0.4 / len(days), line)
    for line in score.lines:
        if line.milestone.is_input and 0 <= line.milestone.seconds <= day.until:
            axes.axvline(line.milestone.seconds, color=_INPUT, linewidth=0.7, linestyle=":")
    axes.set_yticks([row + 0.4 for row in range(len(services))], services)
    axes.set_ylim(len(services), -0.2)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _hours(axes, day)
    rows = ", below it ".join(named(shown.protections) for shown, _ in days)
    figure.suptitle(f"{TITLE} ({rows})", x=0.01, ha="left", weight="bold")
    colours = "green: answers 99 % and more, yellow 90 %, orange 50 %, red less"
    figure.supxlabel(f"PDT. {colours}. Published: {LEGEND.split(' · no mark')[0].replace('▸', '┊')}", fontsize=8)
    return figure


def _heat(axes: "Axes", day: Day, service: str, top: float, tall: float) -> None:
    name = availability_of(day, service)
    if name is None:
        return
    wide = (day.until - BEGINS_S) / _HEAT_SLOTS
    bars: dict[str, list[tuple[float, float]]] = {colour: [] for colour in _HEAT}
    for place, slot in enumerate(slots(day.series[name], BEGINS_S, day.until, _HEAT_SLOTS)):
        bars[_colour(slot.mean)].append((BEGINS_S + place * wide, wide))
    for colour, spans in bars.items():
        axes.broken_barh(_merged(spans), (top, tall), facecolors=colour, edgecolors="none", alpha=0.85)


def _colour(share: float) -> str:
    return next((colour for colour, bound in zip(_HEAT, _BOUNDS, strict=False) if share >= bound), _HEAT[-1])


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Neighbours as one, so that no seams show and the file stays small."""
    found: list[tuple[float, float]] = []
    for start, wide in spans:
        if found and abs(sum(found[-1]) - start) < 1e-6:
            found[-1] = (found[-1][0], found[-1][1] + wide)
        else:
            found.append((start, wide))
    return found


def _diamond(axes: "Axes", x: float, y: float, line: Scored) -> None:
    held = line.half == "held out"
    colour = _HELD if held else _FITTED
    face = "white" if held else colour
    axes.plot([x], [y], marker="D", markersize=6.5, color=colour, markerfacecolor=face, markeredgewidth=1.6, zorder=4)


def _errors(score: Score) -> "Figure":
    """How many minutes later than published the model is, with the band that counts as met."""
    lines = [line for line in score.lines if line.half]
    figure = _new(9.0, 0.9 + 0.36 * len(lines))
    axes = figure.add_subplot()
    for row, line in enumerate(lines):
        room = AIM * line.room_s / 60
        axes.barh(row, 2 * room, left=-room, height=0.7, color="#dafbe1", edgecolor="#2da44e", linewidth=0.6)
        if line.off_s is None:
            axes.annotate("never reached", (room, row), (6, -3), textcoords="offset points", fontsize=8, color=_BUILT)
            continue
        _diamond(axes, line.off_s / 60, row, line)
        early, inside = line.off_s < 0, abs(line.off_s / 60) <= room
        beside = (-1 if early else 1) * (room if inside else abs(line.off_s / 60))
        axes.annotate(
            error(line), (beside, row), (-9 if early else 9, -3), textcoords="offset points", fontsize=8,
            ha="right" if early else "left",
        )  # fmt: skip
    axes.axvline(0, color="#59636e", linewidth=0.8)
    axes.set_yticks(
        range(len(lines)),
        [f"{one.milestone.clock}  {one.milestone.service}: {one.milestone.what}" for one in lines],
        fontsize=8,
    )
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.margins(x=0.25)
    figure.supxlabel("minutes later than published; green: 10 % of the time since the last input", fontsize=9)
    figure.suptitle(judged(score).replace(" ◆", "\n◆"), x=0.01, ha="left", fontsize=10)
    return figure


def _curves(days: Sequence[Pair], service: str) -> "Figure":
    """One service: availability, queues, leases, latencies, each with a scale of its own."""
    day, score = days[0]
    own = availability_of(day, service)
    names = [*([own] if own else []), *others_of(day, service)]
    figure = _new(9.5, 0.7 + 1.5 * len(names))
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        for shown, colour in zip((one for one, _ in days), (_BUILT, _WITH), strict=False):
            if name in shown.series:
                _curve(axes, shown, name, colour)
        _scale(axes, day, name)
        for line in score.lines:
            if line.milestone.service == service and 0 <= line.milestone.seconds <= day.until:
                colour = _INPUT if line.milestone.is_input else _HELD if line.half == "held out" else _FITTED
                axes.axvline(line.milestone.seconds, color=colour, linewidth=0.8, linestyle=":")
    _hours(panels[-1], day)
    if len(days) > 1:
        panels[0].legend(loc="best", fontsize=8, frameon=False)
    figure.suptitle(f"{service} (PDT; published times dotted)", x=0.01, ha="left", weight="bold")
    return figure


def _curve(axes: "Axes", day: Day, name: str, colour: str) -> None:
    wide = (day.until - BEGINS_S) / _SLOTS
    found = slots(day.series[name], BEGINS_S, day.until, _SLOTS)
    kept = [place for place in range(_SLOTS) if place in (0, _SLOTS - 1) or len({*found[place - 1 : place + 2]}) > 1]
    times, shown = [BEGINS_S + (place + 0.5) * wide for place in kept], [found[place] for place in kept]
    axes.plot(times, [slot.mean for slot in shown], color=colour, linewidth=1.3, label=named(day.protections))
    if any(slot.high - slot.low > _SEEN * max(slot.high, 1e-9) for slot in shown):
        low, high = [slot.low for slot in shown], [slot.high for slot in shown]
        axes.fill_between(times, low, high, color=colour, alpha=0.2, linewidth=0)


def _scale(axes: "Axes", day: Day, name: str) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    measure = day.measures[name]
    axes.set_title(f"{measure.title}{_MEANT.get(measure.unit, '')}")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: on_axis(value, measure.unit)))
    axes.set_ylim(bottom=0.0)
    if measure.unit in ("s", "s of work"):
        most = axes.get_ylim()[1]
        axes.yaxis.set_major_locator(MultipleLocator(next(one for one in _ROUND_S if most / one <= 4)))
    if measure.unit == "share":
        axes.set_ylim(0.0, 1.05)
