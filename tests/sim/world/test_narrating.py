"""A counterexample as people see it: who did what, what was refused and why, and what each actor believed."""

from pathlib import Path

import pytest
from msgspec import structs

from sim.world.small import explored, first_finding, small
from standfast.core import drafting, judgement, writing
from standfast.ports.provider import Replace
from standfast.sim.search.product import Finding
from standfast.sim.story.story import Story, load, save
from standfast.sim.world.narrating import LONE, story_of
from standfast.sim.world.world import World


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    real = drafting.change_of

    def blind(*some: object) -> Replace:
        made = real(*some)  # type: ignore[arg-type]
        writes = tuple(structs.replace(write, prerequisites=()) for write in made.writes)
        return structs.replace(made, floor=structs.replace(made.floor, prerequisites=()), writes=writes)

    monkeypatch.setattr(writing, "change_of", blind)
    run = small("told", "a", "b")
    (finding,) = first_finding(run).findings
    return story_of(World(run), finding)


def test_a_story_tells_every_step_and_the_world_after_it(story: Story, tmp_path: Path) -> None:
    assert story.title == "G2 broken in run told"
    assert story.moments[-1].violation == story.outcome
    assert story.outcome.startswith("G2: the floor went from 2 to 1")
    assert set(story.actors) >= {"zone", "store", *(moment.actor for moment in story.moments)}
    assert "replaces www and the first entry with plan 1 → Written" in story.moments[-1].text
    beliefs = dict(story.moments[-2].scene.beliefs)
    assert any("holds plan 1, replaces www" in text for text in beliefs.values()), beliefs
    assert [answer.addresses for answer in story.moments[-1].scene.answers] == [("192.0.2.1",)]
    save(story, tmp_path / "told.json")
    assert load(tmp_path / "told.json") == story


def test_a_refusal_names_what_was_expected_and_found() -> None:
    run = small("refusals", "a", "b", flights=0)
    world = World(run)
    write = next(rule for rule in world.rules if rule.name == "enactor writes")
    texts = set()
    found = explored(run)
    places = write.reads
    for state in range(len(found)):
        values = found.values(state)
        texts |= {outcome.step.refused for outcome in write.fire(*(values[place] for place in places))}
    assert any(text.startswith("the floor: expected absent; found floor ") for text in texts), texts


def test_every_scene_of_a_long_world_can_be_told() -> None:
    run = small(
        "long",
        "a",
        "b",
        faults=frozenset({"late"}),
        hands=("marker", "floor"),
        acts=1,
        operator=("freeze zone",),
        commands=1,
    )
    world = World(run)
    finding = Finding("G0", "nothing", (), (world.start,))
    story = story_of(world, finding)
    assert story.beginning.answers[0].status == "NXDOMAIN"
    assert dict(story.beginning.beliefs)["enactor-a"] == "knows nothing yet"


def test_a_zone_that_is_not_healed_is_followed_by_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgement, "damage_of", lambda entry, contents, known=None: "")
    run = small("unhealed", "a", "b", flights=0, hands=("addresses",), acts=1)
    (finding,) = first_finding(run).findings
    told = story_of(World(run), finding)
    assert len(told.moments) > len(finding.steps)
    assert {moment.actor for moment in told.moments[len(finding.steps) :]} == {LONE}
    assert told.moments[-1].violation == finding.what
    assert dict(told.moments[-1].scene.beliefs)[LONE].startswith("holds plan 2")
