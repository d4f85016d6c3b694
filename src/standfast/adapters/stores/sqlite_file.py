"""A SQLite file of plans: how it is created, opened and recognised, and what its errors mean in words.

The file is local: WAL keeps its index in shared memory, which network file systems do not share. Durability is
synchronous=FULL for the store (NORMAL may lose the last commits at power loss). A file appears under its name only
when its schema is whole, so an empty file is one that was cut off, not a new store. Nothing here opens the file except
through SQLite: closing any other descriptor would drop the locks of every connection of this process (POSIX).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from standfast.errors import StoreError

from .shardkeeping import Damage, damage_told
from .sqlite_schema import SCHEMA, SCHEMA_VERSION, Catalogue, write_catalogue

STORE_ID: Final = 0x53465053
"""Marks a plan store ("SFPS") in SQLite's header."""
COPY_ID: Final = 0x53464443
"""Marks an enactor's own copy ("SFDC")."""

Synchronous: TypeAlias = Literal["FULL", "NORMAL"]


class NotOurs(StoreError):
    """The file is somebody else's, or of a newer version: it must not be touched."""


class DamagedFile(StoreError):
    """The file is cut off or its structure is damaged."""


Failures: Final = (sqlite3.Error, Damage, OverflowError, UnicodeError, MemoryError)
"""What working with the file can raise; each is explained by `explain`."""


def open_file(path: Path, application: int, busy_timeout_s: float, synchronous: Synchronous) -> sqlite3.Connection:
    """A connection to the file, which is created if it does not exist.

    Raises StoreError if it cannot be opened, and its kind NotOurs if it is not of this application and version.
    """
    try:
        if not path.exists():
            _create(path, application)
        if path.stat().st_size == 0:
            raise DamagedFile(
                f"{path} is empty: it was cut off, for a new file is never empty.",
                "Restore it from a backup, or remove it (with -wal and -shm) to begin a new one.",
            )
        uri = f"file:{quote(str(path))}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(*explained(path, error)) from None
    connection.text_factory = _text
    try:
        _recognise(connection, path, application)
        for setting in (f"synchronous={synchronous}", "cell_size_check=ON", "trusted_schema=OFF", "cache_size=-32768"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("PRAGMA journal_mode=WAL")  # in case somebody's tool changed it; else it does nothing
        connection.execute("PRAGMA journal_size_limit=16777216")
    except Failures as error:
        connection.close()
        name = str(getattr(error, "sqlite_errorname", ""))
        if name == "SQLITE_NOTADB":
            raise NotOurs(f"{path} is not a plan store.", "Name another file, or move this one aside.") from None
        damaged = name.startswith("SQLITE_CORRUPT") or isinstance(error, UnicodeError)
        kind = DamagedFile if damaged else StoreError
        raise kind(*explained(path, error)) from None
    except StoreError:
        connection.close()
        raise
    return connection


def _text(octets: bytes) -> str:
    """Text that is damaged comes out as other text, which its row's seal or digest then gives away."""
    return octets.decode(errors="replace")


def _create(path: Path, application: int) -> None:
    """Build the file under another name and link it, so that it is whole or absent and nobody's is replaced."""
    leftover = path.with_name(path.name + "-wal")
    if leftover.exists() and not path.exists():
        raise StoreError(
            f"{path} is missing, but {leftover.name} of an earlier file is still there.",
            f"Bring {path.name} back, or remove {leftover.name} too.",
        )
    draft = path.with_name(f".{path.name}.new-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute(f"PRAGMA application_id={application}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":
                raise StoreError(f"{path.parent} cannot hold a write-ahead log.", "Use a directory on a local disk.")
            connection.executescript(f"BEGIN;{SCHEMA}COMMIT;")
            write_catalogue(connection, Catalogue())
        finally:
            connection.close()
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _recognise(connection: sqlite3.Connection, path: Path, application: int) -> None:
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if found != application:
        raise NotOurs(
            f"{path} is a database of another application or purpose (its mark is {found:#x}).",
            "Name another file: this one is left alone.",
        )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise NotOurs(
            f"{path} has schema version {version}; this program knows version {SCHEMA_VERSION}.",
            "Run the version of Standfast that wrote it, or a newer one.",
        )


@contextmanager
def transaction(connection: sqlite3.Connection, kind: Literal["IMMEDIATE", "DEFERRED"]) -> Iterator[None]:
    """One transaction: committed if the body ends well, else rolled back."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                pass  # the next transaction tries again; the error that led here is the one to report
        raise


_REPLACE: Final = (
    "Restore it from a backup, or stop all processes and move it aside with its -wal and -shm: enactors go on with "
    "their own copies, and the planner reads every zone and publishes above it."
)
_MEANINGS: Final[dict[str, tuple[str, str]]] = {
    "BUSY": ("is locked by another process", "Look for a process that holds it (`fuser -v` names it)."),
    "LOCKED": ("is locked by another process", "Look for a process that holds it (`fuser -v` names it)."),
    "FULL": ("lies on a full disk", "Make room there; nothing was lost and work goes on by itself."),
    "CORRUPT": ("is damaged", _REPLACE),
    "ERROR": ("is damaged in its schema", _REPLACE),
    "NOTADB": ("is damaged or no plan store", _REPLACE),
    "READONLY": ("cannot be written", "Give this process write permission on the file and its directory."),
    "PERM": ("cannot be accessed", "Give this process permission on the file and its directory."),
    "CANTOPEN": ("cannot be opened", "Check that its directory exists and that this process may use it."),
    "IOERR": ("cannot be read or written", "Check the disk (room, quota, `dmesg`); work goes on when it is well."),
    "NOMEM": ("needs more memory than there is", "Free memory; work goes on by itself."),
}


def explained(path: Path, error: BaseException) -> tuple[str, str]:
    """What the error means, and what to do about it: two sentences."""
    if isinstance(error, Damage | UnicodeDecodeError):
        return damage_told(path, error, _REPLACE)
    if isinstance(error, OSError):
        return f"{path} cannot be used: {error.strerror}.", "Check that its directory exists and may be written."
    if isinstance(error, MemoryError):
        name = "NOMEM"
    else:
        name = str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_").partition("_")[0]
    meaning, remedy = _MEANINGS.get(name, ("answered with an error", "If it comes back, check the file and the disk."))
    return f"{path} {meaning} ({error}).", remedy


def explain(path: Path, error: BaseException) -> str:
    """Both sentences in one text."""
    return " ".join(explained(path, error))
