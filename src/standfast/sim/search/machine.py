"""Python functions as machine code, kept in a cache that knows all their sources.

numba's own cache looks at the file of one function only and would go on using an old version of those it calls.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from numba import config, njit, types
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

SOURCES: Final = ("arrays.py", "kernel.py", "kernel_rows.py", "machine.py")


def cache_directory() -> Path | None:
    """Where machine code of exactly these sources is kept; none if nothing can be kept there.

    It belongs to the user: what is loaded from it is run.
    """
    digest = sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in SOURCES)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    directory = cache / "standfast" / f"search-{digest[:16]}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return directory if os.access(directory, os.W_OK) and directory.stat().st_uid == os.getuid() else None


_DIRECTORY: Final = cache_directory()


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, compiled when it is first called; the next process finds it ready."""
    before = config.CACHE_DIR  # type: ignore[attr-defined]  # made by numba as it is imported
    config.CACHE_DIR = str(_DIRECTORY or "")  # type: ignore[attr-defined]
    try:
        made: Callable[P, R] = njit(cache=_DIRECTORY is not None)(function)
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]
    return made


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """A function that only compiled ones call: it becomes a part of them and needs no way in from Python."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}
    made: Callable[P, R] = njit(**options)(function)
    return made


def _uncounted(context: Any, arrays: Any) -> Any:
    """The type of `borrowed` and how it is made: no array has a counter, so that there is nothing to count."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        for number, kind in enumerate(arrays.types):
            if isinstance(kind, types.Array):
                array = target.make_array(kind)(target, builder, value=builder.extract_value(value, number))
                array.meminfo = array.meminfo.type(None)
                value = builder.insert_value(value, array._getvalue(), number)
        return value

    return arrays(arrays), generate


borrowed: Callable[[T], T] = cast(Any, intrinsic(_uncounted))
"""In compiled code: the same named tuple with its arrays uncounted. Whoever called keeps them alive.

Otherwise each look at a field counts references up and down, atomically, which takes half of all time.
"""
