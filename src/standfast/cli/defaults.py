"""`standfast explain defaults`: every default, where it is set, why it is so, and who says so."""

from standfast.model.defaults import DEFAULTS

from .wording import as_text, dump


def show_defaults(*, as_json: bool) -> None:
    """All of them, as text or as one JSON object."""
    if as_json:
        dump(
            {
                "defaults": [
                    {
                        "setting": one.setting,
                        "key": one.key or None,
                        "value": list(one.value) if isinstance(one.value, tuple) else one.value,
                        "shown": one.shown,
                        "reason": one.reason,
                        "source": one.source,
                    }
                    for one in DEFAULTS
                ]
            }
        )
        return
    lines = []
    for one in DEFAULTS:
        lines.append(f"{one.setting}: {one.shown}" + (f"   [{one.key}]" if one.key else ""))
        lines.append(f"    {one.reason}" + (f" ({one.source})" if one.source != "judgement" else ""))
    as_text(
        [
            *lines,
            "",
            "To set one: standfast.yaml, section and key as in brackets; `standfast check` says what it means.",
        ]
    )
