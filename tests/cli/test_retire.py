"""`retire`: asked, published as an entry that stays, written as a tombstone; nothing revives it."""

import pytest

from cli.stage import ENDPOINTS, ZONE, Stage
from standfast.audit.judge import audit
from standfast.model.marker import Marker
from standfast.runtime.zonesight import look_at_zone

API = (ZONE, f"api.{ZONE}")


def tombstone(stage: Stage) -> bool:
    """Whether one stands for api, and no address beside it."""
    plan = stage.plan
    assert plan is not None
    entry = plan.entry(API)
    assert entry is not None
    sight = look_at_zone(stage.config.zones[0], "main", (entry,), secondaries=False).endpoints[0]
    return isinstance(sight.marker, Marker) and sight.marker.state == "retired" and sight.contents == (None, None)


def test_a_name_is_retired_and_stays_so(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.everybody()
        served.settled()
        said = served.run("retire", "api", "--yes", "--reason", "nobody uses it any more")
        assert said.code == 0, said
        assert "api: retire it as g2?" in said.out
        assert "it will answer nothing any more" in said.out
        assert "api is still in the configuration" in said.out
        assert "api serves g2 (a tombstone)." in said.out
        assert tombstone(served)
        served.configure(endpoints=ENDPOINTS.replace("  api", "  pay"))
        later = served.publish(after_s=1200)
        entry = later.entry(API)
        assert entry is not None
        assert (entry.kind, entry.since) == ("retired", 2), "it stays in all later plans"
        served.settled()
        assert tombstone(served)
    again = served.run("retire", "api", "--yes", "--reason", "again")
    assert (again.code, "it is retired already" in again.err) == (3, True)
    assert served.run("rollback", "api", "--to", "1", "--yes", "--reason", "r").code == 3
    report = audit([served.place.journal])
    assert not report.violated, report.violations
    stages = [(one["action"], one["stage"]) for one in served.journalled("operator")]
    assert stages == [("retire", "asked"), ("retire", "published")]


@pytest.mark.parametrize(("options", "says"), [((), "Add --yes --reason"), (("--yes",), "--yes needs a --reason")])
def test_nobody_retires_by_chance(stage: Stage, options: tuple[str, ...], says: str) -> None:
    stage.publish()
    said = stage.run("retire", "www", *options)
    assert said.code == 3
    assert says in said.err
    assert stage.plan is not None
    assert stage.plan.generation == 1


def test_whom_another_follows_is_not_retired(stage: Stage) -> None:
    stage.configure(endpoints="  www: {}\n  acct-7.api: {follows: www}\n")
    stage.publish()
    said = stage.run("retire", "www", "--yes", "--reason", "r")
    assert said.code == 3
    assert "is followed by acct-7.api.lb.example.com" in said.err
    stage.configure(endpoints="  www: {}\n")
    said = stage.run("retire", "www", "--yes", "--reason", "r")
    assert (said.code, "www: it is followed by acct-7.api.lb.example.com" in said.err) == (3, True)
    assert stage.plan is not None
    assert stage.plan.generation == 1
