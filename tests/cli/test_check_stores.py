"""`standfast check` tries what this user may do at a store that lies elsewhere, and says who needs what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.ports import HOST
from harness.postgresql import Cluster, postgresql
from harness.s3 import REGION, Front, MotoS3, Room, moto_s3, once, refusing
from standfast.adapters.stores.postgresql import PostgresqlStore
from standfast.adapters.stores.s3 import S3Store
from standfast.cli.checking.findings import Finding
from standfast.cli.checking.store import store_findings
from standfast.config import PostgresqlStoreConfig, S3StoreConfig, SecretReference, SqliteStoreConfig


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoS3]:
    with moto_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgresql() as server:
        yield server


def levels(found: list[Finding]) -> list[str]:
    return [one.level for one in found]


@pytest.mark.parametrize(
    ("method", "key", "level", "text"),
    [
        ("GET", "list-type", "problem", "Allow s3:ListBucket"),
        ("GET", "catalogue", "problem", "Allow s3:GetObject"),
        ("PUT", "objects", "note", "Allow s3:PutObject"),
        ("POST", "delete", "note", "Allow s3:DeleteObject"),
    ],
)
def test_each_right_at_the_bucket(moto: MotoS3, method: str, key: str, level: str, text: str) -> None:
    front = Front(moto)
    room = Room(moto, front.url, "edge/main/")
    S3Store(room.bucket())
    store = S3StoreConfig(room.name, "edge/main", REGION, front.url)
    (fine,) = store_findings(store)
    assert fine.level == "ok"
    assert "s3:DeleteObject" in fine.text
    assert room.keys("objects") == [], "what was tried is gone"
    front.faults.append(once(method, key, refusing(403, "AccessDenied"), 9))
    (found,) = store_findings(store)
    assert (found.level, text in found.text) == (level, True), found
    assert "is needed by" in found.remedy
    front.faults[:] = [once("GET", "", refusing(503, "SlowDown"), 9)]
    (found,) = store_findings(store)
    assert (found.level, "asks for fewer requests" in found.text) == ("problem", True), "that says nothing of rights"
    front.end()


def test_rights_at_the_database(cluster: Cluster, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("r")
    reader = PostgresqlStoreConfig(
        HOST, "standfast", "reader", "rights", cluster.port, SecretReference("file:password", tmp_path), "disable"
    )
    with psycopg.connect(cluster.url(), autocommit=True) as hand:
        hand.execute("CREATE ROLE reader LOGIN PASSWORD 'r'")
        (found,) = store_findings(reader)
        assert "may not create it" in found.text
        hand.execute("CREATE SCHEMA rights; GRANT USAGE ON SCHEMA rights TO reader")
        (found,) = store_findings(reader)
        assert (found.level, "may not create them" in found.text) == ("note", True), "somebody else made the schema"
        hand.execute("DROP SCHEMA rights")
        PostgresqlStore(cluster.database("rights")).close()
        hand.execute("GRANT USAGE ON SCHEMA rights TO reader")
        hand.execute("GRANT SELECT ON ALL TABLES IN SCHEMA rights TO reader")
        few = list(store_findings(reader))
        assert levels(few) == ["note"] * 3
        assert "lacks INSERT on meta, nodes, pins, plans, sources in schema rights" in few[0].text
        hand.execute("REVOKE SELECT ON rights.nodes FROM reader")
        less = list(store_findings(reader))
        assert levels(less) == ["problem", "note", "note", "note"]
        assert "lacks SELECT on nodes" in less[0].text
        hand.execute("GRANT ALL ON ALL TABLES IN SCHEMA rights TO reader")
        assert levels(list(store_findings(reader))) == ["ok"]
    secret.write_text("another")
    (refused,) = store_findings(reader)
    assert refused.level == "problem"
    assert "another" not in refused.sentence


def test_a_file_is_looked_at_elsewhere(tmp_path: Path) -> None:
    assert list(store_findings(SqliteStoreConfig(tmp_path / "x"))) == []
