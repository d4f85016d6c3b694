"""The day as data: every series, every milestone with its error, and what protections change. One JSON object."""

import msgspec

from ..attribution import Counterfactual
from ..day import Day
from ..parameters import SHEET, Parameters
from ..protections import SWITCHES
from ..published import ZERO_PDT
from ..scoring import AIM, Score, Scored, Tally
from .comparing import answer
from .wording import judged


def exported(day: Day, score: Score, parameters: Parameters, found: Counterfactual | None = None) -> dict[str, object]:
    """Times are seconds after `zero`; `days` holds the day as built and, if asked for, with protections."""
    days = [day] if found is None else [day, found.asked.together]
    told: dict[str, object] = {
        "zero": f"2025, {ZERO_PDT} PDT",
        "aim": AIM,
        "judged": judged(score),
        "held_out": _tally(score.held_out),
        "fitted": _tally(score.fitted),
        "milestones": [_line(line) for line in score.lines],
        "parameters": [
            {**msgspec.to_builtins(entry), "value": getattr(parameters, entry.name)} for entry in SHEET
        ],
        "days": [msgspec.to_builtins(one) for one in days],
    }  # fmt: skip
    if found is not None:
        told["protections"] = [msgspec.to_builtins(one) for one in SWITCHES]
        told["attribution"] = [
            {"protection": row.protection, "alone": _brief(row.alone), "left_out": _brief(row.left_out)}
            for row in found.asked.rows
        ]
        told["together"] = _brief(found.asked.together)
        told["recovery_alone"] = _brief(found.recovery)
        told["answer"] = answer(found)
    return told


def _tally(found: Tally) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__struct_fields__}


def _line(line: Scored) -> dict[str, object]:
    one = line.milestone
    return {
        "id": one.id,
        "service": one.service,
        "what": one.what,
        "kind": one.kind,
        "source": one.source,
        "observed": one.observed,
        "published_s": one.seconds,
        "published_pdt": one.pdt,
        "model_s": line.model_s,
        "half": line.half,
        "not_scored_because": line.because or None,
        "last_input": line.since or None,
        "since_last_input_s": line.room_s,
        "error": line.error,
    }


def _brief(day: Day) -> dict[str, object]:
    return {
        "protections": day.protections,
        "outage_s": day.outage_s,
        "clear_s": day.clear_s,
        "bound_s": day.bound_s,
        "took_s": day.took_s,
        "lost_s": day.lost_s,
        "milestones": day.milestones,
        "digest": day.digest,
    }
