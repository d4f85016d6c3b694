"""Endpoints: which name each one means, and whether the load balancers can serve it as it asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from standfast.config import keys, scalars
from standfast.config.document import Mark, Node, Scalar, join, shown, suggestion
from standfast.config.fleet import FleetDraft
from standfast.config.kinds import Following, of_kind
from standfast.config.places import ZoneNames, absolute
from standfast.config.scalars import BadValue
from standfast.config.schema import (
    AZ_LOSS,
    FAMILIES,
    KINDS,
    LAYOUTS,
    ON_PANIC,
    EndpointConfig,
    Family,
    PolicyConfig,
)
from standfast.config.section import Section
from standfast.config.source_kinds import LoadBalancerConfig
from standfast.model.entry import Layout
from standfast.model.fleet import alias_of
from standfast.model.name import is_below, reserved_label

TTL_SHORT: Final = 30
TTL_LONG: Final = 300
_ANSWERS_MAX: Final = 100
_answers: Final = scalars.whole("a number of answers", 1, _ANSWERS_MAX)
_need: Final = scalars.whole("a capacity", 1, 1_000_000_000)
_family: Final = scalars.choice("a family", FAMILIES)


def note_ttl(section: Section, ttl: int) -> None:
    """A note on a TTL that few clients follow, or that makes failover slow."""
    if section.get("ttl") is None:
        return
    if ttl < TTL_SHORT:
        message = f"Below {TTL_SHORT} seconds many clients do not follow, and queries multiply."
        section.note("ttl", message, "60 is a good value.")
    elif ttl > TTL_LONG:
        message = f"A dead load balancer stays in caches for {scalars.spelled(ttl)}."
        section.note("ttl", message, "60 is a good value.")


def note_rotation(section: Section, endpoint: EndpointConfig) -> None:
    """A turn shorter than two TTLs would change an answer before caches have let go of the one before."""
    if endpoint.rotation_s and endpoint.rotation_s < 2 * endpoint.ttl:
        message = f"rotation {scalars.spelled(endpoint.rotation_s)} is shorter than two TTLs of {endpoint.ttl} s."
        section.problem("rotation", message, f"Give {scalars.spelled(2.0 * endpoint.ttl)} or more, or off.")


def bind_endpoints(
    root: Section, zones: ZoneNames, policy: PolicyConfig, fleet: FleetDraft, *, from_file: bool
) -> list[EndpointConfig]:
    """Every endpoint, checked against zones, load balancers and the other endpoints.

    What a fleet file lacks today is a note: it may have it tomorrow, and must not keep Standfast from starting.
    """
    entries = root.children("endpoints")
    if not entries:
        if root.get("endpoints") is None:
            root.missing("endpoints", "Name at least one: endpoints: {www: {}}.")
        elif entries is not None:
            root.problem("endpoints", "There is no endpoint.", "Name at least one: www: {}.")
        return []
    fit, following = _Fit(fleet, from_file), Following(zones)
    owners: dict[str, Scalar] = {}
    bound: list[EndpointConfig] = []
    for key, node in entries:
        endpoint = _bind_one(root, key, node, zones, policy, fit, following)
        if endpoint is None:
            continue
        first = owners.setdefault(endpoint.name, key)
        if first is not key:
            message = f"This name has two owners: {shown(first.text)} in line {first.mark.line} is the same one."
            root.findings.problem(key.mark, join("endpoints", key.text), message, "Keep one of the two.")
        bound.append(endpoint)
    return following.resolved(bound, complete=len(bound) == len(entries))


def _bind_one(
    root: Section, key: Scalar, node: Node, zones: ZoneNames, policy: PolicyConfig, fit: "_Fit", following: Following
) -> EndpointConfig | None:
    section = Section.of(root.findings, node, join("endpoints", key.text), keys.ENDPOINT, key.mark)
    if section is None:
        return None
    place = _place(section, key, zones)
    kind = section.read("kind", scalars.choice("a kind of endpoint", KINDS), None)
    if section.get("follows") is not None or kind == "account":
        return following.bound(section, key, place, kind)
    azs = section.read_list("azs", scalars.identifier) or []
    pools = section.read_list("pools", scalars.identifier) or []
    families = section.read_list("families", _family) or []
    share, window = section.read("removal", scalars.removal, (policy.removal_share, policy.removal_window_s))
    adding = section.read("adding", scalars.adding, (policy.adding_share, policy.adding_window_s))
    endpoint = EndpointConfig(
        name=place[0] if place else "",
        zone=place[1] if place else "",
        ttl=section.read("ttl", scalars.ttl, policy.ttl),
        min_answers=section.read("min_answers", _answers, policy.min_answers),
        max_answers=section.read("max_answers", _answers, policy.max_answers),
        azs=tuple(sorted(az for az, _ in azs)),
        pools=tuple(sorted(pool for pool, _ in pools)),
        families=tuple(family for family in FAMILIES if any(family == wanted for wanted, _ in families)),
        hold_below=section.read("hold_below", scalars.percent, policy.hold_below),
        removal_share=share,
        removal_window_s=window,
        adding_share=adding[0],
        adding_window_s=adding[1],
        on_panic=section.read("on_panic", scalars.choice("a way out of panic", ON_PANIC), policy.on_panic),
        az_loss=section.read("az_loss", scalars.choice("a way to lose an AZ", AZ_LOSS), policy.az_loss),
        kind=kind,
        need=section.read("need", _need, 0),
        reserve=policy.reserve,
        rotation_s=section.read("rotation", scalars.rotation, policy.rotation_s),
        prefixes=zones.prefixes.get(place[1], ()) if place else (),
        layout=_layout(section, place, zones),
    )
    endpoint = of_kind(section, endpoint)
    note_rotation(section, endpoint)
    note_ttl(section, endpoint.ttl)
    own = section.get("min_answers") is not None or section.get("max_answers") is not None
    if own and endpoint.min_answers is not None and endpoint.min_answers > endpoint.max_answers:
        message = f"min_answers {endpoint.min_answers} is above max_answers {endpoint.max_answers}."
        section.problem("min_answers", message, "Raise max_answers or lower min_answers.")
    fit.judge(section, endpoint, azs, pools, families)
    return endpoint if place else None


def _layout(section: Section, place: tuple[str, str] | None, zones: ZoneNames) -> Layout | Literal["auto"]:
    hosted = place is not None and place[1] in zones.hosted
    layout: Layout | None = section.read("layout", scalars.choice("a layout", LAYOUTS), None)
    if layout in ("multivalue", "tree") and place is not None and zones.known and not hosted:
        message = f"Layout {layout} needs Route 53, and zone {place[1]} is elsewhere."
        section.problem("layout", message, "Leave it out: plain records are the layout of other providers.")
    return layout or ("auto" if hosted else "flat")


def _place(section: Section, key: Scalar, zones: ZoneNames) -> tuple[str, str] | None:
    """The absolute name and its zone; None with a problem."""
    chosen = section.read("zone", scalars.zone_name, None)
    if chosen is not None and chosen not in zones.names:
        if zones.known:
            remedy = suggestion(chosen, zones.names, f"The zones are: {', '.join(zones.names[:10])}.")
            section.problem("zone", f"{shown(chosen)} is not a zone of this file.", remedy)
        return None
    try:
        name, zone = absolute(key.text, chosen, zones)
        name = scalars.owner_name(name)
        if label := reserved_label(name, zone):
            remedy = "Choose another: _standfast, _any, _apex, _first, _floor and _h-… are for markers."
            raise BadValue(f"The label {label} in {shown(key.text)} is reserved.", remedy)
        holder = zones.covering(name)
        if holder is not None and holder != zone:
            raise BadValue(f"{name} lies in zone {holder}, not in {zone}.", f"Write zone: {holder}.")
        return name, zone
    except BadValue as bad:
        section.findings.problem(key.mark, section.path, bad.message, bad.remedy)
        return None


@dataclass(slots=True)
class _Fit:
    """Whether the load balancers can serve what an endpoint asks. Says nothing on facts that are not all known."""

    fleet: FleetDraft
    from_file: bool
    _counts: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[Family, int]] = field(default_factory=dict)

    def judge(
        self,
        section: Section,
        endpoint: EndpointConfig,
        azs: list[tuple[str, Mark]],
        pools: list[tuple[str, Mark]],
        families: list[tuple[Family, Mark]],
    ) -> None:
        if not self.fleet.load_balancers:
            return
        right = self._names_exist(section, "azs", azs, self.fleet.azs_known, lambda one: one.az)
        right &= self._names_exist(section, "pools", pools, self.fleet.pools_known, lambda one: one.pool)
        if not right or not (self.fleet.azs_known and self.fleet.pools_known):
            return
        self._no_names(section, endpoint)
        counts = self._count(endpoint)
        if not counts:
            message = "No load balancer is eligible: none has both such an AZ and such a pool."
            self._report(section, section.mark, "", message, "Mend azs or pools.")
        elif self.fleet.addresses_known:
            self._enough(section, endpoint, families, counts)

    def _no_names(self, section: Section, endpoint: EndpointConfig) -> None:
        """Load balancers that are only names stand at Route 53 alone, and in no tree and no plain record."""
        some = endpoint.eligible(self.fleet.load_balancers)
        names = [one.id for one in some if any(alias_of(text) for text in (*one.ipv4, *one.ipv6))]
        if names and endpoint.layout not in ("auto", "multivalue"):
            message = f"{', '.join(names[:4])} is only a name (alias), and this endpoint's layout is {endpoint.layout}."
            remedy = "It needs provider: route53 and layout multivalue; else give ip:, or keep it out by azs or pools."
            self._report(section, section.mark, "", message, remedy)
        for one in some if endpoint.layout in ("auto", "multivalue") else ():
            targets = {name for name, _ in filter(None, map(alias_of, (*one.ipv4, *one.ipv6)))}
            if target := next((name for name in targets if is_below(name, endpoint.zone)), ""):
                message = f"{one.id} is {target}, a name in {endpoint.zone} itself."
                remedy = "Give the load balancer's own name, such as AWS has for it, or its addresses (ip:)."
                self._report(section, section.mark, "", message, remedy)

    def _names_exist(
        self,
        section: Section,
        key: str,
        wanted: list[tuple[str, Mark]],
        known: bool,
        of: Callable[[LoadBalancerConfig], str],
    ) -> bool:
        if not wanted or not known:
            return True
        there = tuple(sorted({of(one) for one in self.fleet.load_balancers}))
        missing = [(name, mark) for name, mark in wanted if name not in there]
        what = "in AZ" if key == "azs" else "in pool"
        for name, mark in missing:
            remedy = suggestion(name, there, f"There are: {', '.join(there[:10])}.")
            self._report(section, mark, key, f"No load balancer is {what} {shown(name)}.", remedy)
        return not missing

    def _enough(
        self,
        section: Section,
        endpoint: EndpointConfig,
        families: list[tuple[Family, Mark]],
        counts: dict[Family, int],
    ) -> None:
        for family, mark in families:
            if not counts[family]:
                message = f"Family mismatch: no eligible load balancer has an {_FAMILY[family]} address."
                self._report(section, mark, "families", message, f"Give them one, or leave {family} out.")
        if endpoint.min_answers is None:
            return
        for family in endpoint.families or FAMILIES:
            if 0 < counts[family] < endpoint.min_answers:
                message = (
                    f"min_answers is {endpoint.min_answers}, but the eligible load balancers have "
                    f"{counts[family]} {_FAMILY[family]} address{'' if counts[family] == 1 else 'es'}."
                )
                remedy = f"Lower it to {counts[family]} or less, or add load balancers."
                self._report(section, section.at("min_answers"), "min_answers", message, remedy)

    def _count(self, endpoint: EndpointConfig) -> dict[Family, int]:
        """Addresses of the eligible in each family; empty if there are no eligible ones."""
        key = endpoint.azs, endpoint.pools
        if key not in self._counts:
            eligible = endpoint.eligible(self.fleet.load_balancers)
            of: dict[Family, int] = {family: sum(len(one.addresses(family)) for one in eligible) for family in FAMILIES}
            self._counts[key] = of if eligible else {}
        return self._counts[key]

    def _report(self, section: Section, mark: Mark, key: str, message: str, remedy: str) -> None:
        report = section.findings.note if self.from_file else section.findings.problem
        report(mark, section.below(key), message, remedy)


_FAMILY: Final[dict[Family, str]] = {"ipv4": "IPv4", "ipv6": "IPv6"}
