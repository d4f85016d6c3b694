"""`standfast run`: all roles, or one."""

import os
import re
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from standfast import config as configuration
from standfast.config import Config, KeyRole
from standfast.errors import StandfastError
from standfast.runtime.monitoring.meter import Meter
from standfast.runtime.monitoring.serving import port_of
from standfast.runtime.narration import Narrator
from standfast.runtime.place import Place
from standfast.runtime.presence import Presence, read_presence
from standfast.runtime.readiness import ServiceManager
from standfast.runtime.roles import Duties, Role, run_role
from standfast.runtime.supervision import PARENT_FD, ChildSpec, listen, supervise
from standfast.runtime.telling import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from standfast.runtime.journal import Journal
    from standfast.runtime.presence import Present

WRITER = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_WATCH_S = 2.5
"""A process that is at work has shown itself anew by then."""
PAGE: Final = "web"
"""The role that only looks; it has libraries of its own."""
_PAGE_MISSING: Final = "The page needs libraries that are not installed."
_REGISTRY_MISSING: Final = "The registry needs libraries that are not installed."
_PAGE_REMEDY: Final = "Install them: pip install 'standfast[web]'"
ROLES: Final[tuple[Role, ...]] = ("planner", "enactor", "cleaner", "prober", "monitor", "nameserver", "registry")


@click.command("run", short_help="keep the names on working load balancers (all roles, or one)")
@click.option("--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True)
@click.option("--role", type=click.Choice(("all", *ROLES, PAGE)), default="all", show_default=True)
@click.option("--name", default="", help="this process's name among its like [default: the host's]")
@click.option("--az", default="", help="prober: the AZ it stands in, which the configuration must say too")
@click.option("--enactors", type=click.IntRange(1, 16), default=1, show_default=True, help="with --role all")
@click.option("--observe", is_flag=True, help="decide and log, write nothing, publish nothing")
@click.option("--take", multiple=True, metavar="NAME", help="consent to take over a name that exists in DNS")
@click.option(
    "--every", default=60.0, show_default=True, type=click.FloatRange(0.1), help="cleaner: seconds from pass to pass"
)
@click.option(
    "--metrics-port", default=0, type=click.IntRange(0, 65535), help="of one role [default: by `metrics: listen`]"
)
@click.option("--quiet", is_flag=True, help="nothing on the terminal; the journal has it all")
def run_command(
    file: str,
    role: str,
    name: str,
    az: str,
    enactors: int,
    observe: bool,
    take: tuple[str, ...],
    every: float,
    metrics_port: int,
    quiet: bool,
) -> None:
    """Keep the names on working load balancers until stopped; DNS then stays as it is."""
    config = configuration.load(Path(file))
    if observe and take:
        raise StandfastError("--take is for a run that writes; observing takes nothing over.", "Leave it out.")
    if any(zone.plugged is not None for zone in config.zones):
        from standfast.runtime.plugging import judge

        judge(config.zones)
    place, manager = Place(_shown(config, observe)), ServiceManager()
    place.prepare()
    who = _writer(name) if name else _host()
    if role in ("all", "planner") and PARENT_FD not in os.environ and not observe:
        from standfast.cli.consent import consented

        take = consented(config, take, quiet=quiet)
    if role == "prober":
        from standfast.runtime.vantage import vantage_of

        vantage_of(config, who, az)
    elif az:
        raise StandfastError("--az belongs to --role prober.", "Leave it out.")
    if PARENT_FD not in os.environ:
        _alone(place, _writers(config, role, who, enactors))
        if observe and role in ("all", "planner"):
            from standfast.runtime.observed import begin

            begin(config)
    if role == "all":
        watched = partial(_look_after, manager, place, _writers(config, role, who, enactors), time.time())
        _all(config, file, who, enactors, observe, take, every, quiet, watched)
        return
    duties = Duties(observe, tuple((taken, _operator()) for taken in take), every, az)
    _one(config, role, who, duties, metrics_port, quiet, manager)


def _one(config: Config, role: str, who: str, duties: Duties, port: int, quiet: bool, manager: ServiceManager) -> None:
    """One role as this process, until it is told to stop; on SIGHUP under the configuration as it is then."""
    from standfast.runtime.calling import called_alike
    from standfast.runtime.reloading import Reloading

    place, alone, signals = Place(_shown(config, duties.observe)), PARENT_FD not in os.environ, listen()
    twins = called_alike(config, None)
    narrator = Narrator(_say, observe=duties.observe, reloads=alone or role == "planner", twins=twins)
    journal, meter = opened(place, role, who, () if quiet else (narrator,), port)
    presence = Presence(place.presence, role, who, beaten=partial(_at_work, manager, f"{role} {who} is at work", meter))
    if role == "nameserver":
        manager.ready("serving")  # it beats no presence

    def under(current: Config, turn: threading.Event) -> None:
        presence.always["file"] = current.digest
        there = Place(_shown(current, duties.observe))
        if role == PAGE:
            _page(there, journal, presence, turn)
        else:
            known = next(one for one in ROLES if one == role)
            if known == "registry" and not _installed("starlette", "uvicorn"):
                raise StandfastError(_REGISTRY_MISSING, _PAGE_REMEDY)
            run_role(known, who, there, duties, journal, meter, presence, turn)

    if role == "nameserver":
        under(config, signals.stop)  # it has nothing of the file that a reload may change
        return
    Reloading(config, signals, lambda facts: _reread(journal, facts)).run(under)


def _reread(journal: "Journal", facts: "Mapping[str, Any]") -> None:
    journal.write("reloaded", **facts)


def _all(
    config: Config,
    file: str,
    who: str,
    enactors: int,
    observe: bool,
    take: tuple[str, ...],
    every: float,
    quiet: bool,
    watched: "Callable[[], None]",
) -> None:
    """One child a role."""
    whole = ("--config", str(Path(file).resolve()), *(("--quiet",) if quiet else ()))
    common = (*whole, *(("--observe",) if observe else ()))
    specs = []
    if any(zone.provider == "embedded" for zone in config.zones):
        specs.append(ChildSpec("nameserver", ("run", "--role", "nameserver", *whole)))
    taken = tuple(part for name in take for part in ("--take", name))
    planner = ("run", "--role", "planner", "--name", who, *taken, *common)
    specs.append(ChildSpec("planner", planner, _others_keys(config, "planner")))
    for place, name in enumerate(_enactor_names(who, enactors)):
        enactor = ("run", "--role", "enactor", "--name", name, *_port(config, place), *common)
        specs.append(ChildSpec(f"enactor {name}", enactor, _others_keys(config, "enactor")))
    if _votes(config, who):
        prober = ("run", "--role", "prober", "--name", who, *common)
        specs.append(ChildSpec("prober", prober, _others_keys(config, "prober")))
    cleaner = ("run", "--role", "cleaner", "--name", who, "--every", str(every), *common)
    specs.append(ChildSpec("cleaner", cleaner, _others_keys(config, "cleaner")))
    monitor = ("run", "--role", "monitor", "--name", who, *common)
    specs.append(ChildSpec("monitor", monitor, _others_keys(config, "prober")))
    if config.registry is not None:
        if not _installed("starlette", "uvicorn"):
            raise StandfastError(_REGISTRY_MISSING, _PAGE_REMEDY)
        specs.append(ChildSpec("registry", ("run", "--role", "registry", "--name", who, *common)))
    if config.web is not None and _installed("jinja2", "starlette", "uvicorn"):
        specs.append(ChildSpec("web", ("run", "--role", PAGE, "--name", who, *common)))
    elif config.web is not None:
        click.echo(f"{_PAGE_MISSING} {_PAGE_REMEDY}. Everything else runs.", err=True)
    signals = listen()
    tell = partial(_say, err=True) if not quiet else _silent
    supervise(specs, signals.stop, tell, watched, signals.reload)
    if not quiet:
        _say("Stopped. DNS stays as it is.")


def _shown(config: Config, observe: bool) -> Config:
    """Where this run keeps what it does."""
    if not observe:
        return config
    from standfast.runtime.observed import observed

    return observed(config)


def _silent(text: str) -> None:
    """Nothing on the terminal."""


def _port(config: Config, place: int) -> tuple[str, ...]:
    """Several enactors of one machine serve their metrics one beside the other."""
    metrics = config.signals.metrics
    return ("--metrics-port", str(port_of(metrics.port, "enactor", place))) if metrics else ()


def _at_work(manager: ServiceManager, status: str, meter: Meter, facts: "Mapping[str, Any]") -> None:
    meter.beat(facts)
    manager.ready(status)
    manager.at_work()


def _look_after(manager: ServiceManager, place: Place, writers: "list[tuple[str, str]]", since: float) -> None:
    """Ready is who has every process at work; whether one hangs later is for `status` and its alerts to say."""
    if not manager.is_ready:
        here = {(one.role, one.who) for one in read_presence(place.presence) if one.age_s <= time.time() - since}
        if not set(writers) <= here:
            return
        manager.ready(", ".join(f"{role} {who}" for role, who in writers))
    manager.at_work()


def _others_keys(config: Config, role: KeyRole) -> tuple[str, ...]:
    """Environment variables with keys that only other roles need."""
    return tuple(sorted({one for zone in config.zones for one in zone.keys.variables_of_others(role)}))


def _page(place: Place, journal: "Journal", presence: Presence, stop: "threading.Event") -> None:
    try:
        from standfast.web.serving import serve_page
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "standfast":
            raise
        raise StandfastError(_PAGE_MISSING, _PAGE_REMEDY) from None
    serve_page(place, journal, presence, stop)


def _installed(*names: str) -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) for name in names)


def _say(line: str, *, err: bool = False) -> None:
    """For whoever reads it. If nobody does any more, or its disk is full, the journal has it, and work goes on."""
    try:
        click.echo(line, err=err)
        (sys.stderr if err else sys.stdout).flush()
    except UnicodeEncodeError:
        _say(line.encode("ascii", "replace").decode(), err=err)
    except OSError:
        return


def _host() -> str:
    """The host's name as a writer's name: at most 32 of a-z, 0-9 and hyphen."""
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in socket.gethostname().lower()).strip("-")
    return name[:32].strip("-") or "host"


def _writer(name: str) -> str:
    """A name as markers and files take it. Raises StandfastError."""
    if WRITER.fullmatch(name):
        return name
    raise StandfastError(f"--name {name!r} is no name.", "Take 1 to 32 of a to z, 0 to 9 and hyphens.")


def _votes(config: Config, who: str) -> bool:
    """Whether this machine is one of the vantage points."""
    return config.health is not None and who in {one.name for one in config.vantage}


def _writers(config: Config, role: str, who: str, enactors: int) -> "list[tuple[str, str]]":
    """(role, name) of every process that shall run."""
    if role != "all":
        return [(role, who)]
    voter = [("prober", who)] if _votes(config, who) else []
    others = [(one, who) for one in ("planner", "cleaner", "monitor")]
    return [*voter, *others, *(("enactor", name) for name in _enactor_names(who, enactors))]


def _alone(place: Place, writers: "list[tuple[str, str]]") -> None:
    """Raise StandfastError if one of them is at work here: it beats again while we watch. A dead one's last beat, by
    a number that another process has now, does not keep anybody from starting."""
    from standfast.runtime.observing import at_work, present

    def beats() -> "dict[tuple[str, str], Present]":
        return {(one.role, one.who): one for one in present(place) if (one.role, one.who) in writers and at_work(one)}

    before, since = beats(), time.monotonic()
    while before and (waited := time.monotonic() - since) < _WATCH_S:
        time.sleep(0.1)
        for key, now in beats().items():
            if key in before and now.age_s < before[key].age_s + waited - 0.05:
                message = f"{now.role} {now.who} runs here already (pid {now.pid}), with {place.root}."
                raise StandfastError(message, "Stop that one, or give this one another name: --name NAME.")


def _enactor_names(who: str, enactors: int) -> list[str]:
    if enactors == 1:
        return [who]
    return [f"{who[:29]}-{chr(ord('a') + place)}" for place in range(enactors)]


def _operator() -> str:
    return f"{os.environ.get('USER') or os.getuid()}@{_host()}"
