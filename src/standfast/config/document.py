"""The YAML document as nodes that know their line: every scalar stays the text that was written.

YAML 1.2 has no room for surprises here because nothing is resolved: `no` is a name, `2001:10:0:0:0:0:0:1` an
address, `010` is `010`. The parser's events are read one by one, so that depth, size and what aliases add stay
bounded whatever the text is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from standfast.errors import Problem

BYTES_MAX: Final = 4 * 1024 * 1024
LINE_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 32
ALIASED_NODES_MAX: Final = 10_000
PROBLEMS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text, both from 1; line 0 is the file as a whole."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written. `empty` if nothing at all was written (`key:`)."""

    text: str
    mark: Mark
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys are unique; `entries` keeps the order of the text."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    mark: Mark


Node: TypeAlias = Scalar | Sequence | Mapping

WHOLE_FILE: Final = Mark(0, 0)


@dataclass(slots=True)
class Findings:
    """What was found in one file: `problems` make it unusable, `notes` do not."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def problem(self, mark: Mark, path: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.file, mark.line, mark.column, path, message, remedy))

    def note(self, mark: Mark, path: str, message: str, remedy: str) -> None:
        self.notes.append(Problem(self.file, mark.line, mark.column, path, message, remedy))

    def in_order(self) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Problems (the first `PROBLEMS_MAX`, and how many more) and notes, in the order of the file."""
        problems = sorted(self.problems, key=_place)
        if (more := len(problems) - PROBLEMS_MAX) > 0:
            rest = Problem(self.file, 0, 0, "", f"{more} more problems.", "Mend those above first.")
            problems = [*problems[:PROBLEMS_MAX], rest]
        return tuple(problems), tuple(sorted(self.notes, key=_place))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def shown(text: str) -> str:
    """`text` in quotes for a message: short, one line, printable."""
    cut = text if len(text) <= 60 else text[:59] + "…"
    return f'"{cut}"' if cut.isprintable() else ascii(cut)


def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The known word that `word` was probably meant to be."""
    close = get_close_matches(word[:80].lower(), known, n=1, cutoff=0.6)
    return close[0] if close else None


def suggestion(word: str, known: tuple[str, ...], otherwise: str) -> str:
    """The remedy for an unknown word: the nearest known one, or `otherwise`."""
    meant = nearest(word, known)
    return f"Did you mean {meant}?" if meant else otherwise


def parse(text: str, findings: Findings) -> Node | None:
    """The document in `text`; None if it has no usable one (the findings say why). Never raises."""
    if not _within_bounds(text, findings):
        return None
    builder = _Builder(findings)
    try:
        for event in YAML(pure=True).parse(text):
            builder.take(event)
    except _Stop:
        return None
    except MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(at.line + 1, at.column + 1) if at else WHOLE_FILE
        what = " ".join(str(error.problem or "it cannot be read").split())
        findings.problem(mark, "", f"This is not YAML: {what}.", "Mind indentation, brackets and quotes.")
        return None
    except (YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError, AssertionError):
        # The parser's own slips on odd input are the input's problem, not a traceback.
        remedy = "Look for control characters, tags and directives (%…)."
        findings.problem(WHOLE_FILE, "", "This is not YAML that can be read.", remedy)
        return None
    if builder.root is None and not findings.problems:
        findings.problem(WHOLE_FILE, "", "The file is empty.", "Start from examples/bind.yaml.")
    return builder.root


def _within_bounds(text: str, findings: Findings) -> bool:
    if len(text) > BYTES_MAX or len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        remedy = "Keep it under 4 MiB; move the load balancers to a file of their own (from: file)."
        findings.problem(WHOLE_FILE, "", "The file is too large.", remedy)
        return False
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LINE_MAX:
            message = f"The line has {len(line)} characters."
            findings.problem(Mark(number, LINE_MAX), "", message, f"Break it: at most {LINE_MAX}.")
            return False
    return True


class _Stop(Exception):
    """The document is hopeless; the reason is among the findings."""


@dataclass(slots=True)
class _Frame:
    """A collection being read: `key` is the mapping's key that waits for its value."""

    is_mapping: bool
    mark: Mark
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Scalar | None = None
    nodes: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Built:
    """A finished node with the number of nodes in it and the levels it has, aliases followed."""

    node: Node
    nodes: int
    height: int


class _Builder:
    """Builds the tree from the parser's events without recursion."""

    def __init__(self, findings: Findings) -> None:
        self.root: Node | None = None
        self._findings = findings
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Built] = {}
        self._aliased = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        mark = Mark(event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else WHOLE_FILE
        if getattr(event, "tag", None):
            self._problem(mark, "Tags (!…) mean nothing here.", "Leave the tag out; quote a text that begins with !.")
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._stop(mark, "A second document begins here (---).", "Keep one document in a file.")
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._frames) >= DEPTH_MAX:
                self._stop(mark, "This is nested too deeply.", f"At most {DEPTH_MAX} levels make sense.")
            self._frames.append(_Frame(kind == "MappingStartEvent", mark, event.anchor))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close(self._frames.pop())
        elif kind == "ScalarEvent":
            empty = event.style is None and event.value in ("", "~", "null")
            # An empty value is reported by the parser where the next thing stands: point at its key instead.
            here = self._frames[-1].key.mark if empty and self._frames and self._frames[-1].key else mark
            self._put(_Built(Scalar(event.value, here, empty), 1, 1), event.anchor)
        elif kind == "AliasEvent":
            self._alias(event.anchor, mark)

    def _close(self, frame: _Frame) -> None:
        node: Node
        if frame.is_mapping:
            node = Mapping(tuple(frame.entries.values()), frame.mark)
        else:
            node = Sequence(tuple(frame.items), frame.mark)
        self._put(_Built(node, frame.nodes, frame.height), frame.anchor)

    def _alias(self, anchor: str, mark: Mark) -> None:
        built = self._anchors.get(anchor)
        if built is None:
            message = f"*{anchor[:40]} refers to nothing that is complete here."
            self._stop(mark, message, f"Write &{anchor[:40]} at something that ends before this place.")
            return
        self._aliased += built.nodes
        if self._aliased > ALIASED_NODES_MAX or len(self._frames) + built.height > DEPTH_MAX:
            self._stop(mark, "Aliases (*…) blow this file up.", "Write the values out.")
        self._put(built, None)

    def _put(self, built: _Built, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = built
        if not self._frames:
            self.root = built.node
            return
        frame = self._frames[-1]
        frame.nodes += built.nodes
        frame.height = max(frame.height, built.height + 1)
        if not frame.is_mapping:
            frame.items.append(built.node)
        elif frame.key is None:
            frame.key = self._as_key(built.node)
        else:
            self._enter(frame, frame.key, built.node)
            frame.key = None

    def _as_key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        self._problem(node.mark, "A key is a single word, not a list or a mapping.", "Write `key: value`.")
        return Scalar(f"\0{node.mark.line}:{node.mark.column}", node.mark)

    def _enter(self, frame: _Frame, key: Scalar, value: Node) -> None:
        if key.text.startswith("\0"):
            return
        if key.text in frame.entries:
            first = frame.entries[key.text][0].mark.line
            message = f"{shown(key.text)} stands here a second time; first in line {first}."
            self._problem(key.mark, message, "Keep one of the two.")
            return
        frame.entries[key.text] = (key, value)

    def _path(self) -> str:
        return join(*(_step(frame) for frame in self._frames))

    def _problem(self, mark: Mark, message: str, remedy: str) -> None:
        self._findings.problem(mark, self._path(), message, remedy)
        if len(self._findings.problems) > PROBLEMS_MAX:
            raise _Stop

    def _stop(self, mark: Mark, message: str, remedy: str) -> None:
        self._problem(mark, message, remedy)
        raise _Stop


def _step(frame: _Frame) -> str:
    if frame.is_mapping:
        return frame.key.text if frame.key else ""
    return f"[{len(frame.items)}]"


def join(*steps: str) -> str:
    """A path such as `endpoints.www.azs[0]` from its steps."""
    return "".join(_joined(steps)).removeprefix(".")


def _joined(steps: tuple[str, ...]) -> Iterator[str]:
    for step in steps:
        if step:
            clean = step if step.isprintable() else ascii(step)
            yield clean if clean.startswith("[") else "." + clean[:80]
