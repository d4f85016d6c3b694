"""Alert rules and Grafana board from the lists in the code: `python -m tools.signals` writes them anew."""

import io
import json
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from standfast.runtime.monitoring.alerts import rules
from standfast.runtime.monitoring.board import board

ROOT: Final = Path(__file__).parent.parent
RULES: Final = ROOT / "deploy/prometheus/standfast.rules.yaml"
BOARD: Final = ROOT / "deploy/grafana/standfast.json"
_HEAD: Final = "# Generated from src/standfast/runtime/monitoring/alerts.py (python -m tools.signals): edit that.\n"


def rules_text() -> str:
    """The rule file."""
    yaml, text = YAML(), io.StringIO()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(rules(), text)
    return _HEAD + text.getvalue()


def board_text() -> str:
    """The board."""
    return json.dumps(board(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in ((RULES, rules_text()), (BOARD, board_text())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
