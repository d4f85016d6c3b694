"""From a source as configured to the source itself. Plug-ins are entry points of `standfast.sources`."""

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from standfast.config import (
    AwsSource,
    DeclaredSource,
    FileSource,
    HttpSource,
    KubernetesSource,
    LeasesSource,
    PluginSource,
    SourceConfig,
)

from . import FleetSource, SourceError
from .declared import DeclaredFleet
from .file import FileFleet
from .leases import LeasesFleet, StoreOpener

GROUP: Final = "standfast.sources"
_MEMBERS: Final = ("look", "wait", "close")


def opened(source: SourceConfig, store: StoreOpener | None = None) -> FleetSource:
    """The source; `store` opens the plan store, for what is read there. Raises SourceError if it can't be had on this
    machine."""
    match source:
        case DeclaredSource():
            return DeclaredFleet(source)
        case FileSource():
            return FileFleet(source.path)
        case HttpSource():
            from .http import HttpFleet

            return HttpFleet(source)
        case AwsSource():
            from .aws import AwsFleet

            return AwsFleet(source)
        case KubernetesSource():
            from .kubernetes import KubernetesFleet

            return KubernetesFleet(source)
        case LeasesSource():
            if store is None:
                raise SourceError(
                    "There is no plan store here to read leases from.",
                    "Ask where the planner runs; where it was lost, `standfast run` makes another.",
                )
            return LeasesFleet(source, store)
        case PluginSource():
            return _plugin(source)


def _plugin(source: PluginSource) -> FleetSource:
    found = [point for point in entry_points(group=GROUP) if point.name == source.kind]
    if not found:
        some = ", ".join(sorted({point.name for point in entry_points(group=GROUP)})) or "none"
        message = f"No installed package has a source {source.kind}"
        raise SourceError(f"{message} (entry point of {GROUP}; there are: {some}).", "Install it, or mend `from:`.")
    if len(found) > 1:
        packages = ", ".join(sorted(_package(point) for point in found))
        raise SourceError(f"Several packages have a source {source.kind}: {packages}.", "Uninstall all but one.")
    made = _made(found[0], source)
    if missing := [name for name in _MEMBERS if not callable(getattr(made, name, None))]:
        message = f"The source {source.kind} of {_package(found[0])} has no {' and no '.join(missing)}."
        raise SourceError(message, "Its author finds the contract in docs/sources.md.")
    return made


def _made(point: EntryPoint, source: PluginSource) -> FleetSource:
    """Whatever somebody else's code raises is that source's trouble, never ours."""
    try:
        made: FleetSource = point.load()(source.name, dict(source.options))
    except SourceError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        message = f"The source {source.kind} of {_package(point)} can't be opened: {type(error).__name__}: {text}."
        raise SourceError(message, "Mend its options, or ask its author.") from None
    return made


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
