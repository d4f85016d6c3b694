"""What differs between two readings of a configuration, in its own terms and without a secret. Pure."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from standfast.config.rolekeys import RoleKeys
from standfast.config.schema import Config
from standfast.config.secrets import TsigKey

_IDENTITY: Final = ("name", "id")
_SILENT: Final = frozenset({"file", "digest"})
_AT_START: Final = ("signals.journal", "signals.metrics", "web: ")
"""A process opens its journal and its port for metrics once; and which roles there are is settled at the start."""
_INNER: Final = ("sources.declared.", "signals.")
"""Ours, not the file's: there it is plainly `load_balancers`, `notify`."""
_TEXT_MAX: Final = 60


def differences(was: Config, now: Config) -> tuple[str, ...]:
    """Each a phrase such as `endpoints.www.lb.example.com.azs: [] → [a, b]`, in the order of the sections."""
    return tuple(_worded(one) for one in _between("", was, now))


def _worded(found: str) -> str:
    text = found
    for inner in _INNER:
        text = text.removeprefix(inner)
    return f"{text} (needs a restart)" if found.startswith(_AT_START) else text


def fixed(was: Config, now: Config) -> tuple[str, ...]:
    """What differs and can't be changed while running, in words."""
    found = []
    if was.stream != now.stream:
        found.append(f"stream: {was.stream} → {now.stream}")
    if was.state_dir != now.state_dir:
        found.append(f"state: {was.state_dir} → {now.state_dir}")
    if was.store != now.store:
        found.append(f"store: {was.store} → {now.store}")
    served = [sorted((z.name, z.host, z.port) for z in one.zones if z.provider == "embedded") for one in (was, now)]
    if served[0] != served[1]:
        found.append("zones of the embedded nameserver")
    return tuple(found)


def _between(path: str, was: Any, now: Any) -> Iterator[str]:
    if was == now:
        return
    if isinstance(was, RoleKeys | TsigKey) or isinstance(now, RoleKeys | TsigKey):
        yield f"{path}: other keys"
    elif is_dataclass(was) and type(was) is type(now):
        for field in fields(was):
            inner = f"{path}.{field.name}" if path else field.name
            before, after = getattr(was, field.name), getattr(now, field.name)
            if not field.repr and field.init and before != after:  # a secret
                yield f"{inner}: another one"
            elif field.name != "tsig" and (path or field.name not in _SILENT):  # `keys` has it too
                yield from _between(inner, before, after)
    elif _named(was) or _named(now):
        yield from _by_name(path, was, now)
    else:
        yield f"{path}: {_text(was)} → {_text(now)}"


def _named(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(is_dataclass(one) and _name(one) for one in value)


def _name(one: Any) -> str:
    return next((str(getattr(one, name)) for name in _IDENTITY if hasattr(one, name)), "")


def _by_name(path: str, was: Any, now: Any) -> Iterator[str]:
    before, after = ({_name(one): one for one in some} for some in (was or (), now or ()))
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}: − {name}"
    for name in sorted(after.keys() - before.keys()):
        yield f"{path}: + {name}"
    for name in sorted(before.keys() & after.keys()):
        yield from _between(f"{path}.{name}", before[name], after[name])


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        text = f"[{', '.join(_text(one) for one in value)}]"
    elif is_dataclass(value):
        text = "given"
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = str(value.name) if isinstance(value, Path) else str(value)
        if "://" in text:  # the query of a URL may be a secret
            text = re.sub(r"\?.*", "?…", text)
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"
