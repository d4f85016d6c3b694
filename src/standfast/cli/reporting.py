"""`--json` of commands that change something: one object on standard output, and what people read beside it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TypeAlias

from .wording import dump

Facts: TypeAlias = dict[str, Any]
"""What a command did, for programs; it is filled while it works."""


@contextmanager
def reported(as_json: bool) -> Iterator[Facts]:
    """Gives the facts, and prints them at the end if `as_json`: then the lines for people, and the question, go to
    standard error. Whoever fails or is refused says why there, and prints no object."""
    facts: Facts = {}
    if not as_json:
        yield facts
        return
    with redirect_stdout(sys.stderr):
        yield facts
    dump(facts)
