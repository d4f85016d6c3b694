"""The seven alerts. `deploy/prometheus/standfast.rules.yaml` is made of them: `python -m tools.signals`.

Each has one sentence (those of `verdict.py` where they fit), what to type, and its section of `docs/operations.md`.
They ask only for metrics of the list; what they don't ask for is for the board. What needs a person and has no number
(a refusal, a consent) comes by the webhook.
"""

from typing import Any, Final

from msgspec import Struct

from ..silence import NO_ENACTOR, NO_PLANNER
from ..tugging import contested_sentence

RUNBOOK: Final = "docs/operations.md"
"""Relative to this repository. `python -m tools.signals --runbook BASE` makes rules for where people read it."""
_NAME: Final = "{{ $labels.name }}"


class Alert(Struct, frozen=True):
    """One alert: it fires when `expression` has been true for `lasting`. `anchor` is its section of the runbook."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    type_this: str
    anchor: str


ALERTS: Final = (
    Alert(
        "StandfastAnswerWrong",
        'max by (name, server, state) (standfast_wrong_name{state=~"empty|mixed|foreign"}) > 0',
        "30s",
        "page",
        f"{_NAME}: {{{{ $labels.server }}}} answers it {{{{ $labels.state }}}}, and another answer is planned.",
        f"standfast explain {_NAME}",
        "standfastanswerwrong",
    ),
    Alert(
        "StandfastHeld",
        "max by (name, how) (standfast_held_name) > 0",
        "1h",
        "ticket",
        f"{_NAME} is {{{{ $labels.how }}}} for more than an hour: failover is off for it.",
        f"standfast explain {_NAME}; then standfast resume {_NAME}, or standfast thaw {_NAME}",
        "standfastheld",
    ),
    Alert(
        "StandfastPanic",
        'max by (rule) (standfast_guarded_names{rule=~"panic|az_loss"}) > 0',
        "1m",
        "page",
        "A guard ({{ $labels.rule }}) keeps load balancers in the answer of {{ $value }} endpoints that health checks "
        "would take out.",
        "standfast status; then standfast explain NAME",
        "standfastpanic",
    ),
    Alert(
        "StandfastPlanStale",
        "min by (stream) (standfast_pass_age_seconds * on (instance) group_left (stream) standfast_process_info) > 900 "
        "or absent(standfast_pass_age_seconds)",
        "2m",
        "page",
        f"No plan was looked at for a quarter of an hour. {NO_PLANNER}",
        "standfast status; then systemctl restart standfast@planner",
        "standfastplanstale",
    ),
    Alert(
        "StandfastSecondaryBehind",
        "max by (server) (standfast_server_behind_seconds) > 120",
        "1m",
        "ticket",
        "{{ $labels.server }} has served something older for {{ $value | humanizeDuration }}: whoever asks it gets "
        "load balancers that left.",
        "standfast status; then on {{ $labels.server }}: rndc retransfer ZONE, or knotc zone-retransfer ZONE",
        "standfastsecondarybehind",
    ),
    Alert(
        "StandfastTugOfWar",
        "sum by (name) (standfast_contested_name) > 2",
        "0s",
        "page",
        contested_sentence(_NAME, "{{ $value }}"),
        f"standfast explain {_NAME}; to let the other one win: standfast freeze {_NAME}",
        "standfasttugofwar",
    ),
    Alert(
        "StandfastEnactorsSilent",
        "min(standfast_look_age_seconds) > 60 or absent(standfast_look_age_seconds) "
        "or min(standfast_round_age_seconds) > 300 or absent(standfast_round_age_seconds)",
        "1m",
        "page",
        f"{NO_ENACTOR} (Or no monitor looks: then nobody knows what is answered.)",
        "standfast status; then systemctl restart standfast@enactor standfast@monitor",
        "standfastenactorssilent",
    ),
)


def rules(runbook: str = RUNBOOK) -> dict[str, Any]:
    """The rule file, as Prometheus reads it; `runbook` is where the sections are read."""
    return {
        "groups": [
            {
                "name": "standfast",
                "rules": [
                    {
                        "alert": one.name,
                        "expr": one.expression,
                        **({"for": one.lasting} if one.lasting != "0s" else {}),
                        "labels": {"severity": one.severity},
                        "annotations": {
                            "summary": one.summary,
                            "description": f"Type: {one.type_this}",
                            "runbook_url": f"{runbook}#{one.anchor}",
                        },
                    }
                    for one in ALERTS
                ],
            }
        ]
    }
