"""A zone kept by somebody else's provider, an entry point of `standfast.providers`: its options, what is accepted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Literal, TypeAlias

from standfast.config import keys, scalars
from standfast.config.document import Scalar, shown, suggestion
from standfast.config.scalars import BadValue
from standfast.config.section import Section

GROUP: Final = "standfast.providers"
Weaker: TypeAlias = Literal["no-compare-and-set"]
WEAKER: Final[tuple[Weaker, ...]] = ("no-compare-and-set",)
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z")
_ELSEWHERE: Final = ("server", "tsig", *keys.HOSTED)
_accepted: Final = scalars.choice("a promise that can be given up", WEAKER)


@dataclass(frozen=True, slots=True)
class PluggedConfig:
    """`kind` is the name of an entry point of `standfast.providers`, `options` are for it alone. `accept` names the
    promises that it need not keep."""

    kind: str
    options: tuple[tuple[str, str], ...] = ()
    accept: tuple[Weaker, ...] = ()


def provider_reader(supplied: tuple[str, ...], give: str) -> Callable[[str], str]:
    """A reader of the name of a provider: one that is supplied, or one of an installed package."""

    def read(text: str) -> str:
        if text in supplied:
            return text
        installed = sorted({point.name for point in entry_points(group=GROUP)} - {*supplied})
        if text in installed and _KIND.match(text):
            return text
        some = f" Installed packages (entry points of {GROUP}) have: {', '.join(installed)}." if installed else ""
        raise BadValue(f"{shown(text)} is not a provider.", suggestion(text, (*supplied, *installed), give + some))

    return read


def bind_plugged(zone: Section, kind: str) -> PluggedConfig:
    """What a zone of that kind says of it, with every problem."""
    for other in _ELSEWHERE:
        if zone.get(other) is not None:
            zone.problem(other, f"{other} has no meaning with provider {kind}.", "Leave it out; it has options: {…}.")
    options = []
    for key, node in zone.children("options") or ():
        if isinstance(node, Scalar):
            options.append((key.text, node.text))
        else:
            zone.findings.problem(node.mark, zone.below("options"), "An option is one value.", "Write a text.")
    accept = zone.read_list("accept", _accepted) or []
    return PluggedConfig(kind, tuple(sorted(options)), tuple(sorted(one for one, _ in accept)))


def refuse_plugged(zone: Section) -> None:
    """Problems for keys that only providers of installed packages have."""
    for key in keys.PLUGGED:
        if zone.get(key) is not None:
            message = f"{key} is for providers of installed packages; this one is supplied."
            remedy = "Leave it out: it keeps every promise." if key == "accept" else "Leave it out."
            zone.problem(key, message, remedy)
