"""`verify --recovery`: every state of small models of leases, admission and retry budgets."""

import json

import click
import msgspec

from standfast.errors import EXIT_DIFFERS, EXIT_ERROR, EXIT_FINE
from standfast.sim.recovering.exploring import Explored, explore
from standfast.sim.recovering.models import models


def verify_recovery(*, listing: bool, as_json: bool) -> int:
    """Explore them all, and say what was found. Returns the exit code."""
    if listing:
        for model in models():
            click.echo(f"{model.name}: {model.about}\n   {model.properties}")
        return EXIT_FINE
    found = [explore(model) for model in models()]
    if as_json:
        click.echo(json.dumps({"models": [msgspec.to_builtins(one) for one in found]}))
    else:
        for one in found:
            _show(one)
    if any(one.broken for one in found):
        return EXIT_DIFFERS
    return EXIT_FINE if all(one.complete for one in found) else EXIT_ERROR


def _show(one: Explored) -> None:
    mark = "✗" if one.broken else "✓" if one.complete else "?"
    click.echo(f"{mark} {one.name}: {one.states:,} states, {one.transitions:,} changes ({one.about})")
    if one.broken:
        click.echo(f"   BROKEN: {one.broken}")
        for number, step in enumerate(one.steps, 1):
            click.echo(f"   {number}. {step}")
    else:
        click.echo(f"   {one.properties}{'' if one.complete else ': NOT ALL WAS SEEN'}")
