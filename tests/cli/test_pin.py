"""`pin`, `unpin`: exempt from collection, journalled, listed."""

from cli.stage import DOWN, Stage
from standfast.ports.store import Collected, CollectPlans


def test_pinned_is_not_collected_is_listed_and_journalled(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    said = stage.run("pin", "1", "--reason", "post-mortem")
    assert said.code == 0, said
    assert 'pin g1: "post-mortem"' in said.out
    assert stage.store.perform(CollectPlans((1,))) == Collected(())
    assert "[pinned: post-mortem]" in stage.run("history").out
    assert stage.run("unpin", "1").code == 0
    assert "[pinned" not in stage.run("history").out
    assert stage.store.perform(CollectPlans((1,))) == Collected((1,))
    stages = [(one["action"], one["stage"], one["to"]) for one in stage.journalled("operator")]
    assert stages == [("pin", "asked", 1), ("pin", "pinned", 1), ("unpin", "asked", 1), ("unpin", "unpinned", 1)]


def test_what_is_not_there_can_not_be_pinned(stage: Stage) -> None:
    stage.publish()
    said = stage.run("pin", "7", "--reason", "x")
    assert (said.code, "g7 was not published yet. Stored are g1." in said.err) == (1, True)
    stage.publish(lb_b1=DOWN)
    stage.collect(1)
    assert "g1 was collected" in stage.run("pin", "1", "--reason", "x").err
    assert "g2 is not pinned" in stage.run("unpin", "2").err
    assert stage.run("pin", "2", "--reason", " ").code == 1
    assert not stage.journalled("operator")
