"""The Grafana board, made of the list of metrics: `deploy/grafana/standfast.json`, by `python -m tools.signals`.

Counters are shown as rates, histograms as median and 99th percentile, gauges as they are; one row for each of the
list's rows. What is not in the list is not on the board, and the other way round.
"""

from collections.abc import Iterator
from typing import Any, Final

from ..phrases import capital
from .metrics import METRICS, Metric

ROWS: Final = ("Answers", "Health", "Plans", "Writes", "Journal and notifications", "Processes")
_WIDTH: Final = 8
_HEIGHT: Final = 7
_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
_WHERE: Final = 'job=~"$job"'


def expressions(one: Metric) -> list[tuple[str, str]]:
    """(expression, legend) of a metric's panel."""
    by = ", ".join(one.labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in one.labels) or "{{instance}}"
    if one.kind == "counter":
        grouped = f"sum by ({by or 'instance'}) (rate({one.name}{{{_WHERE}}}[5m]))"
        return [(grouped, legend)]
    if one.kind == "histogram":
        rate = f"sum by (le) (rate({one.name}_bucket{{{_WHERE}}}[5m]))"
        return [(f"histogram_quantile({share}, {rate})", f"{name} of 5 min") for share, name in _QUANTILES]
    return [(f"max by ({by or 'instance'}) ({one.name}{{{_WHERE}}})", legend)]


_QUANTILES: Final = ((0.5, "median"), (0.99, "99 %"))


def board() -> dict[str, Any]:
    """The board as Grafana imports it (schema 39: version 10.4 and newer)."""
    return {
        "title": "Standfast",
        "uid": "standfast",
        "description": "Generated from the list of metrics; edit a copy.",
        "tags": ["dns", "standfast"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"},
                {
                    "name": "job",
                    "type": "query",
                    "label": "Job",
                    "datasource": _SOURCE,
                    "query": "label_values(standfast_process_info, job)",
                    "refresh": 2,
                    "includeAll": True,
                    "multi": True,
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "annotations": {
            "list": [
                {
                    "name": "Plans",
                    "enable": True,
                    "datasource": _SOURCE,
                    "expr": f"sum(increase(standfast_plans_total{{{_WHERE}}}[1m])) > 0",
                    "iconColor": "blue",
                }
            ]
        },
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for row in ROWS:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": 1, "w": 24, "x": 0, "y": top},
        }
        some = [one for one in METRICS if one.row == row]
        for place, one in enumerate(some):
            number += 1
            x, y = place % 3 * _WIDTH, top + 1 + place // 3 * _HEIGHT
            yield _panel(one, number, {"h": _HEIGHT, "w": _WIDTH, "x": x, "y": y})
        top += 1 + (len(some) + 2) // 3 * _HEIGHT


def _panel(one: Metric, number: int, place: dict[str, int]) -> dict[str, Any]:
    unit = "ops" if one.kind == "counter" else one.unit
    return {
        "id": number,
        "type": "timeseries",
        "title": _title(one),
        "description": f"{one.help} Why: {one.reason}. ({one.name})",
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + letter), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for letter, (expression, legend) in enumerate(expressions(one))
        ],
    }


def _title(one: Metric) -> str:
    words = one.name.removeprefix("standfast_").removesuffix("_total").replace("_", " ")
    return capital(words)
