"""Kinds of endpoints, and endpoints that follow another."""

from dataclasses import replace
from typing import Final

from standfast.config.document import Mark, Scalar, shown, suggestion
from standfast.config.places import ZoneNames, absolute
from standfast.config.scalars import BadValue, owner_name
from standfast.config.schema import EndpointConfig, EndpointKind, Family
from standfast.config.section import Section

FIPS_POOL: Final = "fips"
_FAMILIES: Final[dict[EndpointKind, tuple[Family, ...]]] = {
    "public": ("ipv4",),
    "dual-stack": ("ipv4", "ipv6"),
    "ipv6-only": ("ipv6",),
}
_FOLLOWER_HAS: Final = ("follows", "kind", "zone")


def of_kind(section: Section, endpoint: EndpointConfig) -> EndpointConfig:
    """With what its kind implies; a problem where it says something else than its kind."""
    kind = endpoint.kind
    if kind == "wildcard" and not endpoint.name.startswith("*"):
        section.problem("kind", "A wildcard's name begins with *.", "Name it *.something, or give another kind.")
    families = _FAMILIES.get(kind) if kind else None
    if families is not None:
        if endpoint.families and endpoint.families != families:
            message = f"kind {kind} has {' and '.join(families)}, and families says {', '.join(endpoint.families)}."
            section.problem("families", message, "Leave families out, or give another kind.")
        return replace(endpoint, families=families)
    if kind == "fips" and not endpoint.pools:
        return replace(endpoint, pools=(FIPS_POOL,))
    return endpoint


class Following:
    """Endpoints that follow another, as far as they are bound: whom they follow is known when all are."""

    def __init__(self, zones: ZoneNames) -> None:
        self._zones = zones
        self._asked: dict[str, tuple[Section, Mark]] = {}

    def bound(
        self, section: Section, key: Scalar, place: tuple[str, str] | None, kind: EndpointKind | None
    ) -> EndpointConfig | None:
        """A follower, with the absolute name that it follows; its settings are still to come."""
        for other in section.given:
            if other not in _FOLLOWER_HAS:
                message = f"{other} has no meaning beside follows: the endpoint that is followed decides."
                section.problem(other, message, "Leave it out.")
        if kind not in (None, "account"):
            section.problem("kind", f"kind {kind} does not follow another.", "Leave kind out, or give account.")
        text = section.read("follows", str, None)
        if text is None:
            if section.get("follows") is None:
                section.missing("follows", "Name the endpoint whose answers it shall have: follows: www.")
            return None
        if place is None:
            return None
        name, zone = place
        try:
            followed, _ = absolute(text, zone, self._zones)
            followed = owner_name(followed)
        except BadValue as bad:
            section.problem("follows", bad.message, bad.remedy)
            return None
        self._asked[name] = section, section.at("follows")
        return EndpointConfig(name, zone, 60, None, 8, (), (), (), 0.5, 0.34, 600.0, kind="account", follows=followed)

    def resolved(self, bound: list[EndpointConfig], *, complete: bool) -> list[EndpointConfig]:
        """With the settings of those they follow. `complete`: no endpoint is missing for a problem of its own."""
        there = {one.name: one for one in bound}
        found = []
        for one in bound:
            if one.follows is None:
                found.append(one)
                continue
            section, mark = self._asked[one.name]
            followed = there.get(one.follows)
            if problem := self._problem(one, followed, there, complete=complete):
                section.findings.problem(mark, section.below("follows"), *problem)
            elif followed is not None:
                found.append(replace(followed, name=one.name, kind=one.kind, follows=one.follows, need=0))
        return found

    def _problem(
        self, one: EndpointConfig, followed: EndpointConfig | None, there: dict[str, EndpointConfig], *, complete: bool
    ) -> tuple[str, str] | None:
        follows = one.follows or ""
        if follows == one.name:
            return "It follows itself.", "Name another endpoint."
        if followed is None:
            covered = self._zones.covering(follows)
            if covered != one.zone and self._zones.known:
                return _foreign(one, follows)
            if not complete:
                return None
            names = [name for name, other in there.items() if other.zone == one.zone and other.follows is None]
            remedy = suggestion(follows, tuple(names), "Name an endpoint of this file, or add it.")
            return f"There is no endpoint {shown(follows)}.", remedy
        if followed.follows is not None:
            chain, last = [one.name, follows], followed
            while last.follows is not None and last.follows not in chain and last.follows in there:
                chain.append(last.follows)
                last = there[last.follows]
            if last.follows in chain:
                return f"They follow each other: {' → '.join([*chain, last.follows or ''])}.", "One must stand alone."
            return f"{follows} follows {followed.follows} itself.", f"Follow {chain[-1]}."
        return _foreign(one, follows) if followed.zone != one.zone else None


def _foreign(one: EndpointConfig, follows: str) -> tuple[str, str]:
    message = f"{follows} is not in zone {one.zone}: what follows changes together, and one change never spans zones."
    return message, "Follow an endpoint of the same zone."
