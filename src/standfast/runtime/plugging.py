"""Zones kept by providers of installed packages (entry points of `standfast.providers`): opened, and held to what they
promise. Whoever lacks what our writes rest on is refused, unless the zone's `accept:` names what is given up."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from standfast.adapters.providers.plugged import PluggedProvider
from standfast.adapters.providers.promises import Lack, Promises, lacking
from standfast.config import KeyRole, ZoneConfig
from standfast.config.plugged import GROUP, PluggedConfig
from standfast.errors import ProviderError

READING: Final[KeyRole] = "planner"
"""As whom those read who never write."""
_MEMBERS: Final = ("perform", "close")
_CONTRACT: Final = "Its author finds the contract in docs/providers.md."


def plugged_provider(zone: ZoneConfig, role: KeyRole = READING) -> PluggedProvider:
    """The zone as that role reaches it. Raises ProviderError if it can't be had, or lacks what is not accepted."""
    config, point, target, promises = _judged(zone)
    package = _package(point)
    try:
        keeper = target(zone.name, dict(config.options), role=role)
    except ProviderError:
        raise
    except Exception as error:
        message = f"The provider {config.kind} of {package} can't be opened: {_told(error)}."
        raise ProviderError(message, "Mend its options, or ask its author.") from None
    if missing := [name for name in _MEMBERS if not callable(getattr(keeper, name, None))]:
        message = f"The provider {config.kind} of {package} has no {' and no '.join(missing)}."
        raise ProviderError(message, _CONTRACT)
    return PluggedProvider(zone.name, keeper, promises, f"{config.kind} ({package})")


def judge(zones: Iterable[ZoneConfig]) -> None:
    """Before anything starts: whether all that packages keep may be written. Raises ProviderError."""
    for zone in zones:
        if zone.plugged is not None:
            _judged(zone)


def _judged(zone: ZoneConfig) -> tuple[PluggedConfig, EntryPoint, Any, Promises]:
    config, point = _found(zone)
    target = _loaded(point, config)
    promises = _stated(point, target)
    if refused := [one for one in lacking(promises) if one.name not in config.accept]:
        raise ProviderError(
            f"Zone {zone.name} is not written: provider {config.kind} of {_package(point)}: "
            f"{'; '.join(one.sentence for one in refused)}.",
            f"{refused[0].remedy} To accept the weaker promise in this zone: "
            f"accept: [{', '.join(one.name for one in refused)}].",
        )
    return config, point, target, promises


def stated(zone: ZoneConfig) -> Promises:
    """What its provider promises, without opening it. Raises ProviderError."""
    config, point = _found(zone)
    return _stated(point, _loaded(point, config))


def accepted(zone: ZoneConfig) -> tuple[Lack, ...]:
    """What is given up in this zone: lacking in its provider, and accepted by name. Raises ProviderError."""
    if zone.plugged is None:
        return ()
    return tuple(one for one in lacking(stated(zone)) if one.name in zone.plugged.accept)


def weaker(zone: ZoneConfig) -> tuple[str, ...]:
    """The same as sentences for people; empty also if the provider can't be had, which is told elsewhere."""
    try:
        some = accepted(zone)
    except ProviderError:
        return ()
    return tuple(f"{one.name} is accepted of {zone.where}: {one.lost}" for one in some)


def _found(zone: ZoneConfig) -> tuple[PluggedConfig, EntryPoint]:
    config = zone.plugged
    if config is None:
        raise AssertionError(f"{zone.name} is kept by no package's provider")
    points = [point for point in entry_points(group=GROUP) if point.name == config.kind]
    if not points:
        some = ", ".join(sorted({point.name for point in entry_points(group=GROUP)})) or "none"
        message = f"No installed package has a provider {config.kind} (entry point of {GROUP}; there are: {some})."
        raise ProviderError(message, "Install it, or mend `provider:`.")
    if len(points) > 1:
        packages = ", ".join(sorted(_package(point) for point in points))
        message = f"Several packages have a provider {config.kind}: {packages}."
        raise ProviderError(message, "Uninstall all but one.")
    return config, points[0]


def _loaded(point: EntryPoint, config: PluggedConfig) -> Any:
    try:
        return point.load()
    except Exception as error:
        message = f"The provider {config.kind} of {_package(point)} can't be loaded: {_told(error)}."
        raise ProviderError(message, "Install it anew, or ask its author.") from None


def _stated(point: EntryPoint, target: Any) -> Promises:
    """What it states as `promises`: nothing is assumed of who states nothing."""
    promises = getattr(target, "promises", None)
    whose = f"The provider {point.name} of {_package(point)}"
    if not callable(target) or not isinstance(promises, Promises):
        raise ProviderError(f"{whose} does not state its promises.", _CONTRACT)
    if promises.routed:
        raise ProviderError(f"{whose} promises routed record sets, which are Route 53's.", _CONTRACT)
    if promises.synthesises and not promises.compare_and_set:
        raise ProviderError(f"{whose} neither compares and sets nor reads literally.", _CONTRACT)
    return promises


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
