"""From Services, Gateways and nodes, as the API server has them, to load balancers. Pure."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from standfast.config import KubernetesSource, LoadBalancerConfig, asked_by, scalars
from standfast.config.scalars import BadValue
from standfast.model.fleet import Verdict

from .labels import labelled

Objects: TypeAlias = dict[str, dict[str, Any]]
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
OURS: Final = "standfast/"
_ID_MAX: Final = 63


def read_objects(
    source: KubernetesSource, objects: Objects
) -> tuple[tuple[LoadBalancerConfig, ...], tuple[tuple[str, str], ...], tuple[tuple[str, Verdict], ...]]:
    """Load balancers, those of which not all can be said, and what is told of health (of nodes only)."""
    found: list[LoadBalancerConfig] = []
    unsure: list[tuple[str, str]] = []
    told: list[tuple[str, Verdict]] = []
    for _, item in sorted(objects.items()):
        if source.what == "services" and _at(item, "spec").get("type") != "LoadBalancer":
            continue
        name = identity(item)
        try:
            found.append(_one(source, item, name))
        except BadValue as bad:
            unsure.append((name, f"{bad.message} {bad.remedy}".strip()))
        if source.what == "nodes":
            told.append((name, _ready(item)))
    return tuple(found), tuple(unsure), tuple(told)


def identity(item: dict[str, Any]) -> str:
    """`namespace.name`, shortened with a digest if that is too long for an id."""
    metadata = _at(item, "metadata")
    full = ".".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))
    if len(full) <= _ID_MAX:
        return full
    return f"{full[: _ID_MAX - 9]}-{hashlib.sha256(full.encode()).hexdigest()[:8]}"


def _one(source: KubernetesSource, item: dict[str, Any], name: str) -> LoadBalancerConfig:
    """Raises BadValue."""
    addresses: list[str] = []
    names: list[str] = []
    for text, is_name in _stated(source, item):
        (names if is_name else addresses).append(text)
    if not addresses and names:
        raise BadValue(f"It has only a name, {names[0][:200]}: plain DNS can't follow a name.", "Give it addresses.")
    if not addresses:
        raise BadValue("It has no address at present.", "")
    canonical = sorted({scalars.address(text) for text in addresses})
    metadata = _at(item, "metadata")
    notes, labels = _at(metadata, "annotations"), _at(metadata, "labels")
    az = labels.get(ZONE_LABEL) or notes.get(ZONE_LABEL) or source.az
    if not az:
        raise BadValue("It does not say in which AZ it is.", f"Label it {ZONE_LABEL}, or give the source az:.")
    facts = labelled({key.removeprefix(OURS): str(value) for key, value in notes.items() if key.startswith(OURS)})
    return LoadBalancerConfig(
        name,
        scalars.identifier(str(az)),
        facts.pool,
        tuple(text for text in canonical if ":" not in text),
        tuple(text for text in canonical if ":" in text),
        facts.capacity,
        facts.admin,
        facts.port,
        asked_by(facts.admin, "its annotation in Kubernetes"),
    )


def _stated(source: KubernetesSource, item: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """(text, whether it is a name) of each address in its status."""
    status = _at(item, "status")
    if source.what == "services":
        for one in _list(_at(status, "loadBalancer"), "ingress"):
            if one.get("ip"):
                yield str(one["ip"]), False
            elif one.get("hostname"):
                yield str(one["hostname"]), True
    elif source.what == "gateways":
        for one in _list(status, "addresses"):
            if one.get("value"):
                yield str(one["value"]), one.get("type", "IPAddress") != "IPAddress"
    else:
        for one in _list(status, "addresses"):
            if one.get("type") == "ExternalIP" and one.get("address"):
                yield str(one["address"]), False


def _ready(item: dict[str, Any]) -> Verdict:
    ready = next((one for one in _list(_at(item, "status"), "conditions") if one.get("type") == "Ready"), None)
    state = str(ready.get("status")) if ready is not None else "Unknown"
    if state == "True":
        return Verdict("up", "the node is Ready (Kubernetes)")
    return Verdict("down" if state == "False" else "unknown", f"the node's condition Ready is {state} (Kubernetes)")


def _at(item: dict[str, Any], key: str) -> dict[str, Any]:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _list(item: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = item.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
