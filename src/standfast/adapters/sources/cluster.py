"""Where a Kubernetes API server is and how it is spoken to: as configured, or as a pod finds it in its own cluster."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from standfast.config import KubernetesSource, SecretReference

from . import SourceError

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Cluster:
    """`server` has no trailing slash; `ca` None: the authorities that the system trusts."""

    server: str
    token: SecretReference
    ca: Path | None


def cluster_of(source: KubernetesSource, account: Path = SERVICE_ACCOUNT) -> Cluster:
    """Raises SourceError outside a cluster if nothing is configured."""
    token = source.token or SecretReference(f"file:{account / 'token'}", account)
    if source.server is not None:
        return Cluster(source.server.rstrip("/"), token, source.ca)
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        message = f"The source {source.name} names no server, and this process does not run in a cluster."
        raise SourceError(message, "Give server:, token: and ca:.")
    shown = f"[{host}]" if ":" in host else host
    return Cluster(f"https://{shown}:{port}", token, source.ca or account / "ca.crt")
