"""What a change leaves to do: who is read back, tried again by itself, halved, verified, or put aside."""

from typing import Final, NamedTuple

from msgspec import structs

from standfast.model.entry import Key

from .agenda import Agenda, joined
from .task import Task, quarantined

READ_BACK: Final = 4
"""Endpoints of a change read back at once in a paced zone; more are left to the patrol, which reads page by page."""


class Left(NamedTuple):
    """The agenda afterwards, and the endpoints that are refused by themselves."""

    agenda: Agenda
    quarantine: tuple[tuple[Key, int], ...]


def left(
    before: Left, task: Task, results: dict[str, list[Key]], written: list[Key], probe: Key | None, *, paced: bool
) -> Left:
    """After a change with these endpoints by result. `written` are those of them that may stand; `probe` was taken out
    of quarantine for a try. With `paced` the patrol reads back what is many."""
    agenda, quarantine = before
    read_back = [] if paced and len(written) > READ_BACK and not task.verify else written
    checks = [*read_back, *results.get("refilled", ()), *results.get("look", ())]
    again = results.get("conflict", [])
    if task.verify:
        # What was due is damage, and only its addresses show it: the marker alone would say "in step".
        checks, again = checks + again, []
    groups = tuple((key,) for key in results.get("built", ())) + agenda.groups
    if deferred := results.get("deferred"):
        groups = ((task.first_key, *deferred), *groups)
    refused = results.get("refused", [])
    if len(refused) > 1:
        middle = len(refused) // 2
        groups = (tuple(refused[:middle]), tuple(refused[middle:]), *groups)
    elif refused:
        quarantine = quarantined(quarantine, refused[0], task)
    if probe is not None and probe in written:
        checks, quarantine = checks + [key for key, _ in quarantine], ()
    unrecorded, aside = results.get("unrecorded", []), results.get("blind", [])
    if task.verify and len(results) > 1:
        aside = []  # the next look reads the whole zone anew
    if task.refills_only:
        aside = aside + unrecorded
    else:
        checks.extend(unrecorded)
    agenda = structs.replace(
        agenda,
        groups=groups,
        due=joined(agenda.due, tuple(again)),
        checks=joined(agenda.checks, tuple(checks) if paced or not agenda.everything else ()),
        aside=joined(agenda.aside, tuple(aside)),
    )
    if unanswered := results.get("unknown") or (aside if results.keys() == {"blind"} else []):
        agenda = agenda.without(task.zone, tuple(unanswered))
    return Left(agenda, quarantine)
