"""Roles as this process runs them: each may begin anew at any reload, so it must let go of what it took."""

import os
import threading
from pathlib import Path

import pytest

from standfast import config as configuration
from standfast.runtime.journal import Journal
from standfast.runtime.monitoring.meter import Meter
from standfast.runtime.place import Place
from standfast.runtime.presence import Presence
from standfast.runtime.roles import Duties, Role, run_role

TEXT = """
zone: {name: lb.example.com, provider: embedded, server: "127.0.0.1:5300"}
health: {tcp: 443}
load_balancers: {lb-1: {az: a, ip: 192.0.2.1}}
endpoints: {www: {}}
vantage: {h: {az: a}}
"""


def opened(folder: Path) -> list[str]:
    """Files below the folder that this process has open."""
    found = []
    for file in Path("/proc/self/fd").iterdir():
        try:
            found.append(os.readlink(file))
        except OSError:
            continue
    return sorted(one for one in found if one.startswith(str(folder)))


@pytest.mark.parametrize("role", ["monitor", "prober", "planner", "enactor", "cleaner"])
def test_a_role_that_ends_has_nothing_open(tmp_path: Path, role: Role) -> None:
    config, problems, _ = configuration.check(TEXT, str(tmp_path / "standfast.yaml"))
    assert config is not None, problems
    place = Place(config)
    place.prepare()
    journal, stop = Journal(place.journal, role, "h"), threading.Event()
    threading.Timer(0.4, stop.set).start()
    presence = Presence(place.presence, role, "h")
    run_role(role, "h", place, Duties(), journal, Meter(role, "h", "main"), presence, stop)
    assert opened(tmp_path) == []
