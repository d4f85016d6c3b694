"""Sentences about a day that terminal, page and JSON share."""

from typing import Final, get_args

from ..day import Day
from ..protections import ALL, SWITCHES, Family
from ..published import clock_of
from ..scoring import AIM, Score, Scored, Tally

TITLE: Final = "October 2025, us-east-1: the day"
MARKS: Final = {"fitted": "◆", "held out": "◇"}
"""Filled: the model's parameters were chosen to meet it. Hollow: it was withheld, and is predicted."""
LEGEND: Final = "◆ fitted · ◇ held out, so predicted · ▸ input: the model is told of it · no mark: not scored"


def lasting(seconds: float) -> str:
    """A duration: "2 h 37 min", "45 s"."""
    whole = round(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours and minutes else f"{hours} h" if hours else f"{minutes} min"


def mark(line: Scored) -> str:
    """How a milestone is marked everywhere."""
    return "▸" if line.milestone.is_input else MARKS[line.half] if line.half else ""


def off(line: Scored) -> str:
    """How far the model is off, in minutes: "+3 min", "±0", "never"; empty for what the model does not produce."""
    if line.milestone.is_input or line.milestone.kind == "report":
        return ""
    if line.off_s is None:
        return "never" if line.half else ""
    minutes = round(line.off_s / 60)
    return f"{minutes:+} min" if minutes else "±0"


def error(line: Scored) -> str:
    """The scored error in percent; empty if there is none."""
    return "" if line.error is None else f"{100 * line.error:+.0f} %".replace("+0 %", "0 %").replace("-0 %", "0 %")


def tally(name: str, found: Tally) -> str:
    """What a half comes to, in a sentence."""
    if not found.count:
        return f"{name}: none."
    parts = [f"{name}: {found.close} of {found.count} within {100 * AIM:.0f} %"]
    if found.median is not None and found.worst is not None:
        parts.append(f"median {100 * found.median:.0f} %, worst {100 * found.worst:.0f} %")
    if found.never:
        parts.append(f"{found.never} never reached")
    return "; ".join(parts) + "."


def judged(score: Score) -> str:
    """Both halves. The held-out half comes first: it is what the model is worth."""
    return f"{tally('◇ Held out', score.held_out)} {tally('◆ Fitted', score.fitted)}"


def clear(day: Day) -> str:
    """When everything was clear, in a sentence."""
    if day.clear_s is None:
        return f"not everything is clear by {clock_of(day.until)}"
    if day.clear_s <= 0:
        return "nothing of it is noticed"
    return f"everything is clear at {clock_of(day.clear_s)}, after {lasting(day.clear_s)}"


def outage(day: Day) -> str:
    """For how long the endpoint had no addresses."""
    return f"without addresses for {lasting(day.outage_s)}" if day.outage_s else "never without addresses"


def asked(protections: tuple[str, ...]) -> tuple[str, ...]:
    """Them as `--with` is told: a whole family goes by its name."""
    left = [one for one in ALL if one in protections]
    if len(left) == len(ALL):
        return ("all",)
    words: list[str] = []
    for each in get_args(Family):
        whole = [one.protection for one in SWITCHES if one.family == each]
        if set(whole) <= set(left):
            words.append(each)
            left = [one for one in left if one not in whole]
    return (*words, *left)


def named(protections: tuple[str, ...]) -> str:
    """What a run is called."""
    return f"with {', '.join(asked(protections))}" if protections else "as built"
