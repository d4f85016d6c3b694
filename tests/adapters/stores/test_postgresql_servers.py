"""PostgreSQL that refuses, fails over to a standby that is behind, hides tables or is locked, and how that is told."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from conformance.store_kit import publish_all, sample_entry, sample_plan
from harness.ports import HOST
from harness.postgresql import Cluster
from standfast.adapters.stores.postgresql import PostgresqlStore
from standfast.adapters.stores.postgresql_connection import Database
from standfast.errors import StoreAbsent, StoreError
from standfast.ports.provider import Unknown
from standfast.ports.store import HeadRead, ListPlans, Pin, Pinned, PlanList, ReadHead, StoreRequest

PLAN = sample_plan(1, [sample_entry(1, 1)])


@pytest.fixture
def hand(cluster: Cluster) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        yield connection


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


_opened: list[PostgresqlStore] = []


def opened(database: Database, *, make: bool = True) -> PostgresqlStore:
    """As another process would; closed at the end of the test."""
    _opened.append(PostgresqlStore(database, make=make, look_s=0.0))
    return _opened[-1]


def why(store: PostgresqlStore, request: StoreRequest) -> str:
    """Nothing is known, and the store is still the one that was opened."""
    reply = store.perform(request)
    assert isinstance(reply, Unknown), reply
    assert not store.replaced()
    return reply.why


def test_tables_that_may_not_be_seen_are_not_taken_for_missing(
    cluster: Cluster, hand: psycopg.Connection[tuple[object, ...]]
) -> None:
    """To who lacks USAGE the server says that there is no such table. Nobody begins a store anew for that."""
    database = cluster.database("hidden")
    publish_all(opened(database), [PLAN])
    hand.execute("CREATE ROLE guest LOGIN PASSWORD 'g'; GRANT USAGE ON SCHEMA hidden TO guest")
    hand.execute("GRANT SELECT ON ALL TABLES IN SCHEMA hidden TO guest")
    guest = replace(database, user="guest", password=lambda: "g")
    store = opened(guest)
    assert store.perform(ReadHead()) == HeadRead(PLAN.head)
    hand.execute("REVOKE USAGE ON SCHEMA hidden FROM guest")
    for request in (ReadHead(), ListPlans(), Pin(1, "x")):
        assert "lacks a right (USAGE on schema hidden)" in why(store, request)
    hand.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.meta (one integer)")
    for place, text in ((guest, "USAGE on schema hidden"), (replace(guest, schema="theirs"), "USAGE on schema theirs")):
        for make in (True, False):
            with pytest.raises(StoreError, match=text) as raised:
                opened(place, make=make)
            assert not isinstance(raised.value, StoreAbsent)
    with pytest.raises(StoreError, match=r"another program's\. Name another `schema:`"):
        opened(replace(database, schema="theirs"))
    hand.execute("GRANT USAGE ON SCHEMA hidden TO guest")
    assert store.perform(ReadHead()) == HeadRead(PLAN.head)


def test_a_lock_is_called_a_lock(cluster: Cluster) -> None:
    store = opened(replace(cluster.database("locked"), timeout_s=3.0))
    publish_all(store, [PLAN])
    with psycopg.connect(cluster.url()) as other:
        other.execute("SELECT * FROM locked.meta FOR UPDATE")
        assert "another transaction holds the store" in why(store, Pin(1, "x"))
        assert store.perform(ReadHead()) == HeadRead(PLAN.head)
    assert store.perform(Pin(1, "x")) == Pinned()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("40001", "the server gave up (as told"),
        ("53200", "53200)"),
        ("53100", "its disk is full"),
        ("57014", "took too long"),
        ("25006", "Name the primary"),
        ("XX000", "as told"),
    ],
)
def test_a_commit_that_is_refused_is_not_done(
    cluster: Cluster, hand: psycopg.Connection[tuple[object, ...]], state: str, text: str
) -> None:
    schema = f"refusing_{state.lower()}"
    store = opened(cluster.database(schema))
    publish_all(store, [PLAN])
    hand.execute(
        f"CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{state}'; END $$"
    )
    hand.execute(
        f"CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON {schema}.meta DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW EXECUTE FUNCTION {schema}.refuse()"
    )
    told = why(store, Pin(1, "x"))
    assert text in told
    assert "does not answer" not in told
    listed = store.perform(ListPlans())
    assert isinstance(listed, PlanList)
    assert [one.pinned for one in listed.plans] == [""]
    hand.execute(f"DROP TRIGGER refuse ON {schema}.meta")
    assert store.perform(Pin(1, "x")) == Pinned()


def test_a_password_that_is_renewed_is_used_without_a_restart(
    cluster: Cluster, hand: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    opened(cluster.database("rotated")).close()
    hand.execute("CREATE ROLE rotated LOGIN PASSWORD 'old'; GRANT USAGE ON SCHEMA rotated TO rotated")
    hand.execute("GRANT SELECT ON ALL TABLES IN SCHEMA rotated TO rotated")
    secret = tmp_path / "password"
    secret.write_text("old")
    store = opened(replace(cluster.database("rotated"), user="rotated", password=secret.read_text))
    assert store.perform(ReadHead()) == HeadRead(None)
    hand.execute("ALTER ROLE rotated PASSWORD 'new'")
    hand.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'")
    told = why(store, ReadHead())
    assert "no connection can be had" in told
    assert "password" in told
    secret.write_text("new")
    assert store.perform(ReadHead()) == HeadRead(None)


def test_a_standby_that_is_behind_is_not_believed_until_it_is_the_primary(cluster: Cluster) -> None:
    """Then it is another store: what was committed since is gone, and the planner must publish above."""
    newer = sample_plan(2, [sample_entry(1, 2)])
    publish_all(opened(cluster.database("failover")), [PLAN])
    standby = cluster.behind("127.0.0.2")
    try:
        both = replace(cluster.database("failover"), host=f"{HOST},{standby.host}")
        store, pooled = opened(both), opened(cluster.database("failover"))
        publish_all(store, [newer], PLAN.head)
        assert pooled.perform(ReadHead()) == HeadRead(newer.head)
        # A pooler of transactions that now leads elsewhere, without the connection to it being lost.
        pooled._connection.close()
        pooled._connection._connection = psycopg.connect(standby.url(), autocommit=True)
        assert "standby" in why(pooled, ReadHead())
        assert pooled.perform(ReadHead()) == HeadRead(newer.head), "it is asked for a connection anew"
        cluster.stop(signal.SIGQUIT)
        assert "no connection can be had" in why(store, ReadHead())
        assert "no connection can be had" in why(store, Pin(1, "x"))
        with psycopg.connect(standby.url(), autocommit=True) as hand:
            hand.execute("SELECT pg_promote()")
        reply = store.perform(Pin(1, "x"))
        assert isinstance(reply, Unknown)
        assert "set back to an earlier state" in reply.why
        assert store.replaced()
        assert opened(both).perform(ReadHead()) == HeadRead(PLAN.head)
        while _opened:
            _opened.pop().close()
    finally:
        standby.close()
        if cluster.process is None:
            cluster.start()
