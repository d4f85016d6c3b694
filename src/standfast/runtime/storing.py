"""From a plan store as configured to the store itself. Plug-ins are entry points of `standfast.stores`."""

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Final

from standfast.adapters.stores.plan_store import PlanStore
from standfast.config import (
    PluginStoreConfig,
    PostgresqlStoreConfig,
    S3StoreConfig,
    SqliteStoreConfig,
    StoreConfig,
)
from standfast.errors import StoreAbsent, StoreError

if TYPE_CHECKING:
    from standfast.adapters.stores.postgresql_connection import Database
    from standfast.adapters.stores.s3_bucket import Place

GROUP: Final = "standfast.stores"
_MEMBERS: Final = ("perform", "changed", "replaced", "close")


def opened(store: StoreConfig, *, make: bool, patience_s: float | None = None) -> PlanStore:
    """The plan store. `make`: also if there is none yet. `patience_s`: how long to wait for others at most, less than
    as configured.

    Raises StoreAbsent if there is none and none is to be made, StoreError if it can't be had.
    """
    match store:
        case SqliteStoreConfig():
            return _sqlite(store, make, patience_s)
        case S3StoreConfig():
            from standfast.adapters.stores.s3 import S3Store
            from standfast.adapters.stores.s3_bucket import Bucket

            return S3Store(Bucket(s3_place(store, patience_s)), make=make, look_s=store.look_s)
        case PostgresqlStoreConfig():
            from standfast.adapters.stores.postgresql import PostgresqlStore

            return PostgresqlStore(database(store, patience_s), make=make, look_s=store.look_s)
        case PluginStoreConfig():
            return _plugin(store, make)


def _sqlite(store: SqliteStoreConfig, make: bool, patience_s: float | None) -> PlanStore:
    from standfast.adapters.stores.sqlite import SqliteStore

    try:
        if make:
            store.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not store.path.exists():
            raise StoreAbsent(f"{store.path} does not exist")
    except OSError as error:
        raise StoreError(f"{error.filename or store.path}: {error.strerror}") from None
    return SqliteStore(store.path) if patience_s is None else SqliteStore(store.path, busy_timeout_s=patience_s)


def s3_place(store: S3StoreConfig, patience_s: float | None = None) -> "Place":
    """As its adapter takes it."""
    from standfast.adapters.stores.s3_bucket import Place

    timeout_s = min(store.timeout_s, patience_s or store.timeout_s)
    return Place(store.bucket, f"{store.prefix}/", store.region, store.endpoint, timeout_s)


def database(store: PostgresqlStoreConfig, patience_s: float | None = None) -> "Database":
    """As its adapter takes it."""
    from standfast.adapters.stores.postgresql_connection import Database

    return Database(
        store.host,
        store.database,
        store.user,
        store.schema,
        store.port,
        store.password.read if store.password is not None else None,
        store.tls,
        ca=str(store.ca or ""),
        certificate=str(store.certificate or ""),
        key=str(store.key or ""),
        timeout_s=min(store.timeout_s, patience_s or store.timeout_s),
    )


def _plugin(store: PluginStoreConfig, make: bool) -> PlanStore:
    found = [point for point in entry_points(group=GROUP) if point.name == store.kind]
    if not found:
        some = ", ".join(sorted({point.name for point in entry_points(group=GROUP)})) or "none"
        message = f"No installed package has a plan store {store.kind}"
        raise StoreError(f"{message} (entry point of {GROUP}; there are: {some}).", "Install it, or mend `store:`.")
    if len(found) > 1:
        packages = ", ".join(sorted(_package(point) for point in found))
        raise StoreError(f"Several packages have a plan store {store.kind}: {packages}.", "Uninstall all but one.")
    made = _made(found[0], store, make)
    if missing := [name for name in _MEMBERS if not callable(getattr(made, name, None))]:
        message = f"The plan store {store.kind} of {_package(found[0])} has no {' and no '.join(missing)}."
        raise StoreError(message, "Its author finds the contract in docs/stores.md.")
    return made


def _made(point: EntryPoint, store: PluginStoreConfig, make: bool) -> PlanStore:
    """Whatever somebody else's code raises is that store's trouble, never ours."""
    try:
        made: PlanStore = point.load()(dict(store.options), make=make)
    except StoreError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        message = f"The plan store {store.kind} of {_package(point)} can't be opened: {type(error).__name__}: {text}."
        raise StoreError(message, "Mend its options, or ask its author.") from None
    return made


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
