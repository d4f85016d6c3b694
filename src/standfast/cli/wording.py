"""Words and shapes the reporting commands share: names as people type them, marks, tables, JSON."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from standfast.cli.texts import fitted, say
from standfast.errors import Refusal, StandfastError
from standfast.model.entry import Key
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown
from standfast.runtime.phrases import capital

if TYPE_CHECKING:
    from standfast.adapters.stores.plan_store import PlanStore
    from standfast.config import Config, ZoneConfig
    from standfast.model.override import Override
    from standfast.runtime.commanding import Known as KnownNames
    from standfast.runtime.observing import StoreSight
    from standfast.runtime.place import Place

IN: Final = "●"
OUT: Final = "○"
DRAINED: Final = "◐"
KEPT: Final = "⊘"
"""In the answer, out of it, drained, kept in it by a guard. Words stand beside them, for those who don't see shapes."""

config_option: Final = click.option(
    "--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True, metavar="FILE"
)
json_option: Final = click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output")


def loaded(file: str) -> "Config":
    """The configuration. Raises ConfigError."""
    from standfast import config as configuration

    return configuration.load(Path(file))


def endpoint_named(text: str, keys: Iterable[Key]) -> Key:
    """The endpoint people mean by `www` or `www.lb.example.com`. Raises StandfastError with what there is."""
    from standfast.model.name import parse_name
    from standfast.runtime.calling import short_name, twins_of

    known = sorted(set(keys))
    try:
        wanted = "@" if text == "@" else parse_name(text)
    except ValueError as error:
        raise StandfastError(f"{capital(str(error))}.") from None
    twins = twins_of(known)
    exact = [key for key in known if key[1] == wanted]
    found = exact or [key for key in known if short_name(key[1], key[0]) == wanted]
    found = found or [key for key in known if wanted == "@" and key[0] == key[1]]
    if len(found) == 1:
        return found[0]
    if found:
        raise StandfastError(f"{text} may be any of {', '.join(name for _, name in found)}.", "Give the whole name.")
    called = [short_name(name, zone, twins) for zone, name in known]
    raise StandfastError(f"There is no endpoint {text}.", did_you_mean(text, called))


def did_you_mean(text: str, known: Sequence[str]) -> str:
    """What they may have meant, or what there is."""
    if close := difflib.get_close_matches(text, known, 3, 0.6):
        return f"Did you mean {' or '.join(close)}?"
    if not known:
        return "There is none at all."
    return f"There are: {', '.join(known[:12])}" + (f" and {len(known) - 12} more." if len(known) > 12 else ".")


def live_keys(plan: Plan) -> list[Key]:
    """Endpoints of a plan, synthetic entries left out."""
    return [entry.key for entry in plan.shards if entry.kind != "first"]


def store_and_plan(place: "Place") -> "tuple[PlanStore, StoreSight, Plan]":
    """The open store with a published plan in it. Raises StandfastError with the remedy if there is neither."""
    from standfast.runtime.observing import look_at_store, open_existing

    store = open_existing(place)
    if isinstance(store, Unknown):
        if place.has_store or place.kept_copies():
            raise StandfastError(_ended(f"The plan store can't be read: {store.why}"), "`standfast status` says more.")
        message = f"Nothing was ever published here: {store.why}."
        raise StandfastError(message, "`standfast run` begins; --config names another file.")
    sight = look_at_store(place)
    if sight.trouble or sight.plan is None:
        store.close()
        if sight.trouble:
            raise StandfastError(
                _ended(f"The plan store can't be read: {sight.trouble}"), "`standfast status` says more."
            )
        raise StandfastError("Nothing was published yet.", "`standfast run` begins.")
    return store, sight, sight.plan


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Columns as wide as their widest cell, the last as it comes."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        (indent + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])).rstrip()
        for row in rows
    ]


def as_text(lines: Iterable[str]) -> None:
    """On standard output, cut to its width if it is a terminal."""
    say("\n".join(fitted(lines)))


def dump(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def override_json(one: "Override") -> dict[str, Any]:
    """An override for programs, with the command that ends it."""
    from standfast.runtime.overridden import ending

    return {
        "scope": one.scope,
        "target": one.target,
        "state": one.state,
        "reason": one.reason,
        "by": one.by,
        "at": one.at,
        "until": one.until,
        "consented": one.consented,
        "end_with": ending(one),
    }


def refused(message: str, remedy: str) -> Refusal:
    """A guard's no, for people: the message begins with a name, the remedy becomes a sentence."""
    return Refusal(_ended(message), _sentence(remedy))


def _sentence(text: str) -> str:
    return _ended(text if text.startswith("`") else text[0].upper() + text[1:]) if text else ""


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def place_named(text: str, config: "Config", place: "Place") -> "tuple[ZoneConfig, str, KnownNames]":
    """The zone, or the endpoint of it, that people mean: with all of the zone's names as far as they are known.

    The endpoint is empty for a whole zone. Raises StandfastError with what there is.
    """
    from standfast.runtime.commanding import known_names

    plain = text.strip().lower().removesuffix(".")
    for zone in config.zones:
        if plain == zone.name:
            return zone, "", known_names(place, zone)
    looked = [(zone, known_names(place, zone)) for zone in config.zones]
    key = endpoint_named(text, [(zone.name, name) for zone, known in looked for name in known.names])
    zone, known = next((zone, known) for zone, known in looked if zone.name == key[0])
    return zone, key[1], known
