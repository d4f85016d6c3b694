"""The day's view of the page: a scrubber with what was published as stops, services as bars, curves, protections.

It stands beside the race on one page and on one clock. Everything that the script shows of a moment is in the data that
the page carries; every published time is in a table as well, for whoever reads without a script or a picture.
"""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

from standfast.sim.story.markup import Markup, element, joined
from standfast.sim.story.page import Beside, page
from standfast.sim.story.race import AS_BUILT, SOURCES, race_runs

from ..day import Day
from ..protections import SWITCHES, Family, Switch
from ..published import clock_of
from ..scoring import Score, Scored, score
from .packing import data, peaks, stops
from .slots import BEGINS_S
from .strips import curves, place_rules, strips
from .wording import LEGEND, clear, error, judged, mark, off, outage

TITLE: Final = "October 2025, us-east-1: how an endpoint was emptied, and why it took all day to come back"
LEAD: Final = (
    "The day comes from a model of the region that is told what people did, and when, and of nothing else. The race "
    "comes from the system as it was built, rebuilt from what was published, and from Standfast's production cores."
)
COMMAND: Final = "standfast replay october-2025"
_HEADLINES: Final = (
    ("dynamodb-emptied", "emptied"), ("dns-found", "found"), ("dynamodb-restored", "restored"),
    ("ec2-leases-whole", "leases"), ("nlb-failover-off", "NLB"), ("ecs-well", "end"),
)  # fmt: skip
_FAMILIES: Final[dict[Family, str]] = {
    "dns": "against emptying", "client": "of those who ask", "recovery": "of coming back"
}  # fmt: skip
_KEYS: Final = (("← →", "one published time"), ("Home End", "first, last"), ("j k", "next, previous that is scored"))


def october_page(days: Sequence[Day]) -> str:
    """Race and day on one page. The first of the days is the one as built."""
    found = score(days[0].milestones)
    return page(TITLE, LEAD, race_runs(), sources=SOURCES, view=AS_BUILT, beside=beside(days, found))


def beside(days: Sequence[Day], found: Score) -> Beside:
    """The view. Raises ValueError if the first day has protections: all others are compared with the day as built."""
    built = days[0]
    if built.protections:
        raise ValueError("the first day must be the one as built")
    style = f"{_file('day.css')}\n{place_rules(built, found)}"
    return Beside("The day", _controls(built, found), _main(days, found), _listed(found), style, _file("day.js"))


@cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _controls(day: Day, found: Score) -> Markup:
    lines = {line.milestone.id: line for line in stops(found)}
    headlines = (
        element("button", f"{lines[id].milestone.clock} {name}", type="button", data_stop=id)
        for id, name in _HEADLINES
        if id in lines
    )
    scrubber = element(
        "div",
        element("button", "◀", type="button", data_day="back", aria_label="one published time back"),
        element(
            "input", type="range", id="day", min=BEGINS_S, max=day.until, step=60, value=0, aria_label="time of day"
        ),
        element("button", "▶", type="button", data_day="on", aria_label="one published time on"),
        element("output", "23:48", id="day-where", aria_live="polite"),
        class_="scrubber",
    )
    named = element("div", *headlines, class_="views headlines", role="group", aria_label="Turning points, PDT")
    return element("nav", named, scrubber, class_="controls day-controls", hidden="hidden", aria_label="The day")


def _main(days: Sequence[Day], found: Score) -> Markup:
    built = days[0]
    said = element("p", f"As built: {outage(built)}; {clear(built)}. {judged(found)}", class_="faint")
    legend = element(
        "p",
        element("span", "", class_="swatch built"), " not answered, as built ",
        element("span", "", class_="swatch chosen"), " not answered, with what is ticked · ", LEGEND,
        class_="faint legend",
    )  # fmt: skip
    keys = element("p", *(element("span", element("kbd", key), f" {what}") for key, what in _KEYS), class_="keys faint")
    packed = Markup(data(days, found, COMMAND))
    return element(
        "section",
        said,
        _choices(),
        element("div", element("div", strips(built, found), legend, keys, class_="left"), _moment(), class_="grid"),
        curves(built, peaks(days)),
        Markup(f'<script type="application/json" id="day-data">{packed}</script>'),
        class_="day",
        aria_label="The day",
    )


def _choices() -> Markup:
    groups = (
        element(
            "fieldset", element("legend", f"{each}: {said}"), *map(_tick, (s for s in SWITCHES if s.family == each))
        )
        for each, said in _FAMILIES.items()
    )
    presets = (
        element("button", label, type="button", data_preset=value)
        for label, value in (("As built", "none"), ("recovery alone", "recovery"), ("everything", "all"))
    )
    return element(
        "details",
        element("summary", "What if? ", element("output", "as built", class_="chosen-said")),
        element("div", element("div", *presets, class_="views"), *groups, class_="groups"),
        element("p", "", class_="chosen-how faint"),
        class_="choices",
        open="open",
    )


def _tick(one: Switch) -> Markup:
    box = element("input", type="checkbox", data_protection=one.protection)
    return element("label", box, f" {one.protection}", title=one.says)


def _moment() -> Markup:
    """What is true at the cursor; the script fills it in."""
    return element(
        "aside",
        element("h3", element("span", "23:48", class_="count"), element("b", "", class_="happened")),
        element("p", "", class_="judged"),
        element("p", "", class_="source"),
        element("pre", "", class_="dig"),
        element("table", element("thead", element("tr", "")), element("tbody", ""), class_="now"),
        class_="moment panel",
        aria_live="polite",
    )


def _listed(found: Score) -> Markup:
    heads = ("PDT", "service", "published", "model", "off", "error", "", "source")
    rows = (_row(line) for line in stops(found))
    table = element(
        "table",
        element("thead", element("tr", *(element("th", one) for one in heads))),
        element("tbody", *rows),
    )
    return element(
        "section",
        element("h3", "The day, as text"),
        element("p", judged(found)),
        element("div", table, class_="wide"),
        element("p", LEGEND, class_="faint"),
        class_="day-list",
    )


def _row(line: Scored) -> Markup:
    one = line.milestone
    given = one.is_input or one.kind == "report"
    model = "input" if one.is_input else "" if given else "–" if line.model_s is None else clock_of(line.model_s)
    cells = (one.clock, one.service, one.what, model, off(line), error(line), mark(line))
    why = element("span", f" Not scored: {line.because}.", class_="faint") if line.because and not given else Markup("")
    return element(
        "tr",
        *(element("td", cell) for cell in cells),
        element("td", joined(f"● published · {one.source}.", why)),
        data_stop=one.id,
        data_kind=one.kind,
    )
