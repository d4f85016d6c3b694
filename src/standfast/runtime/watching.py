"""What is to be said of those who check: vantage points that are not heard, checks that can't be made in time. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from standfast.recovery.quorum import seen_from

from .observing import Seen

ROLES: Final = ("planner", "prober")
SHOWN_MAX: Final = 12


def overloads(seen: Seen) -> Iterator[str]:
    """Who can't make its checks in their time, a sentence each."""
    told: dict[str, None] = {}
    for role in ROLES:
        for one in seen.running(role):
            facts = one.facts.get("checks")
            if isinstance(facts, dict) and facts.get("overload"):
                told[f"{role.capitalize()} {one.who}: {facts['overload']}"] = None
    yield from told


def unheard(seen: Seen) -> tuple[str, ...]:
    """Vantage points that say nothing now, each with what is wrong with it: as the planner hears them, else the store.

    Those that are alive but see nothing count too.
    """
    for one in seen.running("planner"):
        facts = one.facts.get("checks")
        vantages = facts.get("vantages") if isinstance(facts, dict) else None
        if isinstance(vantages, dict) and vantages:
            return tuple(f"{name} ({why})" for name, why in sorted(vantages.items()) if why)
    return tuple(f"{one.name} ({one.condition or 'silent'})" for one in seen.store.votes if one.silent or one.condition)


def votes_lines(seen: Seen) -> list[str]:
    """`lb-b1 seen from a ✗  c ✗  office ?`, for each load balancer that somebody does not see up."""
    some = seen.store.votes
    if not some:
        return []
    found = []
    for name in sorted({name for one in some for name, _ in one.votes}):
        votes = [one.vote(name) for one in some]
        if any(vote.state != "up" for vote in votes if vote.reason != "silent"):
            found.append(f"{name} seen from  {seen_from(votes)}")
    rest = len(found) - SHOWN_MAX
    who = "   ".join(f"{one.name} {'silent' if one.silent else 'seen'}" for one in some)
    return [*found[:SHOWN_MAX], *([f"… {rest} more"] if rest > 0 else []), f"vantage points   {who}"]


def votes_on(seen: Seen, load_balancer: str) -> str:
    """What every vantage point says of it: `a ✓  c ✗  office ?`; empty if there is only one opinion."""
    return seen_from([one.vote(load_balancer) for one in seen.store.votes]) if seen.store.votes else ""


def votes_json(seen: Seen) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {
            "name": one.name,
            "az": one.az or None,
            "age_s": None if one.age_s is None else round(one.age_s, 3),
            "silent": one.silent,
            "condition": one.condition or None,
            "votes": {name: {"state": vote.state, "reason": vote.reason} for name, vote in one.votes},
        }
        for one in seen.store.votes
    ]
