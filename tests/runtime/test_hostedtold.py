"""Route 53's verdicts in words: beside ours, who differs for long, and who is left out of answers."""

from __future__ import annotations

from standfast.model.entry import Entry, Member
from standfast.runtime.checkboards import HostedVerdict, SharedHostedVerdicts, ZoneVerdicts
from standfast.runtime.hostedsight import HostedSight
from standfast.runtime.hostedtold import hosted_json, hosted_lines, left_out, remarks
from standfast.runtime.narration import Narrator
from standfast.runtime.observing import Seen, StoreSight
from standfast.runtime.sharing import Judged

ZONE = "lb.example.com"
DEAD = HostedVerdict("unhealthy", "Failure: refused", 1000.0)


def seen(at: float, why: str = "", asked: float | None = None) -> Seen:
    verdicts = {"lb-a": HostedVerdict("healthy", "", 1000.0), "lb-b": DEAD}
    zone = ZoneVerdicts(verdicts, {"lb-c": "Route 53's checkers can't reach 10.0.0.3"}, why)
    said = SharedHostedVerdicts("p1", at if asked is None else asked, {ZONE: zone})
    ours = tuple((name, Judged("up", "", 900.0)) for name in ("lb-a", "lb-b", "lb-c"))
    return Seen(at, "main", StoreSight(verdicts=ours, hosted=HostedSight({}, 0, said)), (), ())


def test_beside_ours() -> None:
    lines = hosted_lines(seen(1010.0, "AWS is away"))
    assert lines[0] == "Route 53's checks beside ours   lb-a up ✓   lb-b up ✗"
    assert "Route 53's checks in lb.example.com: AWS is away" in lines
    assert any("no Route 53 check of 1 load balancer" in line and "10.0.0.3" in line for line in lines)
    assert lines[-1].strip() == "lb-b: Failure: refused"
    assert any("nobody has asked" in line for line in hosted_lines(seen(2000.0, asked=1010.0)))
    said = hosted_json(seen(1010.0))
    assert said is not None
    assert said["zones"][ZONE]["verdicts"]["lb-b"]["state"] == "unhealthy"
    assert hosted_lines(Seen(0.0, "main", StoreSight(), (), ())) == []


def test_a_difference_is_told_when_it_has_lasted() -> None:
    assert list(remarks(seen(1010.0))) == []
    (one,) = remarks(seen(1200.0))
    assert one.sentence.startswith("lb-b is up by our checks and unhealthy by Route 53's (Failure: refused).")


def test_who_stands_and_is_not_answered() -> None:
    members = tuple(
        Member(name, (), 1, True, "", check) for name, check in (("lb-a", "x"), ("lb-b", "y"), ("lb-c", ""))
    )
    (line,) = left_out(seen(1010.0), Entry(ZONE, f"www.{ZONE}", 1, members=members))
    assert line.startswith("lb-b: Route 53's own check calls it unhealthy")


def test_what_was_done_is_narrated() -> None:
    said: list[str] = []
    narrator = Narrator(said.append)
    for made, deleted in ((3, []), (0, []), (0, ["x"])):
        narrator({"event": "health_checks", "at": "2026-11-28T12:00:00.000Z", "role": "planner", "who": "p1",
                  "zone": ZONE, "made": made, "mended": [], "deleted": deleted, "why": ""})  # fmt: skip
    assert len(said) == 2
    assert "3 made or found" in said[0]
    assert "1 deleted" in said[1]
