"""What this user may do at a plan store that lies elsewhere: each right tried, and who needs it."""

from collections.abc import Iterator

from standfast.config import PostgresqlStoreConfig, S3StoreConfig, StoreConfig
from standfast.errors import StoreError

from .findings import Finding


def store_findings(store: StoreConfig) -> Iterator[Finding]:
    """One finding for each right that is missing; one that all is well. Nothing for a file: see `state.py`.

    In a bucket a small object is made and deleted again; in a database nothing is written.
    """
    from standfast.adapters.stores.rights import EVERYBODY, Right, postgresql_rights, s3_rights

    rights: list[Right] = []
    try:
        if isinstance(store, S3StoreConfig):
            from standfast.adapters.stores.s3_bucket import Bucket
            from standfast.runtime.storing import s3_place

            rights = s3_rights(Bucket(s3_place(store)))
        elif isinstance(store, PostgresqlStoreConfig):
            from standfast.adapters.stores.postgresql_connection import Connection
            from standfast.runtime.storing import database

            connection = Connection(database(store))
            try:
                rights = postgresql_rights(connection)
            finally:
                connection.close()
    except StoreError as error:
        yield Finding("problem", "store", "plan store", str(error), "docs/stores.md says how it is set up.")
        return
    for right in rights:
        if right.why:
            level = "problem" if right.needed_by == EVERYBODY else "note"
            remedy = f"{right.name} is needed by {right.needed_by}."
            yield Finding("problem" if level == "problem" else "note", "store", "plan store", right.why, remedy)
    if rights and not any(right.why for right in rights):
        names = ", ".join(right.name for right in rights)
        yield Finding("ok", "store", "plan store", f"{store}: this user has every right ({names}).")
