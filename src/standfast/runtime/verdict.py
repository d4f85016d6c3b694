"""How things stand, in one sentence of five kinds and one command that fits: written once, for all who show it. Pure.

    ✓ FINE        everything is as planned
    ▲ HANDLED     something happened and is taken care of; nobody needs to act
    ■ NEEDS YOU   a guard holds, a consent is missing, somebody else writes, or nobody is running
    ❄ HELD        an operator wants it so (FROZEN likewise); failover is off
    ? BLIND       zones or store cannot be read: what is served is the last plan, as far as anybody knows

Of several, the order is NEEDS YOU, BLIND, HELD, HANDLED, FINE.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct

from standfast.adapters.providers.keyring import NO_WRITE
from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE, EXIT_REFUSED
from standfast.model.entry import NOT_CHOSEN, Entry
from standfast.model.marker import Damaged, Floor, Marker
from standfast.model.name import floor_owner
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown
from standfast.ports.store import PlanSummary

from .hostedtold import remarks as hosted
from .keeping import guarded, overfull
from .observing import Seen
from .overridden import Kind
from .overridden import Remark as _Finding
from .overridden import remarks as overridden
from .phrases import capital, listed
from .registriestold import registry_findings
from .secondaries import staying_behind
from .setbacks import set_back_sentences
from .silence import nobody, some_missing
from .skew import skewed
from .sourced import source_findings
from .times import since, span
from .tugging import quarrels
from .watching import overloads, unheard

if TYPE_CHECKING:
    from .zonesight import EndpointSight, ZoneSight

State: TypeAlias = Literal["ok", "held", "frozen", "behind", "damaged", "ahead", "refused", "retired", "unread"]
SIGNS: Final[Mapping[str, str]] = {
    "FINE": "✓",
    "HANDLED": "▲",
    "NEEDS YOU": "■",
    "HELD": "❄",
    "FROZEN": "❄",
    "BLIND": "?",
}
_REFUSED: Final = frozenset({"foreign", "unsafe", "retired", "left"})
_SUPERSEDED: Final = "was started later with another configuration"
_CARRIED_ON: Final = "carried on unchanged"
_OTHER_STREAM: Final = "is under a marker of stream"
_NOBODY: Final = "Nobody needs to act."


class Standing(Struct, frozen=True):
    """One endpoint: `why` is a clause."""

    state: State
    why: str


class Verdict(Struct, frozen=True):
    """The one sentence (or a few short ones), the one command, and how `status` ends."""

    kind: Kind
    sentence: str
    command: str
    exit_code: int

    @property
    def line(self) -> str:
        """As every place shows it."""
        return f"{SIGNS[self.kind]} {self.kind:<9} {self.sentence}"


def standing(sight: "EndpointSight", plan: Plan, zone: "ZoneSight") -> Standing:
    """What an enactor with this plan would say of the endpoint: by its own rules."""
    from standfast.core.judgement import Due, FloorView, RefillDue, judge

    entry = sight.entry
    if isinstance(sight.marker, Unknown) or isinstance(zone.floor, Unknown) or sight.unread:
        return Standing("unread", sight.unread or zone.trouble)
    floor, text = zone.floor, floor_owner(plan.record.stream, zone.zone)
    view = FloorView(0, False, ()) if not isinstance(floor, Floor) else FloorView(floor.generation, floor.frozen, ())
    judged = judge(entry, plan, sight.marker, view, sight.seen, prefixes=zone.prefixes, known=dict(sight.beyond))
    if isinstance(judged, RefillDue) or (isinstance(judged, Due) and judged.repair):
        return Standing("damaged", judged.why)
    if isinstance(judged, Due):
        if isinstance(sight.marker, Damaged):
            return Standing("damaged", f"its marker cannot be believed: {sight.marker.why}")
        lost = not isinstance(sight.marker, Marker) and isinstance(floor, Floor) and floor.generation >= entry.since
        return Standing(
            "damaged" if lost else "behind", judged.why if isinstance(sight.marker, Marker) else "no marker"
        )
    if judged.standing == "in_step" and not isinstance(floor, Floor):
        return Standing("damaged", f"the floor {text} is missing or cannot be believed")
    if judged.standing == "in_step":
        return _in_step(entry)
    if judged.standing == "frozen":
        return Standing("frozen", judged.why)
    if entry.kind == "retired" and judged.standing == "foreign":
        return Standing("retired", f"retired; {judged.why}")
    return Standing("refused" if judged.standing in _REFUSED else "ahead", judged.why)


def _in_step(entry: Entry) -> Standing:
    if entry.kind == "retired":
        return Standing("retired", "retired; its tombstone stays")
    return Standing("held", entry.held) if entry.held else Standing("ok", "")


Each: TypeAlias = "list[tuple[EndpointSight, Standing]]"


def standings(seen: Seen) -> "Each":
    """Every endpoint with how it stands, in the order of names."""
    plan = seen.store.plan
    if plan is None:
        return []
    found = [(one, standing(one, plan, zone)) for zone in seen.zones for one in zone.endpoints]
    return [(one, how) for one, how in found if one.entry.kind != "first"]


def by(author: str) -> str:
    """Who published a plan: people are user@host, planners a bare name."""
    return author if "@" in author or author.startswith("planner") else f"planner {author}"


def published_at(plans: Iterable[PlanSummary]) -> dict[int, float]:
    """When each stored generation was published, by its planner's clock."""
    return {one.generation: one.at for one in plans}


def verdict(seen: Seen) -> Verdict:
    """The verdict on everything."""
    each = standings(seen)
    found = [*_needs(seen, each), *overridden(seen), *hosted(seen), *_blind(seen), *_held(seen, each)]
    found += _handled(seen, each)
    found += skewed(seen)
    found += [_Finding(*one) for one in (*source_findings(seen), *registry_findings(seen))]
    order: list[Kind] = ["NEEDS YOU", "BLIND", "FROZEN", "HELD", "HANDLED"]
    codes = {one.exit_code for one in found}
    code = next((c for c in (EXIT_REFUSED, EXIT_ERROR, EXIT_DIFFERS) if c in codes), EXIT_FINE)
    for kind in order:
        some = [one for one in found if one.kind == kind]
        if some:
            others = [one for one in found if one.kind in ("NEEDS YOU", "BLIND") and one not in some]
            count = len(some) - 1 + len(others)
            more = f" (And {count} more{', some of it ' + others[0].kind if others else ''}.)" if count else ""
            return Verdict(kind, some[0].sentence + more, some[0].command, code)
    return Verdict("FINE", _fine(seen), "standfast history", code)


def _fine(seen: Seen) -> str:
    count, head = len(seen.endpoints), seen.store.head
    names = {1: "The endpoint is", 2: "Both endpoints are"}.get(count, f"All {count} endpoints are")
    return f"{names} in step{f' at g{head.generation}' if head else ''}. {_NOBODY}"


def _needs(seen: Seen, each: "Each") -> Iterator[_Finding]:
    if not seen.store.trouble and seen.store.plan is None and not seen.running("planner"):
        yield _Finding("NEEDS YOU", "Nothing was published yet, and no planner is running.", "standfast run", 2)
        return
    if not seen.store.began and seen.store.plan is None:
        yield _Finding("NEEDS YOU", "Nothing was published yet: there is no plan store.", "standfast run", 2)
        return
    yield from nobody(seen)
    yield from _forked(seen)
    yield from guarded(seen)
    for sight, how in each:
        if how.state == "refused":
            name = seen.short(sight.entry.key)
            text = f"{name}: {how.why}; nothing is written."
            yield _Finding("NEEDS YOU", text, f"standfast explain {name}", EXIT_REFUSED)
    for text in _planner_says(seen, "refusals"):
        if any(text.startswith(f"{name}: ") for _, name in seen.absent):
            yield _Finding("NEEDS YOU", f"Not in a plan: {text}.", "standfast plan", EXIT_REFUSED)
    for text in _planner_says(seen, "troubles"):
        if _SUPERSEDED in text:
            yield _Finding("NEEDS YOU", capital(text), "standfast check", EXIT_REFUSED)
    for text in staying_behind(seen.secondaries):
        yield _Finding("NEEDS YOU", text, "standfast check", EXIT_DIFFERS)
    for text in dict.fromkeys(text for one in seen.running("enactor") for text in _texts(one.facts.get("locked"))):
        yield _Finding("NEEDS YOU", f"{text}: {NO_WRITE}. DNS stays as it is.", "standfast check", EXIT_REFUSED)
    for text, command, code in quarrels(seen.running("enactor"), seen.twins):
        yield _Finding("NEEDS YOU", text, command, code)
    for text in overloads(seen):
        yield _Finding("NEEDS YOU", text, "standfast check", EXIT_DIFFERS)


def _forked(seen: Seen) -> Iterator[_Finding]:
    """Enactors that know another plan by the store's newest number: the store was lost, or put back from a backup."""
    head = seen.store.head
    if head is None:
        return
    for one in seen.running("enactor"):
        known = one.facts.get("plan")
        if known and known != head.digest and one.facts.get("generation") == head.generation:
            text = (
                f"Enactor {one.who} knows another plan g{head.generation} than the store has (was the store put back "
            )
            text += "or lost?): nothing is written until there is a newer one. Any `hold` publishes one; then `resume`."
            yield _Finding("NEEDS YOU", text, "standfast history", EXIT_REFUSED)
            return


def _planner_says(seen: Seen, what: str) -> list[str]:
    """What running planners write beside their sign of life, each once."""
    return list(dict.fromkeys(text for one in seen.running("planner") for text in _texts(one.facts.get(what))))


def _texts(told: object) -> list[str]:
    return [str(text) for text in told] if isinstance(told, list) else []


def _blind(seen: Seen) -> Iterator[_Finding]:
    command = "standfast check"
    for zone in seen.zones:
        if zone.trouble:
            text = f"{zone.zone} can't be read ({zone.trouble}). What it serves is the last plan written to it."
            yield _Finding("BLIND", text, command, EXIT_ERROR)
    # What planners say then is what comes of it.
    if seen.store.trouble and (seen.store.began or seen.store.plan):
        shown = f" Shown is the copy that enactor {seen.store.copy} keeps." if seen.store.copy else ""
        text = (
            f"The plan store can't be read ({seen.store.trouble.rstrip('.')}). Enactors go on with their copies.{shown}"
        )
        yield _Finding("BLIND", text, command, EXIT_ERROR)
    for text in _planner_says(seen, "troubles"):
        if not any(known in text for known in (_SUPERSEDED, _CARRIED_ON, _OTHER_STREAM)):  # these are told elsewhere
            yield _Finding("BLIND", f"The planner says: {text.rstrip('.')}.", command, EXIT_ERROR)
    verdicts = seen.store.verdicts
    if verdicts and all(one.state == "unknown" for _, one in verdicts) and seen.running("planner"):
        text = "No health check has come to a conclusion; every answer stays as it is."
        yield _Finding("BLIND", text, command, EXIT_FINE)


def _held(seen: Seen, each: "Each") -> Iterator[_Finding]:
    from .freezing import endpoint_freeze, unplanned, zone_freezes

    whole = set()
    for frozen, text in zone_freezes(seen):
        whole.add(frozen.zone)
        verb, code = ("thaw", EXIT_FINE) if frozen.sealed else ("freeze", EXIT_DIFFERS)
        yield _Finding("FROZEN", text, f"standfast {verb} {frozen.zone}", code)
    for sight, how in each:
        name = seen.short(sight.entry.key)
        if how.state == "frozen":
            if sight.entry.zone not in whole:
                text = endpoint_freeze(seen, sight.entry.name, name, sight.marker)
                yield _Finding("FROZEN", text, f"standfast thaw {name}", EXIT_FINE)
        elif text := unplanned(sight.marker, name):
            yield _Finding("HELD", text, "standfast run", EXIT_DIFFERS)
        elif sight.entry.held:
            yield _Finding("HELD", held_sentence(seen, sight.entry), f"standfast resume {name}", EXIT_FINE)


def held_sentence(seen: Seen, entry: Entry) -> str:
    """Who holds it, since when and why."""
    name = seen.short(entry.key)
    told = next((one for one in seen.store.plans if one.reason.endswith(f": {entry.held}")), None)
    who = f" {since(told.at, seen.at)} (g{told.generation}) by {by(told.author)}" if told else ""
    return f'{name} is HELD{who}: "{entry.held}". Failover is OFF for it.'


def _handled(seen: Seen, each: "Each") -> Iterator[_Finding]:
    when = published_at(seen.store.plans)
    writers = seen.running("enactor")
    if writers and all(one.facts.get("observe") for one in writers):
        text = "Only observing: what would be written stands in the journal, and nothing is."
        yield _Finding("HANDLED", text, "standfast history", EXIT_FINE)
    for text in dict.fromkeys(text for one in writers for text in _texts(one.facts.get("keys"))):
        yield _Finding("HANDLED", f"{text}. {_NOBODY}", "standfast check", EXIT_FINE)
    unhealed = {sight.entry.zone for sight, how in each if how.state in ("damaged", "behind")}
    for text in set_back_sentences(writers, seen.at, unhealed):
        yield _Finding("HANDLED", f"{text} {_NOBODY}", "standfast audit", EXIT_FINE)
    for sight, how in each:
        entry = sight.entry
        name = seen.short(entry.key)
        command = f"standfast explain {name}"
        if how.state == "damaged":
            yield _Finding("HANDLED", f"{name} is being put back: {how.why}. {_NOBODY}", command, EXIT_DIFFERS)
        elif how.state in ("behind", "ahead"):
            text = f"{name} is on its way to g{entry.since} ({how.why}). {_NOBODY}"
            yield _Finding("HANDLED", text, command, EXIT_DIFFERS)
        elif late := _late(sight):
            verb = "does" if len(late) == 1 else "do"
            text = f"{listed(late, 4)} {verb} not serve g{entry.since} of {name} yet. {_NOBODY}"
            yield _Finding("HANDLED", text, command, EXIT_DIFFERS)
        elif out := [one for one in entry.members if not one.served and not one.reason.startswith(NOT_CHOSEN)]:
            served = sum(one.served for one in entry.members)
            moment = f" {since(when.get(entry.since), seen.at)}".rstrip()
            text = f"{name} serves {served} of {len(entry.members)}{moment} (g{entry.since}): "
            text += f"{out[0].load_balancer} {out[0].reason}. {_NOBODY}"
            yield _Finding("HANDLED", text, f"{command} {out[0].load_balancer}", EXIT_FINE)
    yield from some_missing(seen)
    yield from overfull(seen)
    if lost := unheard(seen):
        verb = "does" if len(lost) == 1 else "do"
        text = f"{listed(lost, 4)} {verb} not vote; the majority of all {len(seen.store.votes)} decides. {_NOBODY}"
        yield _Finding("HANDLED", text, "standfast check", EXIT_FINE)
    if seen.absent:
        names = listed((seen.short(key) for key in seen.absent), 4)
        text = f"Not in a plan yet: {names}. `standfast plan` says what each waits for."
        yield _Finding("HANDLED", text, "standfast plan", EXIT_DIFFERS)


def _late(sight: "EndpointSight") -> list[str]:
    """Other name servers that serve an older marker than the primary, as far as they could be read."""
    late = []
    for server, marker in sight.servers[1:]:
        if isinstance(marker, Unknown) or not isinstance(sight.marker, Marker):
            continue
        if not isinstance(marker, Marker) or marker.since < sight.marker.since:
            late.append(server)
    return late


def ages(seen: Seen) -> str:
    """Who is here, with the age of their last sign of life."""
    roles = {role: f"no {role}" for role in ("planner", "enactor", "cleaner", "monitor")}
    found = []
    if seen.hidden:
        return "this user may not see who is running"
    for role, none in roles.items():
        some = [one for one in seen.present if one.role == role]
        for one in some:
            gone = "" if one.alive else " (its process is gone)"
            who = f"{role} {one.who}" if role == "enactor" else role
            found.append(f"{who} {span(one.age_s)} ago{gone}")
        if not some:
            found.append(none)
    return "   ".join(found)
