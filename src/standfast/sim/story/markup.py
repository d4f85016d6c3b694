"""Elements of SVG and HTML from values. Whatever is not markup already is escaped, without exception."""

from html import escape
from typing import Final

_VOID: Final = frozenset({"meta", "input", "br", "rect", "line", "path", "circle", "polygon", "use"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: str) -> Markup:
    """The value as text: escaped, and without the control characters that no document may hold."""
    return Markup(escape("".join(c if c.isprintable() or c == "\n" else "�" for c in value)))


def joined(*parts: str, between: str = "") -> Markup:
    """Parts one after the other; plain strings among them are escaped."""
    return Markup(between.join(part if isinstance(part, Markup) else text(part) for part in parts))


def element(tag: str, *inside: str, **attributes: object) -> Markup:
    """Such as `element("p", "a < b", class_="note", data_step=3)`. An attribute of None or "" is left out."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(_attribute(value))}"'
        for name, value in attributes.items()
        if value is not None and value != ""
    )
    if tag in _VOID and not inside:
        return Markup(f"<{tag}{given}/>")
    return Markup(f"<{tag}{given}>{joined(*inside)}</{tag}>")


def _attribute(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
