"""Whom guards keep in answers, told so that people see at once whether anything is the matter. Pure.

Who is kept though ill, drained or gone does harm, and waits for a person or for a moment. Who is not ill and kept
only because others were chosen in its place (there are more than `max_answers`) harms nobody: the answer has a few
more than it shall until the removal budget lets them go.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from standfast.errors import EXIT_REFUSED
from standfast.model.entry import KEPT, NOT_CHOSEN, Key, Member

from .overridden import Remark
from .phrases import capital, listed
from .times import clock

if TYPE_CHECKING:
    from standfast.core.decisions import Decision

    from .observing import Seen

_OTHERS: Final = f"; {NOT_CHOSEN}: "
_SHOWN: Final = 4
_COMMAND: Final = re.compile(r"`(standfast [^`]+)`")


def spare(one: Member) -> bool:
    """Whether it is not known to be ill, and in the answer only until it may leave for those chosen in its place."""
    return one.served and one.reason.startswith(KEPT) and _OTHERS in one.reason


def kept(one: Member) -> bool:
    """Whether a guard keeps it in the answer though something is the matter with it."""
    return one.served and one.reason.startswith(KEPT) and not spare(one)


def guarded(seen: "Seen") -> Iterator[Remark]:
    """What guards refuse and hold, where a person is needed: of several endpoints together if it is the same."""
    same: dict[tuple[str, str], list[Key]] = {}
    for refusal in seen.refusals:
        same.setdefault((refusal.reason, refusal.remedy), []).append(refusal.key)
    for (reason, remedy), keys in same.items():
        names = [seen.short(key) for key in keys]
        typed = _COMMAND.search(remedy)
        command = typed[1] if typed else f"standfast explain {names[0]}"
        yield Remark("NEEDS YOU", f"{listed(names, _SHOWN)}: {reason}. {capital(remedy)}.", command, EXIT_REFUSED)
    told = {refusal.key: refusal.reason for refusal in seen.refusals}
    for decision in seen.decisions:
        some = [one for one in decision.members if kept(one) and not _said(one, told.get(decision.key))]
        if decision.action != "held" and some:
            name, why = seen.short(decision.key), some[0].reason.removeprefix(KEPT)
            served = sum(one.served for one in decision.members)
            text = f"{name}: a guard keeps {listed((one.load_balancer for one in some), _SHOWN)} in the answer"
            text += f" ({len(some)} of {served} there){_until(decision, seen.at)}: {why}."
            yield Remark("NEEDS YOU", text, f"standfast explain {name} {some[0].load_balancer}", EXIT_REFUSED)


def overfull(seen: "Seen") -> Iterator[Remark]:
    """Answers that have a few more than they shall, of whom nobody is known to be ill."""
    for decision in seen.decisions:
        some = [one for one in decision.members if spare(one)]
        if decision.action != "held" and some:
            name, ids = seen.short(decision.key), listed((one.load_balancer for one in some), _SHOWN)
            text = f"{name} answers with {len(some)} more than max_answers: others were chosen, and {ids} "
            text += f"may leave as soon as guards allow{_until(decision, seen.at, ', at')}. Nobody needs to act."
            yield Remark("HANDLED", text, f"standfast explain {name}")


def _said(one: Member, refusal: str | None) -> bool:
    return refusal is not None and one.reason.startswith(f"{KEPT}{refusal}")


def _until(decision: "Decision", at: float, word: str = " until") -> str:
    return f"{word} {clock(decision.due, at)}" if decision.due is not None else ""
