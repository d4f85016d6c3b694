"""Alert rules, Grafana board and `docs/metrics.md`, from the lists in the code: `python -m tools.signals`.

With `--runbook BASE` only the rules, on standard output, with links to BASE#alert: where you read operations.md.
"""

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from standfast.runtime.monitoring.alerts import RUNBOOK, rules
from standfast.runtime.monitoring.board import board
from standfast.runtime.monitoring.metrics import METRICS, NAMED_MAX
from standfast.runtime.monitoring.serving import OFFSETS

ROOT: Final = Path(__file__).parent.parent
RULES: Final = ROOT / "deploy/prometheus/standfast.rules.yaml"
PAGE: Final = ROOT / "docs/metrics.md"
BOARD: Final = ROOT / "deploy/grafana/standfast.json"
_HEAD: Final = "# Generated from src/standfast/runtime/monitoring/alerts.py (python -m tools.signals): edit that.\n"


def rules_text(runbook: str = RUNBOOK) -> str:
    """The rule file; its links lead to `runbook`."""
    yaml, text = YAML(), io.StringIO()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(rules(runbook), text)
    return _HEAD + text.getvalue()


def board_text() -> str:
    """The board."""
    return json.dumps(board(), indent=2, ensure_ascii=False) + "\n"


def page_text() -> str:
    """The page about metrics."""
    ports = ", ".join(f"{role} {9753 + offset}" for role, offset in OFFSETS.items())
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(one.labels) or '–'} | {', '.join(one.roles)} "
        f"| {one.help} | {one.reason} |"
        for one in METRICS
    ]
    return (_PAGE.format(ports=ports, most=NAMED_MAX) + "\n".join(rows)).rstrip() + "\n"


_PAGE: Final = """# Metrics

```yaml
metrics: {{listen: 127.0.0.1:9753}}
```

Each process serves `/metrics` on a port of its own, so that Prometheus sees which is gone: {ports}, further enactors of
`standfast run --enactors` one beside the other (`--metrics-port` sets another). On loopback unless told. The alerts are
in [standfast.rules.yaml](../deploy/prometheus/standfast.rules.yaml), explained in
[operations.md](operations.md#alerts); the board is [standfast.json](../deploy/grafana/standfast.json) (Grafana 10.4 or
newer). The alerts' `runbook_url` is relative to this repository; rules with links to where your people read that page:
`python -m tools.signals --runbook https://wiki.example.com/standfast > standfast.rules.yaml`.

```yaml
scrape_configs:
  - job_name: standfast
    static_configs:
      - targets: ['127.0.0.1:9753', '127.0.0.1:9754', '127.0.0.1:9755', '127.0.0.1:9758', '127.0.0.1:9763']
```

No label has an address; names of endpoints are labels only where something is wrong with them, at most {most} of each
metric. Ages are measured by the process that tells them, since clocks of machines differ. The list is generated from
the code (`make documents`).

| metric | type | labels | roles | says | why |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Write all of it, or print the rules for another runbook."""
    parser = argparse.ArgumentParser(description="Alert rules, Grafana board and docs/metrics.md, from the code.")
    parser.add_argument("--runbook", metavar="BASE", help="print the rules with links to BASE#alert, write nothing")
    if runbook := parser.parse_args().runbook:
        sys.stdout.write(rules_text(runbook))
        return
    for path, text in ((RULES, rules_text()), (BOARD, board_text()), (PAGE, page_text())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
