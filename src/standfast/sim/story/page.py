"""A story, or several runs of one schedule beside each other, as one self-contained HTML page.

The page holds every step as text, so that it can be read without a script; the script shows one step at a time. It
loads nothing: its policy allows the one style and the one script that it carries, by their digests.
"""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Final

from msgspec import Struct

from .diagram import GUTTER, Sheet, hatching, heads, rows, stylesheet
from .frames import Frame, common_zone, frames, lanes
from .markup import Markup, element, joined
from .scenery import CERTAINTY, joined_steps
from .story import Story

PAGE_OCTETS_MAX: Final = 3_000_000
BOTH: Final = "both"
_FIRST: Final = 'document.documentElement.classList.add("js");'
"""Before anything is laid out: where scripts run, the page's own chooses what is shown first."""
_LANES_ROOM: Final = 1010.0
_LANE_MIN, _LANE_MAX = 112.0, 190.0
_KEYS: Final = (
    ("← →", "one step"),
    ("Home End", "first, last"),
    ("j k", "next, previous refusal or violation"),
    ("space", "play"),
)


class Run(Struct, frozen=True):
    """One run shown on a page. `key` names it in links (`?with=fence`), `label` on its button."""

    key: str
    label: str
    story: Story


class Source(Struct, frozen=True):
    """What a tag such as `TALK` in a moment's source stands for. `url` may be empty."""

    tag: str
    text: str
    url: str = ""


class Beside(Struct, frozen=True):
    """A second view on the same page, which the reader can change to. `name` is what its button says.

    `controls` stand above both views, `main` is shown instead of the runs, `listed` in the footer.
    """

    name: str
    controls: Markup
    main: Markup
    listed: Markup
    style: str
    script: str


def page(
    title: str,
    lead: str,
    runs: tuple[Run, ...],
    *,
    sources: tuple[Source, ...] = (),
    view: str = "",
    apart: int = 2,
    beside: Beside | None = None,
) -> str:
    """The page. `view` is what it begins with: a run's key, or `both` for the first two. Raises ValueError for others.

    Runs after the first `apart` are offered apart from them: the same beginning with a single rule changed. A page with
    a second view begins with that.
    """
    keys = [run.key for run in runs]
    view = view or keys[0]
    if view not in (*keys, BOTH) or (view == BOTH and len(runs) < 2):
        raise ValueError(f"no run is called {view!r}: there are {', '.join(keys)}")
    last = max(len(run.story.moments) for run in runs)
    style, scripts = f"{stylesheet()}\n{_file('page.css')}", [_file("page.js")]
    if beside is not None:
        style, scripts = f"{style}\n{beside.style}", [beside.script, *scripts]
    allowed = " ".join(f"'{_digest(one)}'" for one in (_FIRST, *scripts))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src {allowed}; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        Markup(f"<style>{style}</style><script>{_FIRST}</script>"),
    )
    body = element(
        "body",
        element("header", _top(title, lead), _panes(beside), _controls(runs, last, apart), class_="top"),
        element("svg", hatching(), class_="story patterns", width=0, height=0, aria_hidden="true"),
        element("main", *(_run(run) for run in runs), class_="single" if len(runs) == 1 else None),
        beside.main if beside else Markup(""),
        _bottom(runs, sources, beside),
        *(Markup(f"<script>{script}</script>") for script in scripts),
        data_view=view,
        data_both=",".join(keys[:2]) if len(runs) > 1 else None,
        data_last=last,
        data_pane="beside" if beside else None,
    )
    return f'<!doctype html>\n<html lang="en">{head}{body}</html>\n'


@cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _top(title: str, lead: str) -> Markup:
    return joined(element("h1", title), element("p", lead, class_="lead"))


def _panes(beside: Beside | None) -> Markup:
    """Which view is shown, and what stands above both."""
    if beside is None:
        return Markup("")
    buttons = (
        element("button", label, type="button", data_pane=pane, aria_pressed="false")
        for label, pane in ((beside.name, "beside"), ("The race", "runs"))
    )
    return joined(
        element("div", *buttons, class_="views panes", role="group", aria_label="Which view"), beside.controls
    )


def _controls(runs: tuple[Run, ...], last: int, apart: int) -> Markup:
    views = Markup("")
    if len(runs) > 1:
        buttons = [*(_button(run.label, "view", run.key) for run in runs[:apart]), _button("Both", "view", BOTH)]
        views = element("div", *buttons, class_="views", role="group", aria_label="Which run")
    if more := runs[apart:]:
        said = element("span", "as built, but with", class_="faint")
        single = (_button(run.label, "view", run.key) for run in more)
        views = joined(views, element("div", said, *single, class_="views single", role="group"))
    scrubber = element(
        "div",
        _button("◀", "go", "back", aria_label="one step back"),
        element("input", type="range", id="scrub", min=0, max=last, value=0, aria_label="step"),
        _button("▶", "go", "on", aria_label="one step on"),
        element("output", f"step 0 of {last}", id="where", aria_live="polite"),
        _button("play", "go", "play", aria_pressed="false"),
        element("label", "speed ", _speeds()),
        class_="scrubber",
    )
    keys = (element("span", element("kbd", key), f" {what}") for key, what in _KEYS)
    return element("nav", views, scrubber, element("p", *keys, class_="keys faint"), class_="controls", hidden="hidden")


def _button(label: str, kind: str, value: str, **attributes: object) -> Markup:
    return element("button", label, type="button", **{f"data_{kind}": value}, **attributes)


def _speeds() -> Markup:
    offered = ((6000, "slow"), (3000, "plain"), (1200, "quick"))
    options = (
        element("option", label, value=pause, selected="selected" if pause == 3000 else None)
        for pause, label in offered
    )
    return element("select", *options, id="speed")


def _run(run: Run) -> Markup:
    story, found = run.story, frames(run.story)
    return element(
        "section",
        element("h2", run.label, element("span", story.title, class_="faint")),
        element("div", joined_steps(found, common_zone(story)), class_="steps", aria_live="polite"),
        _lanes(story, found),
        element("p", story.outcome, class_="outcome"),
        class_="run",
        data_run=run.key,
        data_notable=",".join(str(frame.step) for frame in found if frame.notable),
        aria_label=run.label,
    )


def _lanes(story: Story, found: tuple[Frame, ...]) -> Markup:
    lane = min(_LANE_MAX, max(_LANE_MIN, (_LANES_ROOM - GUTTER) / max(1, len(lanes(story)))))
    sheet = Sheet(lanes(story), lane, common_zone(story))
    wide, tops = sheet.breadth, [heads(sheet, frame) for frame in found]
    tall = max(top.height for top in tops)
    shown = (
        element(
            "div",
            element("svg", top.markup, viewBox=f"0 0 {wide:g} {tall:g}", class_="story", aria_hidden="true"),
            data_step=frame.step,
            class_="heads",
        )
        for frame, top in zip(found, tops, strict=True)
    )
    body = rows(sheet, found[1:])
    picture = element(
        "svg",
        element("title", f"{story.title}: the steps in lanes; the list below says the same in words"),
        body.markup,
        viewBox=f"0 0 {wide:g} {body.height:g}",
        class_="story body",
        role="img",
    )
    inside = element("div", element("div", *shown, class_="pinned"), picture, class_="sheet")
    return element("div", inside, class_="lanes", tabindex=0, role="region", aria_label="lanes")


def _bottom(runs: tuple[Run, ...], sources: tuple[Source, ...], beside: Beside | None) -> Markup:
    lists = (
        element(
            "section",
            element("h3", f"{run.label}, as text"),
            element("ol", *(_item(run, step) for step in range(len(run.story.moments)))),
            element("p", run.story.outcome),
            class_="list",
        )
        for run in runs
    )
    told = (
        element("li", element("b", one.tag), " ", element("a", one.text, href=one.url) if one.url else one.text)
        for one in sources
    )
    legend = element("p", " · ".join(CERTAINTY.values()), class_="faint")
    shown_by = element("p", "Made by ", element("code", runs[0].story.replayed_by), class_="faint")
    return element(
        "footer",
        *([beside.listed] if beside else []),
        element("div", *lists, class_="lists"),
        *([element("h3", "Sources"), element("ul", *told), legend] if sources else []),
        *([shown_by] if runs[0].story.replayed_by else []),
    )


def _item(run: Run, place: int) -> Markup:
    moment = run.story.moments[place]
    said = [element("b", moment.actor), f" {moment.text}. "]
    if moment.refused:
        said.append(element("span", f"Refused: {moment.refused}. ", class_="watch"))
    if moment.violation:
        said.append(element("span", f"✗ {moment.violation}. ", class_="bad"))
    answers = "; ".join(f"{one.name}: {one.status}, {len(one.addresses)} addresses" for one in moment.scene.answers)
    if moment.caption or moment.source:
        source = moment.source or CERTAINTY[moment.certainty]
        said.append(element("span", f"{moment.caption} [{source}] ", class_="why"))
    said.append(element("span", answers, class_="faint"))
    return element("li", *said)
