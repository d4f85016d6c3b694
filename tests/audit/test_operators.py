"""What operators write without a plan, judged line by line: leaving, taking over."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from standfast.audit.findings import Findings
from standfast.audit.format import IntentLine
from standfast.audit.lines import Place
from standfast.audit.payloads import judge_intent


def operator_intent(act: str, *, plan: str = "none", found: str = "live", **floor: object) -> Mapping[str, Any]:
    """An intent of an operator's, about one endpoint."""
    asserted = {"found": "live", "generation": 3, "over": "aa" * 8, "sets": 3, "state": "live", **floor}
    write = {"name": "www.x", "since": 3, "over": "bb" * 8, "before": 3, "act": act, "kind": "", "found": found}
    return {"zone": "x", "generation": 3, "plan": plan, "nonce": "cc" * 8, "floor": asserted, "writes": [write]}


@pytest.mark.parametrize(
    ("intent", "guarantee"),
    [
        (operator_intent("leave"), ""),
        (operator_intent("leave", found="retired"), ""),
        (operator_intent("leave", sets=None, goes=True), ""),
        (operator_intent("leave", sets=None), "G2"),
        (operator_intent("leave", found="frozen"), "G8"),
        (operator_intent("leave", found="foreign"), "G8"),
        (operator_intent("leave", found="live", plan="0123abcd"), "G1"),
        (operator_intent("take", found="foreign"), ""),
        (operator_intent("take"), "G8"),
        (operator_intent("take", found="retired"), "G8"),
    ],
)
def test_what_operators_write_without_a_plan_is_judged(intent: Mapping[str, Any], guarantee: str) -> None:
    findings = Findings()
    judge_intent(msgspec.convert(intent, IntentLine), Place("operator.jsonl", 1), findings)
    assert [one.guarantee for one in findings.violations] == ([guarantee] if guarantee else [])
