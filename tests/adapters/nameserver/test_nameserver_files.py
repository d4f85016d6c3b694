"""Zones on disk, the program that serves them, clients that are processes, and other people's programs."""

import asyncio
import multiprocessing
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import dns.exception
import dns.name
import dns.rcode
import dns.tsig
import pytest

from adapters.nameserver.nameservers import KEY, ZONE, ask, count_up, nameserver, nameserver_process, send, update
from standfast.adapters.nameserver import KeyFileError, Nameserver, ZoneFileError, ZoneStore, read_key_file
from standfast.adapters.nameserver.update import Change

SEED = "\n".join(
    ["www A 192.0.2.1", "* TXT wild", "alias CNAME www"] + [f"big A 192.0.{n // 250}.{n % 250}" for n in range(600)]
)


def test_four_processes_counting_by_compare_and_set_lose_nothing() -> None:
    with nameserver({ZONE: "counter TXT 0"}) as running:
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(4) as pool:
            wrote = pool.starmap(count_up, [(running.port, 40)] * 4)
        assert sorted(value for values in wrote for value in values) == list(range(1, 161))
        assert ask(running.port, f"counter.{ZONE}", "TXT").answer[0][0].to_text() == '"160"'
        assert ask(running.port, ZONE, "SOA").answer[0][0].serial == 161


def test_kill_between_updates_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    asked = 0
    for _ in range(3):
        with nameserver_process(tmp_path) as (port, process):
            enough = threading.Event()

            def kill(process: subprocess.Popen[str] = process, enough: threading.Event = enough) -> None:
                enough.wait(60)
                process.kill()

            killer = threading.Thread(target=kill)
            killer.start()
            try:
                for done in range(2000):
                    step = update()
                    asked += 1
                    step.add(f"n{asked}", 5, "TXT", str(asked))
                    assert send(step, port).rcode() == 0
                    acknowledged.append(asked)
                    if done == 30:
                        enough.set()
            except (OSError, EOFError, dns.exception.DNSException):
                pass
            killer.join()
            assert process.wait(60) == -signal.SIGKILL
    with nameserver_process(tmp_path) as (port, _):
        present = [n for n in range(1, asked + 1) if ask(port, f"n{n}.{ZONE}", "TXT").rcode() == 0]
        assert set(acknowledged) <= set(present)
        assert len(present) - len(acknowledged) <= 3, "at most the one in flight at each kill"
        assert ask(port, ZONE, "SOA").answer[0][0].serial == 1 + len(present)


def test_dig_and_nsupdate(tmp_path: Path) -> None:
    with nameserver_process(tmp_path, seed=SEED) as (port, process):
        where = ["dig", "@127.0.0.1", "-p", str(port), "+short", "+tries=1", "+time=60"]
        key = ["-k", str(tmp_path / "key")]

        def dig(*words: str) -> str:
            return subprocess.run([*where, *words], capture_output=True, text=True, timeout=240, check=True).stdout

        def nsupdate(*words: str) -> str:
            script = "\n".join([f"server 127.0.0.1 {port}", f"zone {ZONE}", *words, "send", ""])
            run = ["nsupdate", "-u", "60", *key]  # an update that it sends again would find itself done
            return subprocess.run(run, input=script, capture_output=True, text=True, timeout=240, check=False).stderr

        assert dig(f"alias.{ZONE}") == f"www.{ZONE}.\n192.0.2.1\n"
        assert dig(f"x.y.{ZONE}", "TXT") == '"wild"\n'
        assert dig(f"big.{ZONE}").count("\n") == 600
        add = f"update add n.{ZONE} 30 A 192.0.2.9"
        assert nsupdate(f"prereq nxdomain n.{ZONE}", add) == ""
        assert "YXDOMAIN" in nsupdate(f"prereq nxdomain n.{ZONE}", add)
        assert "NXRRSET" in nsupdate(f"prereq yxrrset n.{ZONE} A 192.0.2.8", f"update delete n.{ZONE}")
        assert dig(f"n.{ZONE}") == "192.0.2.9\n"
        assert dig(*key, f"{ZONE}", "AXFR").count("\n") == 600 + 8
        assert dig(*key, f"{ZONE}", "IXFR=1").count("\n") == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    """The setting on which "acknowledged means kept" rests: 2 is FULL."""
    store = ZoneStore.open(tmp_path / "zone.db", ZONE)
    try:
        assert store.durability() == ("wal", 2)
    finally:
        store.close()


def test_stopping_waits_for_an_update_that_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled half-way, zone and file would disagree."""

    async def scenario() -> None:
        store = ZoneStore.open(":memory:", ZONE)
        begun = threading.Event()
        commit = store._commit

        def slow(changes: Iterable[Change]) -> None:
            begun.set()
            time.sleep(0.1)
            commit(changes)

        monkeypatch.setattr(store, "_commit", slow)
        server = Nameserver({ZONE: store}, {KEY.name: KEY})
        _, writer = await asyncio.open_connection("127.0.0.1", await server.start())
        step = update()
        step.add("n1", 5, "TXT", "x")
        writer.write(step.to_wire(prepend_length=True))
        await asyncio.to_thread(begun.wait, 60)
        await server.stop()
        assert store.zone.serial == 2
        store.close()
        writer.close()

    asyncio.run(scenario())


def test_a_disk_that_refuses_is_told_and_changes_nothing() -> None:
    with nameserver({ZONE: "n0 TXT x"}, quiet=False) as running:
        running.stores[ZONE].close()
        step = update()
        step.add("n1", 5, "TXT", "x")
        assert send(step, running.port).rcode() == dns.rcode.SERVFAIL
        assert ask(running.port, f"n1.{ZONE}", "TXT").rcode() == dns.rcode.NXDOMAIN
        assert running.complaints == [":memory:: update not written: cannot schedule new futures after shutdown"]


def test_a_second_server_on_one_file_and_bad_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "zone.db"
    store = ZoneStore.open(path, ZONE)
    with pytest.raises(ZoneFileError, match="in use by another process"):
        ZoneStore.open(path, ZONE)
    store.close()
    with pytest.raises(ZoneFileError, match="holds another zone"):
        ZoneStore.open(path, "example.org")
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xaa" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(ZoneFileError, match="damaged"):
        ZoneStore.open(path, ZONE)
    path.write_bytes(b"$ORIGIN example.com.\n" * 100)
    with pytest.raises(ZoneFileError, match="not a zone file"):
        ZoneStore.open(path, ZONE)
    with pytest.raises(ZoneFileError, match="seed"):
        ZoneStore.open(":memory:", ZONE, seed="www A not-an-address")


def test_key_files(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text('# ours\nkey "a" { algorithm hmac-sha512; secret "//8A/w=="; }; /* more */ key b {\nalgorithm '
                    'hmac-sha256; secret "AAAA"; };')  # fmt: skip
    keys = read_key_file(path)
    assert keys[dns.name.from_text("a")].secret == b"\xff\xff\x00\xff"
    assert keys[dns.name.from_text("b")].algorithm == dns.tsig.HMAC_SHA256
    for text in ("", 'key "a" { algorithm hmac-sha256; };', 'key "a" { algorithm rot13; secret "AAAA"; };'):
        path.write_text(text)
        with pytest.raises(KeyFileError, match=r"tsig-keygen|hmac-sha256"):
            read_key_file(path)
