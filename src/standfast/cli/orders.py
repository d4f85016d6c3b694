"""What `override`, `drain` and `evacuate` share: targets, durations, asking before a guard would refuse, recording."""

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from standfast.config.scalars import BadValue, duration
from standfast.errors import EXIT_DIFFERS, EXIT_FINE, EXIT_REFUSED, Refusal, StandfastError
from standfast.model.override import LASTS_DEFAULT_S, LASTS_MAX_S, Override, Scope
from standfast.ports.provider import Unknown

from .reporting import Facts
from .wording import did_you_mean, table

if TYPE_CHECKING:
    from standfast.adapters.stores.plan_store import PlanStore
    from standfast.config import Config
    from standfast.runtime.observing import StoreSight
    from standfast.runtime.ordering import Rehearsal
    from standfast.runtime.overriding import Recorded, Unrecorded

SCOPES: Final[dict[str, Scope]] = {"lb": "load_balancer", "pool": "pool", "az": "az"}


class Duration(click.ParamType[float]):
    """30m, 4h, 2d: seconds within limits."""

    name = "duration"

    def __init__(self, least: float, most: float) -> None:
        self._read = duration(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return self._read(str(value))
        except BadValue as error:
            self.fail(f"{error.message} {error.remedy}", param, ctx)


for_option: Final = click.option(
    "--for", "lasts_s", default=LASTS_DEFAULT_S, type=Duration(1.0, LASTS_MAX_S), metavar="TIME",
    help="until it ends by itself: 30m, 4h, 2d, at most 7d  [default: 4h]",
)  # fmt: skip
yes_option: Final = click.option(
    "--yes", is_flag=True, help="agree beforehand to what a guard would refuse; needs --reason"
)


class Opened:
    """The plan store as a command found it: open it, look at it, and close it at the end."""

    def __init__(self, config: "Config") -> None:
        from standfast.runtime.observing import look_at_store, open_existing
        from standfast.runtime.place import Place

        place = Place(config)
        store = open_existing(place)
        if isinstance(store, Unknown):
            raise _without_store(store.why, began=place.has_store or bool(place.kept_copies()))
        self.store: PlanStore = store
        self.sight: StoreSight = look_at_store(place)
        if self.sight.trouble:
            store.close()
            raise _without_store(self.sight.trouble, began=True)

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *error: object) -> None:
        self.store.close()


def _without_store(why: str, *, began: bool) -> StandfastError:
    """What can still be done, and by which command."""
    if not began:
        return StandfastError(f"Nothing was ever published here: {why}.", "`standfast run` begins.")
    message = (
        f"The plan store can't be read: {why.rstrip('.')}. So nothing can be recorded, and no planner could read it; "
        "enactors go on with the plan they hold."
    )
    remedy = (
        "What needs no store: `standfast freeze NAME` (nothing is written to it any more), "
        "`standfast emergency publish` (other addresses, by hand), `standfast status`."
    )
    return StandfastError(message, remedy)


def target_named(words: tuple[str, ...], sight: "StoreSight", config: "Config") -> tuple[Scope, str]:
    """`lb-a1`, `az b`, `pool edge`, `lb lb-a1`. Raises StandfastError with what there is."""
    from standfast.runtime.observing import declared_fleet

    fleet = sight.fleet or declared_fleet(config)
    some = fleet.load_balancers if fleet else ()
    known: dict[Scope, set[str]] = {
        "load_balancer": {one.id for one in some}, "pool": {one.pool for one in some}, "az": {one.az for one in some}
    }  # fmt: skip
    said = sight.overrides or ()
    scope: Scope = "load_balancer" if len(words) == 1 else SCOPES.get(words[0], "load_balancer")
    if len(words) > 2 or (len(words) == 2 and words[0] not in SCOPES):
        raise StandfastError(f"{' '.join(words)} is no target.", "Give a load balancer, `az NAME` or `pool NAME`.")
    name = words[-1]
    if name in known[scope] or any((one.scope, one.target) == (scope, name) for one in said):
        return scope, name
    if fleet is None:
        raise StandfastError("Which load balancers there are is unknown now.", "Mend the fleet file, then try again.")
    for other, names in known.items():
        if len(words) == 1 and name in names:
            raise StandfastError(f"{name} is no load balancer.", f"Did you mean `{other} {name}`?")
    what = {"load_balancer": "load balancer", "pool": "pool", "az": "AZ"}[scope]
    raise StandfastError(f"There is no {what} {name}.", did_you_mean(name, sorted(known[scope])))


def new_override(scope: Scope, target: str, state: Any, reason: str, lasts_s: float, *, consented: bool) -> Override:
    """By whoever is at the keyboard, from now on."""
    from standfast.runtime.operating import operator

    now = time.time()
    return Override(scope, target, state, reason, operator(), now, now + lasts_s, consented)


def consented_to(subject: str, rehearsal: "Rehearsal", yes: bool, reason: str, again: str) -> bool:
    """Whether velocity may be passed: asked only if a guard would refuse. Raises Refusal (exit 3) without consent.

    What nothing lifts (min_answers, panic, a hold) is said, and the order is recorded all the same if agreed to: it is
    obeyed as soon as the guard allows it.
    """
    if rehearsal.unknown:
        problem = [f"What guards would say is unknown: {rehearsal.unknown}."]
    else:
        problem = [f"A guard would refuse: {one.text}." for one in rehearsal.asks]
        problem += [f"A guard refuses, whatever you agree to: {one.text}." for one in rehearsal.refuses]
    if not problem:
        return False
    if yes and reason:
        return bool(rehearsal.asks)
    if yes:
        problem.append("Agreeing beforehand needs a reason.")
        raise Refusal("\n".join(problem), f"Again: {again} --yes --reason TEXT")
    if not sys.stdin.isatty():
        problem.append("Nothing was changed.")
        raise Refusal("\n".join(problem), f"To do it all the same: {again} --yes --reason TEXT")
    click.echo("\n".join(problem))
    typed = click.prompt(f"Do it all the same? Type {subject}", default="", show_default=False)
    if typed.strip().lower() != subject.lower():
        raise Refusal(f"That is not {subject}; nothing was changed.")
    return bool(rehearsal.asks)


def shown(rehearsal: "Rehearsal") -> list[str]:
    """What leaves which answer, and what remains of it."""
    from standfast.runtime.calling import short_name

    by_name: dict[str, tuple[list[str], int, float]] = {}
    for key, name, rest, share in rehearsal.leaves:
        names, *_ = by_name.setdefault(short_name(key[1], key[0], rehearsal.alike), ([], rest, share))
        names.append(name)
    rows = [
        (
            name,
            f"− {', '.join(names)}",
            f"{rest} load balancer{'' if rest == 1 else 's'} stay{'s' if rest == 1 else ''}",
            f"{share:.0%} of capacity",
        )
        for name, (names, rest, share) in sorted(by_name.items())
    ]
    lines = table(rows[:12], "   ") + ([f"   and {len(rows) - 12} more names"] if len(rows) > 12 else [])
    full = [f"{one.load_balancer} {one.load / one.capacity:.0%}" for one in rehearsal.full]
    return lines + ([f"   Take care: reserves would be used ({', '.join(full[:6])} of capacity)."] if full else [])


def recorded(done: "Recorded | Unrecorded", subject: str) -> "Recorded":
    """Raises StandfastError if it is not."""
    from standfast.runtime.overriding import Recorded

    if isinstance(done, Recorded):
        return done
    if done.kind == "none":
        raise StandfastError(f"{subject}: {done.why}.", "`standfast override` lists what is.")
    remedy = {"full": "End some first: `standfast override` lists them.", "lost": "Try again."}.get(
        done.kind, "`standfast override` says whether it is recorded."
    )
    raise StandfastError(f"{subject}: {done.why}.", remedy)


def nobody_acts(config: "Config") -> str:
    """Why nobody obeys it yet; empty if somebody does."""
    from standfast.runtime.observing import at_work, hidden, present
    from standfast.runtime.place import Place

    place = Place(config)
    if hidden(place) or any(one.role == "planner" and at_work(one) for one in present(place)):
        return ""
    return (
        "It is recorded, and no planner is running here, so nobody acts on it yet. Start one: standfast run. "
        "Without one: standfast emergency publish"
    )


def ended(config: "Config", rehearsal: "Rehearsal", facts: Facts) -> int:
    """What is to be said at the end, and the exit code."""
    facts |= {"kept": [one.text for one in rehearsal.refuses]}
    if nobody := nobody_acts(config):
        click.echo(nobody)
        return EXIT_DIFFERS
    if rehearsal.refuses:
        for one in rehearsal.refuses:
            click.echo(f"A guard keeps it for now: {one.text}. It goes as soon as that allows.")
        return EXIT_REFUSED
    return EXIT_FINE


def lines(some: Iterable[str]) -> None:
    """Each on its own."""
    for one in some:
        click.echo(one)
