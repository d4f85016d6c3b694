"""`docs/configuration.md` from the JSON Schema that is shipped: `python -m tools.configuration` writes it anew.

Each object of the schema becomes a section with one row a key. What a key means stands in the schema, where editors
show it too; a key without meaning is an error here, so that none stays undocumented.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

ROOT: Final = Path(__file__).parent.parent
SCHEMA: Final = ROOT / "src/standfast/standfast.schema.json"
PAGE: Final = ROOT / "docs/configuration.md"
_HEAD: Final = """# Configuration

One file, `standfast.yaml` (YAML 1.2: `no` is a name, an address is never a number). `standfast check` finds every
problem at once, each with line and remedy. The same as JSON Schema, for editors:
[standfast.schema.json](../src/standfast/standfast.schema.json); put
`# yaml-language-server: $schema=standfast.schema.json` into the first line. Why a default is what it is:
`standfast explain defaults`. Begin with [examples/bind.yaml](../examples/bind.yaml).

This page is generated from the schema (`make documents`).
"""
_TYPES: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "mapping",
    "array": "list",
    "null": "nothing",
}
_PATTERNS: Final = {
    "^(env|file):.+$": "`env:NAME` or `file:PATH`",
    "^/[!-~]*$": "path, such as `/healthz`",
}
_SCALARS: Final = {
    "duration": "time, such as `500ms`, `5s`, `10m`, `1d`",
    "percent": "share, such as `34%`",
    "removal": "share within a time, such as `34% in 10m`",
    "identifier": "name",
    "port": "port",
    "address": "IP address",
}


def page(schema: Schema) -> str:
    """The whole page. Raises ValueError naming every key that has no meaning."""
    missing: list[str] = []
    parts = [_HEAD]
    for name, node in _sections(schema):
        title = "The file" if not name else f"`{name}`"
        parts.append(f"## {title}\n")
        if text := node.get("description"):
            parts.append(f"{text}\n")
        parts.append(_table(name, node, schema, missing))
        if choice := _choices(node):
            parts.append(f"{choice}\n")
    if missing:
        raise ValueError(f"no description in {SCHEMA.name}: {', '.join(missing)}")
    return "\n".join(parts)


def _sections(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The root, then every definition that is an object with keys of its own."""
    yield "", schema
    for name, node in schema["$defs"].items():
        if node.get("properties"):
            yield name, node


def _table(section: str, node: Schema, schema: Schema, missing: list[str]) -> str:
    rows = ["| key | value | meaning |", "|---|---|---|"]
    required = set(node.get("required", ()))
    for key, value in node["properties"].items():
        meaning = value.get("description") or _referred(value, schema).get("description", "")
        if not meaning:
            missing.append(f"{section}.{key}".strip("."))
        needed = " **Needed.**" if key in required else ""
        rows.append(f"| `{key}` | {_value(value, schema)} | {meaning}{needed} |".replace("||", "|"))
    return "\n".join(rows) + "\n"


def _referred(node: Schema, schema: Schema) -> Schema:
    reference = node.get("$ref", "")
    return schema["$defs"][reference.rsplit("/", 1)[1]] if reference else node


def _value(node: Schema, schema: Schema) -> str:
    """What may stand there, in a few words."""
    if reference := node.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        target = schema["$defs"][name]
        if target.get("properties"):
            return f"[{name}](#{name})"
        return _SCALARS.get(name) or _value(target, schema)
    for several in ("oneOf", "anyOf"):
        if several in node and not node.get("properties"):
            kinds = list(dict.fromkeys(_value(one, schema) for one in node[several]))
            return " or ".join(kinds)
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{one}`" for one in node["enum"])
    if "pattern" in node and node["pattern"] in _PATTERNS:
        return _PATTERNS[node["pattern"]]
    return _typed(node, schema)


def _typed(node: Schema, schema: Schema) -> str:
    kind = node.get("type", "object")
    kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
    if kind == "array":
        return f"list of: {_value(node.get('items', {}), schema)}"
    if kind == "object" and isinstance(node.get("additionalProperties"), dict):
        return f"names, each with: {_value(node['additionalProperties'], schema)}"
    least, most = node.get("minimum"), node.get("maximum")
    bounds = f", {least} to {most:,}" if least is not None and most is not None else ""
    return f"{_TYPES[kind]}{bounds}"


def _choices(node: Schema) -> str:
    """Keys of which exactly one must be there."""
    groups = [tuple(one.get("required", ())) for one in node.get("oneOf", ()) if isinstance(one, dict)]
    if not groups or not all(groups):
        return ""
    return f"Exactly one of {', '.join(' with '.join(f'`{key}`' for key in group) for group in groups)} is needed."


def written() -> str:
    """The page as it should stand in `docs/`."""
    return page(json.loads(SCHEMA.read_text(encoding="utf-8")))


if __name__ == "__main__":
    try:
        PAGE.write_text(written(), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"{error}. Say there what it means.")
