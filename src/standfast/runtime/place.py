"""Where a stream keeps its files on this machine, and the adapters that a configuration names."""

import base64
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from standfast.adapters.providers.keyring import KeyRing
from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.plan_store import PlanStore
from standfast.config import Config, KeyRole, LoadBalancerConfig, SqliteStoreConfig, TsigKey
from standfast.config.schema import EndpointConfig, ZoneConfig
from standfast.config.secrets import read_secret, tsig_key
from standfast.errors import ProviderError, StandfastError, StoreAbsent, StoreError
from standfast.model.fleet import LoadBalancer
from standfast.model.plan import Plan
from standfast.model.policy import EndpointPolicy
from standfast.model.rrset import RRType
from standfast.ports.provider import ZoneProvider

from .journal import Journal, Listener
from .latestore import LateStore
from .signing import Signers, signing
from .storing import opened

OBSERVED: Final = "observed"
"""Beneath the state directory: where those work who only observe. The zone that they look at is the real one."""


class Place:
    """The state directory: plan store, journals, disk copies, presence, keys. Created with mode 0700."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.root = config.state_dir
        self.signers = Signers()
        """The keys of this process's providers."""

    def prepare(self) -> None:
        """Make the directories. Raises StandfastError with the remedy if that can't be done."""
        try:
            for folder in (self.root, self.journal, self.presence, self.copies):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            message = f"The state directory {self.root} can't be used: {error.strerror}."
            raise StandfastError(message, "Create it, or set `state:` to one that this user may write.") from None

    @property
    def journal(self) -> Path:
        """One JSON Lines file a process."""
        return self.root / "journal"

    def open_journal(
        self, role: str, who: str, *, listeners: Sequence[Listener] = (), closed: Callable[[], None] = lambda: None
    ) -> Journal:
        """The journal of one process, its files as large as the configuration says."""
        octets = self.config.signals.journal.file
        return Journal(self.journal, role, who, listeners=listeners, file_octets=octets, closed=closed)

    @property
    def presence(self) -> Path:
        """One small file a running process, replaced at each beat."""
        return self.root / "presence"

    @property
    def copies(self) -> Path:
        """Each enactor's own copy of the newest plan."""
        return self.root / "copies"

    @property
    def embedded_key(self) -> Path:
        """The TSIG key of the embedded nameserver, made when first needed."""
        real = self.root.parent if self.root.name == OBSERVED else self.root
        return real / "embedded.key"

    @property
    def has_store(self) -> bool:
        """Whether there is a plan store. Where this user may not look there may well be one."""
        if isinstance(self.config.store, SqliteStoreConfig):
            try:
                return self.config.store.path.exists()
            except OSError:
                return True
        try:
            opened(self.config.store, make=False).close()
        except StoreAbsent:
            return False
        except StoreError:
            return True
        return True

    def kept_copies(self) -> list[Path]:
        """Every enactor's copy that this user may see."""
        try:
            return sorted(self.copies.glob("*.sqlite"))
        except OSError:
            return []

    def open_store(self, *, make: bool = True) -> PlanStore:
        """The plan store; without `make` only one that is there. Raises StoreError, and its kind StoreAbsent."""
        return opened(self.config.store, make=make)

    def late_store(self, *, leave: bool = False) -> LateStore:
        """The plan store for a process that runs on while it can't be read."""
        return LateStore(str(self.config.store), lambda make: self.open_store(make=make), leave=leave)

    def open_copy(self, writer: str) -> DiskCopy:
        """An enactor's own copy."""
        return DiskCopy(self.copies / f"{writer}.sqlite")

    def key(self, zone: ZoneConfig, role: KeyRole = "enactor") -> TsigKey:
        """The first TSIG key of that role in the zone. Raises StandfastError if none can be read here."""
        places = zone.keys.of(role)
        if found := next((place.key for place in places if place.key), None):
            return found
        if places or zone.provider != "embedded":
            why = places[0].why if places else f"Zone {zone.name} has no key."
            raise StandfastError(f"The {role} can't sign in zone {zone.name}: {why}")
        path = self.ensured_embedded_key()
        return tsig_key(read_secret(f"file:{path.name}", path.parent).text)

    def ensured_embedded_key(self) -> Path:
        """The embedded nameserver's key file, made at random if there is none yet; readable by its owner alone."""
        path = self.embedded_key
        if not path.exists():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            text = _key_text("standfast-embedded", secrets.token_bytes(32))
            draft = path.with_suffix(f".{os.getpid()}")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(text)
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path

    def open_provider(
        self, zone: ZoneConfig, *, role: KeyRole = "enactor", who: str = "", timeout_s: float = 5.0
    ) -> ZoneProvider:
        """The zone's primary, with the keys of that role; without any it can be read, but a transfer may be refused.

        Raises ProviderError if its host name does not resolve, or its package can't be used; StandfastError if an
        enactor has no key.
        """
        if zone.hosted is not None:
            from .hosted import hosted_provider

            return hosted_provider(zone, role, who)
        if zone.plugged is not None:
            from .plugging import plugged_provider

            return plugged_provider(zone, role)
        places = zone.keys.of(role)
        if not places and zone.provider == "embedded":
            ring = KeyRing.of(signing(self.key(zone)))
        else:
            if role == "enactor":
                self.key(zone)
            ring = self.signers.ring(zone.name, places)
        return Rfc2136Provider(zone.name, resolved(zone.host), zone.port, ring, timeout_s=timeout_s)


def _key_text(name: str, secret: bytes) -> str:
    encoded = base64.b64encode(secret).decode()
    return f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{encoded}";\n}};\n'


def resolved(host: str) -> str:
    """The host's first address. Raises ProviderError if it has none."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        message = f"the server {host} has no address: {error}"
        raise ProviderError(message, "Give `server:` an address, or a name that resolves on this machine.") from None


def policy_of(endpoint: EndpointConfig) -> EndpointPolicy:
    """An endpoint of the configuration as the planner takes it."""
    families = {"ipv4": RRType.A, "ipv6": RRType.AAAA}
    return EndpointPolicy(
        name=endpoint.name,
        zone=endpoint.zone,
        ttl=endpoint.ttl,
        min_answers=endpoint.min_answers,
        max_answers=endpoint.max_answers,
        azs=endpoint.azs,
        pools=endpoint.pools,
        families=tuple(families[family] for family in endpoint.families),
        hold_below=endpoint.hold_below,
        removal_share=endpoint.removal_share,
        removal_window_s=endpoint.removal_window_s,
        adding_share=endpoint.adding_share,
        adding_window_s=endpoint.adding_window_s,
        az_loss=endpoint.az_loss,
        on_panic=endpoint.on_panic,
        kind=endpoint.kind or ("wildcard" if endpoint.name.startswith("*") else ""),
        follows=endpoint.follows or "",
        need=endpoint.need,
        reserve=endpoint.reserve,
        rotation_s=endpoint.rotation_s,
        prefixes=endpoint.prefixes,
        layout=endpoint.layout,
    )


def prefixes_of(config: Config) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Zone by zone the networks that may be published there."""
    return tuple((zone.name, zone.prefixes) for zone in config.zones if zone.prefixes)


def load_balancer_of(declared: LoadBalancerConfig) -> LoadBalancer:
    """A declared load balancer as the model has it."""
    return LoadBalancer(
        declared.id, declared.az, declared.pool, declared.ipv4, declared.ipv6, declared.capacity, declared.admin,
        declared.why,
    )  # fmt: skip


def news_of_file(config: Config, plan: Plan | None) -> str:
    """What the first plan by another configuration says of itself; empty if that plan had the same."""
    was, now = plan.record.policy if plan else "", config.digest
    return f"{Path(config.file).name} changed, was {was[:4]}, is {now[:4]}" if was and was != now else ""
