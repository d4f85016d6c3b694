"""`standfast lease`: who holds a lease, the key of one load balancer, and ending a lease that nobody gives back."""

import json
import ssl
from pathlib import Path

import click
import httpx

from standfast import config as configuration
from standfast.adapters.sources import FleetUnknown
from standfast.adapters.sources.leases import LeasesFleet
from standfast.config import Config, LeasesSource, RegistryConfig
from standfast.errors import EXIT_ERROR, StandfastError
from standfast.runtime.place import Place
from standfast.runtime.registry.standing import registries_of

_CONFIG = click.option("--config", "file", default="standfast.yaml", envvar="STANDFAST_CONFIG", show_default=True)


@click.group("lease", short_help="who holds a lease; its key; end one")
def lease_command() -> None:
    """Leases of load balancers, as registries keep them in the plan store."""


@lease_command.command("list")
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="for programs")
def list_command(file: str, as_json: bool) -> None:
    """Who holds a lease, by all registries together."""
    config = configuration.load(Path(file))
    place = Place(config)
    if not place.has_store:
        raise StandfastError(f"There is no plan store at {config.store}.", "Run this where the registry runs.")
    fleet = LeasesFleet(LeasesSource("leases"), place.late_store)
    seen = fleet.look()
    fleet.close()
    if isinstance(seen, FleetUnknown):
        raise StandfastError(f"Leases are unknown: {seen.why}.", "standfast run --role registry")
    said = dict(seen.told)
    if as_json:
        rows = [
            {
                "load_balancer": one.id, "az": one.az, "pool": one.pool, "ip": [*one.ipv4, *one.ipv6],
                "capacity": one.capacity, "admin": one.admin, "why": one.why or None,
                "health": said[one.id].state if one.id in said else None,
            }
            for one in seen.load_balancers
        ]  # fmt: skip
        registries = [one.facts() for one in registries_of(config, place)]
        click.echo(json.dumps({"leases": rows, "registries": registries, "unsure": list(seen.unsure)}, indent=2))
        return
    for one in registries_of(config, place):
        click.echo(one.line)
    for lease in seen.load_balancers:
        state = f", {said[lease.id].state}: {said[lease.id].reason}" if lease.id in said else ""
        addresses = " ".join((*lease.ipv4, *lease.ipv6))
        admin = f"{lease.admin} ({lease.why})" if lease.why else lease.admin
        click.echo(f"{lease.id:24} {lease.az:8} {addresses} capacity {lease.capacity} {admin}{state}")
    for name, why in seen.unsure:
        click.echo(f"{name:24} left out: {why}")


@lease_command.command("key")
@click.argument("load_balancer", metavar="ID")
@_CONFIG
@click.option("--of", "name", default="", help="which key of registry.keys [default: the one that is derived]")
def key_command(load_balancer: str, file: str, name: str) -> None:
    """The key of one load balancer's agent, made of a key with `derived: true`. Pipe it into a file."""
    registry = _registry(configuration.load(Path(file)))
    some = [one for one in registry.keys if one.derived and name in ("", one.name) and one.is_for(load_balancer)]
    if len(some) != 1:
        which = f"{len(some)} derived keys of registry.keys are good for {load_balancer}"
        raise StandfastError(f"{which}; there must be one.", "Say which with --of, or give one derived: true.")
    click.echo(some[0].token(load_balancer))


@lease_command.command("end")
@click.argument("load_balancer", metavar="ID")
@_CONFIG
@click.option("--at", "url", default="", metavar="URL", help="the registry [default: where the configuration listens]")
@click.option("--ca", default=None, metavar="FILE", help="PEM file of the authority that signed its certificate")
def end_command(load_balancer: str, file: str, url: str, ca: str | None) -> None:
    """End the lease of a load balancer that is gone and will not give it back. If it lives, it takes it again."""
    registry = _registry(configuration.load(Path(file)))
    if registry.operator is None:
        raise StandfastError("registry: has no operator key.", "Give it one: operator: file:operator.key.")
    scheme = "https" if registry.certificate is not None else "http"
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(registry.host, registry.host)  # noqa: S104
    host = f"[{own}]" if ":" in own else own
    where = (url or f"{scheme}://{host}:{registry.port}").rstrip("/")
    try:
        reply = httpx.delete(
            f"{where}/v1/leases/{load_balancer}", headers={"authorization": f"Bearer {registry.operator}"}, timeout=10,
            verify=ssl.create_default_context(cafile=ca) if ca is not None else True,
        )  # fmt: skip
    except (httpx.HTTPError, OSError) as error:
        remedy = "Give --ca FILE, and --at URL with a name that its certificate has." if "CERT" in str(error) else ""
        remedy = remedy or "Is it running? Give --at URL for another one."
        raise StandfastError(f"The registry at {where} can't be reached: {error}.", remedy) from None
    if reply.status_code != 204:
        click.echo(f"The registry refused: {reply.text[:500]}", err=True)
        raise click.exceptions.Exit(EXIT_ERROR)
    click.echo(f"{load_balancer} holds no lease of this registry any more. See: standfast lease list")


def _registry(config: Config) -> RegistryConfig:
    if config.registry is None:
        raise StandfastError(f"{config.file} has no section registry.", "Add registry: {keys: …}.")
    return config.registry
