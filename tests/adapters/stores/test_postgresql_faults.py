"""PostgreSQL that loses commits' replies, hangs, restarts, is restored or refuses; processes that race and die."""

from __future__ import annotations

import datetime
import ipaddress
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from adapters.stores.racing import publish_for_ever, race, race_for_a_source, started, whole_head
from conformance.store_kit import publish_all, sample_entry, sample_plan
from harness.postgresql import PASSWORD, Cluster
from runtime.staging import eventually
from standfast.adapters.stores.postgresql import PostgresqlStore
from standfast.adapters.stores.postgresql_connection import Database
from standfast.errors import StoreAbsent, StoreError
from standfast.ports.provider import Unknown
from standfast.ports.store import (
    HeadRead,
    Pin,
    Pinned,
    PlanRead,
    Publish,
    Published,
    PutSource,
    ReadHead,
    ReadPlan,
    ReadSource,
    SourceRead,
    SourceStored,
)


@pytest.fixture
def database(cluster: Cluster, request: pytest.FixtureRequest) -> Database:
    """A schema for each test."""
    return cluster.database(f"s_{abs(hash(request.node.nodeid))}")


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def password() -> str:
    return PASSWORD


def open_database(database: Database) -> PostgresqlStore:
    """As another process would; closed at the end of the test."""
    _opened.append(PostgresqlStore(replace(database, password=password), look_s=0.0))
    return _opened[-1]


def unlisted(database: Database) -> PostgresqlStore:
    """For a thread that closes it itself."""
    return PostgresqlStore(replace(database, password=password), look_s=0.0)


_opened: list[PostgresqlStore] = []


class Wire:
    """Between a store and the server. `act` is asked at each COMMIT: pass, lose the reply, lose the request, hang."""

    def __init__(self, port: int) -> None:
        self._to, self.acts = port, list[str]()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        try:
            while octets := source.recv(65536):
                act = self.acts.pop(0) if asks and b"COMMIT\0" in octets and self.acts else "pass"
                if act == "lose reply":
                    source.shutdown(socket.SHUT_RD)
                    source.close()
                    target.sendall(octets)
                    time.sleep(0.2)
                    target.close()
                    return
                if act == "lose request":
                    break
                if act == "hang":
                    self._over.wait(60)
                target.sendall(octets)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self) -> None:
        self._over.set()
        for one in (self._listening, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # who waits in it is woken by that, and not by its end
            one.close()


@pytest.fixture
def wire(cluster: Cluster) -> Iterator[Wire]:
    one = Wire(cluster.port)
    yield one
    one.end()


@pytest.mark.parametrize("acts", [["lose reply"], ["lose request"], ["lose request", "lose request"]])
def test_a_commit_whose_reply_was_lost_is_settled(database: Database, wire: Wire, acts: list[str]) -> None:
    store = open_database(replace(database, port=wire.port))
    first, second = (sample_plan(g, [sample_entry(1, g)]) for g in (1, 2))
    assert store.perform(Publish(None, first)) == Published()
    version = store._seen
    assert version is not None
    wire.acts += [act for one in acts for act in (one, "pass")][:-1]
    assert store.perform(Publish(first.head, second)) == Published()
    assert not wire.acts
    other = open_database(database)
    assert other.perform(ReadHead()) == HeadRead(second.head)
    assert other._seen is not None
    assert other._seen.version == version.version + 1, "it was done once"
    store.close()
    other.close()


def test_a_commit_that_was_lost_while_another_came_is_done_after_it(
    database: Database, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer version alone proves nothing: the nonce in it is another's."""
    store, other = open_database(replace(database, port=wire.port)), open_database(database)
    came = store._came

    def overtaken(nonce: str, version: int) -> bool:
        assert other.perform(Pin(9, "theirs")) == Pinned()
        return came(nonce, version)

    monkeypatch.setattr(store, "_came", overtaken)
    wire.acts.append("lose request")
    assert store.perform(PutSource("fleet", 1, b"ours")) == SourceStored(1)
    assert not wire.acts
    assert other.perform(ReadSource("fleet")) == SourceRead(1, b"ours")


def test_two_who_put_one_revision_agree_on_whose_it_is(database: Database) -> None:
    store = open_database(database)
    assert store._seen is not None
    version = store._seen.version
    race_for_a_source(partial(unlisted, database), 40)
    store.perform(ReadHead())
    assert store._seen.version == version + 40, "who came second wrote nothing"


def test_a_server_that_hangs_is_left(database: Database, wire: Wire) -> None:
    store = open_database(replace(database, port=wire.port))
    store._connection.database = replace(store._connection.database, timeout_s=0.3)  # to make a store may take longer
    wire.acts.append("hang")
    began = time.monotonic()
    reply = store.perform(Pin(1, "x"))
    assert time.monotonic() - began < 50, "before the server answers"
    assert reply == Pinned() or isinstance(reply, Unknown)
    eventually(lambda: store.perform(Pin(2, "y")) == Pinned(), "the next one is done")
    store.close()


def test_a_restart_is_lived_through(cluster: Cluster, database: Database) -> None:
    store = open_database(database)
    plan = sample_plan(1, [sample_entry(n, 1) for n in range(50)])
    publish_all(store, [plan])
    cluster.stop(signal.SIGQUIT)
    reply = store.perform(ReadHead())
    assert isinstance(reply, Unknown)
    assert "no connection can be had" in reply.why
    assert not store.replaced()
    cluster.start()
    assert store.perform(ReadHead()) == HeadRead(plan.head)
    assert store.perform(PutSource("fleet", 1, b"one")) == SourceStored(1)
    store.close()


def test_a_restored_or_dropped_schema_is_another_store(cluster: Cluster, database: Database) -> None:
    store = open_database(database)
    first, second, fork = (sample_plan(g, [sample_entry(1, v)]) for g, v in ((1, 1), (2, 2), (2, 3)))
    publish_all(store, [first])
    with psycopg.connect(cluster.url(), autocommit=True, options=f"-c search_path={database.schema}") as hand:
        hand.execute("CREATE TABLE kept AS SELECT * FROM meta")
        publish_all(store, [second], first.head)
        back = "DELETE FROM plans WHERE generation = 2; DELETE FROM meta; INSERT INTO meta SELECT * FROM kept"
        hand.execute(back)
        assert store.changed()
        reply = store.perform(ReadHead())
        assert isinstance(reply, Unknown)
        assert "set back" in reply.why
        assert store.replaced()
        fresh = open_database(database)
        assert fresh.perform(ReadHead()) == HeadRead(first.head)
        publish_all(fresh, [second], first.head)
        hand.execute(back)
        publish_all(open_database(database), [fork], first.head)
        assert isinstance(fresh.perform(ReadHead()), Unknown), "the same version, another history"
        last = open_database(database)
        hand.execute(f"DROP SCHEMA {database.schema} CASCADE")
    assert isinstance(last.perform(Pin(1, "x")), Unknown)
    assert last.replaced()
    with pytest.raises(StoreAbsent, match="no plan store in postgresql://"):
        PostgresqlStore(replace(database, password=password), make=False)
    assert open_database(database).perform(ReadHead()) == HeadRead(None)


def test_rights_and_passwords(cluster: Cluster, database: Database) -> None:
    open_database(database).close()
    with psycopg.connect(cluster.url(), autocommit=True) as hand:
        hand.execute("CREATE ROLE reader LOGIN PASSWORD 'r'")
        hand.execute(f"GRANT USAGE ON SCHEMA {database.schema} TO reader")
        hand.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {database.schema} TO reader")
    reader = PostgresqlStore(replace(database, user="reader", password=lambda: "r"), make=False)
    assert reader.perform(ReadHead()) == HeadRead(None)
    reply = reader.perform(Pin(1, "x"))
    assert isinstance(reply, Unknown)
    assert "lacks a right" in reply.why
    assert "docs/stores.md" in reply.why
    reader.close()
    for change, text in (
        ({"password": lambda: "wrong-secret"}, "password"),
        ({"name": "nowhere"}, "nowhere"),
        ({"port": 1}, "no connection can be had"),
    ):
        with pytest.raises(StoreError) as raised:
            PostgresqlStore(replace(database, **{"password": password, **change}))
        assert text in str(raised.value)
        assert "wrong-secret" not in str(raised.value)
        assert PASSWORD not in str(raised.value)


def test_a_commit_is_durable_whatever_the_default(cluster: Cluster, database: Database) -> None:
    with psycopg.connect(cluster.url(), autocommit=True) as hand:
        hand.execute("ALTER ROLE standfast SET synchronous_commit TO off")
        store = open_database(database)
        with store._connection.transaction(writes=True) as cursor:
            assert cursor.execute("SHOW synchronous_commit").fetchone() == ("on",)
        hand.execute("ALTER ROLE standfast SET synchronous_commit TO remote_apply")
        store.close()
        store = open_database(database)
        with store._connection.transaction(writes=True) as cursor:
            assert cursor.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)
        hand.execute("ALTER ROLE standfast RESET synchronous_commit")
        store.close()


def test_a_shard_that_was_written_over_is_unknown(cluster: Cluster, database: Database) -> None:
    store = open_database(database)
    plan = sample_plan(1, [sample_entry(n, 1) for n in range(40)])
    publish_all(store, [plan])
    store.perform(PutSource("fleet", 1, b"one"))
    with psycopg.connect(cluster.url(), autocommit=True, options=f"-c search_path={database.schema}") as hand:
        hand.execute("UPDATE nodes SET body = 'rnothing' WHERE digest = (SELECT min(digest) FROM nodes)")
        hand.execute("UPDATE sources SET body = 'rtwo'")
    other = open_database(database)
    for request in (ReadPlan(plan.digest), ReadSource("fleet")):
        reply = other.perform(request)
        assert isinstance(reply, Unknown)
        assert "is damaged" in reply.why
    assert other.perform(PutSource("fleet", 2, b"two")) == SourceStored(2)
    assert other.perform(ReadSource("fleet")) == SourceRead(2, b"two")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    there, secret = folder / "server.crt", folder / "server.key"
    there.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return there, secret


def test_whose_server_answers_is_checked(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    there, secret = certificate(tmp_path)
    for path in (there, secret):
        kept = cluster.folder / path.name
        kept.write_bytes(path.read_bytes())
        kept.chmod(0o600)
        status = cluster.folder.stat()
        os.chown(kept, status.st_uid, status.st_gid)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    wrong, _ = certificate(stranger)
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as hand:
        hand.execute(f"ALTER SYSTEM SET ssl_cert_file = '{cluster.folder}/server.crt'")
        hand.execute(f"ALTER SYSTEM SET ssl_key_file = '{cluster.folder}/server.key'")
        hand.execute("ALTER SYSTEM SET ssl = on")
        hand.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 60
    while True:
        try:
            store = open_database(replace(database, tls="verify-full", ca=str(there)))
            break
        except StoreError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert store.perform(ReadHead()) == HeadRead(None)
    store.close()
    with pytest.raises(StoreError, match="certificate"):
        open_database(replace(database, tls="verify-full", ca=str(wrong)))
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as hand:
        hand.execute("ALTER SYSTEM RESET ALL")
        hand.execute("SELECT pg_reload_conf()")


@pytest.mark.slow
def test_processes_that_race_lose_nothing(database: Database) -> None:
    plain = replace(database, password=None)
    opened = partial(open_database, plain)
    assert len(race(opened, 2, 15)) == 30
    store = opened()
    with store._connection.transaction(writes=False) as cursor:
        stored = {digest for (digest,) in cursor.execute("SELECT digest FROM nodes").fetchall()}
        plans = [digest for (digest,) in cursor.execute("SELECT digest FROM plans").fetchall()]
    needed: set[str] = set()
    for digest in plans:
        reply = store.perform(ReadPlan(digest))
        assert isinstance(reply, PlanRead)
        needed |= {node.digest for node in reply.plan.shards.nodes()}
    assert stored == needed


@pytest.mark.slow
def test_publishers_killed_in_the_middle_leave_a_whole_store(database: Database) -> None:
    opened, generator = partial(open_database, replace(database, password=None)), random.Random(11)
    store = opened()
    for attempt in range(3):
        before = whole_head(store)
        process = started(publish_for_ever, opened, attempt)
        until = time.monotonic() + 20
        while store.perform(ReadHead()) == HeadRead(before) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(generator.random() * 0.2)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert whole_head(opened()) is not None
    plan = sample_plan(100_000, [sample_entry(1, 1)])
    assert store.perform(Publish(whole_head(store), plan)) == Published()
