"""Stories as files, and what a step looks like: ghosts, changes, what dangles."""

from pathlib import Path

import msgspec
import pytest

from sim.story.given import ZONE, alias, dangling, hostile, scene, tree
from standfast.sim.story.frames import Branch, Frame, common_zone, frames, lanes, short
from standfast.sim.story.story import Moment, Record, Scene, Story, StoryError, load, save


def told(*scenes: Scene) -> tuple[Frame, ...]:
    return frames(Story("x", ("a",), scenes[0], tuple(Moment("a", "acts", one) for one in scenes[1:])))


def owners(branches: tuple[Branch, ...], *, ghosts: bool | None = None) -> list[str]:
    found = []
    for branch in branches:
        if ghosts is None or branch.part.ghost == ghosts:
            found.append(short(branch.part.record.owner, ZONE))
        found += owners(branch.below, ghosts=ghosts)
    return found


def test_a_story_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save(dangling(), tmp_path / "story.json")
    assert load(tmp_path / "story.json") == dangling()


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "is not a story: Input data was truncated"),
        (b"{}", "missing required field `title`"),
        (b"\xff\xfe", "is not a story"),
        (b'{"title": 7}', "Expected `str`, got `int`"),
        (msgspec.json.encode(msgspec.structs.replace(dangling(), version=2)), "has version 2; this program reads"),
        (b" " * ((16 << 20) + 1), "no story is"),
    ],
)
def test_what_is_no_story_says_so(tmp_path: Path, octets: bytes, says: str) -> None:
    (tmp_path / "story.json").write_bytes(octets)
    with pytest.raises(StoryError, match=r"story\.json") as caught:
        load(tmp_path / "story.json")
    assert says in str(caught.value)


def test_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    save(hostile(), tmp_path / "story.json")
    read = load(tmp_path / "story.json")
    assert "\x1b" not in msgspec.json.encode(read).decode()
    assert read.moments[0].refused.startswith("<script>"), "nothing else is taken away"


def test_a_tree_is_drawn_from_what_refers_to_what() -> None:
    frame = told(scene(alias("www", "plan-1"), alias("rollback", "plan-1"), *tree(1), *tree(2)))[0]
    assert [owners((branch,)) for branch in frame.tree] == [
        ["www", "plan-1", "lb-1.plan-1", "lb-2.plan-1"],
        ["rollback", "plan-1"],
        ["plan-2", "lb-1.plan-2", "lb-2.plan-2"],
    ]
    assert frame.tree[1].below[0].again


def test_what_goes_is_a_ghost_for_as_long_as_something_refers_to_it() -> None:
    first = scene(alias("www", "plan-1"), *tree(1), *tree(2))
    later = scene(alias("www", "plan-1"), *tree(2))
    healed = scene(alias("www", "plan-2"), *tree(2))
    shown = told(first, later, later, healed)
    ghosts = [owners(frame.tree, ghosts=True) for frame in shown]
    gone = ["plan-1", "lb-1.plan-1", "lb-2.plan-1"]
    assert ghosts == [[], gone, gone, []]
    assert [frame.tree[0].part.dangling for frame in shown] == [False, True, True, False]
    assert [frame.tree[0].below[0].part.fresh for frame in shown[1:3]] == [True, False]
    assert (shown[3].tree[0].part.state, shown[3].tree[0].part.fresh) == ("changed", True)


def test_what_nothing_refers_to_is_a_ghost_once() -> None:
    shown = told(scene(*tree(1)), scene(), scene())
    assert [len(owners(frame.tree)) for frame in shown] == [3, 3, 0]


def test_a_ring_of_aliases_ends() -> None:
    shown = told(scene(alias("a", "b"), alias("b", "a")))
    assert sorted(set(owners(shown[0].tree))) == ["a", "b"]


def test_records_of_one_name_are_kept_apart() -> None:
    both = (Record("w", "address", ("192.0.2.1",)), Record("w", "address", ("2001:db8::1",)))
    shown = told(scene(*both), scene(both[0], Record("w", "address", ("2001:db8::2",))))
    assert [branch.part.state for branch in shown[1].tree] == ["stands", "changed"]


def test_beliefs_and_answers_say_whether_they_are_new() -> None:
    shown = frames(dangling())
    assert [(one.actor, one.fresh) for one in shown[2].beliefs] == [("slow", True), ("quick", False)]
    assert [[fresh for _, fresh in frame.answers] for frame in shown] == [[False], [False], [True], [True], [False]]
    assert [frame.notable for frame in shown] == [False, False, False, True, True]


def test_lanes_are_actors_and_then_what_they_act_upon() -> None:
    assert lanes(dangling()) == ("slow", "quick", "store", "zone")


def test_the_common_domain_is_left_out_of_names() -> None:
    assert common_zone(dangling()) == ZONE
    assert short(f"www.{ZONE}", ZONE) == "www"
    assert short(ZONE, ZONE) == ZONE
    assert common_zone(hostile()) == ""
