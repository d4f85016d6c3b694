"""The monitor on real servers: what it sees of the names, what it exposes, and what the webhook hears of it."""

from __future__ import annotations

import http.client
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import Stage
from harness.ports import free_port
from runtime.notifying.receiver import Receiver
from standfast.runtime.monitoring.serving import port_of
from standfast.runtime.notifying.sending import TIMEOUT_S

WWW = "www.lb.example.com"


def scraped(port: int | None) -> str:
    """What a process exposes."""
    connection = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=60)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        connection.close()


def value(text: str, start: str) -> float | None:
    """The first series that begins so."""
    found = re.search(rf"^{re.escape(start)}[^ ]* (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def test_a_name_emptied_by_hand_is_seen_told_and_seen_whole_again(stage: Stage, tmp_path: Path) -> None:
    receiver, base = Receiver(), free_port()
    secret = tmp_path / "webhook.url"
    secret.write_text(receiver.url)
    secret.chmod(0o600)
    config = stage.config(
        "standfast",
        metrics=f"{{listen: '127.0.0.1:{base}'}}",
        monitor="{interval: 500ms, rate: 1000}",
        notify=f"{{webhook: 'file:{secret}', level: warning}}",
    )
    monitor, enactor = port_of(base, "monitor"), port_of(base, "enactor")
    try:
        stage.publish(www=both(1, 2), api=v4(1, 2))
        first = stage.enactor("a", config)
        stage.role("monitor", "m", config)
        until(lambda: stage.journal("m", "served", name=WWW), "the monitor sees what was written", 60.0)
        until(lambda: stage.journal("a", "stands"), "what was written was read back")
        assert all(line["serial"] > 0 for line in stage.journal("a", "stands")), "with the serial that has it"
        until(lambda: value(scraped(enactor), 'standfast_writes_total{result="written"}') == 3, "writes are counted")
        for port in (monitor, enactor):
            text = scraped(port)
            done = subprocess.run(
                ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False
            )
            assert (done.returncode, done.stdout + done.stderr) == (0, b""), text
        first.terminate()
        stage.hand(f"update delete {WWW} A", f"update delete {WWW} AAAA")
        until(lambda: stage.journal("m", "answer", name=WWW, state="empty"), "the monitor sees it empty", 60.0)
        until(lambda: 'state="empty"} 1.0' in scraped(monitor), "and exposes it")
        until(lambda: value(scraped(monitor), f'standfast_wrong_name{{name="{WWW}"') == 1, "by its name")
        key = f"standfast/main/answer/{stage.journal('m', 'answer', name=WWW)[0]['server']}/{WWW}"
        until(lambda: ("trigger", key) in heard(receiver), "the webhook hears it", 60.0)
        stage.enactor("b", config)
        until(lambda: ("resolve", key) in heard(receiver), "and of its end", 60.0)
        until(lambda: 'state="empty"} 1.0' not in scraped(monitor), "and it is exposed no more")
        repaired = f"standfast/main/repaired/{WWW}"
        until(lambda: any(repaired == one for _, one in heard(receiver)), "and of the repair", 60.0)
        everything = "".join(path.read_text() for path in stage.state.glob("journal/*.jsonl"))
        assert "very-secret" not in everything + scraped(monitor)
        assert "very-secret" not in "".join(path.read_text() for path in stage.folder.glob("*.log"))
    finally:
        receiver.close()


def test_an_enactor_writes_while_the_webhook_hangs(stage: Stage, tmp_path: Path) -> None:
    """Nobody waits for the receiver: what is planned meanwhile stands before one of its answers would be due."""
    receiver, secret = Receiver(slow_s=600.0), tmp_path / "webhook.url"
    secret.write_text(receiver.url)
    secret.chmod(0o600)
    config = stage.config("standfast", notify=f"{{webhook: 'file:{secret}', level: info}}")
    try:
        stage.publish(www=both(1, 2), api=v4(1, 2))
        stage.enactor("a", config)
        stage.role("monitor", "m", config)
        stage.await_head()
        stage.hand(f"update delete {WWW} A", f"update delete {WWW} AAAA")
        until(lambda: receiver.got, "the webhook is asked, and says nothing", 60.0)
        asked = receiver.times[0]
        for one, other in ((2, 3), (3, 4), (1, 4)):
            stage.publish_and_wait(www=v4(one, other), api=v4(one, other))
        stood = time.monotonic()
        hung = until(lambda: stage.journal("m", "notice", kind="notify"), "the monitor says that it hangs", 60.0)
        assert "no answer within" in hung[0]["why"]
        assert stood - asked < 600.0, "no answer was ever given"
        until(lambda: len(written(stage)) >= 3, "the last write is told of as well")
        writes = written(stage)
        assert [one["since"] for one in writes] == [2, 3, 4]
        assert max(one["took_ms"] for one in writes) < 1000 * TIMEOUT_S, "a write waits for no webhook"
    finally:
        receiver.close()


def written(stage: Stage) -> list[Mapping[str, Any]]:
    """The writes after the first plan's."""
    return [one for one in stage.journal("a", "outcome", name=WWW, result="written") if one["since"] > 1]


def heard(receiver: Receiver) -> set[tuple[str, str]]:
    """(action, key) of all it got."""
    return {(str(one["action"]), str(one["dedup_key"])) for one in receiver.got}
