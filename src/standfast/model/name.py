"""Owner names: lower-case, absolute, without the trailing dot; and where markers and floors live.

Standfast writes below one subtree of each zone, `_standfast.<apex>`. A marker *below* its endpoint would make
an empty non-terminal there, and so switch off a wildcard (RFC 4592 §2.2.2); one subtree also suits the update
policies of BIND and Knot.
"""

import hashlib
import re
from functools import lru_cache
from typing import Final

SUBTREE: Final = "_standfast"
FLOOR_LABEL: Final = "_floor"
FIRST_LABEL: Final = "_first"
TREE_LABEL: Final = "_tree"
ROLLBACK_LABEL: Final = "_rollback"
_RESERVED_LABELS: Final = frozenset({SUBTREE, FLOOR_LABEL, FIRST_LABEL, TREE_LABEL, ROLLBACK_LABEL, "_any", "_apex"})
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_STREAM: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?\Z")
_OCTETS_MAX: Final = 255
"""Longest owner name on the wire, root label included (RFC 1035 §2.3.4)."""
TREE_ROOM: Final = 64 + 16
"""Octets of a tree's names in front of its parent: a label of a leaf, and the since in 15 digits."""


def parse_name(text: str) -> str:
    """The owner name meant by `text`: lower case (RFC 4343), absolute, no trailing dot.

    Letters, digits, hyphen and underscore; `*` as the whole leftmost label (RFC 4592 §2.1.1).
    Raises ValueError with a sentence that says what is wrong and how to write it.
    """
    name = text.strip().lower().removesuffix(".")
    if not name:
        raise ValueError("the name is empty; write it in full, such as www.example.com")
    if not name.isascii():
        raise ValueError(f"{text!r} is not ASCII; write its A-label (xn--…)")
    for place, label in enumerate(name.split(".")):
        if label == "*" and place == 0:
            continue
        if not _LABEL.match(label):
            raise ValueError(_label_problem(text, label))
    if len(name) + 2 > _OCTETS_MAX:
        raise ValueError(f"{text!r} takes {len(name) + 2} octets; a name has at most {_OCTETS_MAX}")
    return name


def _label_problem(text: str, label: str) -> str:
    if not label:
        return f"{text!r} has an empty label (two dots side by side, or a dot in front)"
    if len(label) > 63:
        return f"label {label[:20]}… of {text!r} has {len(label)} characters; a label has at most 63"
    if "*" in label:
        return f"{text!r}: `*` can only be the whole first label"
    return f"label {label!r} of {text!r}: use letters, digits, hyphen (not first or last) and underscore"


def parse_stream(text: str) -> str:
    """A stream's name: 1 to 32 of a-z, 0-9 and hyphen. Raises ValueError."""
    if not _STREAM.match(text):
        raise ValueError(f"stream {text!r}: use 1 to 32 of a-z, 0-9 and hyphen, not first or last")
    return text


def is_below(name: str, apex: str) -> bool:
    """Whether `name` is the apex or lies under it (both as `parse_name` gives them)."""
    return name == apex or name.endswith("." + apex)


def relative(name: str, apex: str) -> str:
    """`name` without the apex; empty for the apex itself. Raises ValueError if it lies outside."""
    if name == apex:
        return ""
    if not is_below(name, apex):
        raise ValueError(f"{name} is not in zone {apex}")
    return name[: -len(apex) - 1]


def reserved_label(name: str, apex: str) -> str | None:
    """The label that makes `name` unusable as an endpoint, if it has one: those are ours."""
    for label in relative(name, apex).split("."):
        if label in _RESERVED_LABELS or label.startswith("_h-"):
            return label
    return None


def subtree(apex: str) -> str:
    """The name under which every marker and floor of the zone lives."""
    return f"{SUBTREE}.{apex}"


@lru_cache(maxsize=65_536)
def marker_owner(name: str, apex: str) -> str:
    """Where the marker of endpoint `name` lives. Distinct endpoints have distinct owners."""
    return _under(name, apex, f"{SUBTREE}.{apex}")


def _under(name: str, apex: str, parent: str, room: int = 0) -> str:
    """The name that stands for endpoint `name` below `parent`, by a digest where it would be too long."""
    inner = relative(name, apex)
    if inner == "":
        inner = "_apex"
    elif inner == "*" or inner.startswith("*."):
        inner = "_any" + inner[1:]
    owner = f"{inner}.{parent}"
    if len(owner) + room + 2 > _OCTETS_MAX:
        return f"_h-{hashlib.sha256(name.encode()).hexdigest()[:32]}.{parent}"
    return owner


def tree_subtree(apex: str) -> str:
    """The name under which every tree of the zone lives."""
    return f"{TREE_LABEL}.{SUBTREE}.{apex}"


@lru_cache(maxsize=65_536)
def tree_parent(name: str, apex: str) -> str:
    """The name under which all trees of endpoint `name` live; each has its since in front, and its leaves below that.

    One for all trees of an endpoint, so that they stand side by side in a listing, the oldest first.
    """
    return _under(name, apex, tree_subtree(apex), TREE_ROOM)


def name_of_parent(parent: str, apex: str) -> str:
    """The endpoint whose trees live under that name; empty if it can't be told (a digest), or it is nobody's."""
    below = tree_subtree(apex)
    if parent == below or not is_below(parent, below):
        return ""
    inner = relative(parent, below)
    first, _, rest = inner.partition(".")
    if inner == "_apex":
        return apex
    name = ".".join(label for label in ("*" if first == "_any" else first, rest, apex) if label)
    if reserved_label(name, apex) or (first == "*"):
        return ""
    return name if tree_parent(name, apex) == parent else ""


@lru_cache(maxsize=65_536)
def rollback_owner(name: str, apex: str) -> str:
    """Where the rollback alias of endpoint `name` stands."""
    return _under(name, apex, f"{ROLLBACK_LABEL}.{SUBTREE}.{apex}")


def floor_owner(stream: str, apex: str) -> str:
    """Where the floor of `stream` lives in the zone."""
    return f"{stream}.{FLOOR_LABEL}.{SUBTREE}.{apex}"


def stream_of_floor(owner: str, apex: str) -> str:
    """Whose floor lives there; empty if none may."""
    below = f"{FLOOR_LABEL}.{SUBTREE}.{apex}"
    if owner == below or not is_below(owner, below):
        return ""
    stream = relative(owner, below)
    return stream if _STREAM.match(stream) else ""


def first_name(stream: str, apex: str) -> str:
    """The name of the zone's synthetic first entry: a marker and no rrsets."""
    return f"{stream}.{FIRST_LABEL}.{apex}"


@lru_cache(maxsize=65_536)
def name_to_wire(name: str) -> bytes:
    """Uncompressed wire form (RFC 1035 §3.1)."""
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"


def name_from_wire(wire: bytes) -> str:
    """The name in uncompressed wire form; odd octets appear as in RFC 1035 §5.1. Raises ValueError."""
    labels, at = [], 0
    while at < len(wire) and (length := wire[at]):
        if length > 63 or at + 1 + length > len(wire):
            raise ValueError("a name in wire form is cut off or compressed")
        labels.append("".join(_show_octet(octet) for octet in wire[at + 1 : at + 1 + length]))
        at += 1 + length
    if at + 1 != len(wire):
        raise ValueError("a name in wire form does not end where it should")
    return ".".join(labels)


def _show_octet(octet: int) -> str:
    character = chr(octet).lower()
    if character in '.\\"();@$':
        return "\\" + character
    return character if 33 <= octet <= 126 else f"\\{octet:03d}"
