"""The alerts and the board: as checked in, as Prometheus understands them, firing when they should and only then."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tools.signals import BOARD, PAGE, ROOT, RULES, board_text, page_text, rules_text

from standfast.runtime.monitoring.alerts import ALERTS
from standfast.runtime.monitoring.board import ROWS, board, expressions
from standfast.runtime.monitoring.metrics import BY_NAME, METRICS

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

Series = dict[str, str]
FINE: Series = {
    'standfast_process_info{instance="p", role="planner", stream="main"}': "1x200",
    'standfast_pass_age_seconds{instance="p"}': "3x200",
    'standfast_look_age_seconds{instance="e"}': "1x200",
    'standfast_round_age_seconds{instance="m", server="ns1"}': "4x200",
    'standfast_server_behind_seconds{instance="m", server="ns2"}': "0x200",
    'standfast_guarded_names{instance="m", rule="panic"}': "0x200",
    'standfast_guarded_names{instance="m", rule="velocity"}': "3x200",
    'standfast_contested_name{instance="e", name="www.lb.example.com"}': "1x200",
    'standfast_wrong_name{instance="m", name="www.lb.example.com", server="ns1", state="behind"}': "1x200",
}
WRONG: dict[str, tuple[Series, tuple[str, ...], int, str]] = {
    "StandfastAnswerWrong": (
        {'standfast_wrong_name{name="www", server="ns2", state="empty"}': "_x4 1x100"},
        (),
        6,
        "www: ns2 answers it empty, and another answer is planned.",
    ),
    "StandfastHeld": (
        {'standfast_held_name{name="www", how="held"}': "1x200"},
        (),
        61,
        "www is held for more than an hour: failover is off for it.",
    ),
    "StandfastPanic": (
        {'standfast_guarded_names{instance="m", rule="az_loss"}': "2x200"},
        (),
        2,
        "A guard (az_loss) keeps load balancers in the answer of 2 endpoints that health checks would take out.",
    ),
    "StandfastPlanStale": (
        {'standfast_pass_age_seconds{instance="p"}': "0+60x200"},
        ('standfast_pass_age_seconds{instance="p"}',),
        19,
        "No plan was looked at for a quarter of an hour. No planner is running: a load balancer that dies stays in the "
        "answer.",
    ),
    "StandfastSecondaryBehind": (
        {'standfast_server_behind_seconds{instance="m", server="ns2"}': "0+60x200"},
        ('standfast_server_behind_seconds{instance="m", server="ns2"}',),
        5,
        "ns2 has served something older for 5m 0s: whoever asks it gets load balancers that left.",
    ),
    "StandfastTugOfWar": (
        {'standfast_contested_name{instance="e", name="api"}': "4x200"},
        (),
        1,
        "api was put back 4 times in ten minutes: somebody, or another tool, keeps changing it in DNS.",
    ),
    "StandfastEnactorsSilent": (
        {},
        ('standfast_look_age_seconds{instance="e"}',),
        2,
        "No enactor is running: nothing is written and nothing is repaired. (Or no monitor looks: then nobody knows "
        "what is answered.)",
    ),
}
TOO_LITTLE: dict[str, tuple[Series, tuple[str, ...], int]] = {
    "StandfastAnswerWrong": ({'standfast_wrong_name{name="www", server="ns2", state="silent"}': "1x200"}, (), 60),
    "StandfastHeld": ({'standfast_held_name{name="www", how="held"}': "1x50 _x150"}, (), 120),
    "StandfastPanic": ({'standfast_guarded_names{instance="m", rule="velocity"}': "9x200"}, (), 60),
    "StandfastPlanStale": ({'standfast_pass_age_seconds{instance="q"}': "0+60x200"}, (), 60),
    "StandfastSecondaryBehind": (
        {'standfast_server_behind_seconds{instance="m", server="ns3"}': "0 30 60 90 0 30 60 90 0x190"},
        (),
        60,
    ),
    "StandfastTugOfWar": ({'standfast_contested_name{instance="e", name="api"}': "2x200"}, (), 60),
    "StandfastEnactorsSilent": ({'standfast_look_age_seconds{instance="f"}': "0+60x200"}, (), 60),
}


def promtool(folder: Path, series: Series, minutes: int, expected: list[dict[str, Any]], alert: str) -> None:
    """`promtool test rules`: what fires of one alert after so many minutes of these series, one sample a minute."""
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": expected}],
            }
        ],
    }
    path = folder / "test.json"
    path.write_text(json.dumps(test), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def fires(folder: Path, series: Series, minutes: int, alert: str) -> list[str]:
    """Summaries of what fires, read off promtool's complaint that nothing was expected."""
    with pytest.raises(AssertionError) as caught:
        promtool(folder, series, minutes, [], alert)
    found = re.findall(r'summary="((?:[^"\\]|\\.)*)"', str(caught.value).replace('\\"', '"'))
    return list(dict.fromkeys(found))


def test_what_is_checked_in_is_what_the_code_says() -> None:
    assert RULES.read_text(encoding="utf-8") == rules_text(), "make documents"
    assert BOARD.read_text(encoding="utf-8") == board_text(), "make documents"
    assert PAGE.read_text(encoding="utf-8") == page_text(), "make documents"


def test_promtool_understands_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert (done.returncode, "7 rules found" in done.stdout) == (0, True), done.stdout + done.stderr


def test_there_are_seven_each_with_runbook_and_what_to_type() -> None:
    assert len(ALERTS) == 7
    loaded = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    anchors = {re.sub(r"[^\w-]", "", line.lower()) for line in re.findall(r"^#+ (\S+)", OPERATIONS, re.MULTILINE)}
    for one, rule in zip(ALERTS, loaded["groups"][0]["rules"], strict=True):
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{one.anchor}"
        assert one.anchor in anchors, f"docs/operations.md has no section {one.name}"
        assert "standfast " in rule["annotations"]["description"]
        used = set(re.findall(r"standfast_\w+", one.expression))
        assert used <= set(BY_NAME), f"{one.name} asks for metrics that nobody has"


def test_the_runbook_may_be_elsewhere() -> None:
    base = "https://wiki.example.com/standfast"
    command = [sys.executable, "-m", "tools.signals", "--runbook", base]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=RULES.parent.parent.parent)
    links = [one["annotations"]["runbook_url"] for one in YAML(typ="safe").load(done.stdout)["groups"][0]["rules"]]
    assert links == [f"{base}#{one.anchor}" for one in ALERTS]


def test_nothing_fires_when_all_is_well(tmp_path: Path) -> None:
    for one in ALERTS:
        promtool(tmp_path, FINE, 120, [], one.name)


@pytest.mark.parametrize("alert", WRONG)
def test_it_fires_with_its_sentence(tmp_path: Path, alert: str) -> None:
    more, gone, minutes, summary = WRONG[alert]
    series = {name: values for name, values in FINE.items() if name not in gone} | more
    assert fires(tmp_path, series, minutes, alert) == [summary]


@pytest.mark.parametrize("alert", TOO_LITTLE)
def test_it_does_not_fire_for_less(tmp_path: Path, alert: str) -> None:
    more, gone, minutes = TOO_LITTLE[alert]
    promtool(tmp_path, {name: values for name, values in FINE.items() if name not in gone} | more, minutes, [], alert)


def test_every_expression_of_the_board_is_understood(tmp_path: Path) -> None:
    found = [target["expr"] for panel in board()["panels"] for target in panel.get("targets", ())]
    found += [one["expr"] for one in board()["annotations"]["list"]]
    assert len(found) > len(METRICS)
    records = [
        {"record": f"board:{number}", "expr": expression.replace("$job", "standfast").replace("$__rate_interval", "5m")}
        for number, expression in enumerate(found)
    ]
    path = tmp_path / "board.json"
    path.write_text(json.dumps({"groups": [{"name": "board", "rules": records}]}), encoding="utf-8")
    done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, f"{len(found)} rules found" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_board_has_every_metric_once_and_panels_do_not_overlap() -> None:
    panels = board()["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == list(ROWS)
    assert {one.row for one in METRICS} == set(ROWS)
    asked = [str(panel.get("targets")) for panel in panels]
    shown = [name for text in asked for name in set(re.findall(r"standfast_\w+?(?=_bucket|\W)", text))]
    assert sorted(shown) == sorted(one.name for one in METRICS)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(expressions(one) for one in METRICS)
