"""A connection to PostgreSQL for one thread: transactions with a deadline of our own, and errors in words.

The server's time-outs bound what a living server does; that one that hangs is left, a timer shuts the connection. No
prepared statements and no session settings, so that a pooler of transactions may stand in between.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from standfast.errors import StandfastError, StoreError

if TYPE_CHECKING:
    import psycopg

_KEEPALIVE: Final = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class Database(Struct, frozen=True):
    """Where it is. `host` may name several, with commas, of which the one that takes writes is used; a path is a
    socket's directory. `password` gives the secret anew for each connection; None: none is sent.

    `tls` as libpq's sslmode (PostgreSQL documentation, "SSL Support", 34.19.1).
    """

    host: str
    name: str
    user: str
    schema: str
    port: int = 5432
    password: Callable[[], str] | None = None
    tls: str = "verify-full"
    ca: str = ""
    certificate: str = ""
    key: str = ""
    timeout_s: float = 5.0

    def __str__(self) -> str:
        return f"postgresql://{self.host}/{self.name} schema {self.schema}"


class Trouble(Exception):
    """A transaction was not done, or (`sent`) nobody knows whether. `away` if nobody answers at all."""

    def __init__(self, why: str, *, sent: bool = False, away: bool = False) -> None:
        super().__init__(why)
        self.sent, self.away = sent, away


class NoStore(Exception):
    """The schema or its tables are not there."""


class Connection:
    """Opened when first needed, and again after it was lost. Raises Trouble, NoStore."""

    def __init__(self, database: Database) -> None:
        try:
            import psycopg
        except ImportError as error:
            message = f"The library for PostgreSQL is not installed ({error})."
            raise StoreError(message, "Install it: pip install 'standfast[postgresql]'.") from None
        self._psycopg, self.database = psycopg, database
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def close(self) -> None:
        """Let it go; the next transaction opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def transaction(self, *, writes: bool) -> "Iterator[psycopg.Cursor[tuple[Any, ...]]]":
        """One transaction: committed if the body ends well, else rolled back.

        Reading ones see one snapshot. Trouble is `sent` only if the connection was lost while it was being committed.
        """
        committing = False
        try:
            connection = self._opened()
            with self._deadline(connection):
                cursor = connection.cursor()
                cursor.execute(_beginning(self.database, writes))
                yield cursor
                committing = writes
                cursor.execute("COMMIT")
        except self._psycopg.Error as error:
            self._let_go(error)
            meaning = _meaning(self.database, error, committing)
            raise (self._hidden() or meaning if isinstance(meaning, NoStore) else meaning) from None
        except OSError as error:
            self.close()
            raise Trouble(f"{self.database}: {error}.", sent=committing, away=True) from None
        except BaseException:
            self._roll_back()
            raise

    def _opened(self) -> "psycopg.Connection[tuple[Any, ...]]":
        if self._connection is not None and not self._connection.closed:
            return self._connection
        database = self.database
        try:
            password = database.password() if database.password is not None else None
        except StandfastError as error:
            raise Trouble(f"{database}: the password can't be read: {error}") from None
        named = {"sslrootcert": database.ca, "sslcert": database.certificate, "sslkey": database.key}
        more: dict[str, Any] = {**_KEEPALIVE, **{key: value for key, value in named.items() if value}}
        try:
            self._connection = self._psycopg.connect(
                host=database.host,
                port=database.port,
                dbname=database.name,
                user=database.user,
                password=password,
                sslmode=database.tls,
                connect_timeout=max(2, round(database.timeout_s)),
                target_session_attrs="read-write",
                application_name="standfast",
                client_encoding="UTF8",
                autocommit=True,
                prepare_threshold=None,
                tcp_user_timeout=round(1000 * database.timeout_s),
                **more,
            )
        except self._psycopg.Error as error:
            raise Trouble(f"{database}: no connection can be had ({_text(error)}).", away=True) from None
        return self._connection

    def _hidden(self) -> Trouble | None:
        """Tables in a schema that a user may not look into seem not to be there: Trouble, if that is why."""
        there = "SELECT 1 FROM pg_namespace WHERE nspname = %s AND NOT has_schema_privilege(oid, 'USAGE')"
        try:
            connection = self._opened()
            with self._deadline(connection):
                row = connection.execute(there, (self.database.schema,)).fetchone()
        except self._psycopg.Error as error:
            self._let_go(error)
            return Trouble(f"{self.database}: whether it is there can't be told ({_text(error)}).", away=True)
        why = f"{_MEANINGS['42501']} (USAGE on schema {self.database.schema})"
        return Trouble(f"{self.database}: {why}. docs/stores.md has what to grant.") if row else None

    @contextmanager
    def _deadline(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[None]:
        """Hang up on a server that says nothing: its own time-outs have long passed by then."""
        there = os.dup(connection.fileno())
        timer = threading.Timer(2 * self.database.timeout_s + 1.0, _hang_up, (there,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            os.close(there)

    def _let_go(self, error: Any) -> None:
        """A server that takes no writes is left too: behind a pooler, or among several hosts, another does."""
        lost = isinstance(error, self._psycopg.OperationalError | self._psycopg.InterfaceError)
        if lost or error.sqlstate in ("25006", "0A000"):
            self.close()
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection is not None:
            try:
                with self._deadline(self._connection):
                    self._connection.execute("ROLLBACK")
            except (self._psycopg.Error, OSError):
                self.close()


def _hang_up(descriptor: int) -> None:
    with socket.socket(fileno=os.dup(descriptor)) as there:
        try:
            there.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def _beginning(database: Database, writes: bool) -> Any:
    """The first statements of a transaction, in one message.

    A reading one is READ WRITE too, which a standby refuses: it may be behind, and what it says would be a store that
    was set back. Who waits for a lock gives up before the statement does, and so learns why it waited.
    """
    from psycopg import sql

    begin = f"BEGIN ISOLATION LEVEL {'READ COMMITTED' if writes else 'REPEATABLE READ'}, READ WRITE"
    limit = round(1000 * database.timeout_s)
    text = (
        f"{begin}; SET LOCAL search_path TO {{schema}}; SET LOCAL statement_timeout TO {limit}; "
        f"SET LOCAL lock_timeout TO {round(0.8 * limit)}; SET LOCAL idle_in_transaction_session_timeout TO {2 * limit}"
    )
    if writes:  # a commit is durable, whatever the server's default; a stronger one stays
        text += (
            "; SELECT set_config('synchronous_commit', 'on', true) "
            "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
    return sql.SQL(text).format(schema=sql.Identifier(database.schema))


_MEANINGS: Final[dict[str, str]] = {
    "0A000": "the server can't do what is asked: a standby. Name the primary.",
    "25006": "the server is read-only: a standby, or set so. Name the primary.",
    "42703": "its tables are another program's. Name another `schema:`.",
    "53100": "its disk is full. Make room there; nothing was lost, and work goes on by itself.",
    "53300": "it has too many connections. Raise max_connections, or put a pooler in between.",
    "55P03": "another transaction holds the store. Look for it in pg_stat_activity.",
    "57014": "a statement took too long. Raise `timeout:` if that is its ordinary pace.",
    "42501": "this user lacks a right",
}


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _meaning(database: Database, error: Any, committing: bool) -> Exception:
    """What an error of the library means."""
    state, text = str(error.sqlstate or ""), _text(error)
    if state in ("3F000", "42P01"):
        return NoStore(f"{database} is not there.")
    if state == "42501":
        return Trouble(f"{database}: {_MEANINGS[state]} ({text}). docs/stores.md has what to grant.")
    if state in _MEANINGS:
        return Trouble(f"{database}: {_MEANINGS[state]}")
    import psycopg

    answered = bool(state) and not state.startswith(("08", "57P"))
    why = f"the server gave up ({text}, {state})" if answered else f"it does not answer ({text})"
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Trouble(f"{database}: {why}.", sent=committing, away=True)
    return Trouble(f"{database}: {text} ({state or type(error).__name__}).")
