"""One role as this process: the composition of its core's runner with store, providers, journal and presence."""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from standfast.adapters.providers.promises import Promises
from standfast.config import KeyRole, ZoneConfig
from standfast.ports.provider import ZoneProvider

from .journal import Journal
from .latestore import LateStore
from .monitoring.meter import Meter
from .place import Place, prefixes_of
from .presence import Presence

if TYPE_CHECKING:
    from .economy import Economy, Perform

Role: TypeAlias = Literal["planner", "enactor", "cleaner", "prober", "monitor", "nameserver", "registry"]


class Duties(Struct, frozen=True):
    """What a role is told besides the configuration.

    `observe`: nothing is written, and what is planned is for nobody else (`observed.py`); the place is such a one.
    `consents` are (name, who gave it), for the planner. `every_s` is the
    cleaner's interval in seconds. `az` is the AZ that a prober believes to stand in; empty: as configured.
    """

    observe: bool = False
    consents: tuple[tuple[str, str], ...] = ()
    every_s: float = 60.0
    az: str = ""


def run_role(
    role: Role,
    who: str,
    place: Place,
    duties: Duties,
    journal: Journal,
    meter: Meter,
    presence: Presence,
    stop: threading.Event,
) -> None:
    """Run it until `stop` is set. Raises StandfastError for what people must mend first."""
    match role:
        case "enactor":
            _enactor(who, place, duties, journal, presence, stop)
        case "planner":
            _planner(who, place, duties, journal, presence, stop)
        case "cleaner":
            _cleaner(who, place, duties, journal, presence, stop)
        case "prober":
            _prober(who, place, duties, journal, presence, stop)
        case "monitor":
            from .monitoring.process import MonitorProcess

            MonitorProcess(who, place, journal, meter, presence).run(stop)
        case "registry":
            from .registry.process import RegistryProcess

            RegistryProcess(who, place, journal, presence).run(stop)
        case "nameserver":
            from .serving import serve_embedded

            serve_embedded(place, stop)
    presence.leave()


@contextmanager
def _opened(
    place: Place, role: KeyRole, who: str, stop: threading.Event, *, leave: bool
) -> Iterator[tuple[LateStore, dict[str, ZoneProvider]]]:
    """Store and providers, let go at the end: a role may begin anew in this process."""
    with ExitStack() as held:
        store = place.late_store(leave=leave)
        held.callback(store.close)
        providers: dict[str, ZoneProvider] = {}
        for zone in place.config.zones:
            provider = place.open_provider(zone, role=role, who=who)
            held.callback(provider.close)
            providers[zone.name] = provider
            if zone.hosted is not None:
                _ending(provider, stop)
        yield store, providers


def _ending(provider: ZoneProvider, stop: threading.Event) -> None:
    """Whoever waits for its turn at AWS hears that it is to end."""
    from standfast.adapters.providers.route53 import Route53Provider

    if isinstance(provider, Route53Provider):
        provider.calls.pace.end_with(stop)


def _enactor(
    who: str, place: Place, duties: Duties, journal: Journal, presence: Presence, stop: threading.Event
) -> None:
    from .enacting import EnactorProcess
    from .following import Follower
    from .plugging import weaker

    with _opened(place, "enactor", who, stop, leave=False) as (store, providers), closing(place.open_copy(who)) as copy:
        EnactorProcess(
            who,
            place.config.stream,
            store,
            providers,
            copy,
            journal,
            presence=presence,
            look_s=min(zone.look_seconds for zone in place.config.zones),
            observe=duties.observe,
            signers=place.signers,
            prefixes=prefixes_of(place.config),
            rooms=tuple((zone, one.room) for zone, one in providers.items() if one.room.records),
            blind=tuple(zone.name for zone in place.config.zones if not _tells_changes(zone, providers[zone.name])),
            weaker=tuple((zone.name, one) for zone in place.config.zones for one in weaker(zone)),
            follower=Follower(place.config.zones, place.config.stream),
            economy=_economy(who, store, providers, place.config.zones, alone=duties.observe),
        ).run(stop)


def _tells_changes(zone: ZoneConfig, provider: ZoneProvider) -> bool:
    """Whether anything tells that the zone changed: else names are asked over DNS, and by the audit."""
    promises: Promises | None = getattr(provider, "promises", None)
    return zone.hosted is None if promises is None else promises.tells_serial


def _economy(
    who: str, store: LateStore, providers: Mapping[str, ZoneProvider], zones: Iterable[ZoneConfig], *, alone: bool
) -> "Callable[[Perform], Economy] | None":
    """What paces an enactor at zones whose requests AWS counts; None without such."""
    if not any(one.room.records for one in providers.values()):
        return None  # none counts them; and what Route 53 needs takes longer to load than an enactor to start
    from standfast.adapters.providers.route53 import Route53Provider

    from .company import Company
    from .economy import Account, Economy

    accounts = {
        zone.name: Account(one.calls.pace, one.calls.sent, zone.hosted.patrol_seconds)
        for zone in zones
        if zone.hosted is not None and isinstance(one := providers[zone.name], Route53Provider)
    }
    if not accounts:
        return None
    company = None if alone else Company(store, who, secrets.token_hex(8))
    return lambda perform: Economy(accounts, company, perform)


def _planner(
    who: str, place: Place, duties: Duties, journal: Journal, presence: Presence, stop: threading.Event
) -> None:
    from .checkworking import unasked
    from .observed import consents
    from .observing import newest_copy
    from .planning import PlannerProcess

    with _opened(place, "planner", who, stop, leave=True) as (store, providers):
        PlannerProcess(
            who,
            place.config,
            store,
            providers,
            journal,
            presence=presence,
            consents=consents(place.config) if duties.observe else duties.consents,
            kept=newest_copy(place)[1],
            desk=unasked if duties.observe else None,
        ).run(stop)


def _prober(
    who: str, place: Place, duties: Duties, journal: Journal, presence: Presence, stop: threading.Event
) -> None:
    from .vantage import VantageProcess, vantage_of

    vantage = vantage_of(place.config, who, duties.az)
    with closing(place.late_store()) as store:  # a role may begin anew in this process
        VantageProcess(vantage, place.config, store, journal, presence=presence).run(stop)


def _cleaner(
    who: str, place: Place, duties: Duties, journal: Journal, presence: Presence, stop: threading.Event
) -> None:
    from .checkworking import unasked
    from .cleaning import CleanerProcess

    with _opened(place, "cleaner", who, stop, leave=True) as (store, providers):
        CleanerProcess(
            who,
            place.config,
            store,
            providers,
            journal,
            presence=presence,
            every_s=duties.every_s,
            desk=unasked if duties.observe else None,
        ).run(stop)
