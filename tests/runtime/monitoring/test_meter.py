"""The metrics of each role: from events and signs of life, as Prometheus reads them, few whatever happens."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import threading
import time

import pytest

from harness.ports import free_port
from standfast.runtime.monitoring import serving
from standfast.runtime.monitoring.meter import Meter
from standfast.runtime.monitoring.metrics import METRICS, NAMED_MAX
from standfast.runtime.monitoring.serving import AT_ONCE, OFFSETS, port_of, serve

ROLES = ("planner", "enactor", "cleaner", "monitor", "registry")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def fed(role: str, clock: Clock | None = None) -> Meter:
    """A meter to which everything happened that its role can tell."""
    meter = Meter(role, "a", "main", clock or Clock())
    for line in (
        {"event": "started"},
        {"event": "planned", "generation": 7},
        {"event": "verdict", "load_balancer": "lb-1", "state": "down"},
        {"event": "probe", "load_balancer": "lb-1"},
        {"event": "refused", "name": "www", "rule": "guard"},
        {"event": "refused", "name": "api", "rule": "guard"},
        {"event": "settled", "name": "api", "rule": "guard"},
        {"event": "outcome", "result": "written", "took_ms": 12.5},
        {"event": "outcome", "result": "blind", "took_ms": None},
        {"event": "collected", "generations": [1, 2, 3]},
    ):
        meter.heard(line)
    meter.beat({"generation": 7, "troubles": ["x"], "looked_ago_s": 0.5, "passed_ago_s": 1.5, "waiting": 3})
    meter.beat({"fleet": {"all": 3, "up": 2, "down": 1}, "put_back": {"www.lb.example.com": 4}})
    for one in METRICS:
        if role in one.roles and one.kind == "gauge" and one.name not in meter._gauges:
            meter.replace(one.name, {tuple(f"some {label}" for label in one.labels): 1.0})
        if role in one.roles and one.kind == "counter" and one.labels:
            meter.count(one.name, *(f"some {label}" for label in one.labels))
    return meter


def value(meter: Meter, series: str) -> float | None:
    """The value of one series, as exposed."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", meter.text().decode(), re.MULTILINE)
    return float(found[1]) if found else None


@pytest.mark.parametrize("role", ROLES)
def test_promtool_has_nothing_to_say(role: str) -> None:
    text = fed(role).text()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b""), text.decode()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_metrics_of_the_list_and_no_others(role: str) -> None:
    text = fed(role).text().decode()
    found = set(re.findall(r"^# TYPE (\S+) (counter|gauge|histogram)$", text, re.MULTILINE))
    made = {(name, kind) for name, kind in found if not name.endswith("_created")}
    assert made == {(one.name, one.kind) for one in METRICS if role in one.roles}


def test_a_name_left_to_whoever_insists_is_contested_too() -> None:
    meter = fed("enactor")
    meter.beat({"put_back": {"api.lb.example.com": 5}, "tugs": [{"name": "www.lb.example.com"}]})
    assert value(meter, 'standfast_contested_name{name="www.lb.example.com"}') == 3
    assert value(meter, 'standfast_contested_name{name="api.lb.example.com"}') == 5


def test_events_and_signs_of_life_are_counted() -> None:
    clock = Clock()
    planner, enactor = fed("planner", clock), fed("enactor", clock)
    assert value(planner, "standfast_plans_total") == 1
    assert value(planner, 'standfast_verdicts_total{state="down"}') == 1
    assert value(planner, 'standfast_refused_names{rule="guard"}') == 1
    assert value(planner, 'standfast_load_balancers{state="down"}') == 1
    assert value(enactor, 'standfast_writes_total{result="written"}') == 1
    assert value(enactor, "standfast_write_duration_seconds_sum") == 0.0125
    assert value(enactor, "standfast_write_duration_seconds_count") == 1
    assert value(enactor, 'standfast_contested_name{name="www.lb.example.com"}') == 4
    assert value(fed("cleaner"), "standfast_plans_collected_total") == 3
    clock.now += 60
    assert value(planner, "standfast_beat_age_seconds") == 60
    assert value(planner, "standfast_pass_age_seconds") == 61.5
    assert value(enactor, "standfast_look_age_seconds") == 60.5


def test_a_registry_counts_leases_and_whom_it_turned_away() -> None:
    meter = Meter("registry", "a", "main", Clock())
    beat = {"held": 12, "heard": 10, "rate": 4200.0, "admitted": 40, "refused": 3, "why": ""}
    meter.beat(beat)
    meter.beat({**beat, "refused": 5, "why": "it stood still for 9.0 s"})
    assert value(meter, 'standfast_leases{heard="no"}') == 2
    assert value(meter, 'standfast_lease_requests_total{result="refused"}') == 5
    assert value(meter, 'standfast_lease_requests_total{result="admitted"}') == 40
    assert value(meter, "standfast_leases_aging") == 0
    assert value(meter, "standfast_lease_rate") == 4200


def test_names_are_labels_only_where_something_is_wrong_and_then_few() -> None:
    assert {one.name for one in METRICS if "name" in one.labels} == {
        "standfast_contested_name",
        "standfast_wrong_name",
        "standfast_held_name",
    }
    assert not {label for one in METRICS for label in one.labels} & {"address", "ip", "load_balancer"}
    meter = Meter("enactor", "a", "main")
    meter.beat({"put_back": {f"n{number:04}": 3 for number in range(1000)}})
    assert meter.text().count(b"standfast_contested_name{") == NAMED_MAX


def test_every_metric_has_help_and_reason() -> None:
    for one in METRICS:
        assert one.help.endswith(".")
        assert len(one.reason) > 20, one.name
        assert one.name.endswith("_total") == (one.kind == "counter")
    assert len({one.name for one in METRICS}) == len(METRICS)


def test_each_role_has_a_port_of_its_own() -> None:
    ports = [port_of(9753, role) for role in OFFSETS] + [port_of(9753, "enactor", place) for place in range(1, 16)]
    assert len(set(ports)) == len(ports)
    assert port_of(9753, "planner") == 9753
    assert port_of(9753, "nameserver") is None


@pytest.fixture
def served() -> tuple[Meter, int]:
    meter, port = Meter("planner", "a", "main"), free_port()
    troubles: list[str] = []
    up = threading.Event()
    serve(meter, "127.0.0.1", port, lambda trouble: (troubles.append(trouble), up.set())[0])  # type: ignore[func-returns-value]
    assert up.wait(60)
    assert troubles == [""]
    return meter, port


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def test_metrics_are_served_and_nothing_else(served: tuple[Meter, int]) -> None:
    _, port = served
    code, body = get(port, "/metrics")
    assert code == 200
    assert b'standfast_process_info{role="planner"' in body
    assert get(port, "/")[0] == 404
    assert get(port, "/metrics/../etc/passwd")[0] == 404


def test_scrapes_that_hang_take_no_turns_from_others(
    served: tuple[Meter, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, port = served
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * AT_ONCE)]
    try:
        assert get(port, "/metrics")[0] == 200
    finally:
        for one in silent:
            one.close()


def test_a_port_that_is_taken_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "AGAIN_S", 0.05)
    port = free_port()
    troubles: list[str] = []
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        serve(Meter("planner", "a", "main"), "127.0.0.1", port, troubles.append)
        _until(lambda: bool(troubles))
        assert f"127.0.0.1 port {port}" in troubles[0]
    _until(lambda: troubles[-1] == "")
    assert get(port, "/metrics")[0] == 200


def _until(true: object) -> None:
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
