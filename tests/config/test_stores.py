"""Where plans are kept, as the file says it."""

from pathlib import Path

import pytest

from standfast.config import (
    Config,
    PluginStoreConfig,
    PostgresqlStoreConfig,
    S3StoreConfig,
    SecretReference,
    SqliteStoreConfig,
    StoreConfig,
    check,
)
from standfast.config.comparing import fixed
from standfast.errors import StoreError

BASE = """\
zone: {{name: lb.example.com, provider: embedded}}
health: {{http: /healthz}}
stream: eu-west
load_balancers: {{lb-a1: {{az: a, ip: 192.0.2.11}}}}
endpoints: {{www: {{}}}}
store: {}
"""


def read(store: str, folder: Path) -> tuple[Config | None, list[str], list[str]]:
    config, problems, notes = check(BASE.format(store), str(folder / "f.yaml"))
    return config, [f"{one.line}:{one.path}: {one.message} {one.remedy}" for one in problems], [str(n) for n in notes]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sqlite:plans.db", lambda d: SqliteStoreConfig(d / "plans.db")),
        ("{in: sqlite, path: plans.db}", lambda d: SqliteStoreConfig(d / "plans.db")),
        ("{in: sqlite}", lambda d: SqliteStoreConfig(d / "standfast.state" / "store.sqlite")),
        ("{in: s3, bucket: example-plans}", lambda d: S3StoreConfig("example-plans", "standfast/eu-west")),
        (
            "{in: s3, bucket: b-1, prefix: /edge/x/, region: r1, endpoint: 'http://127.0.0.1:9000/', look: 250ms}",
            lambda d: S3StoreConfig("b-1", "edge/x", "r1", "http://127.0.0.1:9000", 0.25),
        ),
        (
            "{in: postgresql, host: 'db1,db2', password: env:PLANS_PASSWORD}",
            lambda d: PostgresqlStoreConfig(
                "db1,db2", "standfast", "standfast", "standfast_eu_west",
                password=SecretReference("env:PLANS_PASSWORD", d),
            ),
        ),
        (
            "{in: postgresql, host: /run/postgresql}",
            lambda d: PostgresqlStoreConfig(
                "/run/postgresql", "standfast", "standfast", "standfast_eu_west", tls="disable"
            ),
        ),
        ("{in: etcd, options: {b: '2', a: x}}", lambda d: PluginStoreConfig("etcd", (("a", "x"), ("b", "2")))),
    ],
)  # fmt: skip
def test_each_form(text: str, wanted: "object", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANS_PASSWORD", "geheim")
    config, problems, notes = read(text, tmp_path)
    assert config is not None, problems
    assert callable(wanted)
    store: StoreConfig = wanted(tmp_path)
    assert config.store == store
    assert not [note for note in notes if "store" in note]
    assert "geheim" not in repr(config)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mysql:x", ['6:store: "mysql:x" is not a store. Give sqlite:PATH, or {in: s3']),
        ("[a]", ["6:store: A list cannot stand here"]),
        ("{bucket: x}", ["6:store.in: It is not said where the plans are kept."]),
        ("{in: S3}", ["6:store.in: This is not a kind of store."]),
        ("{in: s3}", ["6:store: bucket is missing. Name it: bucket:"]),
        (
            "{in: s3, bucket: UPPER, prefix: 'a//b', endpoint: 'https://me:secret@x', look: 1h, keys: x}",
            [
                '6:store.bucket: "UPPER" is not a bucket\'s name.',
                '6:store.prefix: "a//b" is not a prefix.',
                "6:store.endpoint: This is not the URL of a service.",
                "6:store.look:",
                '6:store: "keys" is not a key here.',
            ],
        ),
        (
            "{in: postgresql, password: hunter2, tls: maybe, certificate: no.pem, schema: Up, port: 0}",
            [
                "6:store: host is missing.",
                "6:store.password: This is not a reference to a secret.",
                "6:store.tls:",
                "6:store: certificate and key belong together.",
                "6:store.certificate: no.pem is not a file.",
                '6:store.schema: "Up" is not a schema.',
                "6:store.port:",
            ],
        ),
        ("{in: etcd, options: {a: [b]}}", ["6:store.options: An option is one value."]),
    ],
)
def test_every_problem_is_told_at_once_with_its_line(text: str, found: list[str], tmp_path: Path) -> None:
    config, problems, _ = read(text, tmp_path)
    assert config is None
    for one in found:
        assert any(problem.startswith(one) for problem in problems), (one, problems)
    assert len(problems) == len(found)
    assert not any("secret@" in problem or "hunter2" in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("{in: s3, bucket: b-1, endpoint: 'http://minio.example.com'}", "Plans go over the network in clear text."),
        ("{in: postgresql, host: db1, tls: disable}", "Everything goes in clear text."),
        ("{in: postgresql, host: db1, tls: require}", "Nobody checks whose server answers."),
    ],
)
def test_what_is_open_to_others_is_noted(text: str, note: str, tmp_path: Path) -> None:
    config, problems, notes = read(text, tmp_path)
    assert config is not None, problems
    assert any(note in one for one in notes)


def test_a_change_of_store_needs_a_restart_and_only_a_file_is_a_file(tmp_path: Path) -> None:
    was, _, _ = read("{in: s3, bucket: b-1}", tmp_path)
    now, _, _ = read("sqlite:plans.db", tmp_path)
    assert was is not None
    assert now is not None
    assert fixed(was, now) == (f"store: s3://b-1/standfast/eu-west → {tmp_path}/plans.db",)
    assert was.digest == now.digest, "where plans are kept changes no plan"
    assert now.store_file == tmp_path / "plans.db"
    with pytest.raises(StoreError, match="is no file"):
        _ = was.store_file
