"""How much of each limit is used and until when, who waits for which, what load balancers carry together, and how far
answers are from weights: said once, for `status`, `plan`, `explain` and the page.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from standfast.core.decisions import Budget, Decision, Load, Rule
from standfast.core.selection import percent
from standfast.core.spread import Share
from standfast.model.policy import EndpointPolicy

from .keeping import spare
from .phrases import listed
from .times import clock

TOLD_MAX: Final = 6
"""So many load balancers are told in a line, the worst first; `--json` has all."""
DEVIATION_TOLD: Final = 0.01
"""A smaller difference between answers and capacity is not told to people."""


def limits_told(one: Decision, at: float, *, kept: bool = True) -> list[str]:
    """A sentence for each budget that is used, and for those who wait for the same limit; `kept`: not only to join."""
    lines = [
        f"{name}: {round(100 * budget.part)} of {round(100 * budget.share)} % used until {clock(budget.until, at)}."
        for name, budget in (("Removal budget", one.removal), ("Adding budget", one.adding))
        if budget.used and budget.until is not None
    ]
    waiting: dict[tuple[Rule, str, float | None, bool], list[str]] = {}
    well = {member.load_balancer for member in one.members if spare(member)}
    for held in one.held_back:
        if kept or held.rule == "adding":
            what = (held.rule, held.why, held.due, held.load_balancer in well)
            waiting.setdefault(what, []).append(held.load_balancer)
    for (rule, why, due, more), names in waiting.items():
        some = listed(dict.fromkeys(names), TOLD_MAX)
        verbs = ("waits to join", "wait to join") if rule == "adding" else ("is kept", "are kept")
        ends = f"; until {clock(due, at)}" if due is not None else ""
        last = _sooner(rule, names[0])
        if more:
            last = f" {('It is', 'They are')[len(names) > 1]} more than max_answers, and not ill."
        lines.append(f"{some} {verbs[len(names) > 1]} ({rule}): {why}{ends}.{last}")
    return lines


def _sooner(rule: Rule, name: str) -> str:
    """What consent would lift, and what people can do where it lifts nothing."""
    match rule:
        case "velocity":
            return f" Not to wait: standfast drain {name} --yes --reason TEXT"
        case "panic":
            return (
                f" If its checks lie: standfast override {name} up --for 1h --reason TEXT. If it is gone: "
                f"standfast drain {name} --reason TEXT (who is drained is no evidence of a panic)"
            )
        case "min_answers":
            return " It leaves when another comes back; not to wait: a lower min_answers in the file"
    return ""


def budget_facts(one: Decision) -> dict[str, Any]:
    """The same for machines: shares, and moments in seconds since the epoch."""
    return {
        "budget": _budget(one.removal),
        "adding": _budget(one.adding),
        "held_back": [
            {"load_balancer": held.load_balancer, "rule": held.rule, "reason": held.why, "until": held.due}
            for held in one.held_back
        ],
    }


def _budget(budget: Budget) -> dict[str, Any]:
    return {"used": round(budget.part, 4), "of": budget.share, "until": budget.until}


def load_told(one: Load) -> str:
    """`lb-a1 72 of 100`, and whether that is more than the reserve leaves."""
    over = "" if one.within else " (uses its reserve)"
    return f"{one.load_balancer} {one.load:.4g} of {one.capacity}{over}"


def loads_told(loads: Sequence[Load]) -> list[str]:
    """What load balancers carry of what endpoints need together, the fullest first; nothing where none says so."""
    if not loads:
        return []
    worst = sorted(loads, key=lambda one: (-one.load / one.capacity if one.capacity else -one.load, one.load_balancer))
    reserve = percent(loads[0].reserve)
    return [f"Load of what endpoints need: {listed((load_told(one) for one in worst), TOLD_MAX)}; {reserve} stay free."]


def loads_facts(loads: Iterable[Load]) -> list[dict[str, Any]]:
    """The same for machines, in the unit of capacity."""
    return [
        {
            "load_balancer": one.load_balancer,
            "load": round(one.load, 4),
            "capacity": one.capacity,
            "reserve": one.reserve,
            "within": one.within,
        }
        for one in loads
    ]


def shares_told(shares: Sequence[Share]) -> list[str]:
    """Whose part of the answers is another than its part of the capacity, the furthest first; nothing if nobody's."""
    far = [one for one in shares if abs(one.deviation) >= DEVIATION_TOLD]
    far.sort(key=lambda one: (-abs(one.deviation), one.load_balancer))
    texts = [
        f"{one.load_balancer} {100 * one.answers:.3g} for {100 * one.capacity:.3g} % ({100 * one.deviation:+.2g})"
        for one in far
    ]
    return [f"Share of answers for share of capacity: {listed(texts, TOLD_MAX)}."] if far else []


def shares_facts(shares: Iterable[Share]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "load_balancer": one.load_balancer,
            "answers": round(one.answers, 6),
            "capacity": round(one.capacity, 6),
            "deviation": round(one.deviation, 6),
        }
        for one in shares
    ]


def limits_facts(policy: EndpointPolicy) -> dict[str, Any]:
    """Every limit that one endpoint is held to."""
    return {
        "min_answers": policy.min_answers,
        "max_answers": policy.max_answers,
        "hold_below": policy.hold_below,
        "on_panic": policy.on_panic,
        "az_loss": policy.az_loss,
        "removal": {"share": policy.removal_share, "window_s": policy.removal_window_s},
        "adding": {"share": policy.adding_share, "window_s": policy.adding_window_s},
        "need": policy.need,
        "reserve": policy.reserve,
        "rotation_s": policy.rotation_s,
    }
