"""Diagram, page and terminal: what they show, that nothing breaks out of them, that text stays text."""

import base64
import hashlib
import re
from xml.etree import ElementTree

import pytest
from rich.console import Console

from sim.story.given import HOSTILE, dangling, hostile
from standfast.sim.story.diagram import LANE, SIZE, diagram
from standfast.sim.story.frames import frames
from standfast.sim.story.lettering import width, wrapped
from standfast.sim.story.markup import element, joined
from standfast.sim.story.page import Run, Source, page
from standfast.sim.story.poster import poster
from standfast.sim.story.story import Scene, Story
from standfast.sim.story.terminal import lines, listing, screen

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Story("nothing", (), Scene((), (), (), ()), ())


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  # our own


def words(root: ElementTree.Element) -> str:
    return " ".join(one.text or "" for one in root.iter(f"{SVG}text"))


def test_markup_escapes_whatever_is_not_markup() -> None:
    assert element("p", "a < b", title='"x"') == '<p title="&quot;x&quot;">a &lt; b</p>'
    assert joined(element("b", "1"), "<i>") == "<b>1</b>&lt;i&gt;"
    assert element("a", href="", id=None, data_step=0) == '<a data-step="0"></a>'


@pytest.mark.parametrize("text", ["one two three", "x" * 90, "a." * 60, "", "wakes and sends plan 110: refused"])
def test_lines_fit_and_lose_nothing(text: str) -> None:
    found = wrapped(text, 100.0, 12.0)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert all(width(line, 12.0) <= 100.0 for line in found)


def test_a_diagram_shows_steps_waiting_refusals_and_violations() -> None:
    root = parsed(diagram(dangling()))
    steps = [one for one in root.iter(f"{SVG}g") if "data-step" in one.attrib]
    assert [one.attrib["data-step"] for one in steps] == ["1", "2", "3", "4"]
    classes = [[part.attrib.get("class", part.attrib.get("fill", "")) for part in one.iter()] for one in steps]
    assert "url(#hatch)" in classes[0]
    assert "broken" in classes[2]
    assert "stop" in classes[3]
    assert "stop" not in [kind for some in classes[:3] for kind in some]
    said = words(root)
    for part in ("points www at plan 1", "✗ G1: www answers nothing", "expected since 1, found since 2", "holds 2"):
        assert part in said
    assert "4. slow: tries plan 2. Refused: marker: expected since 1" in (root.findtext(f"{SVG}desc") or "")


def test_a_box_holds_its_text() -> None:
    for group in parsed(diagram(dangling())).iter(f"{SVG}g"):
        box = next((one for one in group.findall(f"{SVG}rect") if one.attrib.get("class") == "box"), None)
        if box is not None:
            rows = [one for one in group.findall(f"{SVG}text") if one.attrib.get("class") is None]
            assert rows
            assert all(width(one.text or "", SIZE) < LANE - 12 for one in rows)
            assert float(rows[-1].attrib["y"]) < float(box.attrib["y"]) + float(box.attrib["height"])


@pytest.mark.parametrize("story", [EMPTY, hostile(), dangling()])
def test_every_story_can_be_drawn_whole(story: Story) -> None:
    root = parsed(diagram(story).replace("�", "?"))
    assert root.attrib["viewBox"]
    assert not [one for one in root.iter() if one.tag == f"{SVG}script"]
    parsed(poster(Run("a", "A", story), Run("b", "B", story))) if story.moments else None
    assert page(story.title, "", (Run("a", "A", story),)).startswith("<!doctype html>")
    for frame in frames(story):
        shown(screen(story, frame, 80))


def test_nothing_breaks_out_of_the_page() -> None:
    made = page(HOSTILE, HOSTILE, (Run("a", HOSTILE, hostile()),), sources=(Source(HOSTILE, HOSTILE),))
    assert "<script>alert" not in made
    assert made.count("<script>") == 2
    assert "\x1b" not in made
    assert not re.search(r'\son\w+="', made)


def test_the_page_allows_its_own_style_and_script_and_nothing_else() -> None:
    made = page("t", "l", (Run("a", "A", dangling()),))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)
    assert policy
    for kind in ("style", "script"):
        inside = re.findall(rf"<{kind}>(.*?)</{kind}>", made, re.DOTALL)
        digests = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inside)
        allowed = " ".join(f"&#x27;sha256-{digest}&#x27;" for digest in digests)
        assert f"{kind}-src {allowed};" in policy[1]
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert not re.search(r'\s(src|style|xlink:href)="', made)


def test_a_page_has_every_step_as_text_without_its_script() -> None:
    made = re.sub(r"<script>.*?</script>", "", page("t", "l", (Run("a", "A", dangling()),)), flags=re.DOTALL)
    assert made.count("<article") == 5
    assert 'hidden="hidden"' not in made.split("<main")[1]
    for moment in dangling().moments:
        assert made.count(moment.text) >= 3, "in the lanes, beside them, and in the list"


def test_a_view_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no run is called 'b': there are a"):
        page("t", "l", (Run("a", "A", dangling()),), view="b")
    with pytest.raises(ValueError, match="both"):
        page("t", "l", (Run("a", "A", dangling()),), view="both")


def shown(renderable: object, columns: int = 100) -> str:
    console = Console(width=columns, force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_actors_stand_in_columns_where_there_is_room() -> None:
    wide = shown(listing(dangling(), 100, columns=True))
    head = next(line for line in wide.splitlines() if "slow" in line and "quick" in line)
    first = next(line for line in wide.splitlines() if "reads plan 2" in line)
    assert first.index("reads") == head.index("quick")
    assert "┊" in first, "the one that waits"
    narrow = shown(listing(dangling(), 30, columns=True), 30)
    assert "quick: reads plan 2" in narrow
    assert max(map(len, narrow.splitlines())) <= 30


def test_a_pipe_gets_a_step_a_line() -> None:
    assert lines(dangling()) == [
        "An alias left dangling",
        "",
        "  1. quick: reads plan 2 → store",
        "  2. slow: points www at plan 1 → zone",
        "  3. quick: deletes plan 1 → zone",
        "     ✗ G1: www answers nothing",
        "  4. slow: tries plan 2 → zone",
        "     ⊘ refused: marker: expected since 1, found since 2; floor: no",
        "",
        "www stays empty.",
        "Again: standfast replay dangling.json",
    ]


def test_a_screen_shows_zone_answers_store_and_beliefs() -> None:
    text = shown(screen(dangling(), frames(dangling())[3], 100), 100)
    for part in (
        "step 3 of 4",
        "✗ G1: www answers nothing",
        "prevented by any of: fence, safe clean-up",
        "AWS · ◐ inferred",
        "alias www → plan-1 refers to nothing",
        "weighted set plan-1  ✗ deleted",
        "NOERROR, 0 addresses ✗",
        "store: latest: plan 2",
        "believes: wrote 2",
    ):
        assert part in text, part
