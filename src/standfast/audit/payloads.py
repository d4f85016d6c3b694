"""What each intent may assert and put, judged by itself: G1 (never empty) and G8 (freezes, tombstones, other streams),
and the floor's part of G2."""

from typing import Final

from .findings import Findings
from .format import FloorLine, IntentLine, WriteLine
from .lines import Place

NO_PLAN: Final = "none"
"""What an operator's freeze or thaw names instead of a plan: it alone puts markers without contents."""
EMERGENCY: Final = "emergency"
"""What an operator's emergency publish names: contents without a plan."""
BARE: Final = frozenset({"mark", "take", "leave"})
OF_TREES: Final = frozenset({"build", "collect"})
"""Changes of a tree's records alone: the name itself, and what it answers, stay."""
"""Acts of an operator on markers alone: freeze and thaw, take-over from another stream, the way out."""
_REPORT: Final = "Report this with the journal: no enactor may do that."
_NOT_OURS: Final = {
    "frozen": "under a frozen marker",
    "placeholder": "under a freeze without since",
    "foreign": "over another stream's marker",
}


def judge_intent(line: IntentLine, place: Place, findings: Findings) -> None:
    """Everything that one line shows. A line of version 1 shows nothing of this."""
    if line.floor is None:
        for guarantee in ("G1", "G8"):
            findings.doubted(guarantee, "intents of version 1 don't tell what is asserted and put", place)
        return
    if line.floor.found == "frozen" and any(one.act != "mark" for one in line.writes):
        findings.violated("G8", f"{line.zone}: a change under a frozen floor", place, remedy=_REPORT)
    _floor(line, line.floor, place, findings)
    for write in line.writes:
        if write.act in BARE and line.plan != NO_PLAN:
            text = f"{write.name}: a marker is put and nothing else, by a plan"
            findings.violated("G1", text, place, remedy=_REPORT)
        _payload(write, place, findings)
        _obedience(write, place, findings)


def _payload(write: WriteLine, place: Place, findings: Findings) -> None:
    if write.act in BARE | OF_TREES or write.kind in ("first", "retired"):
        return
    least, answers = write.least or {}, write.answers or {}
    findings.checked("G1")
    if not least:
        text = f"{write.name}: a payload without min_answers"
        findings.violated("G1", text, place, remedy=_REPORT)
    for family, wanted in least.items():
        count = answers.get(family, 0)
        if write.act == "refill" and family not in answers:
            count = (write.had or {}).get(family, 0)
        if count < max(wanted, 1) and write.partly:
            why = f"trees too large for one change: of {family} less than min_answers is asserted, as much as fits"
            findings.doubted("G1", why, place)
        elif count < max(wanted, 1):
            text = f"{write.name}: {count} {family} where min_answers is {wanted}"
            findings.violated("G1", text, place, remedy=_REPORT)


def _obedience(write: WriteLine, place: Place, findings: Findings) -> None:
    findings.checked("G8")
    if write.act == "mark":
        return
    if write.act == "take":
        if write.found != "foreign":
            text = f"{write.name}: taken over, and found was no live marker of another stream but {write.found}"
            findings.violated("G8", text, place, remedy=_REPORT)
    elif write.found in _NOT_OURS:
        text = f"{write.name}: a {write.act} {_NOT_OURS[write.found]}"
        findings.violated("G8", text, place, remedy=_REPORT)
    elif write.found == "retired" and write.kind != "retired" and write.act not in ("leave", "collect"):
        findings.violated("G8", f"{write.name}: a {write.act} under a tombstone", place, remedy=_REPORT)


def _floor(line: IntentLine, floor: FloorLine, place: Place, findings: Findings) -> None:
    """Rule 5 of the write protocol: absence has no nonce, so the floor remembers for it."""
    writes = [one for one in line.writes if one.act == "write"]
    blind = [one for one in writes if not one.over]
    wrong = ""
    if floor.found == "unasserted" or any(one.found == "unasserted" for one in line.writes):
        wrong = "a change that does not assert what it replaces"
    elif any(one.act == "refill" for one in line.writes):
        if floor.generation is None or floor.sets != floor.generation:
            wrong = "a refill needs a readable floor, and leaves its generation as it is"
        elif any(one.over or one.puts for one in line.writes):
            wrong = "a refill over a marker, or one that writes a marker"
    elif any(one.act == "leave" for one in line.writes) and floor.sets is None and not floor.goes:
        wrong = "a marker is taken away, and the floor got no fresh nonce"
    elif floor.sets is None:
        if floor.generation is None:
            wrong = "a write under a lost floor that does not rebuild it"
        elif writes and line.generation > floor.generation:
            wrong = f"a write of g{line.generation} leaves the floor at {floor.generation}"
        elif blind:
            wrong = f"{blind[0].name} has no readable marker, and the floor got no fresh nonce"
    elif writes and floor.sets < line.generation:
        wrong = f"a write of g{line.generation} sets the floor to {floor.sets}"
    elif floor.generation is not None and floor.sets < floor.generation:
        wrong = f"the floor is lowered from {floor.generation} to {floor.sets}"
    if not wrong and blind and floor.generation is not None and line.generation < floor.generation:
        wrong = f"{blind[0].name} has no readable marker, and g{line.generation} is below the floor {floor.generation}"
    if wrong:
        findings.violated("G2", f"{line.zone}: {wrong}", place, remedy=_REPORT)
