"""PostgreSQL for tests: a cluster in a temporary directory, run as an unprivileged user on a free loopback port."""

from __future__ import annotations

import copy
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from harness.ports import HOST, free_port
from standfast.adapters.stores.postgresql_connection import Database

USER = "standfast"
PASSWORD = "pa55 ünsafe'word"  # noqa: S105 - of a server that lives for a test


def programs() -> Path:
    """Where initdb and postgres are: Debian keeps them out of the path, one directory a version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    assert versions, "PostgreSQL is missing: make system"
    return versions[-1].parent


class Cluster:
    """A server of its own, with user `standfast` and a database of that name."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="standfast-pg-", dir="/tmp"))
        self.host, self.port = HOST, free_port()
        # initdb and postgres refuse to run as root.
        self._user = "nobody" if os.getuid() == 0 else None
        if self._user:
            there = pwd.getpwnam(self._user)
            os.chown(self.folder, there.pw_uid, there.pw_gid)
        self._secret = self.folder / "password"
        self._secret.write_text(PASSWORD, encoding="utf-8")
        self._secret.chmod(0o644)
        data = str(self.folder / "data")
        self._run(
            "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", str(self._secret), "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.start()
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {USER}")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs() / program), *arguments],
            user=self._user, cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def url(self, name: str = USER) -> str:
        """For a connection of the test itself."""
        return psycopg.conninfo.make_conninfo(host=self.host, port=self.port, dbname=name, user=USER, password=PASSWORD)

    def database(self, schema: str = "standfast_main", timeout_s: float = 20.0) -> Database:
        """For a store, more patient than any stand-still of this machine."""
        return Database(HOST, USER, USER, schema, self.port, lambda: PASSWORD, "disable", timeout_s=timeout_s)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "listen_addresses": self.host, "port": self.port, "unix_socket_directories": self.folder, "fsync": "off",
            "max_connections": 60, "shared_buffers": "16MB", "logging_collector": "off",
        }  # fmt: skip
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(programs() / "postgres"), "-D", str(self.folder / "data"), *flags],
                user=self._user, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(2_400):
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                self._wait(0.025)
        raise AssertionError((self.folder / "log").read_text())

    @staticmethod
    def _wait(seconds: float) -> None:
        import time

        time.sleep(seconds)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """A fast shutdown, or another: SIGQUIT is a crash. The server itself ends its children."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def behind(self, host: str) -> Cluster:
        """A standby with the contents of now, at another address of loopback; nothing reaches it any more."""
        self.stop()
        other = copy.copy(self)
        other.host, other.folder = host, Path(tempfile.mkdtemp(prefix="standfast-pg-", dir="/tmp"))
        (self.folder / "data" / "standby.signal").touch()
        there = self.folder.stat()
        os.chown(other.folder, there.st_uid, there.st_gid)
        subprocess.run(["cp", "-a", str(self.folder / "data"), str(other.folder)], check=True)
        (self.folder / "data" / "standby.signal").unlink()
        self.start()
        other.start()
        return other

    def close(self) -> None:
        """Stop it and remove it."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[Cluster]:
    """Running until the end."""
    cluster = Cluster()
    try:
        yield cluster
    finally:
        cluster.close()
