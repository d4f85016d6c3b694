"""The next plan as the planner would draw it from store, zones and health, up to the point of publishing it."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from standfast.config import Config, LoadBalancerConfig
from standfast.core.decisions import Draft, Refusal
from standfast.core.publisher import Assignment, Done, Phase, PublisherReply, PublisherRequest, Publishing, publish
from standfast.errors import StandfastError, StoreError
from standfast.model.fleet import Fleet, Verdict
from standfast.model.override import Override
from standfast.model.plan import Plan
from standfast.ports.provider import Read, Unknown, ZoneProvider
from standfast.ports.store import HeadRead, PlanMissing, PlanRead, ReadHead, ReadPlan, ReadSource, SourceRead
from standfast.recovery.override import consented, overlaid, ruling
from standfast.runtime.asking import asked_fleet
from standfast.runtime.checkboards import checks_in
from standfast.runtime.consenting import CONSENTS, read_consents
from standfast.runtime.observing import at_work, open_existing, present
from standfast.runtime.overriding import OVERRIDES, Unreadable, overrides_in
from standfast.runtime.place import Place, load_balancer_of, policy_of
from standfast.runtime.sharing import HEALTH, read_health
from standfast.runtime.zonesight import reader

if TYPE_CHECKING:
    from standfast.adapters.stores.plan_store import PlanStore

PREVIEW: Final = "previewed"
"""Who consents where a preview supposes it; never published."""


class Drawn(Struct, frozen=True):
    """What came of drawing.

    `head` is the preceding plan, `plan` the next one; None: nothing is to be published. `consent` are the refusals
    for want of consent: the plan is drawn as if it had been given. `health_from` is `planner` or `probes`, or `none`
    if nothing is checked. `unreadable` are zones that did not answer. `refused` says why no plan can be made at all.
    """

    head: Plan | None
    plan: Plan | None
    draft: Draft | None
    consent: tuple[Refusal, ...]
    health_from: str
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    refused: str = ""

    @property
    def wanted(self) -> Plan | None:
        """The plan that should be in force."""
        return self.plan or self.head


def draw(config: Config, providers: "Mapping[str, ZoneProvider | Unknown]", take: Iterable[str] = ()) -> Drawn:
    """Draw it. Raises StandfastError where there is nothing to draw from."""
    asked = asked_fleet(config)
    load_balancers = asked.load_balancers
    if load_balancers is None:
        why = asked.unknown.rstrip(".")
        raise StandfastError(f"The load balancers are unknown: {why}.", "`standfast check` says more.")
    place = Place(config)
    store = open_existing(place)
    if isinstance(store, Unknown) and place.has_store:
        raise StoreError(
            f"The plan store cannot be read: {store.why.rstrip('.')}.", "Nothing can be planned without it."
        )
    opened = None if isinstance(store, Unknown) else store
    try:
        verdicts, source = _health(config, place, opened, load_balancers)
        said, unknown = _overrides(opened)
        agreed = {**_consented(opened), **dict.fromkeys(take, PREVIEW)}
        task = _assignment(config, load_balancers, verdicts, agreed, said, opened)
        drawn = _run(task, opened, providers, source)
        drawn = replace(drawn, notes=(*drawn.notes, *unknown))
        if not drawn.consent:
            return drawn
        given = {**dict(task.consents), **{one.key[1]: PREVIEW for one in drawn.consent}}
        again = _run(replace(task, consents=tuple(sorted(given.items()))), opened, providers, source)
        return replace(again, consent=drawn.consent, notes=(*again.notes, *unknown))
    finally:
        if opened is not None:
            opened.close()


def _consented(store: "PlanStore | None") -> dict[str, str]:
    """Consents that wait in the store, with who gave each."""
    reply = store.perform(ReadSource(CONSENTS)) if store is not None else None
    return {one.name: one.by for one in read_consents(reply.body)} if isinstance(reply, SourceRead) else {}


def readers(config: Config) -> "dict[str, ZoneProvider | Unknown]":
    """Whom to ask about each zone, for reading only."""
    return {zone.name: reader(zone) for zone in config.zones}


def _health(
    config: Config, place: Place, store: "PlanStore | None", load_balancers: tuple[LoadBalancerConfig, ...]
) -> tuple[dict[str, Verdict], str]:
    """What a planner at work says; without one, what one round of checks says."""
    if config.health is None:
        return {one.id: Verdict("up", "nothing checks it") for one in load_balancers}, "none"
    working = any(one.role == "planner" and at_work(one) for one in present(place))
    if working and store is not None:
        reply = store.perform(ReadSource(HEALTH))
        said = read_health(reply.body) if isinstance(reply, SourceRead) else None
        if said is not None:
            return {name: Verdict(one.state, one.reason) for name, one in said.verdicts.items()}, "planner"
    from standfast.cli.checking.probing import probe_round

    return {one.load_balancer: one.verdict for one in probe_round(config.health, load_balancers)}, "probes"


def _overrides(store: "PlanStore | None") -> tuple[tuple[Override, ...], tuple[str, ...]]:
    """What operators said; if that is unknown, a note instead."""
    reply = store.perform(ReadSource(OVERRIDES)) if store is not None else SourceRead(0, b"")
    known = overrides_in(reply.body) if isinstance(reply, SourceRead) else Unreadable(reply.why)
    if isinstance(known, Unreadable):
        return (), (f"overrides are unknown ({known.why}); this is drawn as if there were none",)
    return known, ()


def _assignment(
    config: Config,
    load_balancers: tuple[LoadBalancerConfig, ...],
    verdicts: Mapping[str, Verdict],
    consents: Mapping[str, str],
    overrides: tuple[Override, ...],
    store: "PlanStore | None",
) -> Assignment:
    now, declared_fleet = time.time(), Fleet(tuple(load_balancer_of(one) for one in load_balancers))
    fleet, verdicts = overlaid(declared_fleet, verdicts, overrides, now)
    return Assignment(
        stream=config.stream,
        zones=tuple(zone.name for zone in config.zones),
        fleet=fleet,
        verdicts=tuple(sorted(verdicts.items())),
        policies=tuple(policy_of(one) for one in config.endpoints),
        now=now,
        author="plan",
        policy=config.digest,
        consents=tuple(sorted(consents.items())),
        survey=True,
        consented=consented(declared_fleet, overrides, now),
        checks=checks_in(store, config, ruling(declared_fleet, overrides, now))[0] if store is not None else (),
    )


def _run(
    task: Assignment,
    store: "PlanStore | None",
    providers: "Mapping[str, ZoneProvider | Unknown]",
    source: str,
) -> Drawn:
    """The planner's own phases, up to the one that would publish."""
    phase: Phase = publish(task)
    head: Plan | None = None
    while not isinstance(phase, Done | Publishing):
        reply = _answer(phase.request, store, providers)
        if isinstance(reply, PlanRead):
            head = reply.plan
        phase = phase.heard(reply)
    outcome = phase.outcome
    if outcome.kind == "unknown":
        raise StoreError(
            f"The plan store cannot be read: {outcome.why.rstrip('.')}.", "Nothing can be planned without it."
        )
    drawn = outcome.draft
    refusals = drawn.refusals if drawn else ()
    unreadable = sorted(set(task.zones) - {zone for zone, _ in outcome.begun})
    return Drawn(
        head=head,
        plan=phase.plan if isinstance(phase, Publishing) else None,
        draft=drawn,
        consent=tuple(one for one in refusals if one.rule == "consent"),
        health_from=source,
        notes=(*outcome.notes, *(drawn.notes if drawn else ())),
        unreadable=tuple(unreadable),
        refused=outcome.why if outcome.kind == "refused" else "",
    )


def _answer(
    request: PublisherRequest, store: "PlanStore | None", providers: "Mapping[str, ZoneProvider | Unknown]"
) -> PublisherReply:
    if isinstance(request, Read):
        provider = providers.get(request.zone, Unknown(f"zone {request.zone} is not in the configuration"))
        return provider if isinstance(provider, Unknown) else provider.perform(request)
    if isinstance(request, ReadHead | ReadPlan):
        if store is None:
            return HeadRead(None) if isinstance(request, ReadHead) else PlanMissing()
        reply = store.perform(request)
        return reply if isinstance(reply, PublisherReply) else Unknown(f"the store gave {type(reply).__name__}")
    raise AssertionError("previewing publishes nothing")
