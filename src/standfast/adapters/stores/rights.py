"""What this user may do at a plan store, tried one by one; what is made for it is taken away again."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from standfast.errors import StoreError

from .postgresql_connection import Connection, NoStore
from .postgresql_connection import Trouble as DatabaseTrouble
from .s3_bucket import Absent, Bucket, Conflict, Trouble
from .s3_ledger import CATALOGUE, OBJECTS, Ledger

if TYPE_CHECKING:
    from .postgresql_tables import Cursor

EVERYBODY: Final = "every role"
WRITERS: Final = "planners, cleaners, probers and commands that order something"


class Right(Struct, frozen=True):
    """One right: by its name at the store, who needs it, and why it could not be used (empty: it could)."""

    name: str
    needed_by: str
    why: str = ""


def s3_rights(bucket: Bucket) -> list[Right]:
    """Read, list, write under a condition, delete; and whether conditions are heeded. Raises StoreError if nobody
    answers: that says nothing of rights."""
    found: list[Right] = []

    def tried(name: str, needed_by: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except (Absent, Conflict):
            pass
        except Trouble as trouble:
            if trouble.away:
                raise StoreError(str(trouble)) from None
            found.append(Right(name, needed_by, str(trouble)))
            return False
        found.append(Right(name, needed_by))
        return True

    key = f"{OBJECTS}check-{secrets.token_hex(8)}"
    tried("s3:ListBucket", EVERYBODY, lambda: next(iter(bucket.keys(OBJECTS)), None))
    # Without the right to list, what is missing and what is forbidden look alike.
    tried("s3:GetObject", EVERYBODY, lambda: bucket.get(CATALOGUE))
    if tried("s3:PutObject", WRITERS, lambda: bucket.put(key, b"standfast check\n")):
        tried("conditional writes", WRITERS, lambda: Ledger(bucket, 0.0).try_conditions())
        tried("s3:DeleteObject", WRITERS, lambda: bucket.delete([key]))
    return found


def postgresql_rights(connection: Connection) -> list[Right]:
    """On schema and tables, as the server says; if there are none yet, to create the schema. Raises StoreError."""
    schema = connection.database.schema
    try:
        with connection.transaction(writes=False) as cursor:
            if cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None:
                row = cursor.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone()
                why = "" if row and row[0] else f"The schema {schema} is not there, and this user may not create it."
                return [Right("CREATE on the database", "whoever starts first", why)]
            if cursor.execute("SELECT 1 FROM pg_tables WHERE schemaname = %s", (schema,)).fetchone() is None:
                both = "SELECT has_schema_privilege(%s, 'USAGE') AND has_schema_privilege(%s, 'CREATE')"
                row = cursor.execute(both, (schema, schema)).fetchone()
                why = "" if row and row[0] else f"Schema {schema} has no tables, and this user may not create them."
                return [Right("USAGE and CREATE on the schema", "whoever starts first", why)]
            return [
                *_privileges(cursor, schema, "SELECT", EVERYBODY),
                *_privileges(cursor, schema, "INSERT, UPDATE, DELETE", WRITERS),
            ]
    except DatabaseTrouble as trouble:
        raise StoreError(str(trouble)) from None
    except NoStore as error:
        raise StoreError(f"{error}") from None


def _privileges(cursor: "Cursor", schema: str, privileges: str, needed_by: str) -> list[Right]:
    found = []
    for privilege in privileges.split(", "):
        rows = cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s AND NOT (has_schema_privilege(%s, 'USAGE') AND "
            "has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), %s)) ORDER BY 1",
            (schema, schema, privilege),
        ).fetchall()
        lacking = ", ".join(name for (name,) in rows)
        why = f"This user lacks {privilege} on {lacking} in schema {schema}." if lacking else ""
        found.append(Right(privilege, needed_by, why))
    return found
