"""What a run came to: one object for machines, a few sentences for people. Pure."""

import textwrap
from typing import Any, Final

from .judge import Judge
from .ledger import WORDS, Ledger
from .setting import HELD_ENACTOR, HELD_GENERATIONS

RATE_MIN: Final = 100.0
UNANSWERED_MAX: Final = 0.01
REFUSALS: Final = frozenset({"NXRRSET", "YXRRSET"})
"""What a server answers when a prerequisite does not hold (RFC 2136 §3.2)."""


def report(
    judge: Judge, ledger: Ledger, *, seconds: float, rate: float, gap_s: float, generations: int, collected: int
) -> dict[str, Any]:
    """The object that `--json` prints, but for `ok` and `problems`."""
    return {
        "queries": judge.heard,
        "bad": judge.bad,
        "bad_by_kind": judge.by_kind,
        "bad_examples": judge.examples,
        "damage_made": [
            {
                "fault": one.fault,
                "name": one.name,
                "answers": one.answers,
                "healed_s": None if one.healed_s is None else round(one.healed_s, 3),
            }
            for one in judge.damages
        ],
        "generations": generations,
        "faults": ledger.by_kind(),
        "refused_writes": dict(ledger.refused),
        "held_generations": ledger.held_passed,
        "plans_collected": collected,
        "prober_rate": round(rate, 1),
        "longest_gap_ms": round(gap_s * 1000, 1),
        "unanswered": judge.unanswered,
        "rounds": ledger.rounds,
        "seconds": round(seconds, 1),
    }


def problems(found: dict[str, Any], *, whole: bool = True) -> list[str]:
    """Why the run is not what was promised; none if it is. `whole`: each kind of fault must have been shown."""
    why = []
    if found["bad"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found["bad_by_kind"].items()))
        why.append(f"{found['bad']} bad answers: {kinds}")
    for kind, times in found["faults"].items():
        if times["injected"] == 0 and whole:
            why.append(f"{WORDS[kind]}: never injected")
        elif times["healed"] < times["injected"]:
            slowest = "not healed" if times["max_s"] is None else f"at most {times['max_s']} s"
            why.append(f"{WORDS[kind]}: {times['healed']} of {times['injected']} healed in time ({slowest})")
    refused = found["refused_writes"]
    if whole and not refused:
        why.append("no held write was released")
    if other := sorted(set(refused) - REFUSALS):
        why.append(f"a held write was not refused by the server: {', '.join(other)}")
    if refused and found["held_generations"] < HELD_GENERATIONS:
        why.append(f"only {found['held_generations']} generations passed while the write was held")
    if found["prober_rate"] < RATE_MIN:
        why.append(f"the prober asked {found['prober_rate']} times a second, below {RATE_MIN:g}")
    if found["unanswered"] > UNANSWERED_MAX * max(1, found["queries"]):
        why.append(f"{found['unanswered']} of {found['queries']} questions had no answer")
    return why


def summary(found: dict[str, Any], why: list[str]) -> list[str]:
    """For people."""
    faults = found["faults"]
    injected = sum(times["injected"] for times in faults.values())
    healed = sum(times["healed"] for times in faults.values())
    if found["bad"]:
        answers = f"{found['bad']} of them BAD"
    else:
        answers = "none of them empty, mixed, of no plan, or older than one before"
    lines = [f"{found['seconds']:.0f} s shown: {found['queries']:,} answers to the prober, {answers}."]
    if healed == injected and injected:
        kinds = sum(times["injected"] > 0 for times in faults.values())
        slow = max((kind for kind in faults if faults[kind]["max_s"]), key=lambda kind: faults[kind]["max_s"])
        lines.append(
            f"  {injected} faults of {kinds} kinds, each healed in time. The slowest: {WORDS[slow]}, "
            f"{faults[slow]['max_s']:.1f} s of {faults[slow]['allowed_s']:.1f} s allowed."
        )
    if found["refused_writes"] and not set(found["refused_writes"]) - REFUSALS:
        rcodes = ", ".join(sorted(found["refused_writes"]))
        lines.append(
            f"  A write of enactor {HELD_ENACTOR} was held for {found['held_generations']} generations and then "
            f"released: the server refused those very bytes ({rcodes})."
        )
    made = sum(one["answers"] for one in found["damage_made"])
    times = [one["healed_s"] for one in found["damage_made"] if one["healed_s"] is not None]
    if times:
        lines.append(f"  Damaged by hand {len(times)} times: {made} answers suffered, for {max(times):.1f} s at most.")
    lines.append(f"  {found['generations']} generations published, {found['plans_collected']} collected again.")
    lines += [f"■ Not as promised: {one}." for one in why]
    return [part for line in lines for part in _wrapped(line)]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 78, subsequent_indent="    ", break_on_hyphens=False)


NEXT: Final = (
    "Next:  a standfast.yaml of your own (examples/bind.yaml, knot.yaml), and then",
    "       standfast check           what is wrong with file, server, key, zone",
    "       standfast plan            what it would change, and why",
    "       standfast run --observe   decide and log, write nothing",
)
