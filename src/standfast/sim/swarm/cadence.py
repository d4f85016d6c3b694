"""When processes do what they do, in seconds: as in `runtime/`, which a simulation may not import (a test compares).

What runs side by side in production and has no effect on the order of requests is left out: an enactor's preparing of
the next change while one is under way asks for its nonce and intent a little earlier, and nothing else.
"""

from typing import Final

ENACTOR_POLL_S: Final = 0.005
LOOK_S: Final = 2.0
AUDIT_S: Final = 600.0
RETRY_S: Final = 0.25
PAUSE_S: Final = 0.01
PAUSE_MAX_S: Final = 2.0
ENDPOINTS_A_SECOND: Final = 5_000

PLANNER_POLL_S: Final = 0.01
PLANNER_LOOK_S: Final = 30.0
SURVEY_S: Final = 600.0
PLANNER_RETRY_S: Final = 0.05
PLANNER_RETRY_MAX_S: Final = 5.0
SILENT_S: Final = 3.0
DUE_AGAIN_S: Final = 1.0
HEALTH_BEAT_S: Final = 5.0
"""How often the planner that speaks for health repeats itself: once an interval of the checks."""
SILENT_BEATS: Final = 3
SHRINK_MAX: Final = 0.34
"""A fleet that lost a larger share of its load balancers at once is not believed (`adapters/sources/file.py`)."""

CLEANER_PASS_S: Final = 60.0
TREES_EVERY: Final = 10
PROBE_JITTER: Final = 0.1
PROVIDER_TIMEOUT_S: Final = 5.0
"""How long an enactor waits for the answer to an update, and for a silent server while it reads."""
SILENT_TIMES: Final = 10
