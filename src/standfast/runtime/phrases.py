"""Clauses and rows of names, as sentences have them. Pure."""

from collections.abc import Iterable


def capital(clause: str) -> str:
    """The clause as the beginning of a sentence."""
    return clause[:1].upper() + clause[1:]


def listed(names: Iterable[str], most: int = 6) -> str:
    """The names, or the first of them and how many more."""
    some = list(names)
    shown = ", ".join(some[:most])
    return f"{shown} and {len(some) - most} more" if len(some) > most else shown
