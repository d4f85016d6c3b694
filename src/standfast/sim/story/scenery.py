"""One step of a story in HTML: what happened, the zone as a tree with ghosts, what `dig` says, beliefs, store.

Colour only repeats what a word and a shape say already.
"""

from collections.abc import Collection, Iterable
from typing import Final

from .diagram import stop_sign
from .frames import Branch, Frame, Part, short, titled
from .markup import Markup, element, joined
from .story import Answer, Certainty

CERTAINTY: Final[dict[Certainty, str]] = {"published": "● published", "inferred": "◐ inferred", "ours": "○ ours"}
_STATES: Final = {"new": "+ new", "changed": "~ changed", "gone": "✗ deleted", "stands": ""}


def step_article(frame: Frame, zone: str) -> Markup:
    """Everything about a step but its place in the lanes. `zone` is the domain left out of short names."""
    return element(
        "article",
        element("div", *_told(frame), class_="told"),
        element(
            "div",
            _panel("Zone", _zone(frame, zone), kind="zone"),
            _panel("What dig says", *map(_dig, frame.answers), kind="digs"),
            *_lists(frame),
            class_="scene",
        ),
        class_="step",
        data_step=frame.step,
    )


def _told(frame: Frame) -> Iterable[Markup]:
    moment = frame.moment
    if moment is None:
        yield element("h3", element("span", "Before", class_="count"), " how it begins")
        return
    yield element(
        "h3", element("span", f"Step {frame.step}", class_="count"), f" {moment.actor} ", element("b", moment.text)
    )
    if moment.refused:
        clauses = (element("li", clause) for clause in moment.refused.split("; "))
        sign = element("svg", stop_sign(12, 12), viewBox="0 0 24 24", class_="story sign", aria_hidden="true")
        yield element("div", sign, element("strong", " refused"), element("ul", *clauses), class_="refused")
    if moment.violation:
        yield element("p", element("strong", f"✗ {moment.violation}"), class_="broken")
    if moment.caption:
        yield element("p", moment.caption, class_="caption")
    if moment.prevented_by:
        yield element("p", "Prevented by any of: ", element("b", ", ".join(moment.prevented_by)), class_="by")
    if moment.caption or moment.source:
        said = f"{CERTAINTY[moment.certainty]} · {moment.source}" if moment.source else CERTAINTY[moment.certainty]
        yield element("p", said, class_="source")


def _panel(title: str, *inside: Markup | str, kind: str = "") -> Markup:
    return element("section", element("h4", title), *inside, class_=f"panel {kind}".strip())


def _zone(frame: Frame, zone: str) -> Markup:
    inside = [_branch(branch, zone) for branch in frame.tree]
    inside += [element("li", _part(part, zone)) for part in frame.lone]
    return element("ul", *inside, class_="tree") if inside else element("p", "nothing stands in it", class_="faint")


def _branch(branch: Branch, zone: str) -> Markup:
    owner = branch.part.record.owner
    if branch.again:
        return element("li", element("span", f"↑ {short(owner, zone)}", class_="again"))
    line = _part(branch.part, zone, {one.part.record.owner for one in branch.below})
    if not branch.below:
        return element("li", line)
    if all(one.part.record.what == "leaf" and not one.below for one in branch.below):
        leaves = (element("li", _part(one.part, owner, leaf=True)) for one in branch.below)
        return element("li", line, element("ul", *leaves, class_="leaves"))
    return element("li", line, element("ul", *(_branch(one, zone) for one in branch.below)))


def _classes(part: Part) -> str:
    return f"part {part.state}{' fresh' if part.fresh else ''}{' dangling' if part.dangling else ''}"


def _part(part: Part, zone: str, below: Collection[str] = (), *, leaf: bool = False) -> Markup:
    """One line. `below` are the owners drawn as its branches: they need not be listed."""
    return element("span", *_words(part, zone, below, leaf), class_=_classes(part))


def _words(part: Part, zone: str, below: Collection[str], leaf: bool) -> Iterable[Markup]:
    record = part.record
    if not leaf:
        yield element("span", record.what, class_="what")
        yield Markup(" ")
    yield element("del" if part.ghost else "b", titled(record, zone))
    contents = [short(one, zone) for one in record.contents if one != record.points_to and one not in below]
    if record.points_to:
        contents.insert(0, f"→ {short(record.points_to, zone)}")
    if contents:
        yield element("span", " " + " ".join(contents), class_="contents")
    if part.dangling:
        yield element("em", " refers to nothing", class_="bad")
    if (said := _STATES[part.state]) and not (leaf and part.ghost):  # its set says so already
        yield element("em", f" {said}")


def _dig(told: tuple[Answer, bool]) -> Markup:
    answer, fresh = told
    count = f"ANSWER: {len(answer.addresses)}"
    lines = [f"$ dig {answer.name}\nstatus: {answer.status}, "]
    rows = "\n" + " ".join(answer.addresses) if answer.addresses else ""
    bad = answer.below_minimum or not answer.addresses
    head = element("strong", f"{count} ✗" if bad else count, class_="bad" if bad else "good")
    return element("pre", *lines, head, rows, class_="fresh" if fresh else None)


def _lists(frame: Frame) -> Iterable[Markup]:
    for title, notes in (("Under way", frame.flights), ("Store", frame.store)):
        if notes:
            items = (element("li", note.text, class_="fresh" if note.fresh else None) for note in notes)
            yield _panel(title, element("ul", *items))
    if frame.beliefs:
        items = (
            element("li", element("b", one.actor), f" {one.text}", class_="fresh" if one.fresh else None)
            for one in frame.beliefs
        )
        yield _panel("What each believes", element("ul", *items), kind="beliefs")


def joined_steps(found: tuple[Frame, ...], zone: str) -> Markup:
    """All steps, the beginning first."""
    return joined(*(step_article(frame, zone) for frame in found))
